import { expect, onTestFinished, test, vi } from 'vitest';
import { abortable } from '../../src/async/abortable.ts';

const forever = new Promise<never>(() => undefined);
const reason = new Error('shutting down');

test('what the work gives is passed on, be it a value or an error', async () => {
  const { signal } = new AbortController();
  expect(await abortable(Promise.resolve(7), signal)).toBe(7);
  const error = new Error('refused');
  await expect(abortable(Promise.reject(error), signal)).rejects.toBe(error);
});

test('the reason of the signal ends the wait as soon as it aborts', async () => {
  const controller = new AbortController();
  const waiting = abortable(forever, controller.signal);
  controller.abort(reason);
  await expect(waiting).rejects.toBe(reason);
});

test('a signal that has aborted already leaves no wait at all', async () => {
  await expect(abortable(forever, AbortSignal.abort(reason))).rejects.toBe(reason);
});

test('a signal that has aborted already wins over work that is settled', async () => {
  await expect(abortable(Promise.resolve(7), AbortSignal.abort(reason))).rejects.toBe(reason);
});

test('no rejection is left behind that nobody hears of: it would end the process', async () => {
  const unheard: unknown[] = [];
  const listener = (error: unknown): void => void unheard.push(error);
  process.on('unhandledRejection', listener);
  onTestFinished(() => void process.off('unhandledRejection', listener));
  const before = abortable(Promise.reject(new Error('refused')), AbortSignal.abort(reason));
  await expect(before).rejects.toBe(reason);
  const controller = new AbortController();
  const { promise, reject } = Promise.withResolvers<never>();
  const after = abortable(promise, controller.signal);
  controller.abort(reason);
  await expect(after).rejects.toBe(reason);
  reject(new Error('refused'));
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  expect(unheard).toEqual([]);
});

test('the signal is no longer listened to when the wait is over', async () => {
  const { signal } = new AbortController();
  const added = vi.spyOn(signal, 'addEventListener');
  const removed = vi.spyOn(signal, 'removeEventListener');
  await abortable(Promise.resolve(7), signal);
  expect(added).toHaveBeenCalledTimes(1);
  expect(removed.mock.calls.map(([, listener]) => listener)).toEqual(
    added.mock.calls.map(([, listener]) => listener),
  );
});
