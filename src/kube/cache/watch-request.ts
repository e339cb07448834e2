import type { WatchOptions } from '../client/resource.ts';
import type { RecoveryTiming } from './watch-recovery.ts';

export interface ReflectorTiming extends RecoveryTiming {
  /** A watch without a byte for this long is opened again from where it stood. */
  readonly silenceMs: number;
  /** The server must begin to answer such a watch within this, or counts as gone. Grows with each failure. */
  readonly openTimeoutMs: number;
}

export interface WatchSituation {
  /** Where the watch stands; undefined asks for the whole state. */
  readonly version: string | undefined;
  /** The last one was silent. */
  readonly quiet: boolean;
  /** The last one's connection told by itself that its other end is there. */
  readonly proven: boolean;
  /** Breaks of a kind in a row. */
  readonly failures: number;
}

export interface WatchRequest {
  readonly options: WatchOptions;
  /** So long it may be silent; `isInitial`: while the whole state is on its way. */
  readonly silenceLimitMs: (isInitial: boolean) => number;
}

/** How the next watch is asked for. */
export function nextWatchRequest(
  { version, quiet, proven, failures }: WatchSituation,
  { silenceMs, openTimeoutMs, random }: ReflectorTiming,
): WatchRequest {
  // A quiet one is asked to end soon: 2 s before it does, the server sends a bookmark, which is a sign of life
  // and moves our version on. Breaking long ones off instead would never let a bookmark come. Where its connection tells
  // that it lives, a quiet one is as long as any.
  const isQuiet = quiet && version !== undefined;
  const isShort = isQuiet && !proven;
  const timeoutSeconds = isShort ? Math.max(1, Math.round(silenceMs / 1000)) : longWatchSeconds(random);
  const options: WatchOptions =
    version === undefined
      ? {
          resourceVersionMatch: 'NotOlderThan',
          sendInitialEvents: true,
          timeoutSeconds,
          openTimeoutMs: openTimeoutMs * 10,
        }
      : {
          resourceVersion: version,
          timeoutSeconds,
          openTimeoutMs: openTimeoutMs * Math.min(10, failures + 1),
          ...(isQuiet && { quiet }),
        };
  return {
    options,
    silenceLimitMs(isInitial) {
      // A big state takes the server a while to begin with.
      if (isInitial) return silenceMs * 3;
      return isShort ? timeoutSeconds * 1000 + openTimeoutMs : silenceMs;
    },
  };
}

/** 240 to 480 s, so that not all watches end together; client-go uses 300 to 600. */
function longWatchSeconds(random: () => number): number {
  return Math.round(240 + random() * 240);
}
