import { expect, test } from 'vitest';
import { createTombstones } from '../../../src/kube/cache/tombstones.ts';

test('what was buried is known until it is seen alive again', () => {
  const tombstones = createTombstones();
  expect(tombstones.has('a')).toBe(false);
  tombstones.bury('a');
  expect(tombstones.has('a')).toBe(true);
  tombstones.lift('a');
  expect(tombstones.has('a')).toBe(false);
});

test('the oldest are forgotten: a cluster deletes for ever', () => {
  const tombstones = createTombstones();
  for (let count = 0; count <= 4096; count += 1) tombstones.bury(`uid-${count}`);
  expect(tombstones.has('uid-0')).toBe(false);
  expect(tombstones.has('uid-1')).toBe(true);
  expect(tombstones.has('uid-4096')).toBe(true);
});
