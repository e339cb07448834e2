import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createReadBatcher } from '../../../../../../src/compute/providers/ecs/engine/limits/read-batcher.ts';
import type { ReadBatcherOptions } from '../../../../../../src/compute/providers/ecs/engine/limits/read-batcher.ts';

const never = new AbortController().signal;
type Options = ReadBatcherOptions<string>;

/** A batcher whose batches are noted, and answered with each name in capitals after 50 ms. */
function notedBatcher(overrides: Partial<Options> = {}) {
  const batches: (readonly string[])[] = [];
  const read = createReadBatcher<string>({
    maxNames: 10,
    windowMs: 5,
    pay: async () => undefined,
    refund: () => undefined,
    fetch: async (names) => {
      batches.push(names);
      await new Promise((resolve) => setTimeout(resolve, 50));
      return new Map(names.map((name) => [name, { value: name.toUpperCase() }]));
    },
    ...overrides,
  });
  return { read, batches };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the read batcher', () => {
  test('answers everyone with their own name, at most ten in a batch and none twice, one payment each', async () => {
    const ask = fc.record({
      name: fc.integer({ min: 0, max: 40 }).map((id) => `s${id}`),
      priority: fc.constantFrom('user', 'sweep'),
      afterMs: fc.constantFrom(0, 0, 0, 1, 7, 60),
      aborts: fc.constantFrom(false, false, false, true),
    } as const);
    await fc.assert(
      fc.asyncProperty(fc.array(ask, { maxLength: 80 }), fc.nat(30), async (asks, payMs) => {
        let paid = 0;
        const { read, batches } = notedBatcher({
          pay: async () => {
            await new Promise((resolve) => setTimeout(resolve, payMs));
            paid += 1;
          },
          refund: () => {
            paid -= 1;
          },
        });
        const answers: Promise<unknown>[] = [];
        for (const { name, priority, afterMs, aborts } of asks) {
          await vi.advanceTimersByTimeAsync(afterMs);
          const controller = new AbortController();
          const answer = read(name, priority, controller.signal);
          answers.push(aborts ? answer.catch(() => name.toUpperCase()) : answer);
          if (aborts) controller.abort();
        }
        await vi.advanceTimersByTimeAsync(10_000);
        await expect(Promise.all(answers)).resolves.toEqual(asks.map(({ name }) => name.toUpperCase()));
        for (const names of batches) {
          expect(names.length).toBeGreaterThan(0);
          expect(names.length).toBeLessThanOrEqual(10);
          expect(new Set(names).size).toBe(names.length);
        }
        expect(paid).toBe(batches.length);
      }),
      { numRuns: 100 },
    );
  });

  test.each([
    [9, 4, 0],
    [9, 5, 1],
    [20, 5, 2],
    [25, 5, 2],
    [25, 10, 3],
  ])(
    'of %i names has sent, after %i ms, %i batches: a second one that is full waits no more',
    async (count, ms, sent) => {
      const { read, batches } = notedBatcher();
      for (let index = 0; index < count; index += 1) void read(`s${index}`, 'user', never);
      await vi.advanceTimersByTimeAsync(ms);
      expect(batches).toHaveLength(sent);
      await vi.advanceTimersByTimeAsync(1_000);
      expect(batches.flat()).toHaveLength(count);
    },
  );

  test('pays once for those who ask together in a lane', async () => {
    const paid: string[] = [];
    const { read } = notedBatcher({ pay: async (lane) => void paid.push(lane) });
    for (const name of ['a', 'b', 'c']) void read(name, 'user', never);
    await vi.advanceTimersByTimeAsync(100);
    expect(paid).toEqual(['user']);
  });

  test('asks for nobody who has gone before it was paid, and gives the payment back', async () => {
    const gate = Promise.withResolvers<void>();
    let refunds = 0;
    const { read, batches } = notedBatcher({
      pay: () => gate.promise,
      refund: () => {
        refunds += 1;
      },
    });
    const [first, second] = [new AbortController(), new AbortController()];
    const gone = Promise.allSettled([read('a', 'user', first.signal), read('b', 'sweep', second.signal)]);
    await vi.advanceTimersByTimeAsync(20);
    first.abort();
    await vi.advanceTimersByTimeAsync(0);
    const stays = read('c', 'sweep', never);
    second.abort();
    await vi.advanceTimersByTimeAsync(0);
    gate.resolve();
    await vi.advanceTimersByTimeAsync(100);
    expect(await stays).toBe('C');
    expect((await gone).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(batches).toEqual([['c']]);
    expect(refunds).toBe(1);
  });

  test('who asks again after the lane could not pay is not forgotten with who asked before', async () => {
    const refusals = [new Error('no token')];
    const { read } = notedBatcher({
      pay: async () => {
        const refusal = refusals.pop();
        if (refusal !== undefined) throw refusal;
      },
    });
    const again = read('a', 'user', never).catch(() => read('a', 'user', never));
    await vi.advanceTimersByTimeAsync(200);
    await expect(again).resolves.toBe('A');
  });

  test.each([
    [['user', 'sweep'], 'user'],
    [['sweep', 'user'], 'user'],
    [['sweep', 'sweep'], 'sweep'],
  ] as const)('asks for %j as for a %s', async (lanes, asked) => {
    const priorities: string[] = [];
    const { read } = notedBatcher({
      fetch: async (_names, priority) => {
        priorities.push(priority);
        return new Map();
      },
    });
    const answers = Promise.allSettled(lanes.map((lane, index) => read(`s${index}`, lane, never)));
    await vi.advanceTimersByTimeAsync(100);
    expect(priorities).toEqual([asked]);
    expect(await answers).toMatchObject([
      { reason: { message: 'the answer says nothing about s0' } },
      { reason: { message: 'the answer says nothing about s1' } },
    ]);
  });

  test('asks for nobody who has given up before', async () => {
    const { read, batches } = notedBatcher();
    await expect(read('a', 'user', AbortSignal.abort(new Error('no')))).rejects.toThrow('no');
    await vi.advanceTimersByTimeAsync(100);
    expect(batches).toEqual([]);
  });

  test('makes 20 calls of 200 reads of one moment', async () => {
    const { read, batches } = notedBatcher();
    const names = Array.from({ length: 200 }, (_, index) => `s${index}`);
    const answers = Promise.all(names.map((name) => read(name, 'sweep', never)));
    await vi.advanceTimersByTimeAsync(1_000);
    await expect(answers).resolves.toHaveLength(200);
    expect(batches).toHaveLength(20);
  });

  test('gives those who ask for one name together one answer, and who asks after it was sent a younger one', async () => {
    let version = 0;
    const { read } = notedBatcher({
      fetch: async (names) => {
        version += 1;
        const value = `v${version}`;
        await new Promise((resolve) => setTimeout(resolve, 50));
        return new Map(names.map((name) => [name, { value }]));
      },
    });
    const early = [read('a', 'sweep', never), read('a', 'user', never)];
    await vi.advanceTimersByTimeAsync(20);
    const late = read('a', 'user', never);
    await vi.advanceTimersByTimeAsync(100);
    await expect(Promise.all([...early, late])).resolves.toEqual(['v1', 'v1', 'v2']);
  });

  test('while calls are short, users go first and sweeps fill up what room is left', async () => {
    const gate = Promise.withResolvers<void>();
    const { read, batches } = notedBatcher({ pay: () => gate.promise });
    for (let index = 0; index < 15; index += 1) void read(`sweep${index}`, 'sweep', never);
    await vi.advanceTimersByTimeAsync(20);
    for (let index = 0; index < 8; index += 1) void read(`user${index}`, 'user', never);
    await vi.advanceTimersByTimeAsync(20);
    gate.resolve();
    await vi.advanceTimersByTimeAsync(100);
    const users = Array.from({ length: 8 }, (_, index) => `user${index}`);
    expect(batches[0]).toEqual([...users, 'sweep0', 'sweep1']);
    expect(batches.flat()).toHaveLength(23);
  });

  test('lets one name fail by itself, and a failed call fail all of its names, which can be asked again', async () => {
    let isBroken = true;
    const { read } = notedBatcher({
      fetch: async (names) => {
        if (isBroken) throw new Error('broken');
        return new Map(
          names.map((name) => [name, name === 'bad' ? { error: new Error('bad') } : { value: name }]),
        );
      },
    });
    const broken = Promise.allSettled([read('good', 'user', never), read('bad', 'user', never)]);
    await vi.advanceTimersByTimeAsync(20);
    expect((await broken).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    isBroken = false;
    const mixed = Promise.allSettled([read('good', 'user', never), read('bad', 'user', never)]);
    await vi.advanceTimersByTimeAsync(20);
    expect((await mixed).map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });

  test('when it can’t pay, all who wait hear of it, and the next who asks is tried afresh', async () => {
    const refusals = [new Error('no token')];
    const { read } = notedBatcher({
      pay: async () => {
        const refusal = refusals.pop();
        if (refusal !== undefined) throw refusal;
      },
    });
    const first = Promise.allSettled([read('a', 'user', never), read('b', 'user', never)]);
    await vi.advanceTimersByTimeAsync(20);
    expect((await first).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const second = read('a', 'user', never);
    await vi.advanceTimersByTimeAsync(100);
    await expect(second).resolves.toBe('A');
  });

  test('a call that nobody listens to any more is given up, not before', async () => {
    const signals: AbortSignal[] = [];
    const { read } = notedBatcher({
      fetch: (_names, _priority, signal) => {
        signals.push(signal);
        return new Promise(() => undefined);
      },
    });
    const controllers = [new AbortController(), new AbortController()];
    const answers = controllers.map(({ signal }, index) => read(`s${index}`, 'user', signal));
    const settled = Promise.allSettled(answers);
    await vi.advanceTimersByTimeAsync(20);
    controllers[0]?.abort();
    await vi.advanceTimersByTimeAsync(1);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    controllers[1]?.abort();
    await settled;
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });
});
