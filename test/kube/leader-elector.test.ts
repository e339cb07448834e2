import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  KubeApiError,
  KubeUnreachableError,
  type KubeClient,
  type RequestOptions,
} from '../../src/kube/kube-client.ts';
import { runLeaderElection, type LeaseSpec } from '../../src/kube/leader-elector.ts';
import { recordingLogger } from './recording-logger.ts';

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
      if (!stored) throw new KubeApiError('GET lease', 404, {});
      return structuredClone(stored);
    }
    const taken =
      method === 'POST' ? stored !== undefined : stored?.metadata.resourceVersion !== versionOf(body);
    if (taken) throw new KubeApiError(`${method} lease`, 409, { reason: 'Conflict' });
    return write(body);
  }
  return { handle, writes, spec: () => stored?.spec, remove: () => (stored = undefined) };
}

function versionOf(body: unknown): string {
  return (body as { metadata: { resourceVersion: string } }).metadata.resourceVersion;
}

/** A candidate on the server, whose connection the test can cut. */
function candidate(
  server: ReturnType<typeof leaseServer>,
  identity: string,
  onStarted?: (signal: AbortSignal) => Promise<void>,
) {
  const link = { up: true, answerDelayMs: 0, calls: 0, timeouts: [] as number[] };
  const client = {
    request: async (options: RequestOptions) => {
      link.calls += 1;
      link.timeouts.push(options.timeoutMs ?? Number.NaN);
      await Promise.resolve();
      if (!link.up) throw new KubeUnreachableError('cut');
      const result = server.handle(options);
      if (link.answerDelayMs > 0) await new Promise((resolve) => setTimeout(resolve, link.answerDelayMs));
      return result;
    },
  } as unknown as KubeClient;
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
    logger: recordingLogger().logger,
    signal: controller.signal,
    random: () => 0,
    onStarted:
      onStarted ??
      (async (signal) => {
        state.leading = true;
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        state.leading = false;
        state.stopReason = signal.reason;
      }),
  }).then((outcome) => (state.outcome = outcome));
  return { link, state, done, abort: () => controller.abort(new Error('SIGTERM')) };
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
    expect(a.link.timeouts.length).toBeGreaterThan(2);
    for (const [index, timeoutMs] of a.link.timeouts.entries())
      expect(timeoutMs).toBeLessThanOrEqual(8_000 - 2_000 * Math.floor(index / 2));
  });
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

test('durations that contradict each other are refused', async () => {
  const server = leaseServer();
  const options = {
    client: { request: server.handle } as unknown as KubeClient,
    namespace: 'n',
    name: 'n',
    identity: 'a',
    onStarted: () => {},
    logger: recordingLogger().logger,
    signal: new AbortController().signal,
  };
  await expect(
    runLeaderElection({ ...options, leaseDurationMs: 10_000, renewDeadlineMs: 10_000, retryPeriodMs: 1 }),
  ).rejects.toThrow('longer');
  await expect(
    runLeaderElection({ ...options, leaseDurationMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 9_000 }),
  ).rejects.toThrow('longer');
});
