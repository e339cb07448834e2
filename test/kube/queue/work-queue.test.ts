import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createWorkQueue } from '../../../src/kube/queue/work-queue.ts';
import type { ProcessResult, WorkQueueOptions } from '../../../src/kube/queue/work-queue.ts';
import { recordingLogger } from '../recording-logger.ts';

let controllers: AbortController[] = [];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'performance', 'Date'] });
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

describe('urgency', () => {
  test('counts within a burst too: what users changed comes before a sweep of the same moment', async () => {
    const { queue, keys } = startQueue(undefined, { concurrency: 1 });
    queue.add('sweep', { urgency: 'sweep' });
    queue.add('user');
    await settle();
    expect(keys()).toEqual(['user', 'sweep']);
  });

  test('of a sweep that meets a running pass: again right after, unless that fails and backs off', async () => {
    const gate = gated();
    const { queue, passes } = startQueue(gate.process);
    for (const failed of [false, true]) {
      queue.add('a');
      await settle();
      queue.add('a', { urgency: 'sweep' });
      await gate.finish('a', { failed });
      await gate.finish('a', { failed });
    }
    expect(passes.map(({ atMs }) => atMs)).toEqual([0, 0, 0]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(passes.map(({ atMs }) => atMs)).toEqual([0, 0, 0, 1_000]);
  });

  test.each([
    ['sweep', 'change'],
    ['change', 'sweep'],
  ] as const)('of a user stands, with a sweep before or after it: %s, then %s', async (first, second) => {
    const gate = gated();
    const { queue, passes } = startQueue(gate.process);
    queue.add('a');
    await settle();
    queue.add('a', { urgency: first });
    queue.add('a', { urgency: second });
    await gate.finish('a', { failed: true });
    expect(passes.map(({ atMs }) => atMs)).toEqual([0, 0]);
  });

  test('a sweep waits behind what users changed', async () => {
    const gate = gated();
    const { queue, keys } = startQueue(gate.process, { concurrency: 1 });
    queue.add('busy');
    await settle();
    queue.add('sweep', { urgency: 'sweep' });
    queue.add('user');
    queue.add('sweep-then-user', { urgency: 'sweep' });
    queue.add('sweep-then-user');
    for (const key of ['busy', 'user', 'sweep-then-user', 'sweep']) await gate.finish(key);
    expect(keys()).toEqual(['busy', 'user', 'sweep-then-user', 'sweep']);
  });

  test('busy users do not starve a sweep', async () => {
    const gate = gated();
    const { queue, keys } = startQueue(gate.process, { concurrency: 1 });
    queue.add('sweep', { urgency: 'sweep' });
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

  test('of more than the 24 days that a timer can hold are kept', async () => {
    const { queue, passes } = startQueue();
    const days = 86_400_000;
    queue.addAfter('a', 30 * days);
    await vi.advanceTimersByTimeAsync(29 * days);
    expect(passes).toEqual([]);
    await vi.advanceTimersByTimeAsync(days);
    expect(passes).toEqual([{ key: 'a', atMs: 30 * days }]);
  });

  test('that lie in the past are due now', async () => {
    const { queue, passes } = startQueue();
    queue.addAfter('a', -5);
    await vi.advanceTimersByTimeAsync(1);
    expect(passes.map(({ key }) => key)).toEqual(['a']);
  });

  test('do not count as waiting for a worker', async () => {
    const { queue } = startQueue();
    queue.addAfter('a', 5_000);
    await settle();
    expect(queue.depth).toBe(0);
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

  test('back off from 1 s to 5 min where nobody says otherwise', async () => {
    const { queue, passes } = startQueue(() => Promise.resolve({ failed: true }));
    queue.add('a');
    await vi.advanceTimersByTimeAsync(3_600_000);
    const waits = passes.map(({ atMs }, index) => atMs - (passes[index - 1]?.atMs ?? 0));
    expect(waits.slice(1, 12)).toEqual(
      [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map((seconds) => seconds * 1_000),
    );
  });

  test('with a requeueAfterMs look again then, and still count', async () => {
    const { queue, passes } = startQueue(() => Promise.resolve({ failed: true, requeueAfterMs: 70 }));
    queue.add('a');
    await vi.advanceTimersByTimeAsync(140);
    expect(passes.map(({ atMs }) => atMs)).toEqual([0, 70, 140]);
    expect(queue.failures('a')).toBe(3);
  });

  test('that throw nothing, or a retryAfterMs that is no number, back off as the others do', async () => {
    const { queue, passes } = startQueue((key) =>
      Promise.reject(key === 'a' ? undefined : { retryAfterMs: '5' }),
    );
    queue.add('a');
    queue.add('b');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(passes.map(({ key, atMs }) => `${key} ${atMs}`)).toEqual(['a 0', 'b 0', 'a 1000', 'b 1000']);
  });

  test('of a key that is not known are none', () => {
    expect(startQueue().queue.failures('a')).toBe(0);
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
    queue.add('a', { urgency: 'sweep' });
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

  test('drain of an idle queue is done at once', async () => {
    const { queue } = startQueue();
    expect(await queue.drain(10_000)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('drain voids what is scheduled', async () => {
    const { queue, keys } = startQueue();
    queue.addAfter('a', 5_000);
    await queue.drain(10_000);
    queue.addAfter('b', 5_000);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(keys()).toEqual([]);
  });

  test('drain gives a pass that ignores its abort a second, and is done then', async () => {
    const { queue } = startQueue(() => new Promise(() => undefined));
    queue.add('a');
    await settle();
    let ended: boolean | undefined;
    void queue.drain(5_000).then((result) => (ended = result));
    await vi.advanceTimersByTimeAsync(5_999);
    expect(ended).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(ended).toBe(false);
  });

  test('a pass that fails because it is aborted is no error of its own', async () => {
    const { queue, done, controller, lines } = startQueue(
      (_key, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        }),
    );
    queue.add('a');
    await settle();
    controller.abort(new Error('SIGTERM'));
    await done;
    expect(lines).toEqual([]);
  });

  test('a queue that was stopped takes nothing more', async () => {
    const { queue, keys, controller, done } = startQueue();
    controller.abort();
    await done;
    queue.add('a');
    queue.addAfter('b', 1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect([keys(), queue.depth]).toEqual([[], 0]);
  });

  test('a queue runs once, and not at all where it is stopped before', async () => {
    const { queue, done, controller } = startQueue();
    await expect(queue.run(new AbortController().signal)).rejects.toThrow('runs once');
    controller.abort();
    await done;
    await expect(queue.run(new AbortController().signal)).rejects.toThrow('runs once');
    const seen: string[] = [];
    const stopped = createWorkQueue({
      concurrency: 1,
      logger: recordingLogger().logger,
      process: (key) => {
        seen.push(key);
        return Promise.resolve();
      },
    });
    stopped.add('a');
    await stopped.run(AbortSignal.abort());
    expect(seen).toEqual([]);
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

test('metrics see how long a key has waited since it came, also one that has moved to another lane', async () => {
  const waits: string[] = [];
  let lane = 'hung';
  const { queue } = startQueue(gated().process, {
    concurrency: 1,
    laneOf: (key) => (key === 'mover' ? lane : 'hung'),
    metrics: { onStart: ({ key, waitedMs }) => waits.push(`${key} ${waitedMs}`) },
  });
  queue.add('blocker');
  await settle();
  queue.add('mover');
  await vi.advanceTimersByTimeAsync(40);
  lane = 'well';
  queue.add('mover');
  await settle();
  expect(waits).toEqual(['blocker 0', 'mover 40']);
});

test('metrics see the depth, the wait, the outcome and how long it took', async () => {
  const seen: string[] = [];
  const gate = gated();
  const { queue } = startQueue(gate.process, {
    concurrency: 1,
    metrics: {
      onDepth: (depth) => seen.push(`depth ${depth}`),
      onStart: ({ key, waitedMs }) => seen.push(`start ${key} ${waitedMs}`),
      onDone: (key, { durationMs, failed }) => seen.push(`done ${key} ${durationMs} ${failed}`),
    },
  });
  queue.add('a');
  queue.add('b');
  await vi.advanceTimersByTimeAsync(30);
  queue.add('b');
  await gate.finish('a', { failed: true });
  await vi.advanceTimersByTimeAsync(5);
  await gate.finish('b');
  expect(seen).toEqual([
    'depth 1',
    'depth 2',
    'depth 1',
    'start a 0',
    'depth 1',
    'done a 30 true',
    'depth 0',
    'start b 30',
    'done b 5 false',
  ]);
});

describe('a pass that hangs', () => {
  test('leaves its worker to the next key, and so do 600 in one lane, one after the other', async () => {
    const { queue, keys } = startQueue(
      (key) => (key.startsWith('hung') ? new Promise(() => undefined) : Promise.resolve()),
      { concurrency: 4 },
    );
    for (let index = 0; index < 600; index += 1) queue.add(`hung-${index}`);
    await settle();
    expect(keys()).toHaveLength(4);
    queue.add('well', { urgency: 'change' });
    await vi.advanceTimersByTimeAsync(4_999);
    expect(keys()).not.toContain('well');
    await vi.advanceTimersByTimeAsync(1);
    expect(keys()).toContain('well');
    await vi.advanceTimersByTimeAsync(600_000);
    // Four that count as quick ones, and four times as many slow ones.
    expect(keys().filter((key) => key.startsWith('hung'))).toHaveLength(20);
  });

  test('takes no other key a worker the next time', async () => {
    const gate = gated();
    const { queue, keys } = startQueue(gate.process, { concurrency: 1 });
    queue.add('hangs');
    await vi.advanceTimersByTimeAsync(5_000);
    await gate.finish('hangs');
    queue.add('hangs');
    queue.add('well');
    await settle();
    expect(keys().toSorted()).toEqual(['hangs', 'hangs', 'well']);
  });
});

describe('many keys of one moment', () => {
  test('come spread over the time that they are given', async () => {
    let turn = 0;
    const { queue, passes } = startQueue(undefined, { random: () => (turn += 1) / 10 });
    for (const key of ['a', 'b', 'c']) queue.add(key, { urgency: 'sweep', withinMs: 1_000 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(passes).toEqual([
      { key: 'a', atMs: 100 },
      { key: 'b', atMs: 200 },
      { key: 'c', atMs: 300 },
    ]);
  });

  test('cut nobody short who backs off by a failure of its own, and whoever waits for what is well again', async () => {
    const { queue, passes } = startQueue((key) =>
      Promise.resolve({ failed: true, requeueAfterMs: 60_000, isOutage: key === 'cut-off' }),
    );
    queue.add('faulty');
    queue.add('cut-off');
    await settle();
    for (const key of ['faulty', 'cut-off']) queue.add(key, { urgency: 'sweep', withinMs: 500 });
    await vi.advanceTimersByTimeAsync(59_999);
    expect(passes.map(({ key, atMs }) => `${key} ${atMs}`)).toEqual(['faulty 0', 'cut-off 0', 'cut-off 500']);
  });

  test('that meet a running pass are looked at after it, unless it fails by itself', async () => {
    const gate = gated();
    const { queue, keys } = startQueue(gate.process);
    for (const key of ['cut-off', 'faulty']) queue.add(key);
    await settle();
    for (const key of ['cut-off', 'faulty']) queue.add(key, { urgency: 'sweep', withinMs: 500 });
    await gate.finish('cut-off', { failed: true, isOutage: true });
    await gate.finish('faulty', { failed: true });
    expect(keys()).toEqual(['cut-off', 'faulty', 'cut-off']);
  });
});

describe('passes without I/O', () => {
  test('let timers and sockets have their turn every ten milliseconds', async () => {
    vi.useRealTimers();
    const order: string[] = [];
    const { queue, keys } = startQueue((key) => {
      order.push(key);
      const endMs = performance.now() + 3;
      while (performance.now() < endMs);
      return Promise.resolve();
    });
    for (let index = 0; index < 20; index += 1) queue.add(String(index));
    setImmediate(() => order.push('timer'));
    await vi.waitFor(() => expect(keys()).toHaveLength(20), 30_000);
    expect(order.indexOf('timer')).toBeLessThanOrEqual(5);
  });
});
