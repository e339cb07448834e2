import { untilAborted } from './until-aborted.ts';

/** Runs what has the same key one after the other, in the order of asking; the wait ends when `signal` aborts. */
export function perKey(): <T>(key: string, signal: AbortSignal, task: () => Promise<T>) => Promise<T> {
  const tails = new Map<string, Promise<unknown>>();
  return async (key, signal, task) => {
    const before = tails.get(key);
    const run = (async () => {
      await before?.catch(() => undefined);
      signal.throwIfAborted();
      return task();
    })();
    tails.set(key, run);
    try {
      return await untilAborted(run, signal);
    } finally {
      if (tails.get(key) === run) tails.delete(key);
    }
  };
}
