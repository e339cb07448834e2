import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LoginFailures } from '../../../../../../src/compute/providers/docker/engine/ssh/login-failures.ts';
import { SharedSshLogins } from '../../../../../../src/compute/providers/docker/engine/ssh/ssh-logins.ts';
import type { SshSession } from '../../../../../../src/compute/providers/docker/engine/ssh/ssh-logins.ts';
import type { EngineTraffic } from '../../../../../../src/compute/providers/docker/engine/engine-traffic.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface StartedLogin {
  readonly end: (said: string) => void;
  readonly isClosed: () => boolean;
}

const idleMs = 60_000;
const waitMs = 25_000;

/** Two logins of eight sessions, which end when a test has them end; shares: 6 calls, 4 ends, 6 streams. */
function smallLogins(ready: () => Promise<void> = async () => undefined) {
  const started: StartedLogin[] = [];
  const failures = new LoginFailures(() => Date.now());
  const start = () => {
    const { promise: ended, resolve } = Promise.withResolvers<string>();
    let closed = false;
    const path = { destination: 'ssh://engine.example', socketPath: `/s/${started.length + 1}` };
    started.push({ end: resolve, isClosed: () => closed });
    const close = (): void => {
      closed = true;
      resolve('');
    };
    return { path, ready: ready(), ended, close };
  };
  const bounds = { logins: 2, sessions: 8 };
  const logins = new SharedSshLogins(start, { bounds, idleMs, waitMs, failures });
  const asked: string[] = [];
  const open = async (traffic: EngineTraffic, signal = new AbortController().signal): Promise<SshSession> =>
    logins.open({ traffic, signal, giveWay: () => void asked.push(traffic) });
  /** Those that are answered. */
  const opened = async (traffic: EngineTraffic, count: number): Promise<readonly SshSession[]> => {
    const sessions = await Promise.all(Array.from({ length: count }, async () => open(traffic)));
    for (const session of sessions) session.taken();
    return sessions;
  };
  return { logins, started, asked, open, opened };
}

/** Where they are open, in order; those that wait are missing. */
async function openOf(...sessions: readonly Promise<SshSession>[]): Promise<readonly string[]> {
  const open: string[] = [];
  for (const session of sessions)
    void session.then(
      ({ socketPath }) => open.push(socketPath),
      () => undefined,
    );
  await vi.advanceTimersByTimeAsync(0);
  return open;
}

const pathsOf = (sessions: readonly SshSession[]): readonly string[] =>
  sessions.map(({ socketPath }) => socketPath);

test('sessions fill one login before there is another, also those that begin at once', async () => {
  const { started, opened, open } = smallLogins();
  const [first, second] = await Promise.all([opened('calls', 4), opened('streams', 4)]);
  expect(new Set(pathsOf([...first, ...second]))).toEqual(new Set(['/s/1']));
  expect(started).toHaveLength(1);
  expect((await open('ends')).socketPath).toBe('/s/2');
  second[1]?.end();
  expect((await open('streams')).socketPath).toBe('/s/1');
  expect(started).toHaveLength(2);
});

test('one login is begun at a time, however many wait', async () => {
  const ready = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let asked = 0;
  const { started, open } = smallLogins(async () => ready[asked++]?.promise);
  const waiting = ['calls', 'streams'].flatMap((traffic) =>
    Array.from({ length: 5 }, async () => open(traffic as EngineTraffic)),
  );
  expect([await openOf(...waiting), started.length]).toEqual([[], 1]);
  ready[0]?.resolve();
  expect([(await openOf(...waiting)).length, started.length]).toEqual([8, 2]);
  ready[1]?.resolve();
  expect(await openOf(...waiting)).toHaveLength(10);
});

test('no traffic takes the places of another, and where all are full each has its turn', async () => {
  const { opened, open, started } = smallLogins();
  const calls = await opened('calls', 6);
  const [call, next] = [open('calls'), open('calls')];
  expect(await openOf(call, next)).toEqual([]);
  await opened('streams', 6);
  const ends = await opened('ends', 4);
  const end = open('ends');
  expect([await openOf(end), started.length]).toEqual([[], 2]);
  calls[3]?.end();
  expect(await openOf(end, call, next)).toHaveLength(1);
  ends[0]?.end();
  expect(await openOf(end, call, next)).toHaveLength(2);
});

test('a place is waited for up to a bound, told in words, and no longer than it is wanted', async () => {
  const { opened, open } = smallLogins();
  await opened('calls', 6);
  const abandoned = new AbortController();
  const early = open('calls', abandoned.signal);
  const late = open('calls');
  const both = Promise.allSettled([early, late]);
  abandoned.abort(new Error('given up'));
  await vi.advanceTimersByTimeAsync(waitMs);
  expect((await both).map((result) => result.status === 'rejected' && String(result.reason))).toEqual([
    'Error: given up',
    'Error: ssh: its logins are full, and no session ended within 25 s',
  ]);
});

test('one that ended makes room for another, and its sessions have its words', async () => {
  const { started, opened, open } = smallLogins();
  const sessions = await opened('calls', 6);
  const waiting = open('calls');
  started[0]?.end('Connection closed by remote host.');
  expect(await sessions[0]?.loginsLastWords()).toBe('Connection closed by remote host.');
  expect(await openOf(waiting)).toEqual(['/s/2']);
  // The places of the one that is gone are nobody's.
  for (const session of sessions) session.end();
  await opened('calls', 5);
  expect(await openOf(open('calls'))).toEqual([]);
});

test('a login without sessions ends after a while, and the next session has another one', async () => {
  const { started, opened } = smallLogins();
  const [call] = await opened('calls', 1);
  await vi.advanceTimersByTimeAsync(idleMs * 2);
  expect(started[0]?.isClosed()).toBe(false);
  call?.end();
  await vi.advanceTimersByTimeAsync(idleMs - 1);
  expect(started[0]?.isClosed()).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(started[0]?.isClosed()).toBe(true);
  expect(pathsOf(await opened('calls', 1))).toEqual(['/s/2']);
});

test('where a login fails, all who wait fail with its words, and so do those who come before another is tried', async () => {
  const words = 'bob@engine.example: Permission denied (publickey).';
  const { promise: ready, reject } = Promise.withResolvers<void>();
  const { started, open, opened } = smallLogins(async () => (started.length === 1 ? ready : undefined));
  const both = Promise.allSettled([open('calls'), open('streams')]);
  reject(new Error(words));
  started[0]?.end(words);
  expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await vi.advanceTimersByTimeAsync(59_000);
  await expect(open('calls')).rejects.toThrow(`ssh: ${words}`);
  expect(started).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(pathsOf(await opened('calls', 2))).toEqual(['/s/2', '/s/2']);
});

test('a login that fails beside another leaves those who wait to that one, and is tried again', async () => {
  const { started, opened, open } = smallLogins(async () => {
    if (started.length === 2) throw new Error('Connection reset by peer');
  });
  await Promise.all([opened('calls', 4), opened('streams', 4)]);
  const waiting = open('streams');
  expect(await openOf(waiting)).toEqual([]);
  started[1]?.end('Connection reset by peer');
  await vi.advanceTimersByTimeAsync(500);
  expect(await openOf(waiting)).toEqual(['/s/3']);
});

test('where sshd takes fewer sessions, no more are begun in any login, and there is room for each traffic', async () => {
  const { started, open, opened, asked } = smallLogins();
  const sessions = await Promise.all(Array.from({ length: 6 }, async () => open('calls')));
  for (const session of sessions.slice(0, 2)) session.taken();
  for (const session of sessions.slice(2)) {
    session.refused('Session open refused by peer');
    session.end();
  }
  const call = open('calls');
  expect([await openOf(call), started.length]).toEqual([[], 1]);
  const [end] = await opened('ends', 1);
  const [stream] = await opened('streams', 1);
  expect([end?.socketPath, stream?.socketPath]).toEqual(['/s/2', '/s/2']);
  const next = open('streams');
  expect([await openOf(call, next), asked]).toEqual([[], []]);
  // The one that is idle and would make room is asked to give way, and only that one.
  end?.setIdle(true);
  sessions[0]?.setIdle(true);
  expect(asked).toEqual(['ends']);
  end?.end();
  expect(await openOf(call, next)).toEqual(['/s/2']);
});

test('a traffic that has more than its share by then is told to end', async () => {
  const { opened, open } = smallLogins();
  const calls = await opened('calls', 6);
  const [stream] = await opened('streams', 3);
  const refused = await open('streams');
  expect([calls[0]?.mayStay(), refused.socketPath]).toEqual([true, '/s/2']);
  refused.refused('Session open refused by peer');
  refused.end();
  expect([calls[0]?.mayStay(), stream?.mayStay()]).toEqual([false, true]);
  for (const call of calls.slice(2)) call.end();
  expect(calls[0]?.mayStay()).toBe(true);
});

test('sshd is believed to have been set up anew once nobody is logged in any more', async () => {
  const { started, open, opened } = smallLogins();
  const [one, other] = [await open('calls'), await open('calls')];
  one.taken();
  other.refused('Session open refused by peer');
  other.end();
  one.end();
  await vi.advanceTimersByTimeAsync(idleMs);
  expect(pathsOf(await opened('calls', 3))).toEqual(['/s/2', '/s/2', '/s/2']);
  expect(started).toHaveLength(2);
});

test('a login that never takes a session in has failed', async () => {
  const { started, open } = smallLogins();
  const session = await open('calls');
  session.refused('Session open refused by peer');
  session.end();
  await expect(open('calls')).rejects.toThrow(
    'ssh: Session open refused by peer: is MaxSessions of its sshd 0?',
  );
  expect([started.length, started[0]?.isClosed()]).toEqual([1, true]);
});

test('a session that goes on there keeps its place, until it ends or its login does', async () => {
  const { started, opened, open } = smallLogins();
  const sessions = [...(await opened('calls', 4)), ...(await opened('streams', 4))];
  for (const session of sessions.slice(0, 7)) session.abandon();
  expect((await open('calls')).socketPath).toBe('/s/2');
  sessions[0]?.end();
  expect((await open('calls')).socketPath).toBe('/s/1');
  for (const session of sessions.slice(1, 7)) session.end();
  expect(pathsOf(await opened('calls', 2))).toEqual(['/s/1', '/s/1']);
  expect(started).toHaveLength(2);
});

test('a login in which nothing but such sessions are is replaced, which ends them', async () => {
  const { started, opened } = smallLogins();
  const [one, other] = await opened('calls', 2);
  one?.abandon();
  expect(started[0]?.isClosed()).toBe(false);
  other?.end();
  expect(started[0]?.isClosed()).toBe(true);
  expect(pathsOf(await opened('calls', 1))).toEqual(['/s/2']);
});

test('closing ends each login, and nobody waits for ever', async () => {
  const { logins, started, opened, open } = smallLogins();
  await Promise.all([opened('calls', 6), opened('streams', 6)]);
  const waiting = open('calls');
  logins.close();
  await expect(waiting).rejects.toThrow('closed');
  await expect(open('calls')).rejects.toThrow('closed');
  expect(started.map((login) => login.isClosed())).toEqual([true, true]);
});
