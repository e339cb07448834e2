import type { Placement, TenantStatus } from '../api/status.ts';
import type { TenantSpec } from '../api/tenant.ts';
import type { ComputeError } from '../compute/errors.ts';
import { backoffMs } from '../async/backoff.ts';
import type { Recurrence } from '../async/recurrence.ts';

/**
 * What this process remembers of one tenant between its passes. A pass takes it at its start and keeps it: where the
 * Tenant goes meanwhile, the pass writes into something that nobody reads any more, and nothing of it stays behind.
 * None of it survives a restart, and nothing depends on that: a restarted operator looks again, and repairs at once.
 */
export interface TenantMemory {
  /** The last repair, until what was repaired has settled. */
  repair?: Repair | undefined;
  /**
   * Date.now() of when the engine answered last before a look that failed, as far as that is known, else of that look;
   * undefined: the last look did not fail.
   */
  unseenSince?: number | undefined;
  /** What that look failed with last. */
  unseenFor?: ComputeError | undefined;
  /** Date.now() of the first pass that the apiserver left without an answer, since the last that it did not. */
  unansweredSince?: number | undefined;
  /** The generation that was last Ready; `never`: none was at its first place; undefined: not in this process. */
  readyGeneration?: number | 'never' | undefined;
  /** Hash of the desired state that was last Ready. */
  appliedHash?: string | undefined;
  /** What was rejected last at its place, as far as no step has led away from that. */
  rejected?: TenantStatus['rejected'];
  /** Steps that only undo what others have done, one after another. */
  undone?: Recurrence | undefined;
  /** Places that refused to be emptied, what was asked of them, and what they said. */
  refusedPlaces?: (Recurrence & { readonly pending: string; readonly refusal: ComputeError }) | undefined;
  /** How the last step stands: it waits its turn, or it has begun something that the next one goes on with. */
  step?: 'held' | 'underWay' | undefined;
  /** Writes of others over our status, one after another. */
  overwritten?: Recurrence | undefined;
  /** Passes in a row whose write met a conflict. */
  conflicts?: number | undefined;
  /** UID of the Tenant whose finalizer was taken away: nothing is left to be done for it. */
  letGo?: string | undefined;
  /** Where its status, as it was last seen or written, has it; a hand may take that out of it. */
  whereabouts?: Whereabouts | undefined;
  /** Where the engines have something of a tenant whose status names no place; undefined: they were not asked. */
  places?: OwnedPlaces | 'asking' | undefined;
  /** The spec that was parsed last, as its schema takes it. */
  parsed?: { readonly uid: string; readonly generation: number; readonly spec: TenantSpec } | undefined;
  /** The spec that is in place, where no pass of this process has read the values of its Secrets. */
  unread?: { readonly uid: string; readonly spec: TenantSpec } | undefined;
  /** The status that was last found to be as its schema has it, or that the apiserver took. */
  soundStatus?: TenantStatus | undefined;
  /** The status that was last written, or is being written, and when (Date.now()). */
  lastWrite?: { readonly status: TenantStatus; readonly at: number } | undefined;
  /** Since when (Date.now()) the status names the endpoints that it does; undefined: since before this process. */
  endpointsSince?: number | undefined;
}

/** Places that bear a tenant's owner mark, with one id. */
export interface OwnedPlaces {
  readonly tenantId?: string;
  readonly places: readonly Placement[];
}

/** All places of a tenant. */
export interface Whereabouts {
  readonly tenantId: string | undefined;
  readonly placement: Placement;
  readonly previousPlacements: readonly Placement[];
  readonly retained: NonNullable<TenantStatus['retained']>;
}

/** A status that names no place says nothing of where the tenant is. */
export function noteWhereabouts(
  memory: TenantMemory,
  {
    tenantId,
    placement,
    previousPlacements = [],
    retained = [],
  }: { readonly [K in keyof Whereabouts]?: Whereabouts[K] | undefined },
): void {
  if (placement !== undefined) memory.whereabouts = { tenantId, placement, previousPlacements, retained };
}

export interface Repair {
  readonly kind: RepairKind;
  /** In a row. */
  readonly count: number;
  /** Date.now(). */
  readonly at: number;
}

/**
 * Bringing back what is gone is no repetition of starting what had stopped: a container removed by force is seen
 * stopped first, and must not wait for that.
 */
export type RepairKind = 'stopped' | 'gone';

const baseMs = 1000;
const capMs = 300_000;

/**
 * Milliseconds until the next repair of this kind is due; 0: now. At once after a settled run, then after 1 s, 2 s,
 * 4 s … up to 5 min, so that something that can't stay up is not started in a hot loop.
 */
export function repairWaitMs({ repair }: TenantMemory, kind: RepairKind, nowMs: number): number {
  if (repair?.kind !== kind) return 0;
  const delayMs = backoffMs(repair.count - 1, { baseMs, capMs, jitter: 'none' });
  return Math.max(0, repair.at + delayMs - nowMs);
}

/** Counts a repair. */
export function noteRepair(memory: TenantMemory, kind: RepairKind, nowMs: number): void {
  memory.repair = { kind, count: (memory.repair?.count ?? 0) + 1, at: nowMs };
}

/** The memories of all tenants, by queue key. */
export interface TenantMemories {
  /** The tenant's; a new one where there is none. */
  of(key: string): TenantMemory;
  peek(key: string): TenantMemory | undefined;
  /** The Tenant is no more. */
  forget(key: string): void;
  readonly size: number;
}

export function createTenantMemories(): TenantMemories {
  const memories = new Map<string, TenantMemory>();
  return {
    of(key) {
      const known = memories.get(key);
      if (known !== undefined) return known;
      const memory: TenantMemory = {};
      memories.set(key, memory);
      return memory;
    },
    peek: (key) => memories.get(key),
    forget: (key) => void memories.delete(key),
    get size() {
      return memories.size;
    },
  };
}
