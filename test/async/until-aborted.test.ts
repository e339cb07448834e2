import { expect, test, vi } from 'vitest';
import { untilAborted } from '../../src/async/until-aborted.ts';

const forever = new Promise<never>(() => undefined);
const reason = new Error('shutting down');

test('what the work gives is passed on, be it a value or an error', async () => {
  const { signal } = new AbortController();
  expect(await untilAborted(Promise.resolve(7), signal)).toBe(7);
  const error = new Error('refused');
  await expect(untilAborted(Promise.reject(error), signal)).rejects.toBe(error);
});

test('the reason of the signal ends the wait as soon as it aborts', async () => {
  const controller = new AbortController();
  const waiting = untilAborted(forever, controller.signal);
  controller.abort(reason);
  await expect(waiting).rejects.toBe(reason);
});

test('a signal that has aborted already leaves no wait at all', async () => {
  await expect(untilAborted(forever, AbortSignal.abort(reason))).rejects.toBe(reason);
});

test('the signal is no longer listened to when the wait is over', async () => {
  const { signal } = new AbortController();
  const added = vi.spyOn(signal, 'addEventListener');
  const removed = vi.spyOn(signal, 'removeEventListener');
  await untilAborted(Promise.resolve(7), signal);
  expect(added).toHaveBeenCalledTimes(1);
  expect(removed.mock.calls.map(([, listener]) => listener)).toEqual(
    added.mock.calls.map(([, listener]) => listener),
  );
});
