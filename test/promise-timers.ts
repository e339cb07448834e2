/**
 * Stands in for node:timers/promises, which fake timers leave alone: the same over the global setTimeout.
 *
 *     vi.mock('node:timers/promises', () => import('PATH/promise-timers.ts'));
 */
export function setTimeout<T>(
  ms: number,
  value: T,
  { signal }: { readonly signal?: AbortSignal; readonly ref?: boolean } = {},
): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = globalThis.setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve(value);
    }, ms);
    if (signal?.aborted === true) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}
