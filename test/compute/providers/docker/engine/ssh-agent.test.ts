import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { never, standInEngine, testClient, until } from '../engine-stand-in.ts';

afterEach(() => vi.unstubAllEnvs());

/** Puts a program named ssh first in the PATH, that does what `script` (of Node) says and notes its arguments. */
async function sshThat(script: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'landlord-ssh-'));
  onTestFinished(async () => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'ssh'), `#!${process.execPath}\n${script}`);
  await chmod(join(folder, 'ssh'), 0o755);
  vi.stubEnv('PATH', `${folder}${delimiter}${process.env['PATH'] ?? ''}`);
}

const dialStdio = (socketPath: string): string => `
  if (!process.argv.join(' ').endsWith('-- ssh://bob@engine.example docker system dial-stdio')) process.exit(2);
  const socket = require('node:net').connect(${JSON.stringify(socketPath)});
  process.stdin.pipe(socket).pipe(process.stdout);
`;

test("an engine behind ssh is reached by the user's own ssh, once for several calls", async () => {
  const engine = await standInEngine((_request, response) => response.end('[]'));
  await sshThat(dialStdio(engine.socketPath));
  const client = testClient({ host: 'ssh://bob@engine.example' });
  for (let call = 0; call < 3; call += 1) expect(await client.listContainers([], never)).toEqual([]);
  expect(engine.connections.size).toBe(1);
  client.close();
  await until(() => engine.connections.size === 0);
});

test('events come through ssh', async () => {
  const engine = await standInEngine((_request, response) => {
    response.write(`${JSON.stringify({ Type: 'container', Action: 'die', Actor: { ID: 'c1' }, time: 1 })}\n`);
  });
  await sshThat(dialStdio(engine.socketPath));
  const events = testClient({ host: 'ssh://bob@engine.example' }).events([], () => undefined, never);
  for await (const event of events) {
    expect(event).toMatchObject({ action: 'die', id: 'c1' });
    break;
  }
});

test('what ssh complains of stands in the message', async () => {
  await sshThat(
    `process.stderr.write('bob@engine.example: Permission denied (publickey).\\r\\n'); process.exit(255);`,
  );
  await expect(
    testClient({ host: 'ssh://bob@engine.example' }).listContainers([], never),
  ).rejects.toMatchObject({
    code: 'ProviderUnavailable',
    message:
      "Docker Engine at ssh://bob@engine.example can't be reached: ssh: bob@engine.example: Permission denied (publickey).",
  });
});

test('an ssh that ends without a word is told as that', async () => {
  await sshThat('process.exit(0);');
  await expect(
    testClient({ host: 'ssh://bob@engine.example' }).listContainers([], never),
  ).rejects.toMatchObject({ message: expect.stringContaining('ssh: it ended without a word') });
});

test('a machine without ssh says so', async () => {
  vi.stubEnv('PATH', '/nowhere');
  await expect(testClient({ host: 'ssh://engine.example' }).listContainers([], never)).rejects.toMatchObject({
    code: 'ProviderUnavailable',
    message: expect.stringContaining('ssh'),
  });
});
