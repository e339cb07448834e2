import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { sleep } from '../../src/async/sleep.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function watched(ms: number, signal?: AbortSignal) {
  const state: { over: boolean; result?: boolean } = { over: false };
  void sleep(ms, signal).then((result) => Object.assign(state, { over: true, result }));
  return state;
}

test('is over after its time, and no earlier', async () => {
  const state = watched(1_000, new AbortController().signal);
  await vi.advanceTimersByTimeAsync(999);
  expect(state.over).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(state).toEqual({ over: true, result: true });
});

test('is cut short by the signal, and leaves no timer', async () => {
  const controller = new AbortController();
  const state = watched(1_000, controller.signal);
  controller.abort();
  await vi.advanceTimersByTimeAsync(0);
  expect(state).toEqual({ over: true, result: false });
  expect(vi.getTimerCount()).toBe(0);
});

test('does not begin where the signal has aborted already', async () => {
  const state = watched(1_000, AbortSignal.abort());
  expect(vi.getTimerCount()).toBe(0);
  await vi.advanceTimersByTimeAsync(0);
  expect(state).toEqual({ over: true, result: false });
});

test('no longer listens to the signal when it is over: a loop of sleeps would pile listeners up', async () => {
  const { signal } = new AbortController();
  const removed = vi.spyOn(signal, 'removeEventListener');
  watched(1, signal);
  await vi.advanceTimersByTimeAsync(1);
  expect(removed).toHaveBeenCalledTimes(1);
});

test('needs no signal', async () => {
  const state = watched(1_000);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(state).toEqual({ over: true, result: true });
});

test.each([true, false])('keeps the process alive: %s', (ref) => {
  vi.useRealTimers();
  const started = vi.spyOn(globalThis, 'setTimeout');
  onTestFinished(() => started.mockRestore());
  const controller = new AbortController();
  void sleep(1_000, controller.signal, { ref });
  const timer = started.mock.results[0]?.value as NodeJS.Timeout;
  expect(timer.hasRef()).toBe(ref);
  controller.abort();
});
