import type { DesiredTenant } from '../state/desired-tenant.ts';

/**
 * The desired state of each tenant that was last seen to be in place as a whole. While another one is tried, or was
 * rejected, the engine does not tell any more what a container was that is gone. Lost with the process; then nobody
 * knows it.
 */
export interface InPlace {
  note(desired: DesiredTenant): void;
  /** What was in place before this was desired; undefined: nothing, or nobody knows. */
  before(desired: DesiredTenant): DesiredTenant | undefined;
  forget(tenantId: string): void;
}

/** Whether both are wishes of one object: one that was applied anew, or has taken the id, begins with nothing. */
function isOneTenants(a: DesiredTenant, b: DesiredTenant): boolean {
  return Object.entries(a.marks).every(([key, value]) => b.marks[key] === value);
}

export function createInPlace(): InPlace {
  const known = new Map<string, DesiredTenant>();
  return {
    note: (desired) => void known.set(desired.tenantId, desired),
    before(desired) {
      const last = known.get(desired.tenantId);
      return last !== undefined && last.specHash !== desired.specHash && isOneTenants(last, desired)
        ? last
        : undefined;
    },
    forget: (tenantId) => void known.delete(tenantId),
  };
}
