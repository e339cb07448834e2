import { findCondition } from '../../api/conditions.ts';
import type { Condition, Reason } from '../../api/conditions.ts';
import type { DriftItem, TenantStatus } from '../../api/status.ts';
import { jsonEqual } from '../../kube/client/merge-patch.ts';
import { lostMessage } from './lost-data.ts';

/** One Kubernetes Event, without what it is about. */
export interface TransitionEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason:
    | Reason
    | 'Provisioned'
    | 'Updated'
    | 'RolledBack'
    | 'Drifted'
    | 'Repaired'
    | 'Retained'
    | 'ImageChanged'
    | 'VolumeLost'
    | 'Destroyed';
  /** What the operator was doing, in UpperCamelCase. */
  readonly action: string;
  readonly note: string;
}

/** Reasons of a state on the way, which are no failure and no event of their own. */
export const quietReasons: readonly Reason[] = [
  'Running',
  'Provisioning',
  'Updating',
  'Suspended',
  'Observed',
  'Deleting',
  'Drifted',
];

/** What the two statuses do not tell. */
export interface Told {
  /** Drift that was repaired. */
  readonly repaired: readonly DriftItem[];
  /** The generation that was last Ready; `never`: none was; undefined: nobody knows any more. */
  readonly readyGeneration?: number | 'never' | undefined;
}

/** Pure: the Events of a change of status; none where nothing has happened. */
export function transitionEvents(
  previous: TenantStatus | undefined,
  next: TenantStatus,
  { repaired, readyGeneration }: Told,
): TransitionEvent[] {
  const before = findCondition(previous?.conditions, 'Ready');
  const after = findCondition(next.conditions, 'Ready');
  const events: TransitionEvent[] = [];
  const [drift] = repaired.length > 0 ? repaired : (next.drift ?? []);
  if (drift !== undefined && (repaired.length > 0 || (previous?.drift ?? []).length === 0)) {
    const note = `${drift.path} is ${drift.actual}, desired is ${drift.desired}`;
    events.push({ type: 'Warning', reason: 'Drifted', action: 'Observe', note });
    if (repaired.length > 0)
      events.push({
        type: 'Normal',
        reason: 'Repaired',
        action: 'Repair',
        note: `${drift.path} is ${drift.desired} again`,
      });
  }
  const arrival = arrivalOf(previous, next, readyGeneration);
  if (arrival !== undefined) events.push(arrival);
  events.push(
    ...retainedEvents(previous, next),
    ...lostEvents(previous, next),
    ...imageEvents(previous, next),
  );
  const settling = after?.reason === 'Unhealthy' && repaired.length > 0;
  if (
    after !== undefined &&
    !settling &&
    !quietReasons.includes(after.reason) &&
    (before?.reason !== after.reason || previous?.plan?.digest !== next.plan?.digest)
  ) {
    events.push({ type: 'Warning', reason: after.reason, action: 'Reconcile', note: after.message });
  }
  return events;
}

function retainedEvents(previous: TenantStatus | undefined, next: TenantStatus): TransitionEvent[] {
  const known = previous?.retained ?? [];
  const kept = (next.retained ?? []).filter(
    ({ resource, since }) => !known.some((one) => one.resource === resource && one.since === since),
  );
  if (kept.length === 0) return [];
  const note = `kept at the place that was left: ${kept.map(({ resource }) => resource).join(', ')}`;
  return [{ type: 'Normal', reason: 'Retained', action: 'Leave', note }];
}

/** A tag may mean something else by the time that a container is made anew, though nobody asked for another image. */
function imageEvents(previous: TenantStatus | undefined, next: TenantStatus): TransitionEvent[] {
  if (!jsonEqual(previous?.placement, next.placement)) return [];
  const before = new Map(previous?.compute?.containers?.map((container) => [container.name, container]));
  const changed = (next.compute?.containers ?? []).flatMap(({ name, image, imageId }) => {
    const known = before.get(name);
    if (known?.imageId === undefined || imageId === undefined || known.imageId === imageId) return [];
    return known.image === image
      ? [`container ${name}: ${image} is ${imageId}, and was ${known.imageId}`]
      : [];
  });
  if (changed.length === 0) return [];
  const isAsked = previous?.observedGeneration !== next.observedGeneration;
  const note = `made of other content of the same image: ${changed.join('; ')}`;
  return [{ type: isAsked ? 'Normal' : 'Warning', reason: 'ImageChanged', action: 'Observe', note }];
}

function lostEvents(previous: TenantStatus | undefined, next: TenantStatus): TransitionEvent[] {
  const known = previous?.lost ?? [];
  const lost = (next.lost ?? []).filter((one) => !known.some((other) => jsonEqual(one, other)));
  if (lost.length === 0) return [];
  return [{ type: 'Warning', reason: 'VolumeLost', action: 'Provision', note: lostMessage(lost) }];
}

/** The Event of having become Ready: once for the first place, and once for each new state. */
function arrivalOf(
  previous: TenantStatus | undefined,
  next: TenantStatus,
  readyGeneration: Told['readyGeneration'],
): TransitionEvent | undefined {
  const before = findCondition(previous?.conditions, 'Ready');
  const after = findCondition(next.conditions, 'Ready');
  if (after?.status !== 'True' || after.reason !== 'Running') return undefined;
  const provider = next.computeProvider ?? '';
  if (isFirst(before, readyGeneration))
    return { type: 'Normal', reason: 'Provisioned', action: 'Provision', note: `runs on ${provider}` };
  const isNew = (readyGeneration ?? previous?.observedGeneration) !== next.observedGeneration;
  if (!isNew && (before === undefined || !rolloutReasons.includes(before.reason))) return undefined;
  return { type: 'Normal', reason: 'Updated', action: 'Update', note: `runs the new state on ${provider}` };
}

/** Reasons of a rollout that has not arrived: what comes after it runs something new, at the same generation too. */
const rolloutReasons: readonly Reason[] = ['Updating', 'UpdateFailed', 'RolledBack', 'ImageUnavailable'];
/** Reasons of what never ran; a process that has just started knows no more than the status tells. */
const firstReasons: readonly Reason[] = ['Provisioning', 'ProvisionFailed'];

function isFirst(before: Condition | undefined, readyGeneration: Told['readyGeneration']): boolean {
  if (readyGeneration !== undefined) return readyGeneration === 'never';
  return before === undefined || (before.status !== 'True' && firstReasons.includes(before.reason));
}
