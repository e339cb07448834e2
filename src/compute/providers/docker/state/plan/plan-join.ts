import type { ObservedContainer } from '../observed-container.ts';
import {
  aliasOf,
  missingNetworks,
  returnsByName,
  tenantNetworkOf,
  unnamedIn,
} from '../network/tenant-network.ts';
import type { Joining, JoinStep } from './step.ts';
import type { SuccessorContext } from './successor-health.ts';

/** The ways into networks; tenant-network.ts tells who bears a name in the tenant's own. */

/** What runs outside comes back first: nobody reaches it, and it reaches nobody. What is made is in all before it begins. */
export function planReturnToNetwork(
  observed: readonly ObservedContainer[],
  { failed }: Pick<SuccessorContext, 'failed'>,
): JoinStep | undefined {
  return planJoin(
    observed
      .filter(({ id }) => !failed.has(id))
      .flatMap((container) => missingNetworks(container).map((network) => joiningOf(container, network))),
  );
}

function joiningOf(container: ObservedContainer, network: string): Joining {
  const isNamed = network === tenantNetworkOf(container) && returnsByName(container);
  return { container, network, alias: isNamed ? aliasOf(container) : undefined };
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
