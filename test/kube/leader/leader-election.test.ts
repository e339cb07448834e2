import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { sleep } from '../../../src/async/sleep.ts';
import { KubeApiError, KubeUnreachableError } from '../../../src/kube/client/kube-api-error.ts';
import type { KubeClient } from '../../../src/kube/client/kube-client.ts';
import type { RequestOptions } from '../../../src/kube/client/http-exchange.ts';
import { runLeaderElection } from '../../../src/kube/leader/leader-election.ts';
import type { LeaderElectionOptions, Tenure } from '../../../src/kube/leader/leader-election.ts';
import type { LeaseSpec } from '../../../src/kube/leader/observed-lease.ts';
import { recordingLogger } from '../recording-logger.ts';

const controllers: AbortController[] = [];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
});

afterEach(async () => {
  for (const controller of controllers.splice(0)) controller.abort();
  await vi.advanceTimersByTimeAsync(60_000);
  vi.useRealTimers();
});

/** One Lease with the apiserver's optimistic concurrency. */
function leaseServer() {
  let version = 0;
  let stored: { metadata: { resourceVersion: string }; spec: LeaseSpec } | undefined;
  const writes: LeaseSpec[] = [];
  function write(body: unknown): unknown {
    version += 1;
    stored = { ...(body as typeof stored & object) };
    stored.metadata = { ...stored.metadata, resourceVersion: String(version) };
    writes.push(stored.spec);
    return structuredClone(stored);
  }
  function handle({ method, body }: RequestOptions): unknown {
    if (method === 'GET') {
      if (!stored) throw new KubeApiError('GET lease', 404, { reason: 'NotFound' });
      return structuredClone(stored);
    }
    const taken =
      method === 'POST' ? stored !== undefined : stored?.metadata.resourceVersion !== versionOf(body);
    if (taken) throw new KubeApiError(`${method} lease`, 409, { reason: 'Conflict' });
    return write(body);
  }
  return {
    handle,
    writes,
    spec: () => stored?.spec,
    remove: () => (stored = undefined),
    /** As anybody else may write it. */
    put: (spec: LeaseSpec | undefined) =>
      void write({ metadata: { name: 'landlord', namespace: 'landlord' }, ...(spec && { spec }) }),
  };
}

function versionOf(body: unknown): string {
  return (body as { metadata: { resourceVersion: string } }).metadata.resourceVersion;
}

/** A candidate on the server, whose connection the test can cut. */
function candidate(
  server: ReturnType<typeof leaseServer>,
  identity: string,
  onStarted?: LeaderElectionOptions['onStarted'],
  options: Partial<LeaderElectionOptions> = {},
) {
  const link = {
    up: true,
    refusal: 0,
    answerDelayMs: 0,
    heedsAborts: false,
    calls: 0,
    timeouts: [] as number[],
  };
  const client = {
    request: async (options: RequestOptions) => {
      link.calls += 1;
      link.timeouts.push(options.timeoutMs ?? Number.NaN);
      await Promise.resolve();
      if (!link.up) throw new KubeUnreachableError('cut');
      if (link.refusal !== 0) throw new KubeApiError('PUT lease', link.refusal, { message: 'no' });
      const result = server.handle(options);
      if (link.answerDelayMs === 0) return result;
      // The server has done it, whether the answer is waited for or not.
      const { signal = new AbortController().signal } = options;
      if (await sleep(link.answerDelayMs, link.heedsAborts ? signal : undefined)) return result;
      throw new KubeUnreachableError('given up');
    },
  } as unknown as KubeClient;
  const { logger, lines } = recordingLogger();
  const controller = new AbortController();
  controllers.push(controller);
  const state = {
    leading: false,
    outcome: undefined as string | undefined,
    stopReason: undefined as unknown,
  };
  const done = runLeaderElection({
    client,
    namespace: 'landlord',
    name: 'landlord',
    identity,
    leaseDurationMs: 15_000,
    renewDeadlineMs: 10_000,
    retryPeriodMs: 2_000,
    windUpMs: 60_000,
    logger,
    signal: controller.signal,
    random: () => 0,
    ...options,
    onStarted:
      onStarted ??
      (async (signal) => {
        state.leading = true;
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        state.leading = false;
        state.stopReason = signal.reason;
      }),
  }).then((outcome) => (state.outcome = outcome));
  return { link, state, done, lines, abort: () => controller.abort(new Error('SIGTERM')) };
}

async function pass(seconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(seconds * 1000);
}

describe('the first candidate', () => {
  test('creates the lease, leads, and renews it every retry period by one write each', async () => {
    const server = leaseServer();
    const a = candidate(server, 'a');
    await pass(0);
    expect(a.state.leading).toBe(true);
    expect(server.spec()).toMatchObject({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      leaseTransitions: 0,
    });
    const { acquireTime } = server.spec() ?? {};
    const before = a.link.calls;
    await pass(20);
    expect(a.link.calls - before).toBe(10);
    expect(server.spec()).toMatchObject({ holderIdentity: 'a', acquireTime, leaseTransitions: 0 });
    expect(server.spec()?.renewTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  });

  test('gives each request no more time than is left of the renew deadline', async () => {
    const server = leaseServer();
    const a = candidate(server, 'a');
    await pass(0);
    a.link.up = false;
    a.link.timeouts.length = 0;
    await pass(9);
    expect(a.link.timeouts).toEqual([8_000, 6_000, 4_000, 2_000]);
  });
});

describe('a lease that is there already', () => {
  const times = { acquireTime: '2026-01-01T00:00:00.000000Z', renewTime: '2026-01-01T00:00:00.000000Z' };

  test('and is our own, from before a restart, is taken on without a change of hands', async () => {
    const server = leaseServer();
    server.put({ holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 3, ...times });
    const a = candidate(server, 'a');
    await pass(0);
    expect(a.state.leading).toBe(true);
    const { acquireTime } = times;
    expect(server.spec()).toMatchObject({ holderIdentity: 'a', acquireTime, leaseTransitions: 3 });
    expect(server.spec()?.renewTime).not.toBe(times.renewTime);
  });

  test('and is our own, but without the time at which it was taken, gets one', async () => {
    const server = leaseServer();
    server.put({ holderIdentity: 'a', leaseDurationSeconds: 15 });
    candidate(server, 'a');
    await pass(0);
    expect(server.spec()).toMatchObject({ leaseTransitions: 0, acquireTime: server.spec()?.renewTime });
  });

  test.each<[what: string, spec: LeaseSpec | undefined, transitions: number]>([
    ['was given back', { holderIdentity: '', leaseDurationSeconds: 15, leaseTransitions: 3, ...times }, 4],
    ['names no duration', { holderIdentity: 'b', leaseTransitions: 3, ...times }, 4],
    ['has nothing in it', undefined, 1],
  ])('and %s is taken at once', async (_what, spec, leaseTransitions) => {
    const server = leaseServer();
    server.put(spec);
    const a = candidate(server, 'a');
    await pass(0);
    expect(a.state.leading).toBe(true);
    expect(server.spec()).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions });
    expect(server.spec()?.acquireTime).not.toBe(times.acquireTime);
  });

  test('and is held by another is only read, until it runs out or changes', async () => {
    const server = leaseServer();
    const held = { holderIdentity: 'b', leaseDurationSeconds: 15, ...times };
    server.put(held);
    const a = candidate(server, 'a');
    await pass(10);
    // A renewal: the time runs anew.
    server.put({ ...held, renewTime: '2026-01-01T00:00:10.000000Z' });
    await pass(14);
    expect(a.state.leading).toBe(false);
    expect(server.writes).toHaveLength(2);
    await pass(5);
    expect(a.state.leading).toBe(true);
  });
});

test('those who wait ask after 1 to 2.2 periods, so that they do not ask in step', async () => {
  const server = leaseServer();
  server.put({ holderIdentity: 'a', leaseDurationSeconds: 3_600 });
  for (const [random, seconds] of [
    [0, 2],
    [0.5, 3.2],
    [1, 4.4],
  ] as const) {
    const b = candidate(server, 'b', undefined, { random: () => random });
    await pass(0);
    expect(b.link.calls).toBe(1);
    await pass(seconds - 0.001);
    expect(b.link.calls).toBe(1);
    await pass(0.001);
    expect(b.link.calls).toBe(2);
    b.abort();
  }
});

test('the duration in the lease is whole seconds, and no shorter than it should be', async () => {
  const server = leaseServer();
  candidate(server, 'a', undefined, { leaseDurationMs: 15_100 });
  await pass(0);
  expect(server.spec()?.leaseDurationSeconds).toBe(16);
});

describe('a second candidate', () => {
  test('waits while the first one renews, and takes over as soon as it gives the lease back', async () => {
    const server = leaseServer();
    const a = candidate(server, 'a');
    await pass(1);
    const b = candidate(server, 'b');
    await pass(60);
    expect([a.state.leading, b.state.leading]).toEqual([true, false]);
    a.abort();
    await pass(5);
    expect(a.state.outcome).toBe('released');
    expect(b.state.leading).toBe(true);
    expect(server.spec()).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
  });

  test('takes over from a dead one after the lease duration by its own clock, whatever the times in the lease say', async () => {
    const server = leaseServer();
    const dead = candidate(server, 'dead');
    await pass(0);
    dead.link.up = false;
    // Written by a clock an hour ahead.
    Object.assign(server.spec() ?? {}, { renewTime: '2999-01-01T00:00:00.000000Z' });
    const b = candidate(server, 'b');
    await pass(14);
    expect(b.state.leading).toBe(false);
    await pass(6);
    expect(b.state.leading).toBe(true);
  });

  test('never leads beside the first one, even if that one is cut off just after a renewal', async () => {
    const server = leaseServer();
    const a = candidate(server, 'a');
    await pass(0);
    const b = candidate(server, 'b');
    await pass(3);
    a.link.up = false;
    for (let step = 0; step < 300; step += 1) {
      await pass(0.1);
      expect(a.state.leading && b.state.leading).toBe(false);
    }
    expect(b.state.leading).toBe(true);
  });
});

test('two never lead together, even if the answer to the last renewal took long to come', async () => {
  const server = leaseServer();
  const a = candidate(server, 'a');
  await pass(0);
  const b = candidate(server, 'b');
  await pass(1);
  a.link.answerDelayMs = 9_000;
  await pass(2);
  a.link.up = false;
  for (let step = 0; step < 300; step += 1) {
    await pass(0.1);
    expect(a.state.leading && b.state.leading).toBe(false);
  }
  expect(b.state.leading).toBe(true);
});

describe('a leader', () => {
  test('that cannot renew within the deadline has lost: its work is told to stop', async () => {
    const server = leaseServer();
    const a = candidate(server, 'a');
    await pass(0);
    a.link.up = false;
    await pass(7);
    expect(a.state.outcome).toBeUndefined();
    await pass(5);
    expect(a.state).toMatchObject({
      outcome: 'lost',
      leading: false,
      stopReason: new Error('the lease is lost'),
    });
  });

  test('survives an outage shorter than the deadline', async () => {
    const server = leaseServer();
    const a = candidate(server, 'a');
    await pass(0);
    a.link.up = false;
    await pass(7);
    a.link.up = true;
    await pass(30);
    expect(a.state.leading).toBe(true);
  });

  test('that sees another holder has lost at once', async () => {
    const server = leaseServer();
    const a = candidate(server, 'a');
    await pass(1);
    server.remove();
    server.handle({
      method: 'POST',
      path: '',
      body: { metadata: {}, spec: { holderIdentity: 'b', leaseDurationSeconds: 15 } },
    });
    await pass(2);
    expect(a.state.outcome).toBe('lost');
    expect(server.spec()?.holderIdentity).toBe('b');
  });

  test('whose lease was deleted makes it again', async () => {
    const server = leaseServer();
    const a = candidate(server, 'a');
    await pass(1);
    server.remove();
    await pass(3);
    expect(a.state.leading).toBe(true);
    expect(server.spec()?.holderIdentity).toBe('a');
  });

  test('keeps the lease while its work winds up, and gives it back only then', async () => {
    const server = leaseServer();
    const windUp = Promise.withResolvers<void>();
    const a = candidate(server, 'a', async (signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      await windUp.promise;
    });
    await pass(1);
    const b = candidate(server, 'b');
    a.abort();
    await pass(40);
    expect(server.spec()?.holderIdentity).toBe('a');
    expect(b.state.leading).toBe(false);
    windUp.resolve();
    await pass(0);
    expect(a.state.outcome).toBe('released');
    expect(server.spec()).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 });
  });

  test('whose work has no promise, or a short one, leads until it is told to stop', async () => {
    const server = leaseServer();
    const started: string[] = [];
    const a = candidate(server, 'a', () => void started.push('a'));
    await pass(60);
    expect(started).toEqual(['a']);
    expect(a.state.outcome).toBeUndefined();
    expect(server.spec()?.holderIdentity).toBe('a');
    a.abort();
    await pass(0);
    expect(a.state.outcome).toBe('released');
    expect(server.spec()?.holderIdentity).toBe('');
  });

  test('whose work ends by itself as it is told to stop, stops at once', async () => {
    const server = leaseServer();
    const a = candidate(server, 'a');
    await pass(3);
    a.abort();
    await pass(0);
    expect(a.state).toMatchObject({ outcome: 'released', stopReason: new Error('SIGTERM') });
    const { length } = server.writes;
    await pass(60);
    expect(server.writes).toHaveLength(length);
  });

  test('whose lease somebody else has touched, but not taken, goes on', async () => {
    const server = leaseServer();
    const a = candidate(server, 'a');
    await pass(1);
    server.put(server.spec());
    await pass(30);
    expect(a.state.leading).toBe(true);
    expect(a.lines.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  test('that has lost writes nothing more: the lease is another one’s', async () => {
    const server = leaseServer();
    const a = candidate(server, 'a');
    await pass(0);
    a.link.up = false;
    await pass(12);
    expect(a.state.outcome).toBe('lost');
    const before = a.link.calls;
    a.abort();
    await pass(60);
    expect(a.link.calls).toBe(before);
    expect(a.lines.filter(({ level }) => level === 'error').map(({ fields }) => fields['holder'])).toEqual([
      'a',
    ]);
  });

  test('that can not give the lease back says so, and is gone all the same', async () => {
    const server = leaseServer();
    const a = candidate(server, 'a');
    await pass(0);
    a.link.up = false;
    a.abort();
    await pass(0);
    expect(a.state.outcome).toBe('released');
    expect(a.lines.at(-2)).toMatchObject({
      level: 'warn',
      message: expect.stringContaining('not given back'),
    });
    expect(server.spec()?.holderIdentity).toBe('a');
  });

  test.each([401, 403])(
    'whose lease can not be renewed for a %s says that, and names no other replica',
    async (status) => {
      const server = leaseServer();
      const a = candidate(server, 'a');
      await pass(0);
      a.link.refusal = status;
      await pass(12);
      expect(a.state.outcome).toBe('lost');
      const told = a.lines.filter(({ level }) => level === 'error');
      expect(told).toMatchObject([
        {
          message: 'the lease is lost: it could not be renewed for 10 s',
          fields: { error: `PUT lease: ${status} no` },
        },
      ]);
    },
  );

  test('whose lease another one has taken names that one', async () => {
    const server = leaseServer();
    const a = candidate(server, 'a');
    await pass(1);
    server.put({ holderIdentity: 'b', leaseDurationSeconds: 15 });
    await pass(2);
    expect(a.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { message: 'the lease is lost: another replica leads', fields: { holder: 'b' } },
    ]);
  });

  test('whose renewal hangs, and heeds no deadline, has lost all the same', async () => {
    const server = leaseServer();
    const a = candidate(server, 'a');
    await pass(1);
    const b = candidate(server, 'b');
    a.link.answerDelayMs = 3_600_000;
    await pass(12);
    expect(a.state.outcome).toBe('lost');
    await pass(20);
    expect(b.state.leading).toBe(true);
  });

  test('whose work hangs as it is to end does not renew the lease for ever, nor give it back', async () => {
    const server = leaseServer();
    const a = candidate(server, 'a', () => new Promise(() => undefined));
    await pass(1);
    const b = candidate(server, 'b');
    a.abort();
    await pass(59);
    expect(a.state.outcome).toBeUndefined();
    await pass(4);
    expect(a.state.outcome).toBe('lost');
    expect(server.spec()?.holderIdentity).toBe('a');
    await pass(20);
    expect(b.state.leading).toBe(true);
  });

  test('that loses the lease while its work winds up has that aborted', async () => {
    const server = leaseServer();
    let lost: AbortSignal | undefined;
    const a = candidate(server, 'a', (_signal, tenure) => {
      ({ lost } = tenure);
      return new Promise(() => undefined);
    });
    await pass(1);
    a.abort();
    await pass(1);
    expect(lost?.aborted).toBe(false);
    a.link.up = false;
    await pass(12);
    expect(lost?.aborted).toBe(true);
  });

  test('that was frozen knows that it has lost before any of its timers does', async () => {
    const server = leaseServer();
    let frozenMs = 0;
    let tenure: Tenure | undefined;
    let stopped: AbortSignal | undefined;
    const work: LeaderElectionOptions['onStarted'] = (signal, given) => {
      [stopped, tenure] = [signal, given];
    };
    const a = candidate(server, 'a', work, { now: () => performance.now() + frozenMs });
    await pass(5);
    expect(tenure?.isHeld()).toBe(true);
    frozenMs = 9_000;
    expect(tenure?.isHeld()).toBe(false);
    expect([tenure?.lost.aborted, stopped?.aborted]).toEqual([true, true]);
    await pass(0);
    expect(a.state.outcome).toBe('lost');
  });

  test('that has given the lease back holds it no more, and has not lost it', async () => {
    const server = leaseServer();
    let tenure: Tenure | undefined;
    const a = candidate(server, 'a', (_signal, given) => void (tenure = given));
    await pass(1);
    a.abort();
    await pass(1);
    expect(tenure?.isHeld()).toBe(false);
    expect(a.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('whose work fails gives the lease back and rejects', async () => {
    const server = leaseServer();
    const a = candidate(server, 'a', () => Promise.reject(new Error('broken')));
    await expect(Promise.all([a.done, pass(3)])).rejects.toThrow('broken');
    expect(server.spec()?.holderIdentity).toBe('');
  });
});

test('a candidate that is stopped while it waits ends without leading', async () => {
  const server = leaseServer();
  candidate(server, 'a');
  await pass(1);
  const b = candidate(server, 'b');
  await pass(1);
  b.abort();
  await pass(0);
  expect(b.state).toMatchObject({ outcome: 'released', leading: false });
  expect(server.spec()?.holderIdentity).toBe('a');
});

test('a candidate that is stopped while it is given the lease gives it back, and its work does not begin', async () => {
  const server = leaseServer();
  let started = false;
  const a = candidate(server, 'a', () => void (started = true));
  a.link.answerDelayMs = 1_000;
  await pass(0.5);
  a.abort();
  await pass(2);
  expect(a.state.outcome).toBe('released');
  expect(started).toBe(false);
  expect(server.writes.map(({ holderIdentity }) => holderIdentity)).toEqual(['a', '']);
});

test.each([
  ['as it renews the lease', 3.5],
  ['as it takes the lease', 0.5],
])('a candidate that is stopped %s, and never hears the answer, gives it back', async (_name, seconds) => {
  const server = leaseServer();
  const a = candidate(server, 'a');
  a.link.heedsAborts = true;
  if (seconds > 1) await pass(1);
  a.link.answerDelayMs = 3_000;
  await pass(seconds > 1 ? seconds - 1 : seconds);
  expect(server.spec()?.holderIdentity).toBe('a');
  a.link.answerDelayMs = 0;
  a.abort();
  await pass(1);
  expect(a.state.outcome).toBe('released');
  expect(server.spec()?.holderIdentity).toBe('');
});

test('a candidate whose server is away says so, and tries on', async () => {
  const server = leaseServer();
  const a = candidate(server, 'a');
  a.link.up = false;
  await pass(3);
  expect(a.lines.map(({ level, fields }) => [level, fields['error']])).toEqual([
    ['warn', 'cut'],
    ['warn', 'cut'],
  ]);
  expect(a.link.timeouts).toEqual([10_000, 10_000]);
  a.link.up = true;
  await pass(1);
  expect(a.state.leading).toBe(true);
});

test('durations that contradict each other are refused', async () => {
  const server = leaseServer();
  const options = {
    client: { request: server.handle } as unknown as KubeClient,
    namespace: 'n',
    name: 'n',
    identity: 'a',
    onStarted: () => {},
    windUpMs: 60_000,
    logger: recordingLogger().logger,
    signal: new AbortController().signal,
  };
  const refusal = (
    leaseDurationMs: number,
    renewDeadlineMs: number,
    retryPeriodMs: number,
  ): Promise<string> =>
    runLeaderElection({ ...options, leaseDurationMs, renewDeadlineMs, retryPeriodMs }).catch(
      (error: unknown) => String(error),
    );
  const lease = 'RangeError: the lease duration must be longer than the renew deadline';
  const renewal = 'RangeError: the renew deadline must be longer than 1.2 retry periods';
  expect(await refusal(10_000, 10_000, 1)).toBe(lease);
  expect(await refusal(9_999, 10_000, 1)).toBe(lease);
  expect(await refusal(15_000, 12_000, 10_000)).toBe(renewal);
  expect(await refusal(15_000, 10_000, 9_000)).toBe(renewal);
  options.signal = AbortSignal.abort();
  expect(await refusal(10_001, 10_000, 8_333)).toBe('released');
});
