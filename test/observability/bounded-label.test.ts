import { expect, test } from 'vitest';
import { boundedLabel } from '../../src/observability/bounded-label.ts';

test('the first values stand for themselves for good, and all further ones for one', () => {
  const label = boundedLabel(2);
  expect(['a', 'b', 'a', 'c', 'd', 'b', 'c'].map(label)).toEqual([
    'a',
    'b',
    'a',
    'other',
    'other',
    'b',
    'other',
  ]);
});
