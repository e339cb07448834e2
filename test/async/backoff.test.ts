import { describe, expect, test } from 'vitest';
import { backoffMs } from '../../src/async/backoff.ts';

const options = { baseMs: 100, capMs: 5_000 };

describe('the back-off', () => {
  test.each([
    [0, 100],
    [1, 200],
    [2, 400],
    [5, 3_200],
    [6, 5_000],
    [10_000, 5_000],
  ])('after %i failures is between half of and the whole of %i ms', (failures, upperMs) => {
    expect(backoffMs(failures, options, () => 0)).toBe(upperMs / 2);
    expect(backoffMs(failures, options, () => 0.5)).toBe(upperMs * 0.75);
    expect(backoffMs(failures, options, () => 1)).toBe(upperMs);
  });

  test.each([
    ['equal', [400, 600, 800]],
    ['full', [0, 400, 800]],
    ['none', [800, 800, 800]],
  ] as const)('with %s jitter', (jitter, delaysMs) => {
    const drawn = [0, 0.5, 1].map((random) => backoffMs(3, { ...options, jitter }, () => random));
    expect(drawn).toEqual(delaysMs);
  });

  test('without a cap goes on growing', () => {
    expect(backoffMs(20, { baseMs: 1, capMs: Infinity, jitter: 'none' })).toBe(2 ** 20);
  });

  test('spreads out by itself', () => {
    const delays = Array.from({ length: 50 }, () => backoffMs(3, options));
    expect(new Set(delays).size).toBeGreaterThan(1);
    for (const delayMs of delays) {
      expect(delayMs).toBeGreaterThanOrEqual(400);
      expect(delayMs).toBeLessThanOrEqual(800);
    }
  });
});
