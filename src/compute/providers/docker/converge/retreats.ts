import { backoffMs } from '../../../../async/backoff.ts';
import type { DesiredTenant } from '../state/desired-tenant.ts';

/**
 * Rollouts that were taken back for what was no fault of theirs, and when each may be made again: what the engine tells of
 * the one that was taken back would wake its tenant at once. Lost with the process, which costs one try.
 *
 * What somebody else removes before it serves is such a case: it is not there to tell of it, so that what was made is noted.
 */
export interface Retreats {
  /** What the last attempt at this desired state came to, while the next one is not due. */
  pending(desired: DesiredTenant): { readonly message: string; readonly waitMs: number } | undefined;
  /**
   * Returns the milliseconds until the next attempt. `undone`: by somebody who will do so again. `gap`: each attempt stops
   * what serves, and what it failed for mostly lasts.
   */
  note(desired: DesiredTenant, message: string, why?: 'undone' | 'gap'): number;
  forget(tenantId: string): void;
  /** A container was made. */
  noteMade(desired: DesiredTenant, container: { readonly id: string; readonly name: string }): void;
  /** Whether a container of that name was made and left as it was: where it is missing, somebody else did that. */
  wasMade(desired: DesiredTenant, name: string): boolean;
  /** What becomes of these containers is our own doing. */
  forgetMade(tenantId: string, containers: readonly { readonly id: string }[]): void;
}

interface Retreat {
  readonly specHash: string;
  readonly message: string;
  readonly count: number;
  readonly dueMs: number;
}

const backoff = { baseMs: 1_000, capMs: 300_000 };

/** The wait of 32 s. */
const fewestOfGap = 5;

export function createRetreats(now: () => number = () => performance.now()): Retreats {
  const retreats = new Map<string, Retreat>();
  /** Names of containers, with the hash of their desired state, by tenant and id. */
  const made = new Map<string, Map<string, string>>();
  const madeAs = ({ specHash }: DesiredTenant, name: string): string => `${specHash} ${name}`;
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
    note(desired, message, why) {
      const count = Math.max(of(desired)?.count ?? 0, why === 'gap' ? fewestOfGap : 0);
      const waitMs = Math.ceil(backoffMs(count, backoff));
      const { tenantId, specHash } = desired;
      const steps = why === 'undone' ? 2 : 1;
      retreats.set(tenantId, { specHash, message, count: count + steps, dueMs: now() + waitMs });
      if (why === 'undone') made.delete(tenantId);
      return waitMs;
    },
    forget(tenantId) {
      retreats.delete(tenantId);
      made.delete(tenantId);
    },
    noteMade(desired, { id, name }) {
      const known = made.get(desired.tenantId) ?? new Map<string, string>();
      made.set(desired.tenantId, known.set(id, madeAs(desired, name)));
    },
    wasMade(desired, name) {
      const known = made.get(desired.tenantId);
      return known !== undefined && [...known.values()].includes(madeAs(desired, name));
    },
    forgetMade(tenantId, containers) {
      for (const { id } of containers) made.get(tenantId)?.delete(id);
    },
  };
}
