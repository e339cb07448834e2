import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { never, standInEngine, testClient, until } from '../../engine-stand-in.ts';
import { anyConsent } from '../../../../permits.ts';
import { noSession } from '../../../../../../src/compute/providers/docker/engine/ssh/ssh-options.ts';
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
  await until(() => engine.connections.size === 0 && !isAlive(pid) && !existsSync(dirname(socketPath)));
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

test('calls and stops that hang take 14 and 8 sessions, in three logins, and leave room for a ping', async () => {
  const ssh = await sshThat({ session: answersNothingElse });
  const client = testClient({ host, deadlineMs: 60_000 });
  const calls = Array.from({ length: 25 }, async () => client.listContainers([], never));
  const stops = Array.from({ length: 15 }, async (_, id) =>
    client.stopContainer(String(id), 10, anyConsent, never),
  );
  const all = Promise.allSettled([...calls, ...stops]);
  await until(() => ssh.sessions().length === 22);
  await client.ping(never);
  expect([ssh.sessions().length, ssh.logins().length]).toEqual([23, 3]);
  client.close();
  expect((await all).filter(({ status }) => status === 'rejected')).toHaveLength(40);
});

test('a login that ends is told of with its own words, and the next call has another one', async () => {
  const engine = await standInEngine((_request, response) => response.end('[]'));
  const hangsTheSecond = `
    if [ -e "$0.first" ] && [ ! -e "$0.second" ]; then
      : > "$0.second"; while kill -0 "$login" 2>/dev/null; do sleep 0.05; done; exit 255
    fi
    : > "$0.first"`;
  const ssh = await sshThat({ session: `${hangsTheSecond}\n${dialled(engine.socketPath)}` });
  const client = testClient({ host });
  await client.listContainers([], never);
  const lost = client.ping(never);
  lost.catch(() => undefined);
  await until(() => ssh.sessions().length === 2);
  process.kill(ssh.logins()[0]?.pid ?? 0);
  await expect(lost).rejects.toMatchObject({
    code: 'ProviderUnavailable',
    message: `Docker Engine at ${host} can't be reached: ssh: Connection to engine.example closed by remote host.`,
  });
  await client.ping(never);
  expect(ssh.logins()).toHaveLength(2);
});

test('what ssh complains of while it logs in stands in the message, for all who wait, and is not tried again at once', async () => {
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
  expect(ssh.logins()).toHaveLength(1);
});

/** As ssh says it where sshd takes no more sessions into the login. */
const refuses = `
  echo 'mux_client_request_session: session request failed: Session open refused by peer' >&2
  echo '${noSession}' >&2
  echo 'Connection closed by UNKNOWN port 65535' >&2
  exit 255
`;

test('what sshd takes no session for is said to another login, all of it, and only once', async () => {
  const engine = await standInEngine((request, response) => {
    if (request.url?.includes('/containers/create')) return response.writeHead(201).end('{"Id":"c1"}');
    return response.end('[]');
  });
  // Each login takes one session at a time: whoever makes the folder.
  const ssh = await sshThat({
    session: `
      mkdir "$socket.taken" 2>/dev/null || { ${refuses} }
      trap 'rmdir "$socket.taken"' EXIT
      ${dialled(engine.socketPath).replace('exec ', '')}`,
  });
  const client = testClient({ host });
  const body = { Image: 'app', Env: [`BIG=${'x'.repeat(2e6)}`] };
  const names = Array.from({ length: 8 }, (_, index) => `c${index}`);
  await Promise.all(names.map(async (name) => client.createContainer(name, body, never)));
  expect(engine.requests.toSorted()).toEqual(
    names.map((name) => `POST /v1.41/containers/create?name=${name}`),
  );
  expect(new Set(engine.bodies.map(({ length }) => length)).size).toBe(1);
  expect(ssh.logins().length).toBeLessThanOrEqual(4);
});

test('an sshd that takes no session at all is told of, after one login', async () => {
  const ssh = await sshThat({ session: refuses });
  await expect(testClient({ host }).listContainers([], never)).rejects.toMatchObject({
    code: 'ProviderUnavailable',
    message: expect.stringContaining('session request failed: Session open refused by peer'),
  });
  expect([ssh.sessions().length, ssh.logins().length]).toEqual([1, 1]);
});

test('a session whose login is gone by then has another one', async () => {
  const engine = await standInEngine((_request, response) => response.end('[]'));
  const isGoneForTheSecond = `
    if [ -e "$0.first" ] && [ ! -e "$0.second" ]; then
      : > "$0.second"; kill "$login"; echo '${noSession}' >&2; exit 255
    fi
    : > "$0.first"`;
  const ssh = await sshThat({ session: `${isGoneForTheSecond}\n${dialled(engine.socketPath)}` });
  const client = testClient({ host });
  await client.listContainers([], never);
  await client.ping(never);
  expect([ssh.sessions().length, ssh.logins().length]).toEqual([3, 2]);
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
