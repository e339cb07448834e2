import { expect, test } from 'vitest';
import { SharedSshLogins } from '../../../../../../src/compute/providers/docker/engine/ssh/ssh-logins.ts';
import type { SshSession } from '../../../../../../src/compute/providers/docker/engine/ssh/ssh-logins.ts';

/** Two logins of three sessions, which end when a test has them end. */
function smallLogins(ready: () => Promise<void> = async () => undefined) {
  const started: { end: (said: string) => void; isClosed: () => boolean }[] = [];
  const logins = new SharedSshLogins(
    () => {
      const { promise: ended, resolve } = Promise.withResolvers<string>();
      let closed = false;
      const path = { destination: 'ssh://engine.example', socketPath: `/s/${started.length + 1}` };
      started.push({ end: resolve, isClosed: () => closed });
      return { path, ready: ready(), ended, close: () => void (closed = true) };
    },
    { logins: 2, sessions: 3 },
  );
  return { logins, started };
}

async function openAll(logins: SharedSshLogins, count: number): Promise<readonly SshSession[]> {
  return Promise.all(Array.from({ length: count }, async () => logins.open()));
}

/** Where they are open, in order; those that wait are missing. */
async function openOf(sessions: readonly Promise<SshSession>[]): Promise<readonly string[]> {
  const open: string[] = [];
  for (const session of sessions) void session.then(({ socketPath }) => open.push(socketPath));
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  return open;
}

test('sessions fill one login before there is another, also those that begin at once', async () => {
  const { logins, started } = smallLogins();
  const sessions = await openAll(logins, 3);
  expect(started).toHaveLength(1);
  const [fourth] = await openAll(logins, 1);
  expect([sessions.map(({ socketPath }) => socketPath), fourth?.socketPath]).toEqual([
    ['/s/1', '/s/1', '/s/1'],
    '/s/2',
  ]);
  sessions[1]?.end();
  expect((await logins.open()).socketPath).toBe('/s/1');
  expect(started).toHaveLength(2);
});

test('where all logins are full a session waits until one of them has room', async () => {
  const { logins, started } = smallLogins();
  const sessions = await openAll(logins, 6);
  const waiting = [logins.open(), logins.open()];
  expect(await openOf(waiting)).toEqual([]);
  sessions[4]?.end();
  expect(await openOf(waiting)).toEqual(['/s/2']);
  expect(started).toHaveLength(2);
});

test('one that ended makes room for another, and its sessions have its words', async () => {
  const { logins, started } = smallLogins();
  const sessions = await openAll(logins, 6);
  const waiting = [logins.open(), logins.open()];
  started[0]?.end('Connection closed by remote host.');
  expect(await sessions[0]?.loginsLastWords()).toBe('Connection closed by remote host.');
  expect(await openOf(waiting)).toEqual(['/s/3', '/s/3']);
  // The places of the one that is gone are nobody's.
  for (const session of sessions.slice(0, 3)) session.end();
  await openAll(logins, 1);
  expect(await openOf([logins.open()])).toEqual([]);
});

test('where the login fails its sessions fail, and the next ones have another', async () => {
  const { promise: ready, reject } = Promise.withResolvers<void>();
  const { logins, started } = smallLogins(async () => (started.length === 1 ? ready : undefined));
  const sessions = openAll(logins, 2);
  reject(new Error('Permission denied'));
  started[0]?.end('Permission denied');
  await expect(sessions).rejects.toThrow('Permission denied');
  expect((await openAll(logins, 3)).map(({ socketPath }) => socketPath)).toEqual(['/s/2', '/s/2', '/s/2']);
});

test('closing ends each login, and nobody waits for ever', async () => {
  const { logins, started } = smallLogins();
  await openAll(logins, 6);
  const waiting = logins.open();
  logins.close();
  await expect(waiting).rejects.toThrow('closed');
  expect(started.map((login) => login.isClosed())).toEqual([true, true]);
});
