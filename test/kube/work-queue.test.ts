import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createWorkQueue, type ProcessResult, type WorkQueueOptions } from '../../src/kube/work-queue.ts';
import { recordingLogger } from './recording-logger.ts';

let controllers: AbortController[] = [];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
});

afterEach(() => {
  for (const controller of controllers) controller.abort();
  controllers = [];
  vi.useRealTimers();
});

/** A running queue that notes which keys it processed, and when. Its jitter is off: delays are exact. */
function startQueue(
  process: WorkQueueOptions['process'] = () => Promise.resolve(),
  options: Partial<WorkQueueOptions> = {},
) {
  const passes: { key: string; atMs: number }[] = [];
  const startMs = performance.now();
  const { logger, lines } = recordingLogger();
  const queue = createWorkQueue({
    concurrency: 4,
    logger,
    random: () => 1,
    ...options,
    process: (key, signal) => {
      passes.push({ key, atMs: performance.now() - startMs });
      return process(key, signal);
    },
  });
  const controller = new AbortController();
  controllers.push(controller);
  const done = queue.run(controller.signal);
  return { queue, passes, keys: () => passes.map(({ key }) => key), done, controller, lines };
}

/** A process function whose passes end when the test says so. */
function gated() {
  const waiting = new Map<string, PromiseWithResolvers<ProcessResult | void>>();
  return {
    process: (key: string) => {
      const gate = Promise.withResolvers<ProcessResult | void>();
      waiting.set(key, gate);
      return gate.promise;
    },
    async finish(key: string, result?: ProcessResult) {
      waiting.get(key)?.resolve(result);
      await settle();
    },
  };
}

async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

describe('keys', () => {
  test('asked for many times before a worker is free run once', async () => {
    const { queue, keys } = startQueue();
    for (let index = 0; index < 5; index += 1) queue.add('a');
    await settle();
    expect(keys()).toEqual(['a']);
  });

  test('asked for while they are processed run again right after, and never twice at once', async () => {
    const gate = gated();
    const { queue, keys } = startQueue(gate.process);
    queue.add('a');
    await settle();
    queue.add('a');
    queue.add('a');
    await settle();
    expect(keys()).toEqual(['a']);
    await gate.finish('a');
    expect(keys()).toEqual(['a', 'a']);
    await gate.finish('a');
    expect(keys()).toEqual(['a', 'a']);
  });

  test('run as many at once as there are workers', async () => {
    const gate = gated();
    const { queue, keys } = startQueue(gate.process, { concurrency: 2 });
    for (const key of ['a', 'b', 'c']) queue.add(key);
    await settle();
    expect(keys()).toEqual(['a', 'b']);
    expect(queue.depth).toBe(1);
    await gate.finish('b');
    expect(keys()).toEqual(['a', 'b', 'c']);
  });

  test('added before run() are processed when it starts', async () => {
    const seen: string[] = [];
    const { logger } = recordingLogger();
    const queue = createWorkQueue({
      concurrency: 1,
      logger,
      process: (key) => {
        seen.push(key);
        return Promise.resolve();
      },
    });
    queue.add('a');
    queue.addAfter('b', 10);
    const controller = new AbortController();
    controllers.push(controller);
    const done = queue.run(controller.signal);
    await vi.advanceTimersByTimeAsync(10);
    expect(seen).toEqual(['a', 'b']);
    controller.abort();
    await done;
  });
});

describe('priority', () => {
  test('a sweep waits behind what users changed', async () => {
    const gate = gated();
    const { queue, keys } = startQueue(gate.process, { concurrency: 1 });
    queue.add('busy');
    await settle();
    queue.add('sweep', { priority: 'low' });
    queue.add('user');
    queue.add('sweep-then-user', { priority: 'low' });
    queue.add('sweep-then-user');
    for (const key of ['busy', 'user', 'sweep-then-user', 'sweep']) await gate.finish(key);
    expect(keys()).toEqual(['busy', 'user', 'sweep-then-user', 'sweep']);
  });

  test('busy users do not starve a sweep', async () => {
    const gate = gated();
    const { queue, keys } = startQueue(gate.process, { concurrency: 1 });
    queue.add('sweep', { priority: 'low' });
    for (let index = 0; index < 20; index += 1) queue.add(`user-${index}`);
    for (let index = 0; index < 12; index += 1) await gate.finish(keys().at(-1) ?? '');
    expect(keys()).toContain('sweep');
  });
});

describe('delays', () => {
  test('an earlier deadline wins over a later one, in both orders', async () => {
    const { queue, passes } = startQueue();
    queue.addAfter('a', 5_000);
    queue.addAfter('a', 1_000);
    queue.addAfter('b', 1_000);
    queue.addAfter('b', 5_000);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(passes).toEqual([
      { key: 'a', atMs: 1_000 },
      { key: 'b', atMs: 1_000 },
    ]);
  });

  test('many keys come due in the order of their deadlines', async () => {
    const { queue, keys } = startQueue();
    const delays = Array.from({ length: 200 }, (_, index) => (index * 7919) % 1000);
    for (const delayMs of delays) queue.addAfter(String(delayMs), delayMs);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(keys().map(Number)).toEqual(delays.toSorted((a, b) => a - b));
  });

  test('a pass that runs in between makes a scheduled one void', async () => {
    const { queue, passes } = startQueue();
    queue.addAfter('a', 5_000);
    queue.add('a');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(passes).toEqual([{ key: 'a', atMs: 0 }]);
  });

  test('requeueAfterMs looks again', async () => {
    let left = 2;
    const { queue, passes } = startQueue(() =>
      Promise.resolve(left-- > 0 ? { requeueAfterMs: 300 } : undefined),
    );
    queue.add('a');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(passes.map(({ atMs }) => atMs)).toEqual([0, 300, 600]);
  });
});

describe('failures', () => {
  test('back off by doubling, up to the cap', async () => {
    const { queue, passes } = startQueue(() => Promise.resolve({ failed: true }), {
      backoff: { baseMs: 1_000, capMs: 5_000 },
    });
    queue.add('a');
    await vi.advanceTimersByTimeAsync(17_000);
    expect(passes.map(({ atMs }) => atMs)).toEqual([0, 1_000, 3_000, 7_000, 12_000, 17_000]);
    expect(queue.failures('a')).toBe(6);
  });

  test('of one key delay no other', async () => {
    const { queue, keys } = startQueue((key) => Promise.resolve({ failed: key === 'bad' }), {
      concurrency: 1,
    });
    queue.add('bad');
    await settle();
    queue.add('good');
    await settle();
    expect(keys()).toEqual(['bad', 'good']);
  });

  test('a thrown error counts, and its retryAfterMs says when', async () => {
    const { queue, passes, lines } = startQueue(() =>
      Promise.reject(Object.assign(new Error('throttled'), { retryAfterMs: 250 })),
    );
    queue.add('a');
    await vi.advanceTimersByTimeAsync(250);
    expect(passes.map(({ atMs }) => atMs)).toEqual([0, 250]);
    expect(queue.failures('a')).toBe(2);
    expect(lines[0]).toMatchObject({ level: 'error', fields: { key: 'a' } });
  });

  test('an immediate add in back-off runs now, and the failures still count', async () => {
    const { queue, passes } = startQueue(() => Promise.resolve({ failed: true }));
    queue.add('a');
    await vi.advanceTimersByTimeAsync(400);
    queue.add('a');
    await vi.advanceTimersByTimeAsync(10_000);
    // 0 fails (1 s), added at 0.4 s fails (2 s), so 2.4 s (4 s), 6.4 s; the back-off of the first pass is void.
    expect(passes.map(({ atMs }) => atMs)).toEqual([0, 400, 2_400, 6_400]);
  });

  test('a sweep does not cut a back-off short', async () => {
    const { queue, passes } = startQueue(() => Promise.resolve({ failed: true }));
    queue.add('a');
    await vi.advanceTimersByTimeAsync(400);
    queue.add('a', { priority: 'low' });
    await vi.advanceTimersByTimeAsync(600);
    expect(passes.map(({ atMs }) => atMs)).toEqual([0, 1_000]);
  });

  test('a success forgets them', async () => {
    let fail = true;
    const { queue } = startQueue(() => Promise.resolve({ failed: fail }));
    queue.add('a');
    await settle();
    expect(queue.failures('a')).toBe(1);
    fail = false;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(queue.failures('a')).toBe(0);
  });

  test('forget() drops them and what is scheduled', async () => {
    const { queue, keys } = startQueue(() => Promise.resolve({ failed: true }));
    queue.add('a');
    await settle();
    queue.forget('a');
    expect(queue.failures('a')).toBe(0);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(keys()).toEqual(['a']);
  });
});

describe('stopping', () => {
  test('drain waits for what runs and starts nothing more', async () => {
    const gate = gated();
    const { queue, keys } = startQueue(gate.process, { concurrency: 1 });
    queue.add('a');
    queue.add('b');
    await settle();
    queue.add('a');
    const drained = queue.drain(10_000);
    queue.add('c');
    await gate.finish('a');
    expect(await drained).toBe(true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(keys()).toEqual(['a']);
  });

  test('drain aborts what takes too long', async () => {
    const reasons: unknown[] = [];
    const { queue } = startQueue(
      (_key, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reasons.push(signal.reason);
            reject(new Error('aborted'));
          });
        }),
    );
    queue.add('a');
    await settle();
    const drained = queue.drain(5_000);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await drained).toBe(false);
    expect(reasons).toHaveLength(1);
  });

  test('run resolves after abort, when the passes have ended', async () => {
    const gate = gated();
    const { queue, done, controller } = startQueue(gate.process);
    queue.add('a');
    await settle();
    let ended = false;
    const watched = done.then(() => (ended = true));
    controller.abort();
    await settle();
    expect(ended).toBe(false);
    await gate.finish('a');
    await watched;
    expect(ended).toBe(true);
  });
});

test('metrics see the depth, the wait and the outcome', async () => {
  const seen: string[] = [];
  const { queue } = startQueue(() => Promise.resolve({ failed: true }), {
    metrics: {
      onDepth: (depth) => seen.push(`depth ${depth}`),
      onStart: (key, waitedMs) => seen.push(`start ${key} ${waitedMs}`),
      onDone: (key, { failed }) => seen.push(`done ${key} ${failed}`),
    },
  });
  queue.add('a');
  await settle();
  expect(seen).toEqual(['depth 1', 'depth 0', 'start a 0', 'done a true']);
});
