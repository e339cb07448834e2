import type { ObjectStream } from '../client/object-stream.ts';

export interface SilenceGuard {
  /** Whether the stream was broken off because nothing came. */
  wasSilent(): boolean;
  stop(): void;
}

/** The limit may shrink while the timer runs, as when the initial events are through. */
const checkEveryMs = 1_000;

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
    timer = setTimeout(check, Math.min(checkEveryMs, Math.max(1, limitMs() - quietForMs())));
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

  arm();
  return {
    wasSilent: () => silent,
    stop() {
      clearTimeout(timer);
      clearImmediate(verdict);
    },
  };
}
