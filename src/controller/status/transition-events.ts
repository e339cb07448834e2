import { findCondition } from '../../api/conditions.ts';
import type { Reason } from '../../api/conditions.ts';
import type { DriftItem, TenantStatus } from '../../api/status.ts';

/** One Kubernetes Event, without what it is about. */
export interface TransitionEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason:
    Reason | 'Provisioned' | 'Updated' | 'RolledBack' | 'Drifted' | 'Repaired' | 'Retained' | 'Destroyed';
  /** What the operator was doing, in UpperCamelCase. */
  readonly action: string;
  readonly note: string;
}

/** Reasons of a state on the way, which are no failure and no event of their own. */
const quietReasons: readonly Reason[] = [
  'Running',
  'Provisioning',
  'Updating',
  'Suspended',
  'Deleting',
  'Drifted',
];

/** Pure: the Events of a change of status; none where nothing has happened. */
export function transitionEvents(
  previous: TenantStatus | undefined,
  next: TenantStatus,
  repaired: readonly DriftItem[],
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
  if (after?.status === 'True' && after.reason === 'Running') {
    const provider = next.computeProvider ?? '';
    if (before?.status !== 'True' && !wasReady(previous)) {
      events.push({
        type: 'Normal',
        reason: 'Provisioned',
        action: 'Provision',
        note: `runs on ${provider}`,
      });
    } else if (previous?.observedGeneration !== next.observedGeneration || before?.reason === 'Updating') {
      events.push({
        type: 'Normal',
        reason: 'Updated',
        action: 'Update',
        note: `runs the new state on ${provider}`,
      });
    }
  }
  events.push(...retainedEvents(previous, next));
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

/** Whether it has been Ready before: it was Updating, or something went wrong with what had been running. */
function wasReady(previous: TenantStatus | undefined): boolean {
  const before = findCondition(previous?.conditions, 'Ready');
  return before !== undefined && ['Updating', 'Unhealthy', 'Suspended'].includes(before.reason);
}
