import { onAbort } from './on-abort.ts';

export interface SleepOptions {
  /** False: the process may end meanwhile, where nothing else keeps it. Default: true. */
  readonly ref?: boolean;
}

/** True after `ms` milliseconds; false as soon as `signal` aborts. Never rejects. */
export function sleep(ms: number, signal?: AbortSignal, { ref = true }: SleepOptions = {}): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve(false);
    const timer = setTimeout(() => {
      stopListening();
      resolve(true);
    }, ms);
    if (!ref) timer.unref();
    const stopListening = onAbort(signal, () => {
      clearTimeout(timer);
      resolve(false);
    });
  });
}
