import { existsSync } from 'node:fs';
import { afterEach, expect, test, vi } from 'vitest';
import { never, standInEngine, testClient, until } from '../../engine-stand-in.ts';
import { anyConsent } from '../../../../permits.ts';
import { dialled, sshThat } from './fake-ssh.ts';

afterEach(() => vi.unstubAllEnvs());

const host = 'ssh://bob@engine.example';

test("an engine behind ssh is reached by the user's own ssh, over one login for calls, events and pings", async () => {
  const engine = await standInEngine((request, response) => {
    if (!request.url?.includes('/events')) return response.end('[]');
    return response.write(
      `${JSON.stringify({ Type: 'container', Action: 'die', Actor: { ID: 'c1' }, time: 1 })}\n`,
    );
  });
  const ssh = await sshThat({ session: dialled(engine.socketPath) });
  const client = testClient({ host });
  for (let call = 0; call < 3; call += 1) expect(await client.listContainers([], never)).toEqual([]);
  expect(engine.connections.size).toBe(1);
  for await (const event of client.events([], () => undefined, never)) {
    expect(event).toMatchObject({ action: 'die', id: 'c1' });
    break;
  }
  await client.ping(never);
  expect(ssh.logins()).toHaveLength(1);
  expect(ssh.sessions()).toHaveLength(3);
  expect(ssh.logins()[0]?.arguments).toMatch(/ -T -- ssh:\/\/bob@engine\.example$/);
  for (const line of ssh.sessions())
    expect(line).toMatch(/ -T -- ssh:\/\/bob@engine\.example docker system dial-stdio$/);
});

test('with the connection its sessions end, its login, and the folder of its socket', async () => {
  const engine = await standInEngine((_request, response) => response.end('[]'));
  const ssh = await sshThat({ session: dialled(engine.socketPath) });
  const client = testClient({ host });
  await client.listContainers([], never);
  const [{ pid, socketPath } = { pid: 0, socketPath: '' }] = ssh.logins();
  expect([isAlive(pid), existsSync(socketPath)]).toEqual([true, true]);
  client.close();
  await until(() => engine.connections.size === 0 && !isAlive(pid));
  expect(existsSync(socketPath)).toBe(false);
});

/** Of each session the first request is answered where it is one of these. */
const answersNothingElse = `
  IFS= read -r line
  case "$line" in
    *version*) printf 'HTTP/1.1 200 OK\\r\\nContent-Length: 21\\r\\n\\r\\n{"ApiVersion":"1.41"}' ;;
    *_ping*) printf 'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nOK' ;;
  esac
  exec cat >/dev/null
`;

test('calls and stops that hang take 20 and 10 sessions, in four logins, and leave room for a ping', async () => {
  const ssh = await sshThat({ session: answersNothingElse });
  const client = testClient({ host, deadlineMs: 60_000 });
  const calls = Array.from({ length: 25 }, async () => client.listContainers([], never));
  const stops = Array.from({ length: 15 }, async (_, id) =>
    client.stopContainer(String(id), 10, anyConsent, never),
  );
  const all = Promise.allSettled([...calls, ...stops]);
  await until(() => ssh.sessions().length === 30);
  await client.ping(never);
  expect([ssh.sessions().length, ssh.logins().length]).toEqual([31, 4]);
  client.close();
  expect((await all).filter(({ status }) => status === 'rejected')).toHaveLength(40);
});

test('a login that ends is told of with its own words, and the next call has another one', async () => {
  const hangs = 'while kill -0 "$login" 2>/dev/null; do sleep 0.05; done; exit 255';
  const engine = await standInEngine((_request, response) => response.end('[]'));
  const ssh = await sshThat({
    session: `if [ -e "$0.hung" ]; then ${dialled(engine.socketPath)}; fi; : > "$0.hung"; ${hangs}`,
  });
  const client = testClient({ host });
  const lost = client.listContainers([], never);
  lost.catch(() => undefined);
  await until(() => ssh.sessions().length === 1);
  process.kill(ssh.logins()[0]?.pid ?? 0);
  await expect(lost).rejects.toMatchObject({
    code: 'ProviderUnavailable',
    message: `Docker Engine at ${host} can't be reached: ssh: Connection to engine.example closed by remote host.`,
  });
  expect(await client.listContainers([], never)).toEqual([]);
  expect(ssh.logins()).toHaveLength(2);
});

test('what ssh complains of while it logs in stands in the message, for all who wait, and the next call tries again', async () => {
  const ssh = await sshThat({
    login: `echo 'Warning: a banner' >&2; sleep 0.3; printf 'bob@engine.example: Permission denied (publickey).\\r\\n' >&2; exit 255`,
  });
  const client = testClient({ host });
  const refusal = {
    code: 'ProviderUnavailable',
    message: `Docker Engine at ${host} can't be reached: ssh: bob@engine.example: Permission denied (publickey).`,
  };
  const both = [client.listContainers([], never), client.listContainers([], never)];
  for (const call of both) await expect(call).rejects.toMatchObject(refusal);
  expect(ssh.logins()).toHaveLength(1);
  await expect(client.listContainers([], never)).rejects.toMatchObject(refusal);
  expect(ssh.logins()).toHaveLength(2);
});

test.each([
  [`echo 'sh: 1: docker: not found' >&2; exit 127`, 'ssh: sh: 1: docker: not found'],
  ['exit 0', 'ssh: it ended without a word'],
])('a session that ends by itself is told as that: %s', async (session, words) => {
  await sshThat({ session });
  await expect(testClient({ host }).listContainers([], never)).rejects.toMatchObject({
    code: 'ProviderUnavailable',
    message: `Docker Engine at ${host} can't be reached: ${words}`,
  });
});

test('a machine without ssh says so', async () => {
  vi.stubEnv('PATH', '/nowhere');
  await expect(testClient({ host }).listContainers([], never)).rejects.toMatchObject({
    code: 'ProviderUnavailable',
    message: `Docker Engine at ${host} can't be reached: ssh: there is no program ssh: install an OpenSSH client`,
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
