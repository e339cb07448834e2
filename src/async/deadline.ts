import { abortable } from './abortable.ts';
import { onAbort } from './on-abort.ts';

export interface DeadlineOptions {
  readonly timeoutMs: number;
  /** Aborts the deadline's signal when it aborts. */
  readonly caller?: AbortSignal | undefined;
  /** What the signal aborts with when the time is up; undefined grants the same time again. */
  readonly late?: () => Error | undefined;
  /** What the signal aborts with when the caller's does with `reason`. Default: `reason` itself. */
  readonly abandoned?: (reason: unknown) => unknown;
}

/** When to give up on an exchange: after a time, or when the caller does. To be cleared when the exchange is over. */
export interface Deadline {
  readonly signal: AbortSignal;
  abort(reason?: Error): void;
  /** Gives the whole time again from now on, for an exchange that shows life. Not after `stopTimer`. */
  restartTimer(): void;
  stopTimer(): void;
  /** Stops the timer and no longer follows the caller's signal. */
  clear(): void;
}

// By hand, for AbortSignal.any() with a timeout costs more than the rest of a small request's bookkeeping.
export function startDeadline(options: DeadlineOptions): Deadline {
  const { timeoutMs, caller, abandoned = (reason: unknown) => reason } = options;
  const { late = () => new Error(`no answer within ${timeoutMs} ms`) } = options;
  const controller = new AbortController();
  const timer = setTimeout(() => {
    const reason = late();
    if (reason === undefined) timer.refresh();
    else controller.abort(reason);
  }, timeoutMs);
  const stopTimer = (): void => clearTimeout(timer);
  const stopFollowing = onAbort(caller, () => controller.abort(abandoned(caller?.reason)));
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    restartTimer: () => void timer.refresh(),
    stopTimer,
    clear() {
      stopTimer();
      stopFollowing();
    },
  };
}

/**
 * What `work` gives within the deadline. Rejects when that aborts, whatever becomes of `work`, whose signal aborts then;
 * `work` does not begin where the caller's signal has aborted already.
 */
export async function withDeadline<T>(
  options: DeadlineOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = startDeadline(options);
  try {
    deadline.signal.throwIfAborted();
    return await abortable(work(deadline.signal), deadline.signal);
  } finally {
    deadline.clear();
  }
}
