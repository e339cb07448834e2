import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startDeadline, withDeadline } from '../../src/async/deadline.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('a deadline', () => {
  test('aborts after its time, and no earlier, with words that say so', () => {
    const { signal } = startDeadline({ timeoutMs: 1_000 });
    vi.advanceTimersByTime(999);
    expect(signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(signal.reason).toEqual(new Error('no answer within 1000 ms'));
  });

  test("follows the caller's signal, with its reason", () => {
    const caller = new AbortController();
    const { signal } = startDeadline({ timeoutMs: 1_000, caller: caller.signal });
    expect(signal.aborted).toBe(false);
    const reason = new Error('shutting down');
    caller.abort(reason);
    expect(signal.reason).toBe(reason);
  });

  test('is over from the start where the caller has aborted already', () => {
    const reason = new Error('shutting down');
    const { signal } = startDeadline({ timeoutMs: 1_000, caller: AbortSignal.abort(reason) });
    expect(signal.reason).toBe(reason);
  });

  test('can be ended by hand', () => {
    const deadline = startDeadline({ timeoutMs: 1_000 });
    const reason = new Error('silent');
    deadline.abort(reason);
    expect(deadline.signal.reason).toBe(reason);
  });

  test('whose timer is stopped still follows the caller', () => {
    const caller = new AbortController();
    const deadline = startDeadline({ timeoutMs: 1_000, caller: caller.signal });
    deadline.stopTimer();
    vi.advanceTimersByTime(10_000);
    expect(deadline.signal.aborted).toBe(false);
    caller.abort();
    expect(deadline.signal.aborted).toBe(true);
  });

  test('that is cleared neither runs out nor follows', () => {
    const caller = new AbortController();
    const deadline = startDeadline({ timeoutMs: 1_000, caller: caller.signal });
    deadline.clear();
    vi.advanceTimersByTime(10_000);
    caller.abort();
    expect(deadline.signal.aborted).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('says in the words it was given why it ended', () => {
    const late = new Error('the engine is silent');
    const words = { late: () => late, abandoned: (reason: unknown) => `abandoned: ${String(reason)}` };
    const timedOut = startDeadline({ timeoutMs: 1_000, ...words });
    vi.advanceTimersByTime(1_000);
    expect(timedOut.signal.reason).toBe(late);
    const { signal } = startDeadline({ timeoutMs: 1_000, caller: AbortSignal.abort('stop'), ...words });
    expect(signal.reason).toBe('abandoned: stop');
  });

  test('grants the whole time again where nothing is said to be late yet', () => {
    const queued = { value: true };
    const late = new Error('silent');
    const { signal } = startDeadline({ timeoutMs: 1_000, late: () => (queued.value ? undefined : late) });
    vi.advanceTimersByTime(2_500);
    queued.value = false;
    vi.advanceTimersByTime(499);
    expect(signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(signal.reason).toBe(late);
  });

  test('whose timer is restarted counts from then on', () => {
    const deadline = startDeadline({ timeoutMs: 1_000 });
    vi.advanceTimersByTime(900);
    deadline.restartTimer();
    vi.advanceTimersByTime(999);
    expect(deadline.signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(deadline.signal.aborted).toBe(true);
  });
});

describe('work with a deadline', () => {
  const reason = new Error('shutting down');

  test('gives what it gives, or rejects with its error, and leaves neither timer nor listener', async () => {
    const { signal: caller } = new AbortController();
    const removed = vi.spyOn(caller, 'removeEventListener');
    const options = { timeoutMs: 1_000, caller };
    expect(await withDeadline(options, async () => 7)).toBe(7);
    const error = new Error('refused');
    await expect(withDeadline(options, () => Promise.reject(error))).rejects.toBe(error);
    expect(vi.getTimerCount()).toBe(0);
    expect(removed).toHaveBeenCalledTimes(2);
  });

  test('rejects when the time is up, whatever the work does, whose signal aborts then', async () => {
    const signals: AbortSignal[] = [];
    const waiting = withDeadline({ timeoutMs: 1_000 }, (signal) => {
      signals.push(signal);
      return new Promise(() => undefined);
    });
    const rejection = waiting.catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await rejection).toEqual(new Error('no answer within 1000 ms'));
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  test('does not begin where the caller has aborted already', async () => {
    const work = vi.fn<() => Promise<number>>(async () => 7);
    const options = { timeoutMs: 1_000, caller: AbortSignal.abort(reason) };
    await expect(withDeadline(options, work)).rejects.toBe(reason);
    expect(work).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});
