import { onAbort } from './on-abort.ts';

/** Resolves when `signal` aborts. To wait for something else beside it, see `abortable`, which stops listening. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => void onAbort(signal, () => resolve()));
}
