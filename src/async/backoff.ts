export interface BackoffOptions {
  /** Upper bound of the first delay. */
  baseMs: number;
  /** No delay is ever longer. */
  capMs: number;
}

/**
 * Exponential back-off with "equal jitter": between half of and the whole `baseMs * 2^failures`, so that a herd
 * spreads out, yet nobody retries at once. `failures` counts from 0.
 */
export function backoffMs(failures: number, { baseMs, capMs }: BackoffOptions, random = Math.random): number {
  // 2^30 * 1 ms is twelve days: far over any cap, and far under what a double holds exactly.
  const ceilingMs = Math.min(capMs, baseMs * 2 ** Math.min(failures, 30));
  return ceilingMs / 2 + (random() * ceilingMs) / 2;
}

/** Resolves after `ms`, or early, without rejecting, when `signal` aborts. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const finish = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    signal?.addEventListener('abort', finish, { once: true });
  });
}
