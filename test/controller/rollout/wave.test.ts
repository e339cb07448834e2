import { expect, test } from 'vitest';
import { createWave, turnFor } from '../../../src/controller/rollout/wave.ts';

function waveOf(maxConcurrent: number, maxFailures = 1) {
  const woken: string[] = [];
  const wave = createWave({
    limits: { maxConcurrent, maxFailures },
    wake: (key, all) => void woken.push(all ? `${key} with all` : key),
    onCounts: () => undefined,
  });
  return { wave, woken };
}

test.each([
  [0, 0, 'go'],
  [1, 0, 'go'],
  [2, 0, 'full'],
  [0, 1, 'go'],
  [0, 2, 'halted'],
  [2, 3, 'halted'],
])('with %i at work and %i failed, of two each, it is %s', (inProgress, failed, turn) => {
  expect(turnFor({ maxConcurrent: 2, maxFailures: 2 }, { inProgress, failed })).toBe(turn);
});

test('a place is taken by who may begin, before its status says so, and given once', () => {
  const { wave } = waveOf(1);
  expect([wave.ask('a'), wave.ask('b'), wave.ask('a')]).toEqual(['go', 'full', 'go']);
  wave.note('a', undefined);
  expect(wave.ask('b')).toBe('full');
  wave.note('a', 'Updating');
  expect(wave.counts).toEqual({ waiting: 1, inProgress: 1, failed: 0, halted: false });
});

test('who has ended, left unused what was its, or is no more wakes the one that waits longest, and no other', () => {
  const { wave, woken } = waveOf(1);
  for (const key of ['a', 'b', 'c', 'd']) wave.ask(key);
  wave.settle('a', 'Updating');
  expect(woken).toEqual([]);
  wave.settle('a', undefined);
  expect(woken).toEqual(['b']);
  wave.settle('b', undefined);
  expect(woken).toEqual(['b', 'c']);
  expect([wave.ask('d'), wave.ask('c')]).toEqual(['full', 'go']);
  wave.settle('d', undefined);
  wave.forget('c');
  expect(woken).toEqual(['b', 'c', 'd']);
});

test('who asks no more waits no more', () => {
  const { wave, woken } = waveOf(1);
  for (const key of ['a', 'b', 'b']) wave.ask(key);
  wave.settle('b', undefined);
  expect(wave.counts.waiting).toBe(1);
  wave.settle('b', undefined);
  expect(wave.counts.waiting).toBe(0);
  wave.settle('a', undefined);
  expect(woken).toEqual([]);
});

test('who is known to be at work or to have failed counts, though nobody has asked', () => {
  const { wave } = waveOf(2, 2);
  wave.note('a', 'Updating');
  wave.note('b', 'Updating');
  expect(wave.ask('c')).toBe('full');
  wave.note('a', 'Failed');
  wave.note('d', 'Failed');
  expect(wave.ask('c')).toBe('halted');
});

test('a halt, and its end, is told to all who wait', () => {
  const { wave, woken } = waveOf(1);
  for (const key of ['a', 'b', 'c']) wave.ask(key);
  wave.settle('a', 'Failed');
  expect(woken).toEqual(['b with all', 'c with all']);
  expect([wave.ask('b'), wave.ask('c')]).toEqual(['halted', 'halted']);
  wave.note('a', 'Failed');
  expect(woken).toHaveLength(2);
  wave.note('a', undefined);
  expect(woken.slice(2)).toEqual(['b with all', 'c with all']);
  expect([wave.ask('b'), wave.ask('c')]).toEqual(['go', 'full']);
});
