import type { Tenant, TenantSpec } from '../../api/tenant.ts';
import { ComputeError } from '../../compute/errors.ts';
import { permitAll } from '../../compute/permit.ts';
import type { Desired, Observation } from '../../compute/provider.ts';
import type { EnabledProvider } from '../../compute/selection/enabled-providers.ts';
import type { Outcome, RollbackReason, StatusDraft } from '../pass.ts';
import type { RepairKind } from '../tenant-memory.ts';
import { chooseStep, repairKind, withoutCause } from './choose-step.ts';
import type { Step } from './choose-step.ts';
import { judge } from './judge.ts';

export interface ConvergeInput {
  readonly tenant: Tenant;
  readonly driftPolicy: TenantSpec['driftPolicy'];
  readonly desired: Desired;
  readonly enabled: EnabledProvider;
  /** As it stands before; nothing is written into it. */
  readonly draft: StatusDraft;
  /** Value of the annotation reconcile-requested-at. */
  readonly requestedAt: string | undefined;
  /** Milliseconds until a repair of this kind may be tried. */
  readonly repairWaitMs: (kind: RepairKind) => number;
  readonly signal: AbortSignal;
}

/** What converging came to, and the facts for the status. */
export interface Decision extends Outcome {
  readonly facts: Pick<StatusDraft, 'compute' | 'drift' | 'rejected'>;
}

/**
 * Observes, decides by the provider's diff, takes one step, and observes again. Rejects with ComputeError where the
 * first look fails; a failure after it is a decision, for by then there are facts to tell.
 */
export async function converge(input: ConvergeInput): Promise<Decision> {
  const { enabled, desired, draft, signal } = input;
  const before = await enabled.provider.getStatus(desired, desired, { fresh: isNew(input), signal });
  const rejected = isRejected(input) ? draft.rejected : undefined;
  // What an engine shows of the last try of this very spec must not reject the one that the annotation asks for.
  const retried = draft.rejected?.specHash === desired.specHash;
  if (before.rolledBack !== undefined && !retried) return rejection(input, before, before.rolledBack);
  const { durable } = enabled.definition;
  const step = chooseStep({ ...input, durable, rejected: rejected !== undefined }, before);
  const facts = { compute: before.compute, drift: step.reported, rejected };
  const waitMs = step.repairs.length > 0 ? input.repairWaitMs(repairKind(step.repairs)) : 0;
  if (step.kind === 'none' || waitMs > 0) {
    const verdict = judge({ ...input, step, result: undefined, observation: before, rejected });
    return {
      verdict,
      repaired: [],
      lookAgainAfterMs: soonest(waitMs > 0 ? waitMs : undefined, before.lookAgainAfterMs),
      facts,
    };
  }
  try {
    return await takeStep(input, { step, operation: step.kind }, facts);
  } catch (error) {
    if (!(error instanceof ComputeError)) throw error;
    return { verdict: { kind: 'failed', error }, repaired: [], facts };
  }
}

/** Takes the step, and looks at what came of it. */
async function takeStep(
  input: ConvergeInput,
  { step, operation }: { readonly step: Step; readonly operation: Exclude<Step['kind'], 'none'> },
  facts: Decision['facts'],
): Promise<Decision> {
  const { enabled, desired, signal } = input;
  const { rejected } = facts;
  const result = await enabled.provider[operation](desired, permitAll, signal);
  const after = await enabled.provider.getStatus(desired, desired, { fresh: true, signal });
  if (result.outcome === 'rolled_back') {
    return rejection(input, after, { reason: result.reason ?? 'RolledBack', message: result.message });
  }
  return {
    verdict: judge({ ...input, step, result, observation: after, rejected }),
    // A repair on its way is none yet: its next step follows.
    repaired: result.outcome === 'done' ? step.repairs.map(withoutCause) : [],
    lookAgainAfterMs: soonest(result.lookAgainAfterMs, after.lookAgainAfterMs),
    facts: { ...facts, compute: after.compute },
  };
}

/** The desired state failed, and is not tried again until it or the request changes. */
function rejection(
  { draft, desired, requestedAt }: ConvergeInput,
  { compute }: Observation,
  why: { readonly reason: RollbackReason; readonly message: string },
): Decision {
  const request = requestedAt === undefined ? {} : { reconcileRequestedAt: requestedAt };
  const rejected = { specHash: desired.specHash, ...why, ...request };
  return {
    verdict: { kind: 'rolledBack', ...why },
    repaired: [],
    facts: { compute, drift: draft.drift, rejected },
  };
}

/** Whether there is something that no look has been at: then what the watch has told is not enough. */
function isNew({ tenant, draft, requestedAt }: ConvergeInput): boolean {
  return (
    tenant.status?.observedGeneration !== tenant.metadata.generation ||
    draft.lastHandledReconcileAt !== requestedAt
  );
}

function isRejected({ draft: { rejected }, desired, requestedAt }: ConvergeInput): boolean {
  return rejected?.specHash === desired.specHash && rejected.reconcileRequestedAt === requestedAt;
}

function soonest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
