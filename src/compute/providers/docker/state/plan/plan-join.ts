import type { ObservedContainer } from '../observed-container.ts';
import { aliasOf, isOutside, returnsByName, tenantNetworkOf, unnamedIn } from '../network/tenant-network.ts';
import type { Joining, JoinStep } from './step.ts';
import type { SuccessorContext } from './successor-health.ts';

/** The ways into the tenant's own network; tenant-network.ts tells who bears a name there. */

/** What runs outside comes back first: nobody reaches it, and it reaches nobody. */
export function planReturnToNetwork(
  observed: readonly ObservedContainer[],
  { failed }: Pick<SuccessorContext, 'failed'>,
): JoinStep | undefined {
  const outside = observed.filter((container) => isOutside(container) && !failed.has(container.id));
  return planJoin(
    outside.map((container) => ({
      container,
      network: tenantNetworkOf(container) ?? '',
      alias: returnsByName(container) ? aliasOf(container) : undefined,
    })),
  );
}

/** Undefined: each of them bears its name already, or has none to bear. */
export function planNaming(containers: readonly ObservedContainer[]): JoinStep | undefined {
  return planJoin(
    containers.flatMap((container) => {
      const network = unnamedIn(container);
      return network === undefined ? [] : [{ container, network, alias: aliasOf(container) }];
    }),
  );
}

function planJoin(joining: readonly Joining[]): JoinStep | undefined {
  return joining.length === 0 ? undefined : { do: 'join', joining };
}
