import { expect, test } from 'vitest';
import { createWorkLine, urgencies } from '../../../src/kube/queue/work-line.ts';
import type { Urgency, WorkLine } from '../../../src/kube/queue/work-line.ts';

function put(line: WorkLine, urgency: Urgency, count: number, group = ''): void {
  for (let index = 1; index <= count; index += 1) line.put({ key: `${urgency}-${index}`, group, urgency });
}

function taken(line: WorkLine, count: number): (string | undefined)[] {
  return Array.from({ length: count }, () => line.take());
}

test('changes go before hints, hints before retries, and retries before sweeps', () => {
  const line = createWorkLine();
  for (const urgency of urgencies.toReversed()) put(line, urgency, 1);
  expect(line.size).toBe(4);
  expect(taken(line, 5)).toEqual(['change-1', 'hint-1', 'retry-1', 'sweep-1', undefined]);
  expect(line.size).toBe(0);
});

test('what somebody has just changed waits for none of ten thousand that are looked at after a start', () => {
  const line = createWorkLine();
  for (let index = 0; index < 10_000; index += 1)
    line.put({ key: `old-${index}`, group: `team-${index % 100}`, urgency: 'sweep' });
  put(line, 'change', 1);
  expect(line.take()).toBe('change-1');
});

test('each eighth turn goes to one of the less urgent kinds, each in its turn: changes without end starve none', () => {
  const line = createWorkLine();
  for (const urgency of urgencies) put(line, urgency, 40);
  const keys = taken(line, 48);
  const others = keys.flatMap((key, at) => (key?.startsWith('change') === true ? [] : [[at + 1, key]]));
  expect(others.slice(0, 5)).toEqual([
    [8, 'sweep-1'],
    [16, 'retry-1'],
    [24, 'hint-1'],
    [32, 'sweep-2'],
    [40, 'retry-2'],
  ]);
});

test('an eighth turn for which nothing less urgent waits is a turn like the others', () => {
  const line = createWorkLine();
  put(line, 'change', 20);
  put(line, 'retry', 1);
  const keys = taken(line, 21);
  expect(keys.indexOf('retry-1')).toBe(7);
  expect(keys.slice(8)).toEqual(Array.from({ length: 13 }, (_, index) => `change-${index + 8}`));
});

test('groups take turns within each urgency', () => {
  const line = createWorkLine();
  for (const [group, keys] of Object.entries({ a: ['a1', 'a2', 'a3'], b: ['b1'], c: ['c1'] }))
    for (const key of keys) line.put({ key, group, urgency: 'change' });
  expect(taken(line, 5)).toEqual(['a1', 'b1', 'c1', 'a2', 'a3']);
});
