import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  TokenQueueOverrun,
  createTokenQueue,
} from '../../../../../../src/compute/providers/ecs/engine/limits/token-queue.ts';
import type { TokenQueue } from '../../../../../../src/compute/providers/ecs/engine/limits/token-queue.ts';

const now = (): number => Date.now();
const never = new AbortController().signal;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Takes and notes when it got its token. */
function takeAll(queue: TokenQueue, count: number, grantedAt: number[]): void {
  for (let taker = 0; taker < count; taker += 1) {
    void queue.take('user', never).then(() => grantedAt.push(now()));
  }
}

describe('a token queue', () => {
  test('never grants more than its burst and its rate allow, over any stretch of time, and serves everyone', async () => {
    const step = fc.record({
      afterMs: fc.integer({ min: 0, max: 3_000 }),
      takes: fc.integer({ min: 0, max: 12 }),
      what: fc.constantFrom('take', 'take', 'take', 'slow', 'abort', 'give back'),
      priority: fc.constantFrom('user', 'sweep'),
    } as const);
    const limits = fc.record({
      burst: fc.integer({ min: 1, max: 20 }),
      perSecond: fc.double({ min: 0.5, max: 20, noNaN: true }),
    });
    await fc.assert(
      fc.asyncProperty(limits, fc.array(step, { maxLength: 20 }), async (limit, steps) => {
        const queue = createTokenQueue(limit, { now, maxWaitMs: Number.POSITIVE_INFINITY });
        const grantedAt: number[] = [];
        let waiting = 0;
        for (const { afterMs, takes, what, priority } of steps) {
          await vi.advanceTimersByTimeAsync(afterMs);
          if (what === 'slow') queue.slowDown();
          const controller = new AbortController();
          for (let take = 0; take < takes; take += 1) {
            waiting += 1;
            queue
              .take(priority, controller.signal)
              .then(
                () => (what === 'give back' ? queue.giveBack() : grantedAt.push(now())),
                () => undefined,
              )
              .finally(() => (waiting -= 1));
          }
          if (what === 'abort') controller.abort();
        }
        // 240 takes at a sixteenth of 0.5/s, had it stayed slow.
        await vi.advanceTimersByTimeAsync(240 * 32_000);
        expect(waiting).toBe(0);
        expect(vi.getTimerCount()).toBe(0);
        for (const [first, from] of grantedAt.entries()) {
          for (let last = first; last < grantedAt.length; last += 1) {
            const allowed = limit.burst + (limit.perSecond * ((grantedAt[last] ?? 0) - from)) / 1000;
            expect(last - first + 1).toBeLessThanOrEqual(allowed + 1e-6);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  test('serves users before sweeps, and each kind in its order', async () => {
    const queue = createTokenQueue({ burst: 1, perSecond: 1 }, { now, maxWaitMs: 60_000 });
    const served: string[] = [];
    for (const name of ['sweep 1', 'sweep 2', 'sweep 3', 'user 1', 'user 2']) {
      const priority = name.startsWith('user') ? 'user' : 'sweep';
      void queue.take(priority, never).then(() => served.push(name));
    }
    await vi.advanceTimersByTimeAsync(10_000);
    expect(served).toEqual(['sweep 1', 'user 1', 'user 2', 'sweep 2', 'sweep 3']);
  });

  test('gives nothing to those who no longer wait', async () => {
    const queue = createTokenQueue({ burst: 1, perSecond: 1 }, { now, maxWaitMs: 60_000 });
    await queue.take('user', never);
    const controller = new AbortController();
    const gone = Promise.allSettled([
      queue.take('user', controller.signal),
      queue.take('user', controller.signal),
    ]);
    const grantedAt: number[] = [];
    const began = now();
    takeAll(queue, 1, grantedAt);
    controller.abort();
    expect((await gone).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(grantedAt).toEqual([began + 1_000]);
  });

  test('slows to half when the engine throttles, once for calls that were under way together, and recovers', async () => {
    const queue = createTokenQueue({ burst: 10, perSecond: 10 }, { now, maxWaitMs: 3_600_000 });
    expect([queue.slowDown(), queue.slowDown()]).toEqual([true, false]);
    const grantedAt: number[] = [];
    const began = now();
    takeAll(queue, 1_500, grantedAt);
    await vi.advanceTimersByTimeAsync(300_000);
    const granted = (fromMs: number, toMs: number): number =>
      grantedAt.filter((at) => at - began > fromMs && at - began <= toMs).length;
    expect(granted(-1, 0)).toBe(0);
    expect(granted(0, 1_000)).toBeLessThanOrEqual(6);
    expect(granted(60_000, 70_000)).toBeGreaterThanOrEqual(99);
  });

  test('however often it is slowed, still lets a call through to find out that it is over', async () => {
    const queue = createTokenQueue({ burst: 10, perSecond: 1 }, { now, maxWaitMs: 3_600_000 });
    for (let time = 0; time < 20; time += 1) {
      queue.slowDown();
      await vi.advanceTimersByTimeAsync(1_000);
    }
    const grantedAt: number[] = [];
    takeAll(queue, 1, grantedAt);
    await vi.advanceTimersByTimeAsync(16_000);
    expect(grantedAt).toHaveLength(1);
  });

  test('gives a token that was given back to the next, at once', async () => {
    const queue = createTokenQueue({ burst: 1, perSecond: 1 }, { now, maxWaitMs: 60_000 });
    await queue.take('user', never);
    const grantedAt: number[] = [];
    const began = now();
    takeAll(queue, 2, grantedAt);
    queue.giveBack();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(grantedAt).toEqual([began, began + 1_000]);
    queue.giveBack();
    queue.giveBack();
    takeAll(queue, 2, grantedAt);
    await vi.advanceTimersByTimeAsync(0);
    expect(grantedAt).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(1_000);
  });

  test('keeps no timer for nobody', async () => {
    const queue = createTokenQueue({ burst: 1, perSecond: 1 }, { now, maxWaitMs: 60_000 });
    await queue.take('user', never);
    const [first, second] = [new AbortController(), new AbortController()];
    const waiting = [queue.take('user', first.signal), queue.take('sweep', second.signal)];
    const gone = Promise.allSettled(waiting);
    first.abort();
    expect(vi.getTimerCount()).toBe(1);
    second.abort();
    expect(vi.getTimerCount()).toBe(0);
    await gone;
  });

  test('halves its rate once a second at most, and gets it back within a minute', async () => {
    const queue = createTokenQueue({ burst: 10, perSecond: 10 }, { now, maxWaitMs: 3_600_000 });
    const began = now();
    const slowed: boolean[] = [];
    for (const ms of [0, 999, 1]) {
      await vi.advanceTimersByTimeAsync(ms);
      slowed.push(queue.slowDown());
    }
    expect(slowed).toEqual([true, false, true]);
    const grantedAt: number[] = [];
    takeAll(queue, 1, grantedAt);
    await vi.advanceTimersByTimeAsync(60_000);
    // A quarter of 10 a second, and a little more for the second in between.
    expect(grantedAt).toEqual([began + 1_000 + 388]);
    takeAll(queue, 11, grantedAt);
    await vi.advanceTimersByTimeAsync(0);
    expect(grantedAt).toHaveLength(11);
    await vi.advanceTimersByTimeAsync(100);
    expect(grantedAt).toHaveLength(12);
  });

  test('counts for a user those users who wait, and for a sweep all', async () => {
    const queue = createTokenQueue({ burst: 1, perSecond: 1 }, { now, maxWaitMs: 2_500 });
    await queue.take('user', never);
    const waiting = [queue.take('sweep', never), queue.take('sweep', never)];
    await expect(queue.take('sweep', never)).rejects.toMatchObject({ waitMs: 3_000 });
    waiting.push(queue.take('user', never), queue.take('user', never));
    await expect(queue.take('user', never)).rejects.toMatchObject({ waitMs: 3_000 });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await Promise.allSettled(waiting)).toHaveLength(4);
  });

  test('gives nothing to who has given up before', async () => {
    const queue = createTokenQueue({ burst: 1, perSecond: 1 }, { now, maxWaitMs: 60_000 });
    await expect(queue.take('user', AbortSignal.abort(new Error('no')))).rejects.toThrow('no');
    const grantedAt: number[] = [];
    takeAll(queue, 1, grantedAt);
    await vi.advanceTimersByTimeAsync(0);
    expect(grantedAt).toHaveLength(1);
  });

  test('turns away at once whoever would wait too long, and says how long that is', async () => {
    const queue = createTokenQueue({ burst: 2, perSecond: 1 }, { now, maxWaitMs: 3_000 });
    takeAll(queue, 5, []);
    await expect(queue.take('user', never)).rejects.toMatchObject({ waitMs: 4_000 });
    await expect(queue.take('sweep', never)).rejects.toBeInstanceOf(TokenQueueOverrun);
    await vi.advanceTimersByTimeAsync(5_000);
  });
});
