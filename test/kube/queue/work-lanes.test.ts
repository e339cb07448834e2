import { expect, test } from 'vitest';
import { createWorkLanes } from '../../../src/kube/queue/work-lanes.ts';
import type { Taken } from '../../../src/kube/queue/work-lanes.ts';

const keys = (taken: readonly Taken[]): string[] => taken.map(({ key }) => key);

test('each lane has workers of its own, which are busy until they are released', () => {
  const lanes = createWorkLanes(2);
  for (const key of ['a', 'b', 'c']) lanes.put(key, 'one', 'normal');
  lanes.put('x', 'other', 'normal');
  const taken = [...lanes.ready()];
  expect(keys(taken)).toEqual(['a', 'b', 'x']);
  expect(lanes.size).toBe(1);
  expect([...lanes.ready()]).toEqual([]);
  taken[0]?.release();
  expect(keys([...lanes.ready()])).toEqual(['c']);
  expect(lanes.size).toBe(0);
});

test('a key that moves to another lane waits there alone, and keeps its urgency', () => {
  const lanes = createWorkLanes(1);
  lanes.put('moves', 'one', 'normal');
  lanes.put('swept', 'other', 'low');
  lanes.put('moves', 'other', 'low');
  expect(lanes.size).toBe(2);
  expect(keys([...lanes.ready()])).toEqual(['moves']);
});

test('a key that comes while others are taken is taken in the same go where its lane has workers left', () => {
  const lanes = createWorkLanes(2);
  lanes.put('a', 'one', 'normal');
  const taken: string[] = [];
  for (const { key } of lanes.ready()) {
    taken.push(key);
    if (key === 'a') lanes.put('b', 'one', 'normal');
  }
  expect(taken).toEqual(['a', 'b']);
});
