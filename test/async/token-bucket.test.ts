import { expect, test } from 'vitest';
import { createTokenBucket } from '../../src/async/token-bucket.ts';

function bucket(burst: number, refillMs: number) {
  const clock = { nowMs: 5_000 };
  const tokens = createTokenBucket(burst, refillMs, () => clock.nowMs);
  const take = (): boolean => tokens.take();
  /** How many are there for the taking now. */
  const takeAll = (): number => {
    let taken = 0;
    while (taken < 100 && take()) taken += 1;
    return taken;
  };
  return { clock, take, takeAll };
}

test('it starts full, and then there is one each refill period', () => {
  const { clock, takeAll } = bucket(3, 1_000);
  expect(takeAll()).toBe(3);
  clock.nowMs += 999;
  expect(takeAll()).toBe(0);
  clock.nowMs += 1;
  expect(takeAll()).toBe(1);
  clock.nowMs += 2_000;
  expect(takeAll()).toBe(2);
});

test('it never holds more than its burst', () => {
  const { clock, takeAll } = bucket(3, 1_000);
  clock.nowMs += 1_000_000;
  expect(takeAll()).toBe(3);
  clock.nowMs += 1_000_000;
  expect(takeAll()).toBe(3);
});

test('parts of a token add up', () => {
  const { clock, take } = bucket(1, 1_000);
  expect(take()).toBe(true);
  for (let tries = 1; tries < 4; tries += 1) {
    clock.nowMs += 250;
    expect(take()).toBe(false);
  }
  clock.nowMs += 250;
  expect(take()).toBe(true);
});
