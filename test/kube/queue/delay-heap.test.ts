import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createDelayHeap } from '../../../src/kube/queue/delay-heap.ts';
import type { DelayHeap } from '../../../src/kube/queue/delay-heap.ts';

type Step =
  | { what: 'schedule'; key: string; dueAtMs: number }
  | { what: 'cancel'; key: string }
  | { what: 'take'; nowMs: number }
  | { what: 'clear' };

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
const time = fc.integer({ min: 0, max: 30 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ what: fc.constant('schedule' as const), key, dueAtMs: time }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant('cancel' as const), key }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant('take' as const), nowMs: time }) },
  { weight: 1, arbitrary: fc.constant({ what: 'clear' as const }) },
);

/** The heap's promises, kept by a map that is searched from end to end each time. */
function createModel() {
  const dueAt = new Map<string, number>();
  return {
    dueAt,
    next: () => (dueAt.size === 0 ? undefined : Math.min(...dueAt.values())),
    play(step: Step): [key: string, dueAtMs: number][] {
      if (step.what === 'schedule')
        dueAt.set(step.key, Math.min(step.dueAtMs, dueAt.get(step.key) ?? Infinity));
      if (step.what === 'cancel') dueAt.delete(step.key);
      if (step.what === 'clear') dueAt.clear();
      if (step.what !== 'take') return [];
      const due = [...dueAt].filter(([, dueAtMs]) => dueAtMs <= step.nowMs).toSorted(([, a], [, b]) => a - b);
      for (const [key] of due) dueAt.delete(key);
      return due;
    },
  };
}

function play(heap: DelayHeap, step: Step): string[] {
  if (step.what === 'schedule') heap.schedule(step.key, step.dueAtMs);
  if (step.what === 'cancel') heap.cancel(step.key);
  if (step.what === 'clear') heap.clear();
  return step.what === 'take' ? heap.takeDue(step.nowMs) : [];
}

test('whatever is scheduled, cancelled and taken: each key has its earliest deadline, and they come in order', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const heap = createDelayHeap();
      const model = createModel();
      for (const step of steps) {
        const due = model.play(step);
        const taken = play(heap, step);
        // Keys that are due at the same time come in any order.
        const dueAt = new Map(due);
        expect(taken.map((key) => dueAt.get(key))).toEqual(due.map(([, dueAtMs]) => dueAtMs));
        expect(taken.toSorted()).toEqual(due.map(([key]) => key).toSorted());
        expect(heap.size).toBe(model.dueAt.size);
        expect(heap.nextDueAtMs()).toBe(model.next());
        for (const key of 'abcdefgh') expect(heap.has(key)).toBe(model.dueAt.has(key));
      }
    }),
    { numRuns: 300 },
  );
});

test('hundreds of keys come out in the order of their deadlines', () => {
  const heap = createDelayHeap();
  const times = Array.from({ length: 500 }, (_, index) => (index * 7919) % 1_000);
  for (const dueAtMs of times) heap.schedule(String(dueAtMs), dueAtMs);
  expect(heap.takeDue(1_000).map(Number)).toEqual(times.toSorted((a, b) => a - b));
});
