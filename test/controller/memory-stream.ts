import type { ObjectStream } from '../../src/kube/client/object-stream.ts';

export interface MemoryStream<T> extends ObjectStream<T> {
  push(item: T): void;
}

/** An open watch in memory. It is never silent: its connection can't be lost without anybody noticing. */
export function memoryStream<T>(onEnd: () => void): MemoryStream<T> {
  const waiting: T[] = [];
  let ended: { readonly reason: Error } | undefined;
  let wake = Promise.withResolvers<void>();
  return {
    get lastByteAtMs() {
      return performance.now();
    },
    provesLife: false,
    push(item) {
      waiting.push(item);
      wake.resolve();
    },
    abort(reason) {
      ended ??= { reason };
      onEnd();
      wake.resolve();
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        if (ended !== undefined) throw ended.reason;
        const item = waiting.shift();
        if (item !== undefined) {
          yield item;
          continue;
        }
        await wake.promise;
        wake = Promise.withResolvers<void>();
      }
    },
  };
}
