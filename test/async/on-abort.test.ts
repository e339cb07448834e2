import { expect, test, vi } from 'vitest';
import { onAbort } from '../../src/async/on-abort.ts';

test('the listener is called once, when the signal aborts', () => {
  const listener = vi.fn<() => void>();
  const controller = new AbortController();
  onAbort(controller.signal, listener);
  expect(listener).not.toHaveBeenCalled();
  controller.abort();
  controller.abort();
  expect(listener).toHaveBeenCalledTimes(1);
});

test('it is called at once where the signal has aborted already', () => {
  const listener = vi.fn<() => void>();
  const stopListening = onAbort(AbortSignal.abort(), listener);
  expect(listener).toHaveBeenCalledTimes(1);
  stopListening();
});

test('it is not called once the listening has ended, and the signal knows it no longer', () => {
  const listener = vi.fn<() => void>();
  const controller = new AbortController();
  const removed = vi.spyOn(controller.signal, 'removeEventListener');
  onAbort(controller.signal, listener)();
  controller.abort();
  expect(listener).not.toHaveBeenCalled();
  expect(removed).toHaveBeenCalledExactlyOnceWith('abort', listener);
});

test('without a signal there is nothing to wait for', () => {
  const listener = vi.fn<() => void>();
  onAbort(undefined, listener)();
  expect(listener).not.toHaveBeenCalled();
});
