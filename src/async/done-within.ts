import { sleep } from './sleep.ts';
import type { SleepOptions } from './sleep.ts';

/** True once `work` is done; false after `ms`, and `work` goes on. Rejects where `work` does in that time. */
export async function doneWithin(
  work: Promise<unknown>,
  ms: number,
  options?: SleepOptions,
): Promise<boolean> {
  const over = new AbortController();
  try {
    return await Promise.race([work.then(() => true), sleep(ms, over.signal, options).then(() => false)]);
  } finally {
    over.abort();
  }
}
