import { untilAborted } from './until-aborted.ts';

/** Runs what has the same key one after the other, in the order of asking; the wait ends when `signal` aborts. */
export function perKey(): <T>(key: string, signal: AbortSignal, task: () => Promise<T>) => Promise<T> {
  const tails = new Map<string, Promise<void>>();
  return async (key, signal, task) => {
    const before = tails.get(key);
    const run = (async () => {
      await before;
      signal.throwIfAborted();
      return task();
    })();
    // A run that nobody waits for any more still holds up the next one.
    const over = (): void => {
      if (tails.get(key) === tail) tails.delete(key);
    };
    const tail = run.then(over, over);
    tails.set(key, tail);
    return untilAborted(run, signal);
  };
}
