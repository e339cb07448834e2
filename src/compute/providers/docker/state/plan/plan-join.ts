import { isUp } from '../observed-container.ts';
import type { ObservedContainer } from '../observed-container.ts';
import { isRelease } from '../release/release-mark.ts';
import { aliasesIn, lostNames, unnamedAmongOthers } from '../network/names-among-others.ts';
import {
  aliasOf,
  missingNetworks,
  returnsByName,
  tenantNetworkOf,
  unnamedIn,
} from '../network/tenant-network.ts';
import type { Joining, JoinStep } from './step.ts';
import type { SuccessorContext } from './successor-health.ts';

/** The ways into networks; tenant-network.ts tells who bears a name in the tenant's own, names-among-others.ts in those of others. */

/** What runs outside comes back first: nobody reaches it, and it reaches nobody. What is made is in all before it begins. */
export function planReturnToNetwork(
  observed: readonly ObservedContainer[],
  { failed }: Pick<SuccessorContext, 'failed'>,
): JoinStep | undefined {
  return planJoin(
    observed
      .filter(({ id }) => !failed.has(id))
      .flatMap((container) => [
        ...missingNetworks(container).map((network) => joiningOf(container, network)),
        ...lostNames(container).map((network) => ({
          ...joiningOf(container, network),
          effect: 'gap' as const,
        })),
      ]),
  );
}

function joiningOf(container: ObservedContainer, network: string): Joining {
  const aliases = returnsByName(container) ? aliasesOf(container, network) : [];
  return { container, network, aliases };
}

function aliasesOf(container: ObservedContainer, network: string): readonly string[] {
  const alias = network === tenantNetworkOf(container) ? aliasOf(container) : undefined;
  return alias === undefined ? aliasesIn(container, network) : [alias];
}

/** Undefined: each of them bears its name already, or has none to bear. */
export function planNaming(containers: readonly ObservedContainer[]): JoinStep | undefined {
  return planJoin(
    containers.flatMap((container): readonly Joining[] => {
      const network = unnamedIn(container);
      const alias = aliasOf(container);
      return [
        ...(network === undefined || alias === undefined ? [] : [{ container, network, aliases: [alias] }]),
        ...amongOthers(container),
      ];
    }),
  );
}

/**
 * Where the old one does not run, what is to be started is found by its names among others from then on, as in the tenant's own
 * network: there is nobody else whom they could lead to.
 */
export function planNamingAmongOthers(
  starting: readonly ObservedContainer[],
  old: readonly ObservedContainer[],
): JoinStep | undefined {
  const alone = starting.filter(
    ({ made }) => !old.some((one) => isUp(one) && one.made.container === made.container),
  );
  return planJoin(alone.flatMap(amongOthers));
}

function amongOthers(container: ObservedContainer): readonly Joining[] {
  if (isRelease(container)) return [];
  return unnamedAmongOthers(container).map((network) => ({
    container,
    network,
    aliases: aliasesIn(container, network),
  }));
}

function planJoin(joining: readonly Joining[]): JoinStep | undefined {
  return joining.length === 0 ? undefined : { do: 'join', joining };
}
