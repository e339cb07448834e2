import { onAbort } from './on-abort.ts';

/**
 * What `work` gives, or a rejection with the signal's reason as soon as it aborts, also where `work` is settled by then.
 * It ends the wait alone: `work` goes on, and what becomes of it later goes unheard, a rejection too.
 */
export function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  // By hand, for Promise.race() makes several promises of one, and every request of the operator waits in here.
  return new Promise((resolve, reject) => {
    const stopListening = onAbort(signal, () => reject(signal.reason as Error));
    const settle = async (): Promise<void> => {
      try {
        resolve(await work);
      } catch (error) {
        reject(error);
      } finally {
        stopListening();
      }
    };
    void settle();
  });
}
