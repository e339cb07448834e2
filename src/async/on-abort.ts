/**
 * Calls `listener` once when `signal` aborts: at once where it has aborted already, never where there is none. Returns
 * what ends the listening, to be called when the wait is over: a signal that lives as long as the process would gather
 * listeners else.
 */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (signal?.aborted === true) {
    listener();
    return () => undefined;
  }
  signal?.addEventListener('abort', listener, { once: true });
  return () => signal?.removeEventListener('abort', listener);
}
