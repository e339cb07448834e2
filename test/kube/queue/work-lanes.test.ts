import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createWorkLanes } from '../../../src/kube/queue/work-lanes.ts';
import type { Taken, WorkLanes } from '../../../src/kube/queue/work-lanes.ts';
import type { Urgency } from '../../../src/kube/queue/work-line.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

function lanesOf(workers: number): WorkLanes {
  return createWorkLanes({ workers, slowAfterMs: 1_000, slowWorkers: 1 });
}

function put(lanes: WorkLanes, key: string, lane: string, urgency: Urgency = 'hint'): void {
  lanes.put(key, { lane, group: '', urgency });
}

const keys = (taken: Iterable<Taken>): string[] => [...taken].map(({ key }) => key);

test('each lane has workers of its own, which are busy until they are released', () => {
  const lanes = lanesOf(2);
  for (const key of ['a', 'b', 'c']) put(lanes, key, 'one');
  put(lanes, 'x', 'other');
  const taken = [...lanes.ready()];
  expect(taken.map(({ key, lane }) => `${lane} ${key}`)).toEqual(['one a', 'one b', 'other x']);
  expect(lanes.size).toBe(1);
  expect(keys(lanes.ready())).toEqual([]);
  taken[0]?.release();
  expect(keys(lanes.ready())).toEqual(['c']);
  expect(lanes.size).toBe(0);
});

test('a key that moves to another lane waits there alone, with its urgency and since the time at which it came', () => {
  const lanes = lanesOf(1);
  put(lanes, 'moves', 'one', 'change');
  vi.advanceTimersByTime(70);
  put(lanes, 'swept', 'other', 'sweep');
  put(lanes, 'moves', 'other', 'sweep');
  expect(lanes.size).toBe(2);
  const [taken, ...rest] = lanes.ready();
  expect(rest).toEqual([]);
  expect(taken).toMatchObject({ key: 'moves', lane: 'other', urgency: 'change', waitedMs: 70 });
});

test('a key that is asked for again keeps its turn, or takes one that is more urgent', () => {
  const lanes = lanesOf(1);
  for (const key of ['a', 'b', 'a', 'c']) put(lanes, key, 'one', 'sweep');
  put(lanes, 'b', 'one', 'retry');
  put(lanes, 'b', 'one', 'sweep');
  const order: string[] = [];
  for (let [taken] = lanes.ready(); taken !== undefined; [taken] = lanes.ready()) {
    order.push(`${taken.urgency} ${taken.key}`);
    taken.release();
  }
  expect(order).toEqual(['retry b', 'sweep a', 'sweep c']);
});

test('a key that comes while others are taken is taken in the same go where its lane has workers left', () => {
  const lanes = lanesOf(2);
  put(lanes, 'a', 'one');
  const taken: string[] = [];
  for (const { key } of lanes.ready()) {
    taken.push(key);
    if (key === 'a') put(lanes, 'b', 'one');
  }
  expect(taken).toEqual(['a', 'b']);
});

test('what was slow waits for a slow worker the next time, until it was quick or is forgotten', () => {
  const lanes = lanesOf(1);
  const passOver = (key: string, ms: number): void => {
    put(lanes, key, 'one');
    const [taken] = lanes.ready();
    expect(taken?.key).toBe(key);
    vi.advanceTimersByTime(ms);
    taken?.release();
  };
  passOver('hung', 1_000);
  put(lanes, 'hung', 'one');
  const [hanging] = lanes.ready();
  // The one worker is free while it hangs again; who hung before, too, waits for the slow one.
  passOver('also-hung', 5_000);
  put(lanes, 'also-hung', 'one');
  expect(keys(lanes.ready())).toEqual([]);
  passOver('well', 10);
  hanging?.release();
  expect(keys(lanes.ready())).toEqual(['also-hung']);
  lanes.forget('hung');
  put(lanes, 'hung', 'one');
  expect(keys(lanes.ready())).toEqual(['hung']);
});

test('tells when a slow pass makes room for a key that waits', () => {
  const lanes = lanesOf(1);
  put(lanes, 'hangs', 'one');
  expect(keys(lanes.ready())).toEqual(['hangs']);
  expect(lanes.readyInMs()).toBeUndefined();
  vi.advanceTimersByTime(400);
  put(lanes, 'waits', 'one');
  expect(lanes.readyInMs()).toBe(600);
  vi.advanceTimersByTime(600);
  expect(lanes.readyInMs()).toBe(0);
  expect(keys(lanes.ready())).toEqual(['waits']);
  expect(lanes.readyInMs()).toBeUndefined();
});

test('lanes have an end to their number, and none counts that is idle', () => {
  const lanes = lanesOf(1);
  for (let index = 0; index < 1_000; index += 1) put(lanes, `a-${index}`, `lane-${index}`);
  const first = [...lanes.ready()];
  expect(first.length).toBe(257);
  expect(first.at(-1)?.lane).toBe('others');
  for (const { release } of first) release();
  for (let left = [...lanes.ready()]; left.length > 0; left = [...lanes.ready()])
    for (const { release } of left) release();
  expect(lanes.size).toBe(0);
  for (let index = 0; index < 100; index += 1) put(lanes, `b-${index}`, `new-${index}`);
  expect([...lanes.ready()].length).toBe(100);
});
