import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { doneWithin } from '../../src/async/done-within.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test('work that is done in time is done, and leaves no timer', async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const answer = doneWithin(promise, 1_000);
  await vi.advanceTimersByTimeAsync(999);
  resolve('anything');
  expect(await answer).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

test('work that is not done in time is not', async () => {
  const answer = doneWithin(new Promise(() => undefined), 1_000);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await answer).toBe(false);
});

test('work that is done already needs no time', async () => {
  expect(await doneWithin(Promise.resolve(), 0)).toBe(true);
});

test('the error of work that fails in time is passed on, and leaves no timer', async () => {
  const error = new Error('refused');
  await expect(doneWithin(Promise.reject(error), 1_000)).rejects.toBe(error);
  expect(vi.getTimerCount()).toBe(0);
});
