import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ObjectStream } from '../../../src/kube/client/object-stream.ts';
import { guardAgainstSilence } from '../../../src/kube/cache/silence-guard.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function guarded(limitMs: () => number) {
  const stream = {
    lastByteAtMs: performance.now(),
    aborts: [] as string[],
    abort: (reason: Error) => void stream.aborts.push(reason.message),
  };
  const guard = guardAgainstSilence(stream as unknown as ObjectStream<unknown>, limitMs);
  return { stream, guard };
}

/** Longer than all the setImmediate in which a verdict is reached. */
const verdictMs = 5;

test('a stream without a byte is broken off at its limit, and no earlier', async () => {
  const { stream, guard } = guarded(() => 5_000);
  await vi.advanceTimersByTimeAsync(4_999);
  expect([stream.aborts, guard.wasSilent()]).toEqual([[], false]);
  await vi.advanceTimersByTimeAsync(1 + verdictMs);
  expect([stream.aborts, guard.wasSilent()]).toEqual([['the watch was silent'], true]);
});

test('each byte counts as life', async () => {
  const { stream, guard } = guarded(() => 5_000);
  for (let seconds = 0; seconds < 30; seconds += 4) {
    await vi.advanceTimersByTimeAsync(4_000);
    stream.lastByteAtMs = performance.now();
  }
  expect(guard.wasSilent()).toBe(false);
  await vi.advanceTimersByTimeAsync(5_000 + verdictMs);
  expect(guard.wasSilent()).toBe(true);
});

test('a limit that shrinks meanwhile holds from there on', async () => {
  let limitMs = 60_000;
  const { stream, guard } = guarded(() => limitMs);
  await vi.advanceTimersByTimeAsync(9_500);
  limitMs = 10_000;
  guard.limitShrank();
  await vi.advanceTimersByTimeAsync(499);
  expect(guard.wasSilent()).toBe(false);
  await vi.advanceTimersByTimeAsync(1 + verdictMs);
  expect(guard.wasSilent()).toBe(true);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(stream.aborts).toHaveLength(1);
});

test('it does not wake the process again and again within one limit', async () => {
  const { stream } = guarded(() => 5_000);
  // Not by a spy on the false clock: it would outlast it.
  Object.defineProperty(stream, 'lastByteAtMs', { get: () => performance.now() - 1_000 });
  const untilMs = performance.now() + 60_000;
  let wakings = 0;
  for (; performance.now() < untilMs; wakings += 1) await vi.advanceTimersToNextTimerAsync();
  expect(wakings).toBeLessThanOrEqual(60 / (5 - 1));
});

test('a limit that is passed already ends it at once, without a busy loop', async () => {
  const { stream, guard } = guarded(() => 0);
  await vi.advanceTimersByTimeAsync(1 + verdictMs);
  expect(guard.wasSilent()).toBe(true);
  expect(stream.aborts).toHaveLength(1);
});

test('a byte that lay in the socket while the process was busy saves the stream', async () => {
  vi.useRealTimers();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  const { stream, guard } = guarded(() => 5_000);
  await vi.advanceTimersByTimeAsync(5_000);
  // The timer has run; the verdict waits for the sockets, which are read now.
  stream.lastByteAtMs = performance.now();
  await new Promise<void>((resolve) => setImmediate(() => setImmediate(() => setImmediate(resolve))));
  expect(guard.wasSilent()).toBe(false);
  // And it is watched over as before.
  expect(vi.getTimerCount()).toBe(1);
});

test('a stream that has ended is left alone, also between the timer and the verdict', async () => {
  const early = guarded(() => 5_000);
  early.guard.stop();
  const late = guarded(() => 5_000);
  vi.advanceTimersToNextTimer();
  late.guard.stop();
  expect(vi.getTimerCount()).toBe(0);
  await vi.advanceTimersByTimeAsync(60_000);
  expect([early.stream.aborts, late.stream.aborts]).toEqual([[], []]);
});
