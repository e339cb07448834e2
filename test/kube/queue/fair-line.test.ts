import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createFairLine } from '../../../src/kube/queue/fair-line.ts';
import type { Standing } from '../../../src/kube/queue/fair-line.ts';

interface Step {
  readonly what: 'put' | 'take' | 'leave';
  readonly group: string;
  readonly nth: number;
}

const groups = ['a', 'b', 'c', 'd'];

const step: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom('put', 'put', 'put', 'take', 'take', 'leave'),
  group: fc.constantFrom(...groups),
  nth: fc.nat({ max: 5 }),
});

interface Waiter {
  readonly key: string;
  readonly group: string;
  readonly standing: Standing;
  /** Picks of other groups since it is the first of its own. */
  passedBy: number;
}

/** The promises of the line, kept by a list that is searched from end to end each time. */
function lineAndModel() {
  const line = createFairLine();
  let waiting: Waiter[] = [];
  let keys = 0;
  const firstOfEach = (): readonly Waiter[] =>
    [...Map.groupBy(waiting, ({ group }) => group).values()].flatMap(([first]) => first ?? []);
  return {
    put(group: string): void {
      const key = `${group}${(keys += 1)}`;
      waiting.push({ key, group, standing: line.put(key, group), passedBy: 0 });
    },
    leave(nth: number): void {
      const one = waiting[nth % Math.max(1, waiting.length)];
      one?.standing.leave();
      waiting = waiting.filter((other) => other !== one);
    },
    take(): void {
      const key = line.take();
      const taken = waiting.find((waiter) => waiter.key === key);
      expect(taken === undefined).toBe(waiting.length === 0);
      expect(taken).toBe(waiting.find(({ group }) => group === taken?.group));
      for (const waiter of firstOfEach()) if (waiter !== taken) waiter.passedBy += 1;
      waiting = waiting.filter((waiter) => waiter !== taken);
      for (const { passedBy } of firstOfEach()) expect(passedBy).toBeLessThan(groups.length);
    },
    sizes: () => [line.size, waiting.length] as const,
  };
}

test('whatever is put, taken and left: none is lost or given twice, a group keeps its order, and k groups take turns', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const model = lineAndModel();
      for (const { what, group, nth } of steps) {
        if (what === 'put') model.put(group);
        if (what === 'leave') model.leave(nth);
        if (what === 'take') model.take();
        const [size, expected] = model.sizes();
        expect(size).toBe(expected);
      }
    }),
    { numRuns: 500 },
  );
});

test('a group with a thousand keys lets each other one through after one of its own', () => {
  const line = createFairLine();
  for (let index = 0; index < 1_000; index += 1) line.put(`many-${index}`, 'many');
  line.put('few-0', 'few');
  line.put('few-1', 'few');
  expect(Array.from({ length: 5 }, () => line.take())).toEqual([
    'many-0',
    'few-0',
    'many-1',
    'few-1',
    'many-2',
  ]);
});
