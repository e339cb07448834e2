import type { ObjectStream } from '../client/object-stream.ts';

export interface SilenceGuard {
  /** Whether the stream was broken off because nothing came. */
  wasSilent(): boolean;
  /** The limit has shrunk: it holds at once, and not only when the one of before is over. */
  limitShrank(): void;
  stop(): void;
}

/**
 * Breaks `stream` off when no byte came for `limitMs()`. Any byte counts as life, of whatever event.
 */
export function guardAgainstSilence(stream: ObjectStream<unknown>, limitMs: () => number): SilenceGuard {
  let silent = false;
  let timer: NodeJS.Timeout | undefined;
  let verdict: NodeJS.Immediate | undefined;

  function quietForMs(): number {
    return performance.now() - stream.lastByteAtMs;
  }

  function arm(): void {
    timer = setTimeout(check, Math.max(1, limitMs() - quietForMs()));
  }

  function check(): void {
    if (quietForMs() < limitMs()) return arm();
    // A busy process sees its timers before its sockets: let it read what has long been there.
    verdict = setImmediate(() => {
      verdict = setImmediate(() => {
        if (quietForMs() < limitMs()) return arm();
        silent = true;
        stream.abort(new Error('the watch was silent'));
      });
    });
  }

  function stop(): void {
    clearTimeout(timer);
    clearImmediate(verdict);
  }

  arm();
  return {
    wasSilent: () => silent,
    limitShrank() {
      stop();
      arm();
    },
    stop,
  };
}
