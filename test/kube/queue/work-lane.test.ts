import { describe, expect, test, vi } from 'vitest';
import { createWorkLane } from '../../../src/kube/queue/work-lane.ts';
import { createWorkQueue } from '../../../src/kube/queue/work-queue.ts';
import { recordingLogger } from '../recording-logger.ts';

describe('a lane', () => {
  /** Takes all that wait, in the order in which their turns come. */
  function emptied(lane: ReturnType<typeof createWorkLane>): string[] {
    const keys: string[] = [];
    for (let key = lane.next(); key !== undefined; key = lane.next()) {
      lane.remove(key);
      keys.push(key);
    }
    return keys;
  }

  test('gives keys in the order in which they came, the urgent ones first', () => {
    const lane = createWorkLane();
    lane.put('sweep-1', 'low', 1);
    lane.put('user-1', 'normal', 2);
    lane.put('sweep-2', 'low', 3);
    lane.put('user-2', 'normal', 4);
    expect(lane.size).toBe(4);
    expect(emptied(lane)).toEqual(['user-1', 'user-2', 'sweep-1', 'sweep-2']);
    expect(lane.size).toBe(0);
  });

  test('gives each eighth turn to a sweep, and to the other where only that waits', () => {
    const lane = createWorkLane();
    for (const key of ['s1', 's2']) lane.put(key, 'low', 0);
    for (let user = 1; user <= 23; user += 1) lane.put(`u${user}`, 'normal', 0);
    const keys = emptied(lane);
    expect([keys.indexOf('s1'), keys.indexOf('s2')]).toEqual([7, 15]);
    expect(keys).toHaveLength(25);
  });

  test('keeps the time at which a key came, and its urgency', () => {
    const lane = createWorkLane();
    lane.put('a', 'low', 1);
    lane.put('a', 'low', 2);
    lane.put('b', 'low', 1);
    lane.put('b', 'normal', 2);
    lane.put('b', 'low', 3);
    lane.put('c', 'normal', 1);
    lane.put('c', 'normal', 2);
    expect(lane.size).toBe(3);
    expect(lane.next()).toBe('b');
    expect(lane.remove('a')).toEqual({ priority: 'low', sinceMs: 1 });
    expect(lane.remove('b')).toEqual({ priority: 'normal', sinceMs: 1 });
    expect(lane.remove('c')).toEqual({ priority: 'normal', sinceMs: 1 });
    expect(lane.remove('c')).toBeUndefined();
  });

  test('keeps the turn of a key that is put again', () => {
    const lane = createWorkLane();
    for (const key of ['a', 'b', 'a']) lane.put(key, 'normal', 0);
    for (const key of ['c', 'd', 'c']) lane.put(key, 'low', 0);
    expect(emptied(lane)).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('lanes of the work queue', () => {
  test('passes that hang on one thing do not delay those on another', async () => {
    const started: string[] = [];
    const stop = new AbortController();
    const queue = createWorkQueue({
      concurrency: 2,
      laneOf: (key) => key.split('/')[0] ?? '',
      process: (key) => {
        started.push(key);
        return key.startsWith('hung') ? new Promise(() => undefined) : Promise.resolve();
      },
      logger: recordingLogger().logger,
    });
    void queue.run(stop.signal);
    for (const key of ['hung/1', 'hung/2', 'hung/3', 'hung/4', 'well/1', 'well/2', 'well/3']) queue.add(key);
    await vi.waitFor(() => expect(started).toContain('well/3'), 30_000);
    expect(started.toSorted()).toEqual(['hung/1', 'hung/2', 'well/1', 'well/2', 'well/3']);
    expect(queue.depth).toBe(2);
    stop.abort();
  });

  test('a waiting key whose lane has changed waits in the new one, once, as urgent as before', async () => {
    const started: string[] = [];
    const gates = new Map<string, () => void>();
    const stop = new AbortController();
    let lane = 'hung';
    const queue = createWorkQueue({
      concurrency: 1,
      laneOf: (key) => (key === 'mover' || key.startsWith('well') ? lane : 'hung'),
      process: (key) => {
        started.push(key);
        return new Promise((resolve) => gates.set(key, resolve));
      },
      logger: recordingLogger().logger,
    });
    void queue.run(stop.signal);
    const run = async (...keys: string[]): Promise<void> => {
      await vi.waitFor(() => expect(started).toEqual(keys), 30_000);
    };
    queue.add('blocker');
    await run('blocker');
    queue.add('mover');
    lane = 'well';
    queue.add('well-1');
    await run('blocker', 'well-1');
    queue.add('well-2', { priority: 'low' });
    queue.add('mover', { priority: 'low' });
    gates.get('well-1')?.();
    await run('blocker', 'well-1', 'mover');
    gates.get('mover')?.();
    await run('blocker', 'well-1', 'mover', 'well-2');
    expect(queue.depth).toBe(0);
    queue.add('last');
    gates.get('blocker')?.();
    // It waits in the lane that it left no more.
    await run('blocker', 'well-1', 'mover', 'well-2', 'last');
    stop.abort();
  });

  test('a waiting key that is added again keeps its turn in its lane', async () => {
    const started: string[] = [];
    const stop = new AbortController();
    const queue = createWorkQueue({
      concurrency: 1,
      process: (key) => Promise.resolve(void started.push(key)),
      logger: recordingLogger().logger,
    });
    for (const key of ['a', 'b', 'a']) queue.add(key);
    void queue.run(stop.signal);
    await vi.waitFor(() => expect(started).toEqual(['a', 'b']), 30_000);
    stop.abort();
  });
});
