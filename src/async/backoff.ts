export interface BackoffOptions {
  /** The first delay, before its jitter. */
  readonly baseMs: number;
  /** No delay is ever longer. */
  readonly capMs: number;
  /**
   * How a herd is spread out. `equal` (the default): from half of the delay to the whole of it, so that nobody comes
   * back at once. `full`: from nothing to the whole, where coming back at once does no harm. `none`: the delay itself.
   */
  readonly jitter?: 'equal' | 'full' | 'none';
}

/** The part of the delay that is certain, by the kind of jitter. */
const certainShare = { equal: 0.5, full: 0, none: 1 } as const;

/** Exponential back-off: `baseMs * 2^failures` milliseconds with jitter. `failures` counts from 0. */
export function backoffMs(failures: number, options: BackoffOptions, random = Math.random): number {
  const { baseMs, capMs, jitter = 'equal' } = options;
  // 2^30 * 1 ms is twelve days: far over any cap, and far under what a double holds exactly.
  const ceilingMs = Math.min(capMs, baseMs * 2 ** Math.min(failures, 30));
  const certain = certainShare[jitter];
  return ceilingMs * certain + random() * ceilingMs * (1 - certain);
}
