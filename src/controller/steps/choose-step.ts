import type { DriftItem } from '../../api/status.ts';
import type { Tenant, TenantSpec } from '../../api/tenant.ts';
import type { Change, Observation } from '../../compute/provider.ts';
import type { TransitionReason } from '../pass.ts';
import { appliedGeneration } from '../status/ready.ts';
import { reasonInTransition } from '../status/reasons.ts';
import type { RepairKind } from '../tenant-memory.ts';

/** What is to be done about an observation. */
export interface Step {
  readonly kind: 'none' | 'provision' | 'update' | 'hold';
  /** Why a status in between is not Ready. */
  readonly reason: TransitionReason | 'Unhealthy';
  /** The drift that the step mends; empty where it applies a new desired state. */
  readonly repairs: readonly Change[];
  /** The drift that is only shown. */
  readonly reported: readonly DriftItem[];
}

export interface StepInput {
  readonly tenant: Tenant;
  readonly driftPolicy: TenantSpec['driftPolicy'];
  /** Whether what is created outlives this process. */
  readonly durable: boolean;
  /** Whether the desired state was rejected, and is not to be tried again. */
  readonly rejected: boolean;
}

/** Pure. */
export function chooseStep(input: StepInput, seen: Observation): Step {
  const { exists, changes, halfway } = seen;
  if (input.rejected) return holdStep(input, seen);
  const { tenant, durable } = input;
  const applied = wasApplied(tenant);
  const transition = reasonInTransition(tenant.status);
  if (!exists && !applied) return { ...nothing, kind: 'provision', reason: transition };
  // It went with the process that held it: nothing has drifted.
  if (!exists && !durable) return { ...nothing, kind: 'provision', reason: 'Provisioning' };
  const drift = exists ? changes : [missing];
  if (drift.length === 0) return nothing;
  // What the engine says was edited behind us is no part of a rollout, though that was not seen to end yet.
  const isForeign = input.driftPolicy === 'Report' && drift.every(isEdit);
  if (exists && !isForeign && (!applied || changes.some(({ cause }) => cause === 'spec'))) {
    return { ...nothing, kind: 'update', reason: transition };
  }
  if (input.driftPolicy === 'Report') {
    const reported = drift.map(withoutCause);
    // The repair had begun under another policy: what was made for it goes.
    return { ...nothing, kind: isForeign && halfway === true ? 'hold' : 'none', reported };
  }
  return { ...nothing, kind: exists ? 'update' : 'provision', repairs: drift };
}

function isEdit({ cause, effect }: Change): boolean {
  return cause === 'drift' && effect !== 'live';
}

export const nothing: Step = { kind: 'none', reason: 'Unhealthy', repairs: [], reported: [] };

/** A spec that is rejected or waits is not tried; what is left of the one before it is kept running. */
export function holdStep(
  { driftPolicy }: Pick<StepInput, 'driftPolicy'>,
  { exists, changes, gone = [] }: Pick<Observation, 'exists' | 'changes' | 'gone'>,
): Step {
  const drift = exists ? changes.filter(({ cause }) => cause === 'drift') : [];
  const again = driftPolicy === 'Report' ? [] : gone;
  const paths = new Set(again.map(({ path }) => path));
  const repairs = [...drift.filter(({ path }) => !paths.has(path)), ...again];
  return repairs.length > 0 ? { ...nothing, kind: 'hold', repairs } : nothing;
}

/** Nothing is there. */
export const missing: Change = {
  path: 'compute',
  desired: 'present',
  actual: 'absent',
  cause: 'drift',
  effect: 'live',
};

export function repairKind(repairs: readonly DriftItem[]): RepairKind {
  return repairs.some(({ path }) => path === missing.path) ? 'gone' : 'stopped';
}

export function withoutCause({ path, desired, actual }: DriftItem): DriftItem {
  return { path, desired, actual };
}

/** Whether what is desired now was seen to be in place before, so that a difference is drift. */
export function wasApplied({ status, metadata }: Tenant): boolean {
  return appliedGeneration(status) === metadata.generation;
}
