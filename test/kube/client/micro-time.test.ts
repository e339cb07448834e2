import { expect, test } from 'vitest';
import { microTime } from '../../../src/kube/client/micro-time.ts';

test('a time has exactly six decimals', () => {
  expect(microTime(new Date('2026-02-03T04:05:06.789Z'))).toBe('2026-02-03T04:05:06.789000Z');
  expect(microTime(new Date('2026-02-03T04:05:06Z'))).toBe('2026-02-03T04:05:06.000000Z');
});
