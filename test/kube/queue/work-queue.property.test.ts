import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { urgencies } from '../../../src/kube/queue/work-line.ts';
import type { Urgency } from '../../../src/kube/queue/work-line.ts';
import { createWorkQueue } from '../../../src/kube/queue/work-queue.ts';
import type { ProcessResult } from '../../../src/kube/queue/work-queue.ts';
import { recordingLogger } from '../recording-logger.ts';

/** Whatever is asked of the queue in whatever order, on a clock that only the test moves. */

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

type Step =
  | { readonly what: 'add'; readonly key: string; readonly urgency: Urgency; readonly withinMs: number }
  | { readonly what: 'addAfter'; readonly key: string; readonly ms: number }
  | { readonly what: 'move'; readonly key: string; readonly lane: string }
  | { readonly what: 'end'; readonly nth: number; readonly result: ProcessResult }
  | { readonly what: 'pass'; readonly ms: number };

const key = fc.constantFrom(...['a', 'b', 'c'].flatMap((group) => [1, 2, 3].map((nth) => `${group}/${nth}`)));
const of = <const W extends string>(what: W) => fc.constant(what);
const result: fc.Arbitrary<ProcessResult> = fc.constantFrom(
  {},
  { failed: true },
  { failed: true, isOutage: true },
  { requeueAfterMs: 500 },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      what: of('add'),
      key,
      urgency: fc.constantFrom(...urgencies),
      withinMs: fc.constantFrom(0, 0, 2_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: of('addAfter'), key, ms: fc.nat({ max: 3_000 }) }) },
  { weight: 1, arbitrary: fc.record({ what: of('move'), key, lane: fc.constantFrom('x', 'y') }) },
  { weight: 6, arbitrary: fc.record({ what: of('end'), nth: fc.nat({ max: 9 }), result }) },
  { weight: 3, arbitrary: fc.record({ what: of('pass'), ms: fc.constantFrom(1, 100, 5_000, 10_000) }) },
);

const workers = 2;

/** A queue whose passes end when the test says so. */
function startQueue() {
  const running = new Map<string, (result: ProcessResult) => void>();
  const lanes = new Map<string, string>();
  /** Asked for, by a change or a hint, and not begun since. */
  const owed = new Set<string>();
  const runningIn = new Map<string, string>();
  const queue = createWorkQueue({
    concurrency: workers,
    laneOf: (name) => lanes.get(name) ?? 'x',
    groupOf: (name) => name.split('/')[0] ?? '',
    logger: recordingLogger().logger,
    random: () => 0.5,
    metrics: { onStart: ({ key: name, lane }) => void runningIn.set(name, lane) },
    process(name) {
      expect(running.has(name)).toBe(false);
      owed.delete(name);
      const { promise, resolve } = Promise.withResolvers<ProcessResult>();
      running.set(name, resolve);
      return promise;
    },
  });
  const stop = new AbortController();
  void queue.run(stop.signal);
  const end = (name: string, how: ProcessResult): void => {
    running.get(name)?.(how);
    running.delete(name);
  };
  const busiest = (): number =>
    Math.max(
      0,
      ...['x', 'y'].map((lane) => [...running.keys()].filter((name) => runningIn.get(name) === lane).length),
    );
  return { queue, running, lanes, owed, end, busiest, stop };
}

type Queue = ReturnType<typeof startQueue>;

async function play({ queue, running, lanes, owed, end }: Queue, one: Step): Promise<void> {
  switch (one.what) {
    case 'add':
      queue.add(one.key, one);
      if (['change', 'hint'].includes(one.urgency)) owed.add(one.key);
      break;
    case 'addAfter':
      queue.addAfter(one.key, one.ms);
      break;
    case 'move':
      lanes.set(one.key, one.lane);
      break;
    case 'end': {
      const name = [...running.keys()][one.nth % Math.max(1, running.size)];
      if (name !== undefined) end(name, one.result);
      break;
    }
    case 'pass':
      await vi.advanceTimersByTimeAsync(one.ms);
  }
  await vi.advanceTimersByTimeAsync(0);
}

test('no key has two passes at once, none is lost, and no lane has more passes than it may', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const queue = startQueue();
      for (const one of steps) {
        await play(queue, one);
        expect(queue.busiest()).toBeLessThanOrEqual(workers * 5);
        // Whoever waits has all workers of a lane before it.
        expect(queue.queue.depth === 0 || queue.busiest() >= workers).toBe(true);
      }
      // More rounds than there can be passes left.
      for (let round = 0; round < 20; round += 1) {
        for (const name of queue.running.keys()) queue.end(name, {});
        await vi.advanceTimersByTimeAsync(5_000);
      }
      expect([...queue.owed]).toEqual([]);
      expect([queue.queue.depth, queue.running.size]).toEqual([0, 0]);
      queue.stop.abort();
    }),
    { numRuns: 200 },
  );
});

test('among the keys that wait, one is taken before each that is less urgent, but for one turn in eight', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...urgencies), { minLength: 8, maxLength: 40 }),
      async (asked) => {
        const order: Urgency[] = [];
        const queue = createWorkQueue({
          concurrency: 1,
          logger: recordingLogger().logger,
          process: () => Promise.resolve(),
          metrics: { onStart: ({ urgency }) => void order.push(urgency) },
        });
        for (const [index, urgency] of asked.entries()) queue.add(String(index), { urgency });
        const stop = new AbortController();
        void queue.run(stop.signal);
        await vi.advanceTimersByTimeAsync(1);
        stop.abort();
        expect(order.toSorted()).toEqual(asked.toSorted());
        const left = [...asked];
        for (const [index, urgency] of order.entries()) {
          const most = urgencies.find((one) => left.includes(one));
          expect((index + 1) % 8 === 0 || urgency === most).toBe(true);
          left.splice(left.indexOf(urgency), 1);
        }
      },
    ),
    { numRuns: 100 },
  );
});
