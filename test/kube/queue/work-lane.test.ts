import { expect, test } from 'vitest';
import { createWorkLane } from '../../../src/kube/queue/work-lane.ts';
import type { Pace, WorkLane } from '../../../src/kube/queue/work-lane.ts';

const workers = { workers: 2, slowAfterMs: 1_000, slowWorkers: 3 };

function put(lane: WorkLane, pace: Pace, ...keys: string[]): void {
  for (const key of keys) lane.lines[pace].put({ key, group: '', urgency: 'hint' });
}

/** Takes all that it gives at that time. */
function takenAt(lane: WorkLane, nowMs: number) {
  const taken = [];
  for (let one = lane.take(nowMs); one !== undefined; one = lane.take(nowMs)) taken.push(one);
  return taken;
}

const keysAt = (lane: WorkLane, nowMs: number): string[] => takenAt(lane, nowMs).map(({ key }) => key);

test('a pass that takes long leaves its worker to the next key, and as many do as may be slow at once', () => {
  const lane = createWorkLane(workers);
  put(lane, 'quick', 'a', 'b', 'c', 'd', 'e', 'f', 'g');
  expect(keysAt(lane, 0)).toEqual(['a', 'b']);
  expect(lane.roomAtMs()).toBe(1_000);
  expect(keysAt(lane, 999)).toEqual([]);
  expect(keysAt(lane, 1_000)).toEqual(['c', 'd']);
  expect(lane.roomAtMs()).toBe(2_000);
  expect(keysAt(lane, 2_000)).toEqual(['e']);
  // Three are slow already.
  expect(lane.roomAtMs()).toBeUndefined();
  expect(keysAt(lane, 1_000_000)).toEqual([]);
});

test('the end of a pass frees the worker that it has by then', () => {
  const lane = createWorkLane(workers);
  put(lane, 'quick', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
  const first = takenAt(lane, 0);
  const second = takenAt(lane, 1_000);
  const third = takenAt(lane, 2_000);
  expect([first, second, third].map((taken) => taken.map(({ key }) => key))).toEqual([
    ['a', 'b'],
    ['c', 'd'],
    ['e'],
  ]);
  // One of a slow pass: the next oldest becomes one.
  first[0]?.pass.end();
  expect(keysAt(lane, 3_000)).toEqual(['f']);
  third[0]?.pass.end();
  expect(keysAt(lane, 3_000)).toEqual(['g']);
  expect(lane.isIdle).toBe(false);
});

test('keys that were slow have workers of their own, however many they are', () => {
  const lane = createWorkLane(workers);
  put(lane, 'slow', 's1', 's2', 's3', 's4');
  expect(keysAt(lane, 0)).toEqual(['s1', 's2', 's3']);
  put(lane, 'quick', 'a');
  expect(keysAt(lane, 0)).toEqual(['a']);
});

test('a lane is idle once nothing waits and no pass goes on', () => {
  const lane = createWorkLane(workers);
  expect(lane.isIdle).toBe(true);
  const standing = lane.lines.slow.put({ key: 'a', group: '', urgency: 'change' });
  expect(lane.isIdle).toBe(false);
  standing.leave();
  expect(lane.isIdle).toBe(true);
  put(lane, 'quick', 'b');
  const [taken] = takenAt(lane, 0);
  expect(lane.isIdle).toBe(false);
  taken?.pass.end();
  expect(lane.isIdle).toBe(true);
});
