import { expect, test } from 'vitest';
import { pullProgress } from '../../../../../../src/compute/providers/docker/engine/images/pull-progress.ts';

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

/** The lines that come of `lines`, each 2 s after the one before. */
function summaries(...taken: Parameters<ReturnType<typeof pullProgress>['take']>[0][]): readonly string[] {
  const lines: string[] = [];
  let now = 0;
  const progress = pullProgress(
    (line) => lines.push(line),
    () => now,
  );
  for (const line of taken) {
    now += 2_000;
    progress.take(line);
  }
  return lines;
}

test('what is no news of a layer is passed over', () => {
  expect(
    summaries(
      { id: 'tag', status: 'Pulling from team/app' },
      { status: 'Digest: sha256:0' },
      { id: 'a' },
      {},
    ),
  ).toEqual([]);
});

test('a layer keeps its size while the engine does not repeat it, and only what loads is summed up', () => {
  expect(
    summaries(
      { id: 'a', status: 'Downloading', progressDetail: { current: 1e6, total: 4e6 } },
      { id: 'a', status: 'Downloading', progressDetail: { current: 2e6 } },
      { id: 'b', status: 'Downloading', progressDetail: { current: 5e5, total: 1e6 } },
      { id: 'b', status: 'Download complete', progressDetail: {} },
      { id: 'a', status: 'Extracting' },
      { id: 'a', status: 'Already exists' },
    ),
  ).toEqual([
    '0 of 1 layers, downloading 1.0 of 4.0 MB',
    '0 of 1 layers, downloading 2.0 of 4.0 MB',
    '0 of 2 layers, downloading 2.5 of 5.0 MB',
    '1 of 2 layers, downloading 2.0 of 4.0 MB',
    '1 of 2 layers',
    '2 of 2 layers',
  ]);
});

test('a line comes 2 s after the last one, and not before', () => {
  const lines: string[] = [];
  let now = 0;
  const progress = pullProgress(
    (line) => lines.push(line),
    () => now,
  );
  for (const at of [1_999, 2_000, 3_999, 4_000]) {
    now = at;
    progress.take({ id: 'a', status: 'Waiting' });
  }
  expect(lines).toHaveLength(2);
});

test('a pull whose layers all wait for a turn is queued; one that loads is not', () => {
  const progress = pullProgress(() => undefined);
  expect(progress.isUpToEngine()).toBe(false);
  progress.take({ id: 'tag', status: 'Pulling from team/app' });
  progress.take({ id: 'a', status: 'Already exists' });
  progress.take({ id: 'b', status: 'Waiting' });
  expect(progress.isUpToEngine()).toBe(true);
  progress.take({ id: 'd', status: 'Download complete' });
  progress.take({ id: 'e', status: 'Pull complete' });
  expect(progress.isUpToEngine()).toBe(true);
  progress.take({ id: 'c', status: 'Downloading', progressDetail: { current: 1, total: 2 } });
  expect(progress.isUpToEngine()).toBe(false);
});

test('a pull whose layers are all there and are unpacked expects nothing of the registry', () => {
  const progress = pullProgress(() => undefined);
  for (const status of ['Verifying Checksum', 'Download complete', 'Extracting']) {
    progress.take({ id: 'a', status });
    expect(progress.isUpToEngine()).toBe(true);
  }
  progress.take({ id: 'b', status: 'Retrying in 3 seconds' });
  expect(progress.isUpToEngine()).toBe(false);
});

test('a pull that has nothing left is not queued', () => {
  const progress = pullProgress(() => undefined);
  progress.take({ id: 'a', status: 'Pull complete' });
  expect(progress.isUpToEngine()).toBe(false);
});

test('what the registry has sent, and who waits for whom, is told with each line, and at once where the waiting begins or ends', () => {
  const seen: unknown[] = [];
  const progress = pullProgress(
    (_line, standing) => seen.push(standing),
    () => 0,
  );
  const loading = { id: 'a', status: 'Downloading', progressDetail: { current: 30, total: 100 } };
  const waiting = { id: 'b', status: 'Waiting' };
  for (const line of [
    waiting,
    loading,
    { id: 'a', status: 'Download complete', progressDetail: {} },
    { id: 'a', status: 'Extracting' },
  ])
    progress.take(line);
  expect(seen).toEqual([
    { bytes: 0, isUpToEngine: true, isHeldUp: true },
    { bytes: 30, isUpToEngine: false, isHeldUp: false },
    { bytes: 100, isUpToEngine: true, isHeldUp: true },
  ]);
});
