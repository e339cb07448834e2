import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createDelayedKeys } from '../../../src/kube/queue/delayed-keys.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

function delayedKeys() {
  const due: string[] = [];
  return { due, delayed: createDelayedKeys((key) => due.push(key)) };
}

test('a key is told when it is due, at the earliest of the times asked for', () => {
  const { due, delayed } = delayedKeys();
  delayed.start();
  delayed.schedule('b', 2_000, 'hint');
  delayed.schedule('a', 3_000, 'hint');
  delayed.schedule('a', 1_000, 'hint');
  delayed.schedule('a', 5_000, 'hint');
  vi.advanceTimersByTime(999);
  expect(due).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(due).toEqual(['a']);
  vi.advanceTimersByTime(10_000);
  expect(due).toEqual(['a', 'b']);
  expect(vi.getTimerCount()).toBe(0);
});

test('nothing is told before the start; then what has come due meanwhile', () => {
  const { due, delayed } = delayedKeys();
  delayed.schedule('a', 1_000, 'hint');
  expect(vi.getTimerCount()).toBe(0);
  vi.advanceTimersByTime(2_000);
  delayed.start();
  vi.advanceTimersByTime(0);
  expect(due).toEqual(['a']);
});

test('what is cancelled is not told, nor is anything after the stop', () => {
  const { due, delayed } = delayedKeys();
  delayed.start();
  delayed.schedule('a', 1_000, 'hint');
  delayed.schedule('b', 1_000, 'hint');
  delayed.cancel('a');
  expect(delayed.has('a')).toBe(false);
  delayed.stop();
  expect(delayed.has('b')).toBe(false);
  delayed.schedule('c', 1_000, 'hint');
  expect(vi.getTimerCount()).toBe(0);
  vi.advanceTimersByTime(2_000);
  expect(due).toEqual([]);
});

test('a time further off than a timer can count is waited for all the same', () => {
  const { due, delayed } = delayedKeys();
  delayed.start();
  delayed.schedule('a', 2 ** 31 + 1_000, 'hint');
  vi.advanceTimersByTime(2 ** 31 - 1);
  expect(due).toEqual([]);
  vi.advanceTimersByTime(1_001);
  expect(due).toEqual(['a']);
});
