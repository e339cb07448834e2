import { findCondition } from '../../api/conditions.ts';
import type { TenantStatus } from '../../api/status.ts';
import { jsonEqual } from '../../kube/client/merge-patch.ts';
import type { Pass } from '../pass.ts';
import { isPlainProgress } from './reasons.ts';

/** A status is at most this old while something is in transition. */
export const freshMs = 5000;

/**
 * Whether `next` says nothing new but how far a transition has come, soon after the last write and shortly before the
 * next look. Such a status is left out, so that a tenant that becomes Ready quickly costs one write, not three.
 */
export function isProgressOnly(
  { deps, memory, tenant }: Pass,
  next: TenantStatus,
  lookAgainAfterMs: number | undefined,
): boolean {
  const previous = tenant.status;
  const nowMs = deps.now().getTime();
  const lastWriteAt = memory.lastWrite?.at ?? 0;
  const before = findCondition(previous?.conditions, 'Ready');
  const after = findCondition(next.conditions, 'Ready');
  const sameState =
    before?.status === 'False' &&
    after?.status === 'False' &&
    before.reason === after.reason &&
    (before.message === after.message || isPlainProgress(before.message)) &&
    (after.reason === 'Provisioning' || after.reason === 'Updating') &&
    previous?.observedGeneration === next.observedGeneration &&
    jsonEqual(previous.lost, next.lost) &&
    jsonEqual(previous.rollout, next.rollout);
  return sameState && nowMs - lastWriteAt < freshMs && (lookAgainAfterMs ?? Infinity) <= freshMs;
}
