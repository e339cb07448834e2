import { backoffMs } from '../async/backoff.ts';

/**
 * How often a tenant may be repaired: at once after a settled run, then after 1 s, 2 s, 4 s … up to 5 min, so that
 * something that can't stay up is not started in a hot loop. In memory only: a restarted operator tries at once.
 */
export interface RepairBackoff {
  /** Milliseconds until the next repair of this kind is due; 0: now. */
  waitMs(key: string, kind: RepairKind): number;
  /** Counts a repair. */
  repaired(key: string, kind: RepairKind): void;
  /** What was repaired has settled, or the tenant is no more. */
  forget(key: string): void;
}

/**
 * Bringing back what is gone is no repetition of starting what had stopped: a container removed by force is seen
 * stopped first, and must not wait for that.
 */
export type RepairKind = 'stopped' | 'gone';

const backoff = { baseMs: 1000, capMs: 300_000, jitter: 'none' } as const;

export function createRepairBackoff(now: () => number = Date.now): RepairBackoff {
  const repairs = new Map<string, { count: number; at: number; kind: RepairKind }>();
  return {
    waitMs(key, kind) {
      const last = repairs.get(key);
      if (last?.kind !== kind) return 0;
      const delayMs = backoffMs(last.count - 1, backoff);
      return Math.max(0, last.at + delayMs - now());
    },
    repaired(key, kind) {
      repairs.set(key, { count: (repairs.get(key)?.count ?? 0) + 1, at: now(), kind });
    },
    forget(key) {
      repairs.delete(key);
    },
  };
}
