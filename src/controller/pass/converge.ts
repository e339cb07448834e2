import { findCondition } from '../../api/conditions.ts';
import type { DriftItem, Endpoint } from '../../api/status.ts';
import type { TenantSpec, Tenant } from '../../api/tenant.ts';
import type { EnabledProvider } from '../../compute/selection/enabled-providers.ts';
import { permitAll } from '../../compute/permit.ts';
import type { Change, Desired, Observation, StepResult } from '../../compute/provider.ts';
import type { RepairKind } from '../repair-backoff.ts';
import type { StatusDraft } from './status-draft.ts';
import type { Verdict } from './verdict.ts';

export interface ConvergeInput {
  readonly tenant: Tenant;
  readonly tenantSpec: TenantSpec;
  readonly desired: Desired;
  readonly enabled: EnabledProvider;
  readonly draft: StatusDraft;
  /** Value of the annotation reconcile-requested-at. */
  readonly requestedAt: string | undefined;
  /** Milliseconds until a repair of this kind may be tried. */
  readonly repairWaitMs: (kind: RepairKind) => number;
  readonly signal: AbortSignal;
}

export interface Convergence {
  readonly verdict: Verdict;
  /** Drift that was repaired. */
  readonly repaired: readonly DriftItem[];
  /** When to look again, in milliseconds, where no hint is to be expected. */
  readonly lookAgainAfterMs?: number | undefined;
}

/** Observes, decides by the provider's diff, takes one step, and observes again. Fills in the draft on the way. */
export async function converge(input: ConvergeInput): Promise<Convergence> {
  const { enabled, desired, draft, signal } = input;
  const { provider } = enabled;
  const fresh = isNewerThanObserved(input);
  const before = await provider.getStatus(desired, desired, { fresh, signal });
  draft.compute = before.compute;
  const hold = isRejected(input);
  if (!hold) {
    // What an engine shows of the last try of this very spec must not reject the one that the annotation asks for.
    const retried = draft.rejected?.specHash === desired.specHash;
    draft.rejected = undefined;
    if (before.rolledBack !== undefined && !retried) return rolledBack(input, before.rolledBack);
  }
  const step = hold ? holdStep(before) : chooseStep(input, before);
  const waitMs = step.repairs.length > 0 ? input.repairWaitMs(repairKind(step.repairs)) : 0;
  if (step.kind === 'none' || waitMs > 0) {
    return { ...judge(input, before, { step, hold, waitMs: waitMs > 0 ? waitMs : undefined }), repaired: [] };
  }
  const result = await takeStep(input, { kind: step.kind });
  const after = await provider.getStatus(desired, desired, { fresh: true, signal });
  draft.compute = after.compute;
  if (result.outcome === 'rolled_back') {
    return rolledBack(input, { reason: result.reason ?? 'RolledBack', message: result.message });
  }
  // A repair on its way is none yet: its next step follows.
  const repaired = result.outcome === 'done' ? step.repairs.map(withoutCause) : [];
  return { ...judge(input, after, { step, hold, result }), repaired };
}

interface Step {
  readonly kind: 'none' | 'provision' | 'update' | 'hold';
  /** Why a status in between is not Ready. */
  readonly reason: 'Provisioning' | 'Updating' | 'Unhealthy';
  /** The drift that the step mends; empty where it applies a new desired state. */
  readonly repairs: readonly Change[];
}

const nothing: Step = { kind: 'none', reason: 'Unhealthy', repairs: [] };

function chooseStep(input: ConvergeInput, { exists, changes }: Observation): Step {
  const { tenantSpec, enabled, draft } = input;
  const applied = wasApplied(input);
  const drift = exists ? changes : [missing];
  const mayRepair = tenantSpec.driftPolicy === 'Correct';
  if (!exists) {
    if (!applied) return { kind: 'provision', reason: reasonInTransition(input), repairs: [] };
    if (!enabled.definition.durable) return { kind: 'provision', reason: 'Provisioning', repairs: [] };
    if (mayRepair) return { kind: 'provision', reason: 'Unhealthy', repairs: drift };
  } else if (changes.length === 0) {
    draft.drift = [];
    return nothing;
  } else if (!applied || changes.some(({ cause }) => cause === 'spec')) {
    draft.drift = [];
    return { kind: 'update', reason: reasonInTransition(input), repairs: [] };
  } else if (mayRepair) {
    return { kind: 'update', reason: 'Unhealthy', repairs: drift };
  }
  draft.drift = drift.map(withoutCause);
  return nothing;
}

/** A rejected spec is not tried; what is left of the one before it is kept running. */
function holdStep({ exists, changes }: Observation): Step {
  const repairs = exists ? changes.filter(({ cause }) => cause === 'drift') : [];
  return repairs.length > 0 ? { kind: 'hold', reason: 'Unhealthy', repairs } : nothing;
}

export function repairKind(repairs: readonly DriftItem[]): RepairKind {
  return repairs.some(({ path }) => path === missing.path) ? 'gone' : 'stopped';
}

const missing: Change = { path: 'compute', desired: 'present', actual: 'absent', cause: 'drift' };

function withoutCause({ path, desired, actual }: Change): DriftItem {
  return { path, desired, actual };
}

function takeStep(
  { enabled: { provider }, desired, signal }: ConvergeInput,
  { kind }: { readonly kind: 'provision' | 'update' | 'hold' },
): Promise<StepResult> {
  return provider[kind](desired, permitAll, signal);
}

interface Judged {
  readonly step: Step;
  readonly hold: boolean;
  readonly result?: StepResult;
  /** Milliseconds for which a repair is held back. */
  readonly waitMs?: number | undefined;
}

function judge(
  input: ConvergeInput,
  observation: Observation,
  { step, hold, result, waitMs }: Judged,
): { verdict: Verdict; lookAgainAfterMs?: number | undefined } {
  const { draft } = input;
  const lookAgainAfterMs = soonest(waitMs, result?.lookAgainAfterMs, observation.lookAgainAfterMs);
  if (hold && draft.rejected !== undefined) {
    const { reason, message } = draft.rejected;
    const verdict = { kind: 'rolledBack', reason: reason as 'RolledBack', message } as const;
    return { verdict, lookAgainAfterMs };
  }
  const pending = step.kind === 'none' ? [] : observation.changes;
  if (result?.outcome !== 'in_progress' && pending.length === 0 && isHealthy(observation)) {
    const { running, desired } = observation.compute;
    return {
      verdict: { kind: 'ready', message: `${running}/${desired} running and healthy` },
      lookAgainAfterMs,
    };
  }
  const inTransition = step.kind === 'none' && !wasApplied(input);
  const { health, state } = observation.compute;
  const ill = health === 'unhealthy' || state === 'failed';
  const expected = inTransition ? reasonInTransition(input) : step.reason;
  const reason = ill && result?.outcome !== 'in_progress' ? 'Unhealthy' : expected;
  const underWay = step.kind !== 'none' || inTransition || observation.lookAgainAfterMs !== undefined;
  const message = messageOf(observation, result, reason);
  return { verdict: { kind: 'progressing', reason, message, underWay }, lookAgainAfterMs };
}

function messageOf(
  { message, compute }: Observation,
  result: StepResult | undefined,
  reason: Step['reason'],
): string {
  if (result?.outcome === 'in_progress') return result.message;
  if (message !== undefined) return message;
  if (reason !== 'Unhealthy') return progressMessage(reason);
  if (compute.state === 'starting') return 'started again; waiting for it to run and be healthy';
  return `${compute.running}/${compute.desired} running, state ${compute.state}, health ${compute.health}`;
}

const progressStart = 'waiting for ';

/** Whether the message says no more than that something is on its way. */
export function isPlainProgress(message: string): boolean {
  return message.startsWith(progressStart);
}

/** Stands in the status until there is more to say. */
export function progressMessage(reason: 'Provisioning' | 'Updating'): string {
  return reason === 'Provisioning'
    ? `${progressStart}it to run and be healthy`
    : `${progressStart}the new state to run and be healthy`;
}

function isHealthy({ compute: { running, desired, state, health } }: Observation): boolean {
  if (running !== desired) return false;
  return desired === 0 ? health !== 'unhealthy' : state === 'running' && health === 'healthy';
}

/** Provisioning until it was Ready for the first time at this place, Updating later. */
export function reasonInTransition({ tenant }: Pick<ConvergeInput, 'tenant'>): 'Provisioning' | 'Updating' {
  const ready = findCondition(tenant.status?.conditions, 'Ready');
  if (ready === undefined || tenant.status?.compute === undefined) return 'Provisioning';
  return ready.reason === 'Provisioning' ? 'Provisioning' : 'Updating';
}

/** Whether what is desired now was seen to be in place before, so that a difference is drift. */
function wasApplied({ tenant }: ConvergeInput): boolean {
  const { status, metadata } = tenant;
  if (status?.observedGeneration !== metadata.generation) return false;
  const ready = findCondition(status.conditions, 'Ready');
  return ready?.status === 'True' || ready?.status === 'Unknown' || ready?.reason === 'Unhealthy';
}

function isNewerThanObserved({ tenant, draft, requestedAt }: ConvergeInput): boolean {
  return (
    tenant.status?.observedGeneration !== tenant.metadata.generation ||
    draft.lastHandledReconcileAt !== requestedAt
  );
}

function isRejected({ draft, desired, requestedAt }: ConvergeInput): boolean {
  const { rejected } = draft;
  return rejected?.specHash === desired.specHash && rejected.reconcileRequestedAt === requestedAt;
}

function rolledBack(
  { draft, desired, requestedAt }: ConvergeInput,
  why: { readonly reason: 'RolledBack' | 'ImageUnavailable'; readonly message: string },
): Convergence {
  draft.rejected = {
    specHash: desired.specHash,
    ...why,
    ...(requestedAt === undefined ? {} : { reconcileRequestedAt: requestedAt }),
  };
  return { verdict: { kind: 'rolledBack', ...why }, repaired: [] };
}

function soonest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

/** Endpoints of a move's old place stay in the status until the new one is Ready: one of them answers throughout. */
export function mergeEndpoints(
  current: readonly Endpoint[] | undefined,
  old: readonly Endpoint[] | undefined,
): Endpoint[] {
  return [...(current ?? []), ...(old ?? [])];
}
