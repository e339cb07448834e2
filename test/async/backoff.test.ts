import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { aborted } from '../../src/async/aborted.ts';
import { backoffMs, sleep } from '../../src/async/backoff.ts';

const OPTIONS = { baseMs: 100, capMs: 5_000 };

describe('the back-off', () => {
  test.each([
    [0, 100],
    [1, 200],
    [2, 400],
    [5, 3_200],
    [6, 5_000],
    [10_000, 5_000],
  ])('after %i failures is between half of and the whole of %i ms', (failures, upperMs) => {
    expect(backoffMs(failures, OPTIONS, () => 0)).toBe(upperMs / 2);
    expect(backoffMs(failures, OPTIONS, () => 0.5)).toBe(upperMs * 0.75);
    expect(backoffMs(failures, OPTIONS, () => 1)).toBe(upperMs);
  });

  test('spreads out by itself', () => {
    const delays = Array.from({ length: 50 }, () => backoffMs(3, OPTIONS));
    expect(new Set(delays).size).toBeGreaterThan(1);
    for (const delayMs of delays) {
      expect(delayMs).toBeGreaterThanOrEqual(400);
      expect(delayMs).toBeLessThanOrEqual(800);
    }
  });
});

describe('sleep', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  function watched(ms: number, signal?: AbortSignal) {
    const state = { over: false };
    void sleep(ms, signal).then(() => (state.over = true));
    return state;
  }

  test('is over after its time, and no earlier', async () => {
    const state = watched(1_000, new AbortController().signal);
    await vi.advanceTimersByTimeAsync(999);
    expect(state.over).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(state.over).toBe(true);
  });

  test('is cut short by the signal, and leaves no timer', async () => {
    const controller = new AbortController();
    const state = watched(1_000, controller.signal);
    controller.abort();
    await vi.advanceTimersByTimeAsync(0);
    expect(state.over).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('does not begin where the signal has aborted already', async () => {
    const state = watched(1_000, AbortSignal.abort());
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(0);
    expect(state.over).toBe(true);
  });

  test('no longer listens to the signal when it is over: a loop of sleeps would pile listeners up', async () => {
    const { signal } = new AbortController();
    const removed = vi.spyOn(signal, 'removeEventListener');
    watched(1, signal);
    await vi.advanceTimersByTimeAsync(1);
    expect(removed).toHaveBeenCalledTimes(1);
  });
});

describe('aborted', () => {
  test('resolves when the signal aborts, and no earlier', async () => {
    const controller = new AbortController();
    let over = false;
    const done = aborted(controller.signal).then(() => (over = true));
    await new Promise(setImmediate);
    expect(over).toBe(false);
    controller.abort();
    expect(await done).toBe(true);
  });

  test('resolves at once where it has aborted already', async () => {
    await expect(aborted(AbortSignal.abort())).resolves.toBeUndefined();
  });
});
