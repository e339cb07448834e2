import { describe, expect, test, vi } from 'vitest';
import { createWorkQueue } from '../../src/kube/work-queue.ts';
import { recordingLogger } from './recording-logger.ts';

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

  test('a waiting key whose lane has changed waits in the new one, once', async () => {
    const started: string[] = [];
    const stop = new AbortController();
    let lane = 'hung';
    const queue = createWorkQueue({
      concurrency: 1,
      laneOf: (key) => (key === 'mover' ? lane : 'hung'),
      process: (key) => {
        started.push(key);
        return key === 'mover' ? Promise.resolve() : new Promise(() => undefined);
      },
      logger: recordingLogger().logger,
    });
    void queue.run(stop.signal);
    queue.add('blocker');
    await vi.waitFor(() => expect(started).toEqual(['blocker']), 30_000);
    queue.add('mover');
    lane = 'well';
    queue.add('mover', { priority: 'low' });
    await vi.waitFor(() => expect(started).toEqual(['blocker', 'mover']), 30_000);
    expect(queue.depth).toBe(0);
    stop.abort();
  });
});
