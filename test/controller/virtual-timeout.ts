interface TimeoutOptions {
  readonly signal?: AbortSignal;
  readonly ref?: boolean;
}

/**
 * setTimeout of node:timers/promises on the global one, which vitest's fake timers replace while they leave that module
 * alone: `vi.mock('node:timers/promises', async () => ({ setTimeout: (await import('./virtual-timeout.ts')).virtualTimeout }))`.
 */
export function virtualTimeout<T>(ms?: number, value?: T, { signal }: TimeoutOptions = {}): Promise<T> {
  return new Promise((resolve, reject) => {
    const refuse = (): void => {
      clearTimeout(timer);
      reject(new DOMException('The operation was aborted', 'AbortError'));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', refuse);
      resolve(value as T);
    }, ms);
    if (signal?.aborted === true) refuse();
    else signal?.addEventListener('abort', refuse, { once: true });
  });
}
