import { describe, expect, test } from 'vitest';
import { createRepairBackoff } from '../../src/controller/repair-backoff.ts';

describe('repairs', () => {
  test('come at once after a settled run, then further and further apart, 5 minutes at most', () => {
    let now = 0;
    const repairs = createRepairBackoff(() => now);
    const waits: number[] = [];
    for (let repair = 0; repair < 12; repair += 1) {
      waits.push(repairs.waitMs('a', 'stopped'));
      now += repairs.waitMs('a', 'stopped');
      repairs.repaired('a', 'stopped');
    }
    expect(waits).toEqual([
      0, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000,
    ]);
    expect(repairs.waitMs('b', 'stopped')).toBe(0);
    repairs.forget('a');
    expect(repairs.waitMs('a', 'stopped')).toBe(0);
  });

  test('of what is gone do not wait for that of what had stopped before', () => {
    const repairs = createRepairBackoff(() => 0);
    repairs.repaired('a', 'stopped');
    expect(repairs.waitMs('a', 'gone')).toBe(0);
    repairs.repaired('a', 'gone');
    expect(repairs.waitMs('a', 'gone')).toBe(2000);
  });
});
