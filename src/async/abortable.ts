import { onAbort } from './on-abort.ts';

/**
 * What `work` gives, or a rejection with the signal's reason as soon as it aborts, also where `work` is settled by then.
 * It ends the wait alone: `work` goes on, and what becomes of it later goes unheard, a rejection too.
 */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stopListening = onAbort(signal, () => reject(signal.reason as Error));
  try {
    // A race also where the signal has aborted before: else nobody would hear of it if `work` rejects.
    return await Promise.race([aborted, work]);
  } finally {
    stopListening();
  }
}
