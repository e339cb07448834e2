import { describe, expect, test } from 'vitest';
import { duration, durationMs } from '../../src/api/duration.ts';

describe('duration', () => {
  test.each([
    ['1ms', 1],
    ['15s', 15_000],
    ['5m', 300_000],
    ['1.5h', 5_400_000],
  ])('%s is %i ms', (text, ms) => {
    expect(duration.safeParse(text).success).toBe(true);
    expect(durationMs(text)).toBe(ms);
  });

  test.each(['', '5', 's', '5 s', '-5s', '5sec', '1h30m', '.5s', '5S', 5])('%j is none', (text) => {
    expect(duration.safeParse(text).success).toBe(false);
  });

  test.each(['0s', '0.0h'])('%s is too little', (text) => {
    expect(duration.safeParse(text).error?.issues[0]?.message).toBe('must be more than nothing');
  });
});
