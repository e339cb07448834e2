import { isDropped, isNext } from '../container-name.ts';
import type { DesiredContainer, DesiredTenant } from '../desired-tenant.ts';
import { compareTenant, isOfHash } from '../diff.ts';
import { endsForGood } from '../live-settings.ts';
import type { ObservedContainer } from '../observed-container.ts';

/**
 * What was in place before another desired state was tried, and is gone. Nothing where something else has taken its
 * place: then it was succeeded. A job may have come to its end since, and is not run again. Pure.
 */
export function goneContainers(
  before: DesiredTenant,
  observed: readonly ObservedContainer[],
): readonly DesiredContainer[] {
  const serving = observed.filter(({ name }) => !isNext(name) && !isDropped(name));
  const { containers, obsolete } = compareTenant(before, serving);
  const isSucceeded =
    obsolete.length > 0 ||
    containers.some(({ desired, current }) => current !== undefined && !isOfHash(desired, current));
  if (isSucceeded) return [];
  return containers.flatMap(({ desired, current }) =>
    current === undefined && !endsForGood(desired.live.restartPolicy) ? [desired] : [],
  );
}
