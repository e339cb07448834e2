import { abandon, approve, engineKey, finalizer, providerKeys, reconcileRequestedAt } from '../api/names.ts';
import type { TenantStatus } from '../api/status.ts';
import type { Tenant } from '../api/tenant.ts';
import type { Urgency } from '../kube/queue/work-line.ts';
import { requestedAt } from './pass.ts';
import { isReady } from './status/ready.ts';
import { jsonEqual } from '../kube/client/merge-patch.ts';

/**
 * Whether anything changed that a pass reads, as the watch tells it or as the answer to a write of ours shows it. A status that somebody else wrote counts; our own, whose echo may come
 * before the answer to its write, does not, and neither does our finalizer: a look at them would cut a back-off short.
 */
export function isWorthALook(
  previous: Tenant | undefined,
  { metadata, status }: Tenant,
  written: TenantStatus | undefined,
): boolean {
  if (previous === undefined) return true;
  const before = previous.metadata;
  // Of one that is being deleted, it is we who take it away, or somebody who wants nothing more of us.
  const lostFinalizer =
    metadata.deletionTimestamp === undefined &&
    before.finalizers?.includes(finalizer) === true &&
    metadata.finalizers?.includes(finalizer) !== true;
  return (
    metadata.generation !== before.generation ||
    metadata.deletionTimestamp !== before.deletionTimestamp ||
    lostFinalizer ||
    choices.some(
      (key) =>
        metadata.labels?.[key] !== before.labels?.[key] ||
        metadata.annotations?.[key] !== before.annotations?.[key],
    ) ||
    [reconcileRequestedAt, approve, abandon].some(
      (key) => metadata.annotations?.[key] !== before.annotations?.[key],
    ) ||
    !(jsonEqual(status, previous.status) || jsonEqual(status, written))
  );
}

/** Labels and annotations that choose where it runs. */
const choices = [...providerKeys, engineKey];

/** Whether a change that is worth a look is one of the status alone. */
export function isStatusAlone(previous: Tenant, next: Tenant): boolean {
  return !isWorthALook(previous, next, next.status);
}

/**
 * How urgent a Tenant is that was there before this process: what was asked for meanwhile first, then what was under way.
 * Whoever changes something from then on waits for none of them.
 */
export function urgencyAtStart(tenant: Tenant): Urgency {
  const { metadata, status } = tenant;
  const isSeen =
    status?.observedGeneration === metadata.generation &&
    status?.lastHandledReconcileAt === requestedAt({ tenant });
  if (!isSeen || metadata.deletionTimestamp !== undefined) return 'hint';
  return isReady(tenant) ? 'sweep' : 'retry';
}
