import { backoffMs } from '../../../../async/backoff.ts';
import type { DesiredTenant } from '../state/desired-tenant.ts';

/**
 * Rollouts that were taken back for what was no fault of theirs, and when each may be made again: what the engine tells of
 * the one that was taken back would wake its tenant at once. Lost with the process, which costs one try.
 */
export interface Retreats {
  /** What the last attempt at this desired state came to, while the next one is not due. */
  pending(desired: DesiredTenant): { readonly message: string; readonly waitMs: number } | undefined;
  /** Returns the milliseconds until the next attempt. */
  note(desired: DesiredTenant, message: string): number;
  forget(tenantId: string): void;
}

interface Retreat {
  readonly specHash: string;
  readonly message: string;
  readonly count: number;
  readonly dueMs: number;
}

const backoff = { baseMs: 1_000, capMs: 300_000 };

export function createRetreats(now: () => number = () => performance.now()): Retreats {
  const retreats = new Map<string, Retreat>();
  const of = ({ tenantId, specHash }: DesiredTenant): Retreat | undefined => {
    const known = retreats.get(tenantId);
    return known?.specHash === specHash ? known : undefined;
  };
  return {
    pending(desired) {
      const known = of(desired);
      const waitMs = known === undefined ? 0 : Math.ceil(known.dueMs - now());
      return known !== undefined && waitMs > 0 ? { message: known.message, waitMs } : undefined;
    },
    note(desired, message) {
      const count = of(desired)?.count ?? 0;
      const waitMs = Math.ceil(backoffMs(count, backoff));
      const { tenantId, specHash } = desired;
      retreats.set(tenantId, { specHash, message, count: count + 1, dueMs: now() + waitMs });
      return waitMs;
    },
    forget: (tenantId) => void retreats.delete(tenantId),
  };
}
