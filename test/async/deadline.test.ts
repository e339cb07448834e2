import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { startDeadline, unlessAborted } from '../../src/async/deadline.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('a deadline', () => {
  test('aborts after its time, and no earlier, with words that say so', () => {
    const { signal } = startDeadline(1_000, undefined);
    vi.advanceTimersByTime(999);
    expect(signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(signal.reason).toEqual(new Error('no answer within 1000 ms'));
  });

  test("follows the caller's signal, with its reason", () => {
    const caller = new AbortController();
    const { signal } = startDeadline(1_000, caller.signal);
    expect(signal.aborted).toBe(false);
    const reason = new Error('shutting down');
    caller.abort(reason);
    expect(signal.reason).toBe(reason);
  });

  test('is over from the start where the caller has aborted already', () => {
    const reason = new Error('shutting down');
    expect(startDeadline(1_000, AbortSignal.abort(reason)).signal.reason).toBe(reason);
  });

  test('can be ended by hand', () => {
    const deadline = startDeadline(1_000, undefined);
    const reason = new Error('silent');
    deadline.abort(reason);
    expect(deadline.signal.reason).toBe(reason);
  });

  test('whose timer is stopped still follows the caller', () => {
    const caller = new AbortController();
    const deadline = startDeadline(1_000, caller.signal);
    deadline.stopTimer();
    vi.advanceTimersByTime(10_000);
    expect(deadline.signal.aborted).toBe(false);
    caller.abort();
    expect(deadline.signal.aborted).toBe(true);
  });

  test('that is cleared neither runs out nor follows', () => {
    const caller = new AbortController();
    const deadline = startDeadline(1_000, caller.signal);
    deadline.clear();
    vi.advanceTimersByTime(10_000);
    caller.abort();
    expect(deadline.signal.aborted).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('unlessAborted', () => {
  test('gives what the promise gives, or rejects with its error', async () => {
    const { signal } = new AbortController();
    expect(await unlessAborted(Promise.resolve(7), signal)).toBe(7);
    const error = new Error('refused');
    await expect(unlessAborted(Promise.reject(error), signal)).rejects.toBe(error);
  });

  test('rejects with the reason as soon as the signal aborts, whatever the promise does', async () => {
    const controller = new AbortController();
    const waiting = unlessAborted(new Promise(() => undefined), controller.signal);
    const reason = new Error('late');
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });

  test('does not wait at all where the signal has aborted already', async () => {
    const reason = new Error('late');
    await expect(unlessAborted(Promise.resolve(7), AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  test('leaves no rejection behind that nobody hears of: it would end the process', async () => {
    const unheard: unknown[] = [];
    const listener = (error: unknown): void => void unheard.push(error);
    process.on('unhandledRejection', listener);
    onTestFinished(() => void process.off('unhandledRejection', listener));
    vi.useRealTimers();
    const reason = new Error('late');
    const before = unlessAborted(Promise.reject(new Error('refused')), AbortSignal.abort(reason));
    await expect(before).rejects.toBe(reason);
    const controller = new AbortController();
    const { promise, reject } = Promise.withResolvers<never>();
    const after = unlessAborted(promise, controller.signal);
    controller.abort(reason);
    await expect(after).rejects.toBe(reason);
    reject(new Error('refused'));
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(unheard).toEqual([]);
  });

  test('no longer listens to the signal when it is over', async () => {
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, 'addEventListener');
    const removed = vi.spyOn(signal, 'removeEventListener');
    await unlessAborted(Promise.resolve(7), signal);
    expect(removed.mock.calls.map(([, listener]) => listener)).toEqual(
      added.mock.calls.map(([, listener]) => listener),
    );
  });
});
