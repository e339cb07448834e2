import type { ObservedContainer } from '../observed-container.ts';
import { aliasOf, isOutside, isUnnamed, returnsByName, tenantNetworkOf } from '../network/tenant-network.ts';
import type { JoinStep } from './step.ts';
import type { SuccessorContext } from './successor-health.ts';

/** The ways into the tenant's own network; tenant-network.ts tells who bears a name there. */

/** What runs outside comes back first: nobody reaches it, and it reaches nobody. */
export function planReturnToNetwork(
  observed: readonly ObservedContainer[],
  { failed }: Pick<SuccessorContext, 'failed'>,
): JoinStep | undefined {
  const outside = observed.filter((container) => isOutside(container) && !failed.has(container.id));
  return planJoin(outside, returnsByName);
}

/** Undefined: each of them bears its name already, or has none to bear. */
export function planNaming(containers: readonly ObservedContainer[]): JoinStep | undefined {
  return planJoin(containers.filter(isUnnamed), () => true);
}

function planJoin(
  containers: readonly ObservedContainer[],
  isNamed: (container: ObservedContainer) => boolean,
): JoinStep | undefined {
  if (containers.length === 0) return undefined;
  const joining = containers.map((container) => ({
    container,
    network: tenantNetworkOf(container) ?? '',
    alias: isNamed(container) ? aliasOf(container) : undefined,
  }));
  return { do: 'join', joining };
}
