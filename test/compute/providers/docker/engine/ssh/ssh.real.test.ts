import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, expect, inject, onTestFinished, test, vi } from 'vitest';
import type { Engine } from '../../../../../../src/compute/providers/docker/engine/engine.ts';
import { until } from '../../../../../until.ts';
import { never, testClient } from '../../engine-stand-in.ts';
import { startSshServer } from './ssh-server.ts';
import type { SshServer } from './ssh-server.ts';

afterEach(() => vi.unstubAllEnvs());

const label = 'landlord.test=none-has-it';

async function serverThat(...options: readonly string[]): Promise<{ server: SshServer; client: Engine }> {
  const server = await startSshServer(inject('dockerHost'), options);
  vi.stubEnv('PATH', pathWith(server));
  return { server, client: testClient({ host: server.host }) };
}

function pathWith({ clientFolder }: SshServer): string {
  return `${clientFolder}${delimiter}${process.env['PATH'] ?? ''}`;
}

function clientsOf(server: SshServer): number {
  return server.clients('session').length + server.clients('login').length;
}

async function callsAtOnce(client: Engine, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, async () => client.listContainers([label], never)));
}

/** The engine's events, once they flow; ended with the test. `ended`: with what broke them. */
async function openEvents(client: Engine): Promise<{ ended: Promise<unknown> }> {
  const over = new AbortController();
  onTestFinished(() => over.abort());
  const { promise: open, resolve } = Promise.withResolvers<void>();
  const read = async (): Promise<unknown> => {
    try {
      for await (const event of client.events([label], resolve, over.signal)) void event;
      return undefined;
    } catch (error) {
      return error;
    }
  };
  const ended = read();
  await Promise.race([open, ended]);
  return { ended };
}

test('60 calls at once, beside events and a ping, cost at most four logins, and the next 60 none', async () => {
  const { server, client } = await serverThat();
  await openEvents(client);
  await Promise.all([callsAtOnce(client, 60), client.ping(never)]);
  const { accepted } = await server.logins();
  expect(accepted).toBeGreaterThanOrEqual(2);
  expect(accepted).toBeLessThanOrEqual(4);
  await callsAtOnce(client, 60);
  expect(await server.logins()).toEqual({ accepted, refused: 0, peak: accepted });
});

test('the end of a login fails what it carries, which says so, and is made good by another login', async () => {
  const { server, client } = await serverThat();
  const { ended } = await openEvents(client);
  const [login] = server.clients('login');
  process.kill(login ?? 0, 'SIGKILL');
  expect(await ended).toMatchObject({ code: 'ProviderUnavailable' });
  await openEvents(client);
  await callsAtOnce(client, 20);
  const { accepted, peak } = await server.logins();
  expect([accepted >= 2, accepted <= 5, peak <= 4]).toEqual([true, true, true]);
});

test('an sshd that takes one session into a login has four logins at most, for calls, events and pings', async () => {
  const { server, client } = await serverThat('MaxSessions 1');
  await openEvents(client);
  await callsAtOnce(client, 60);
  await client.ping(never);
  await Promise.all([callsAtOnce(client, 30), client.ping(never)]);
  const { accepted, peak } = await server.logins();
  expect([peak <= 4, accepted >= 2, accepted <= 8]).toEqual([true, true, true]);
});

test('what was closed is soon gone, here and there', async () => {
  const { server, client } = await serverThat();
  await callsAtOnce(client, 20);
  expect(server.clients('session').length).toBeGreaterThan(0);
  client.close();
  await until('no client is left', () => clientsOf(server) === 0);
});

test('a key that is refused is offered once, however many calls there are', async () => {
  const { server, client } = await serverThat();
  await server.refuseKeys();
  for (let round = 0; round < 3; round += 1) {
    await expect(callsAtOnce(client, 20)).rejects.toMatchObject({
      code: 'ProviderUnavailable',
      message: expect.stringMatching(/ssh: .*Permission denied \(publickey\)/),
    });
  }
  expect(await server.logins()).toMatchObject({ accepted: 0, refused: 1 });
});

/** An engine that, while it is frozen, takes connections and what is said to it, and says nothing. */
async function freezingEngine(folder: string): Promise<{ host: string; freeze(isFrozen: boolean): void }> {
  let isFrozen = false;
  const path = join(folder, 'engine.sock');
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('end', () => isFrozen || socket.end());
    socket.on('data', (asked) => {
      if (isFrozen) return;
      const body = String(asked).includes('/version') ? '{"ApiVersion":"1.41"}' : '[]';
      setTimeout(() => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`), 20);
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => void server.close());
  return { host: `unix://${path}`, freeze: (frozen) => (isFrozen = frozen) };
}

test('what a frozen engine leaves hanging costs the logins that it is in, and no places for good', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'landlord-frozen-'));
  onTestFinished(async () => rm(folder, { recursive: true, force: true }));
  const engine = await freezingEngine(folder);
  const server = await startSshServer(engine.host);
  vi.stubEnv('PATH', pathWith(server));
  const client = testClient({ host: server.host, deadlineMs: 20_000 });
  await callsAtOnce(client, 28);
  engine.freeze(true);
  await expect(callsAtOnce(client, 28)).rejects.toMatchObject({ code: 'ProviderUnavailable' });
  await until('nothing is asked any more', () => server.clients('session').length === 0);
  engine.freeze(false);
  await callsAtOnce(client, 28);
  expect(server.clients('session').length).toBe(14);
  const { accepted, peak } = await server.logins();
  expect([accepted <= 8, peak <= 4]).toEqual([true, true]);
});

/** Calls, says so, and goes on. */
const caller = `
  const { createEngineClient } = await import(process.argv[1]);
  const { pino } = await import('pino');
  const client = createEngineClient({ host: process.argv[2], logger: pino({ level: 'silent' }) });
  await Promise.all(Array.from({ length: 20 }, () => client.listContainers(['${label}'], new AbortController().signal)));
  console.log('done');
  setInterval(() => undefined, 1000);
`;

test('of a process that is killed no login, no session and no socket stays', async () => {
  const { server } = await serverThat();
  const sources = join(
    import.meta.dirname,
    '../../../../../../src/compute/providers/docker/engine/engine-client.ts',
  );
  const child = spawn(process.execPath, ['--input-type=module', '-e', caller, sources, server.host], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: import.meta.dirname,
    env: { ...process.env, TMPDIR: server.temporaryFolder },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const folders = readdirSync(server.temporaryFolder);
  expect(folders.length).toBeGreaterThan(0);
  for (const folder of folders) {
    expect(statSync(join(server.temporaryFolder, folder)).mode & 0o777).toBe(0o700);
  }
  child.kill('SIGKILL');
  await until('no client is left', () => clientsOf(server) === 0);
  await until('no folder is left', () => readdirSync(server.temporaryFolder).length === 0);
});
