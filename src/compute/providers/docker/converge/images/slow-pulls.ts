import type { PullStanding } from '../../engine/images/pull-progress.ts';

/**
 * An engine downloads three layers at a time, of all pulls together, so one registry that drips holds up every other. A
 * pull that is slow for a whole minute gives way where others wait for it: at that pace, a pull would get no more than 56 MB
 * by its deadline.
 */
const windowMs = 60_000;
const slowBytesPerSecond = 32 * 1024;

export interface PullWatch {
  report(standing: PullStanding): void;
  end(): void;
}

export interface SlowPulls {
  /** `giveWay` is called once, where it is to end for the sake of others. */
  watch(registry: string, giveWay: () => void): PullWatch;
}

interface Watched {
  readonly registry: string;
  readonly giveWay: () => void;
  window: { readonly atMs: number; readonly bytes: number } | undefined;
  isSlow: boolean;
  isHeldUp: boolean;
}

/** `isTurnWanted`: whether pulls from other registries than this one wait for nothing but a turn. */
export function createSlowPulls(isTurnWanted: (registry: string) => boolean): SlowPulls {
  const all = new Set<Watched>();
  const isWaitedFor = ({ registry }: Watched): boolean =>
    isTurnWanted(registry) || [...all].some((other) => other.isHeldUp && other.registry !== registry);

  return {
    watch(registry, giveWay) {
      const own: Watched = { registry, giveWay, window: undefined, isSlow: false, isHeldUp: false };
      all.add(own);
      return {
        report(standing) {
          take(own, standing, Date.now());
          // One at a time: it may be all that is needed.
          const oldest = [...all].find((one) => one.isSlow && isWaitedFor(one));
          if (oldest === undefined) return;
          all.delete(oldest);
          oldest.giveWay();
        },
        end: () => void all.delete(own),
      };
    },
  };
}

/** Who waits for the engine is neither quick nor slow. */
function take(own: Watched, { bytes, isUpToEngine, isHeldUp }: PullStanding, nowMs: number): void {
  own.isHeldUp = isHeldUp;
  if (isUpToEngine) {
    own.window = undefined;
    own.isSlow = false;
    return;
  }
  own.window ??= { atMs: nowMs, bytes };
  const ms = nowMs - own.window.atMs;
  if (ms < windowMs) return;
  own.isSlow = bytes - own.window.bytes < (slowBytesPerSecond * ms) / 1000;
  own.window = { atMs: nowMs, bytes };
}
