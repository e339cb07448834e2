import type { Tenant, TenantSpec } from '../../api/tenant.ts';
import { ComputeError } from '../../compute/errors.ts';
import { BeyondConsent } from '../../compute/permit.ts';
import type { Permit } from '../../compute/permit.ts';
import { bearsHash } from '../../compute/provider.ts';
import type { Desired, Observation } from '../../compute/provider.ts';
import type { EnabledProvider } from '../../compute/selection/enabled-providers.ts';
import type { Outcome, RollbackReason, StatusDraft, Verdict } from '../pass.ts';
import type { RepairKind } from '../tenant-memory.ts';
import { chooseStep, holdStep, missing, nothing, repairKind, withoutCause } from './choose-step.ts';
import type { Step } from './choose-step.ts';
import { approvalMessage, gate, permitToHold, permitToProvision } from './gate.ts';
import type { Gate, Plan } from './gate.ts';
import { judge, rollbackMessage } from './judge.ts';
import { heldLookMs } from './turn.ts';
import type { FleetTurn } from './turn.ts';

export interface ConvergeInput {
  readonly tenant: Tenant;
  readonly driftPolicy: TenantSpec['driftPolicy'];
  readonly approval: TenantSpec['approval'];
  readonly desired: Desired;
  readonly enabled: EnabledProvider;
  /** As it stands before; nothing is written into it. */
  readonly draft: StatusDraft;
  /** Value of the annotation reconcile-requested-at. */
  readonly requestedAt: string | undefined;
  readonly news: News;
  /** Where nobody has asked for what differs, but the operator's config or version: it is begun in its turn. */
  readonly turn?: FleetTurn | undefined;
  /** Milliseconds until a repair of this kind may be tried. */
  readonly repairWaitMs: (kind: RepairKind) => number;
  readonly signal: AbortSignal;
}

/** Whether there is something that no look has been at: then what the watch has told is not enough. `first`: all of it is. */
export type News = 'none' | 'some' | 'first';

/** Of what a pass began with: whatever it has written since, it has not looked. `isKnown`: it had our finalizer. */
export function newsOf(
  { tenant, draft, requestedAt }: Pick<ConvergeInput, 'tenant' | 'draft' | 'requestedAt'>,
  isKnown: boolean,
): News {
  const isSeen =
    tenant.status?.observedGeneration === tenant.metadata.generation &&
    draft.lastHandledReconcileAt === requestedAt;
  if (isSeen) return 'none';
  return isKnown ? 'some' : 'first';
}

/** What converging came to, and the facts for the status. */
export interface Decision extends Outcome {
  readonly facts: Pick<StatusDraft, 'compute' | 'replicas' | 'data' | 'drift' | 'rejected' | 'plan'> &
    Partial<Pick<StatusDraft, 'appliedGeneration'>>;
}

/**
 * Observes, decides by the provider's diff, takes one step, and observes again. Rejects with ComputeError where the
 * first look fails; a failure after it is a decision, for by then there are facts to tell.
 */
export async function converge(input: ConvergeInput): Promise<Decision> {
  const { draft, desired } = input;
  const rejected = isRejected(input) && draft.rejected ? rejectedAs(desired, draft.rejected) : undefined;
  const before = await lookBefore(input, rejected);
  // What an engine shows of the last try of this very spec must not reject the one that the annotation asks for.
  const retried = draft.rejected !== undefined && bearsHash(desired, draft.rejected.specHash);
  if (before.rolledBack !== undefined && !retried) return rejection(input, before, before.rolledBack);
  const step = stepFor(input, rejected, before);
  const facts = { ...seen(before), drift: step.reported, rejected, plan: undefined };
  const { permit, plan } = consentFor(input, step, before);
  if (permit === undefined && plan !== undefined) return keepWaiting(input, { before, plan }, facts);
  // What was approved is asked for by whoever approved it.
  const turn = plan === undefined && isOfFleet(step) ? input.turn : undefined;
  const held = turn?.ask();
  if (held !== undefined) return keepInTurn(input, { before, held }, facts);
  await turn?.begin();
  const waitMs = step.repairs.length > 0 ? input.repairWaitMs(repairKind(step.repairs)) : 0;
  if (step.kind === 'none' || permit === undefined || waitMs > 0) {
    const verdict = judge({ ...input, step, result: undefined, observation: before, rejected });
    const lookAgainAfterMs = soonest(waitMs > 0 ? waitMs : undefined, before.lookAgainAfterMs);
    return { verdict, repaired: [], lookAgainAfterMs, facts };
  }
  // Once something was tried, what was in place is so no more, until it is seen again.
  const tried = { ...facts, plan, appliedGeneration: undefined };
  return tryStep(input, { step, operation: step.kind, permit }, tried);
}

/** What would replace something is decided on a look that has asked the engine. */
async function lookBefore(input: ConvergeInput, rejected: StatusDraft['rejected']): Promise<Observation> {
  const { enabled, desired, news, signal } = input;
  const look = (fresh: boolean) => enabled.provider.getStatus(desired, desired, { fresh, signal });
  const first = await look(news === 'some');
  if (news === 'some' || first.fresh === true || rejected !== undefined) return first;
  const { turn } = input;
  // While it is not its turn, one look will do.
  if (turn !== undefined && isOfFleet(stepFor(input, rejected, first)) && turn.ask() !== undefined)
    return first;
  // What is made from nothing is looked at once it is made.
  const isFound = news === 'first' && first.exists;
  return isFound || first.changes.some(({ cause, effect }) => cause === 'spec' || effect !== 'live')
    ? look(true)
    : first;
}

function stepFor(input: ConvergeInput, rejected: StatusDraft['rejected'], before: Observation): Step {
  const { durable } = input.enabled.definition;
  return chooseStep({ ...input, durable, rejected: rejected !== undefined }, before);
}

function consentFor(
  { tenant, approval, desired, draft }: ConvergeInput,
  step: Step,
  { changes }: Observation,
): Gate {
  switch (step.kind) {
    case 'none':
      return { permit: undefined };
    case 'provision':
      // What is to be started may need something stopped at an earlier place.
      return changes.every(({ effect }) => effect === 'live')
        ? { permit: permitToProvision() }
        : gate({ tenant, approval, desired, changes, plan: draft.plan });
    case 'hold':
      return { permit: permitToHold() };
    case 'update':
      return gate({ tenant, approval, desired, changes, plan: draft.plan });
    default:
      return step.kind satisfies never;
  }
}

/** Whether it leads to another desired state. What mends drift, and what brings back what is gone, waits for nobody. */
function isOfFleet({ kind, repairs }: Step): boolean {
  return kind === 'update' && repairs.length === 0;
}

/** The plan stands in the status, and what runs is kept running meanwhile. */
function keepWaiting(
  input: ConvergeInput,
  { before, plan }: { readonly before: Observation; readonly plan: Plan },
  facts: Decision['facts'],
): Promise<Decision> {
  const verdict: Verdict = { kind: 'unapproved', message: approvalMessage(input.tenant, plan) };
  return keepRunning(input, { before, plan, verdict }, facts);
}

/** What runs is as it should be until its turn comes, and is kept so. */
async function keepInTurn(
  input: ConvergeInput,
  { before, held }: { readonly before: Observation; readonly held: string },
  facts: Decision['facts'],
): Promise<Decision> {
  const judged = judge({
    ...input,
    step: nothing,
    result: undefined,
    observation: before,
    rejected: undefined,
  });
  const verdict: Verdict =
    judged.kind === 'progressing'
      ? { ...judged, message: `${judged.message}; ${held}`, underWay: true }
      : { ...judged, ...(judged.kind === 'ready' && { held }) };
  const kept = await keepRunning(input, { before, plan: undefined, verdict }, facts);
  return { ...kept, lookAgainAfterMs: soonest(kept.lookAgainAfterMs, before.lookAgainAfterMs, heldLookMs) };
}

interface Keeping {
  readonly before: Observation;
  readonly plan: Plan | undefined;
  readonly verdict: Verdict;
}

async function keepRunning(
  input: ConvergeInput,
  { before, plan, verdict }: Keeping,
  facts: Decision['facts'],
): Promise<Decision> {
  // What falls due meanwhile belongs into the plan before somebody approves it.
  const { lookAgainAfterMs } = before;
  const waiting = { verdict, repaired: [], lookAgainAfterMs, facts: { ...facts, plan } };
  const hold = holdStep(input, before);
  // What somebody changed of it is part of the plan: to put that right is what waits.
  const isPlanned = hold.repairs.some(({ effect }) => effect !== 'live');
  if (hold.kind === 'none' || isPlanned || input.repairWaitMs(repairKind(hold.repairs)) > 0) return waiting;
  const held = await tryStep(input, { step: hold, operation: 'hold', permit: permitToHold() }, facts);
  if (held.verdict.kind === 'failed') return { ...held, facts: { ...held.facts, plan } };
  return { ...held, verdict, facts: { ...held.facts, plan } };
}

interface Taking {
  readonly step: Step;
  readonly operation: Exclude<Step['kind'], 'none'>;
  readonly permit: Permit;
}

/** A failure of the step is a decision. */
async function tryStep(input: ConvergeInput, taking: Taking, facts: Decision['facts']): Promise<Decision> {
  try {
    return await takeStep(input, taking, facts).catch((error: unknown) => {
      if (!(error instanceof BeyondConsent) || taking.operation === 'hold') throw error;
      return announceAnew(input, { taking, found: error }, facts);
    });
  } catch (error) {
    if (!(error instanceof ComputeError)) throw error;
    return { verdict: { kind: 'failed', error }, repaired: [], facts };
  }
}

/** Half-way, more has turned out to be needed than was announced. Where that needs no word of anybody, it is gone on. */
async function announceAnew(
  input: ConvergeInput,
  { taking, found }: { readonly taking: Taking; readonly found: BeyondConsent },
  facts: Decision['facts'],
): Promise<Decision> {
  const { tenant, approval, desired, draft, enabled, signal } = input;
  const before = await enabled.provider.getStatus(desired, desired, { fresh: true, signal });
  const now = { ...facts, ...seen(before), data: facts.data };
  const { changes } = before;
  const { permit, plan } = gate({ tenant, approval, desired, changes, plan: draft.plan, found });
  if (permit !== undefined) return tryStep(input, { ...taking, permit }, { ...now, plan });
  if (plan === undefined) throw found;
  return keepWaiting(input, { before, plan }, now);
}

/** Takes the step, and looks at what came of it. */
async function takeStep(
  input: ConvergeInput,
  { step, operation, permit }: Taking,
  facts: Decision['facts'],
): Promise<Decision> {
  const { enabled, desired, signal } = input;
  const { rejected } = facts;
  const result = await enabled.provider[operation](desired, permit, signal);
  const after = await enabled.provider.getStatus(desired, desired, { fresh: true, signal });
  if (result.outcome === 'rolled_back') {
    return rejection(input, after, { reason: result.reason ?? 'RolledBack', message: result.message });
  }
  const isOver = result.outcome === 'done';
  const isDone = isOver && after.changes.length === 0;
  return {
    verdict: judge({ ...input, step, result, observation: after, rejected }),
    // A repair on its way is none yet: its next step follows.
    repaired: isOver ? mended(step.repairs, after).map(withoutCause) : [],
    ...(isOver && step.repairs.length > 0 ? { repair: repairKind(step.repairs) } : {}),
    lookAgainAfterMs: soonest(result.lookAgainAfterMs, after.lookAgainAfterMs),
    lost: result.lost,
    facts: { ...facts, ...seen(after), plan: isDone ? undefined : facts.plan },
  };
}

/** What is not seen any more: to keep what ran before a rejected spec puts less right than there is wrong. */
function mended(repairs: Step['repairs'], { exists, changes, gone = [] }: Observation): Step['repairs'] {
  const left = new Set([...(exists ? changes : [missing]), ...gone].map(({ path }) => path));
  return repairs.filter(({ path }) => !left.has(path));
}

function seen({
  compute,
  replicas = compute.running,
  data = [],
}: Observation): Pick<StatusDraft, 'compute' | 'replicas' | 'data'> {
  return { compute, replicas, data };
}

/** The desired state failed, and is not tried again until it or the request changes. */
function rejection(
  { draft, desired, requestedAt }: ConvergeInput,
  observation: Observation,
  why: { readonly reason: RollbackReason; readonly message: string },
): Decision {
  const request = requestedAt === undefined ? {} : { reconcileRequestedAt: requestedAt };
  const rejected = { specHash: desired.specHash, ...why, ...request };
  return {
    verdict: { kind: 'rolledBack', ...why, message: rollbackMessage(why.message, observation) },
    repaired: [],
    facts: { ...seen(observation), drift: draft.drift, rejected, plan: undefined },
  };
}

function isRejected({ draft: { rejected }, desired, requestedAt }: ConvergeInput): boolean {
  if (rejected === undefined || rejected.reconcileRequestedAt !== requestedAt) return false;
  return bearsHash(desired, rejected.specHash);
}

/** By the hash that it has now: one of before is not for the status any more. */
function rejectedAs<R extends NonNullable<StatusDraft['rejected']>>({ specHash }: Desired, rejected: R): R {
  return { ...rejected, specHash };
}

function soonest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
