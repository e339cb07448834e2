/** When to give up on an exchange: after a time, or when the caller does. */
export interface Deadline {
  signal: AbortSignal;
  abort(reason: Error): void;
  stopTimer(): void;
  /** Stops the timer and no longer follows the caller's signal. */
  clear(): void;
}

// By hand, for AbortSignal.any() with a timeout costs more than the rest of a small request's bookkeeping.
export function startDeadline(timeoutMs: number, caller: AbortSignal | undefined): Deadline {
  const controller = new AbortController();
  const follow = (): void => controller.abort(caller?.reason);
  const timer = setTimeout(() => controller.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  if (caller?.aborted) follow();
  caller?.addEventListener('abort', follow, { once: true });
  const stopTimer = (): void => clearTimeout(timer);
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    stopTimer,
    clear() {
      stopTimer();
      caller?.removeEventListener('abort', follow);
    },
  };
}

/** What `promise` gives, unless `signal` aborts first; `promise` itself goes on. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    // A race also where the signal has aborted before: else nobody would hear of it if `promise` rejects.
    return await Promise.race([aborted, promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
