import { describe, expect, test } from 'vitest';
import { recurred } from '../../src/async/recurrence.ts';
import type { Pace, Recurrence } from '../../src/async/recurrence.ts';

/** The waits of the same thing, each time so long after it may be done again. */
function waits(times: number, pauseMs: number, what = (_n: number) => 'same', pace?: Pace): number[] {
  let last: Recurrence | undefined;
  let nowMs = 1_700_000_000_000;
  return Array.from({ length: times }, (_, n) => {
    last = recurred(last, what(n), nowMs, pace);
    const waitMs = last.heldUntil - nowMs;
    nowMs = last.heldUntil + pauseMs;
    return waitMs;
  });
}

describe('what comes again and again', () => {
  test('is free twice, and then comes ever more slowly, to 5 minutes', () => {
    expect(waits(13, 10)).toEqual([0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map((s) => s * 1000));
  });

  test('comes at the pace that is given', () => {
    const slow = waits(8, 10, undefined, { free: 1, baseMs: 8_000 });
    expect(slow).toEqual([0, 8, 16, 32, 64, 128, 256, 300].map((s) => s * 1000));
  });

  test('begins anew after a minute of rest, or after twice the last wait', () => {
    expect(waits(5, 60_000)).toEqual([0, 0, 0, 0, 0]);
    expect(waits(10, 59_999).at(-1)).toBe(128_000);
    expect(waits(40, 600_000).at(-1)).toBe(0);
  });

  test('begins anew where it is something else', () => {
    expect(waits(8, 10, String)).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });
});
