import { expect, test } from 'vitest';
import { pullProgress } from '../../../../src/compute/providers/docker/pull-progress.ts';

test('a line comes now and then, not with each of the engine', () => {
  const lines: string[] = [];
  let now = 0;
  const progress = pullProgress(
    (line) => lines.push(line),
    () => now,
  );
  for (let step = 0; step < 500; step += 1) {
    now += 10;
    progress.take({ id: 'a', status: 'Downloading', progressDetail: { current: step * 1e6, total: 500e6 } });
    progress.take({ id: 'b', status: 'Pull complete' });
  }
  expect(lines).toHaveLength(2);
  expect(lines[1]).toMatch(/^1 of 2 layers, downloading \d+\.0 of 500\.0 MB$/);
});

test('a pull whose layers all wait for a turn is queued; one that loads is not', () => {
  const progress = pullProgress(() => undefined);
  expect(progress.isQueued()).toBe(false);
  progress.take({ id: 'tag', status: 'Pulling from team/app' });
  progress.take({ id: 'a', status: 'Already exists' });
  progress.take({ id: 'b', status: 'Waiting' });
  expect(progress.isQueued()).toBe(true);
  progress.take({ id: 'c', status: 'Downloading', progressDetail: { current: 1, total: 2 } });
  expect(progress.isQueued()).toBe(false);
});
