import { findCondition, setConditions, timestamp } from '../../api/conditions.ts';
import type {
  Condition,
  ConditionStatus,
  ConditionType,
  ConditionUpdate,
  Phase,
  Reason,
} from '../../api/conditions.ts';
import { tenantIdLabel } from '../../api/names.ts';
import { plainText, plainTexts } from '../../api/plain-text.ts';
import type { ComputeStatusBlock, TenantStatus } from '../../api/status.ts';
import { jsonEqual } from '../../kube/client/merge-patch.ts';
import type { StatusDraft, Verdict } from '../pass.ts';
import { errorPolicies } from '../../compute/errors.ts';
import { isLostContactReason } from './contact.ts';
import { fitCompute, fitStatus } from './fit-status.ts';
import { lostMessage, shownLost } from './lost-data.ts';
import { appliedGeneration, isHealthy, readyGeneration } from './ready.ts';
import { reasonOf } from './reasons.ts';

export interface SummaryInput {
  readonly previous: TenantStatus | undefined;
  readonly draft: StatusDraft;
  readonly verdict: Verdict;
  /** metadata.generation of what was reconciled. */
  readonly generation: number;
  /** Whether its spec names a count of replicas, which others may set by the scale subresource. */
  readonly isScaled?: boolean;
  readonly now: Date;
}

/** Pure: the whole status that follows from a pass. Of what others say, nothing but plain text gets into it. */
export function summarise(input: SummaryInput): TenantStatus {
  const { previous, draft, verdict, generation, now } = input;
  const updates = conditionUpdates(input).map((update) => ({
    ...update,
    message: plainText(update.message),
    observedGeneration: spokenOf(input, update),
  }));
  const conditions = setConditions(previous?.conditions ?? [], updates, now);
  const lost = shownLost(draft.lost, now);
  const failing = verdict.kind === 'failed' || (verdict.kind === 'deleting' && verdict.error !== undefined);
  return fitStatus({
    observedGeneration: generation,
    ...definedOnly({
      tenantId: draft.tenantId,
      computeProvider: draft.computeProvider,
      placement: draft.placement,
      previousPlacements: draft.previousPlacements.length > 0 ? [...draft.previousPlacements] : undefined,
      rejected: plainTexts(draft.rejected),
      retained: draft.retained.length > 0 ? [...draft.retained] : undefined,
      data: draft.data.length > 0 ? plainTexts([...draft.data]) : undefined,
      lost: lost.length > 0 ? plainTexts(lost) : undefined,
      plan: plainTexts(draft.plan),
      rollout: draft.rollout,
      images: plainTexts(draft.images),
      secrets: draft.secrets,
      ...scaleOf(input),
      compute: computeBlock(previous?.compute, fitCompute(plainTexts(draft.compute)), now),
      drift: draft.drift.length > 0 ? plainTexts([...draft.drift]) : undefined,
      retry: failing ? (previous?.retry ?? { since: timestamp(now) }) : undefined,
      appliedGeneration: verdict.kind === 'failed' ? hiddenBy(conditions, input) : undefined,
      lastHandledReconcileAt: draft.lastHandledReconcileAt,
    }),
    phase: phaseOf(verdict, draft),
    conditions,
  });
}

/** What the scale subresource shows beside spec.replicas. */
function scaleOf({ draft: { tenantId, replicas }, isScaled = false }: SummaryInput) {
  const selector = tenantId === undefined ? undefined : `${tenantIdLabel}=${tenantId}`;
  return isScaled ? { replicas, selector } : {};
}

/** The generation, where it was in place and the conditions of a failure do not tell that. */
function hiddenBy(conditions: readonly Condition[], { draft, generation }: SummaryInput): number | undefined {
  if (draft.appliedGeneration !== generation) return undefined;
  const told = appliedGeneration({ observedGeneration: generation, conditions: [...conditions] });
  return told === generation ? undefined : generation;
}

/**
 * The generation that a condition speaks of. Of a tenant that is suspended, or of which nothing is known, Ready speaks
 * of what was applied last; -1: nothing was.
 */
function spokenOf({ previous, verdict, generation }: SummaryInput, { type, status }: Update): number {
  const before = findCondition(previous?.conditions, 'Ready')?.status;
  if (verdict.kind === 'suspended') return readyGeneration(previous);
  if (verdict.kind !== 'failed' || type !== 'Ready' || status !== 'Unknown') return generation;
  return before === undefined || before === 'False' ? -1 : readyGeneration(previous);
}

type Update = Omit<ConditionUpdate, 'observedGeneration'>;

function update(type: ConditionType, status: ConditionStatus, reason: Reason, message: string): Update {
  return { type, status, reason, message };
}

function conditionUpdates(input: SummaryInput): Update[] {
  const { drift } = input.draft;
  const updates = verdictConditions(input).map((one) => withLost(one, input));
  if (drift.length > 0) {
    const [first] = drift;
    const more = drift.length > 1 ? ` and ${drift.length - 1} more` : '';
    const what = `${first?.path} is ${first?.actual}, desired is ${first?.desired}${more}`;
    updates.push(update('Drifted', 'True', 'Drifted', what));
  }
  return updates;
}

function verdictConditions(input: SummaryInput): Update[] {
  const { verdict, previous } = input;
  const { reason, stalled } = reasonOf(verdict);
  switch (verdict.kind) {
    case 'ready':
      return [
        update('Ready', 'True', reason, verdict.message),
        ...reconcilingMeanwhile(verdict.pending ?? verdict.held),
      ];
    case 'progressing':
      return [
        update('Ready', 'False', reason, verdict.message),
        ...(verdict.underWay ? [update('Reconciling', 'True', reason, verdict.message)] : []),
      ];
    case 'observed':
      return [update('Ready', verdict.isWell ? 'True' : 'False', reason, verdict.message)];
    case 'suspended':
      return [suspendedReady(input)];
    case 'rolledBack':
    case 'unapproved':
    case 'failed':
    case 'deleting': {
      const message = verdict.kind === 'failed' ? verdict.error.message : verdict.message;
      const ready = verdict.kind === 'failed' ? readyWhileFailing(verdict, previous) : 'False';
      return [
        update('Ready', ready, reason, message),
        update(stalled ? 'Stalled' : 'Reconciling', 'True', reason, message),
      ];
    }
    default:
      return verdict satisfies never;
  }
}

function reconcilingMeanwhile(what: string | undefined): Update[] {
  return what === undefined ? [] : [update('Reconciling', 'True', 'Updating', what)];
}

function withLost(one: Update, { draft, now }: SummaryInput): Update {
  const lost = shownLost(draft.lost, now);
  if (one.type !== 'Ready' || lost.length === 0) return one;
  return { ...one, message: `${one.message}; ${lostMessage(lost)}` };
}

/** Ready keeps its status while suspended, also over a time in which nothing could be seen. */
function suspendedReady({ verdict, previous, draft }: SummaryInput): Update {
  const before = findCondition(previous?.conditions, 'Ready');
  const status = before?.status ?? 'Unknown';
  const wasUnseen = status === 'Unknown' && isLostContactReason(before?.reason);
  const message = 'spec.suspend is true: nothing is changed until it is false';
  const unseen = verdict.kind === 'suspended' ? verdict.unseen : undefined;
  if (unseen === undefined || !(status === 'True' || wasUnseen)) {
    const seen = draft.compute !== undefined && isHealthy(draft.compute) ? 'True' : 'False';
    return update('Ready', wasUnseen ? seen : status, 'Suspended', message);
  }
  const { reason } = errorPolicies[unseen.code];
  return update('Ready', 'Unknown', reason, `${unseen.message} (${message})`);
}

/** A failed look says nothing about what runs; of what never was ready, it is known well enough. */
function readyWhileFailing(
  { error, unseen = error.code === 'ProviderUnavailable' }: Extract<Verdict, { kind: 'failed' }>,
  previous: TenantStatus | undefined,
): ConditionStatus {
  if (error.code === 'InternalError') return 'Unknown';
  const before = findCondition(previous?.conditions, 'Ready');
  const wasReady =
    before?.status === 'True' || (before?.status === 'Unknown' && before.reason !== 'Suspended');
  return unseen && wasReady ? 'Unknown' : 'False';
}

function phaseOf(verdict: Verdict, draft: StatusDraft): Phase {
  switch (verdict.kind) {
    case 'ready':
      return 'Ready';
    case 'observed':
      return 'Observed';
    case 'suspended':
      return 'Suspended';
    case 'deleting':
      return 'Deleting';
    case 'rolledBack':
    case 'unapproved':
      return 'Degraded';
    case 'progressing':
      return phaseWhile(verdict.reason, draft);
    case 'failed':
      return reasonOf(verdict).stalled ? 'Failed' : phaseByCount(draft);
    default:
      return verdict satisfies never;
  }
}

function phaseWhile(reason: Extract<Verdict, { kind: 'progressing' }>['reason'], draft: StatusDraft): Phase {
  switch (reason) {
    case 'Provisioning':
    case 'Updating':
      return reason;
    case 'Unhealthy':
      return 'Degraded';
    case 'ProvisionFailed':
    case 'UpdateFailed':
      return phaseByCount(draft);
    default:
      return reason satisfies never;
  }
}

function phaseByCount({ compute }: StatusDraft): Phase {
  return (compute?.running ?? 0) > 0 ? 'Degraded' : 'Pending';
}

/** The observed block, with what one look can't know taken over from the last one. */
function computeBlock(
  previous: ComputeStatusBlock | undefined,
  observed: ComputeStatusBlock | undefined,
  now: Date,
): ComputeStatusBlock | undefined {
  if (observed === undefined) return undefined;
  const containers = observed.containers?.map((container) => {
    const id = `container/${container.name}`;
    const sameContainer = previous?.resourceIds?.[id] === observed.resourceIds?.[id];
    const before = previous?.containers?.find(({ name }) => name === container.name);
    const restartCount = container.restartCount ?? (sameContainer ? before?.restartCount : undefined);
    // What it was made of is compared with what it is made of once it is back.
    const imageId = container.imageId ?? (container.image === undefined ? before?.imageId : undefined);
    const image = container.image ?? (imageId === undefined ? undefined : before?.image);
    return { ...container, ...definedOnly({ image, imageId, restartCount }) };
  });
  const next: ComputeStatusBlock = {
    ...observed,
    ...definedOnly({ containers }),
    replicas: `${observed.running}/${observed.desired}`,
  };
  const { lastTransitionTime, ...before } = previous ?? {};
  const { lastTransitionTime: _ignored, ...after } = next;
  const unchanged = lastTransitionTime !== undefined && jsonEqual(before, after);
  return { ...after, lastTransitionTime: unchanged ? lastTransitionTime : timestamp(now) };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without the members that are undefined, which a status has no place for. */
function definedOnly<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Defined<T>;
}
