import {
  isDropped,
  isNext,
  isOld,
  partName,
  servingName,
  tenantName,
  tenantNetworkName,
} from '../container-name.ts';
import type { DesiredContainer } from '../desired-tenant.ts';
import { excludes } from '../exclusion.ts';
import { isUp } from '../observed-container.ts';
import type { ObservedContainer } from '../observed-container.ts';

/**
 * The network that a tenant has for itself. Where it has several containers, they find each other there by their names in
 * the spec. Such a name is an alias there: who bears it gets the traffic. A successor bears it once it is proven, beside
 * the old one, which is stopped after that: at each moment the name leads to something that is known to run well. Pure.
 */

type Named = Pick<ObservedContainer, 'name' | 'made'>;

/** The tenant's own network, where this container was made for it. */
export function tenantNetworkOf(container: ObservedContainer): string | undefined {
  const { tenantId } = container.made;
  if (tenantId === undefined) return undefined;
  const only = tenantName('', tenantId);
  const alias = aliasOf(container);
  const end = alias === undefined ? only : partName(only, alias);
  const serving = servingName(container.name);
  if (!serving.endsWith(end)) return undefined;
  const network = tenantNetworkName(serving.slice(0, -end.length), tenantId);
  return container.networkMode === network ? network : undefined;
}

/** By which its siblings are to find it in their network. Undefined: it has none. */
export function aliasOf({ name, made: { tenantId, container } }: Named): string | undefined {
  if (tenantId === undefined || container === undefined) return undefined;
  const isOneOfSeveral = servingName(name).endsWith(partName(tenantName('', tenantId), container));
  return isOneOfSeveral ? container : undefined;
}

/** Whether it runs, and nobody reaches it: somebody took it out of its network, or died of doing so. */
export function isOutside(container: ObservedContainer): boolean {
  const network = tenantNetworkOf(container);
  return network !== undefined && isUp(container) && !container.networks.includes(network);
}

/** Whether it is in its network, and not by the name that it is to have there. False where no inspect tells. */
export function isUnnamed(container: ObservedContainer): boolean {
  const network = tenantNetworkOf(container);
  const alias = aliasOf(container);
  const endpoint = network === undefined ? undefined : container.inspected?.endpoints[network];
  return endpoint !== undefined && alias !== undefined && !endpoint.aliases.includes(alias);
}

interface Coming {
  readonly desired: DesiredContainer;
  /** Its own name on the engine. */
  readonly name: string;
  readonly predecessor?: ObservedContainer | undefined;
}

/**
 * Whether a container that is to be made bears its name from the start: nobody else does, or who does is stopped before
 * it is started, for the sake of one of those that come with it.
 */
export function isNamedAtOnce(
  { desired, name, predecessor }: Coming,
  coming: readonly Pick<Coming, 'desired'>[],
): boolean {
  if (!isNext(name) || predecessor === undefined) return true;
  const bearsName =
    !isNext(predecessor.name) &&
    !isDropped(predecessor.name) &&
    aliasOf(predecessor) === desired.alias &&
    tenantNetworkOf(predecessor) === desired.network.name;
  return !bearsName || coming.some((other) => excludes(other.desired, predecessor));
}

/** Whether a container that was taken out of its network comes back by its name. */
export function returnsByName({ name }: ObservedContainer): boolean {
  return !isNext(name) && !isDropped(name) && !isOld(name);
}
