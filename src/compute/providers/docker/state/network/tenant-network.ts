import {
  isDropped,
  isNext,
  isOld,
  largerNetworkName,
  partName,
  replicaOf,
  servingName,
  specName,
  tenantName,
  tenantNetworkName,
} from '../container-name.ts';
import type { DesiredContainer } from '../desired-tenant.ts';
import { excludes } from '../exclusion.ts';
import { isUp } from '../observed-container.ts';
import type { ObservedContainer } from '../observed-container.ts';
import { isRelease } from '../release/release-mark.ts';

/**
 * The network that a tenant has for itself, and each of its replicas another one. Where it has several containers, they find each other there by their names in
 * the spec. Such a name is an alias there: who bears it gets the traffic. A successor bears it once it is proven, beside
 * the old one, which is stopped after that: at each moment the name leads to something that is known to run well. Pure.
 */

type Named = Pick<ObservedContainer, 'name' | 'made'>;

/** The tenant's own network that this container was made for: the first one, or the larger one beside it. */
export function tenantNetworkOf(container: ObservedContainer): string | undefined {
  return ownNetworks(container).find((network) => network === container.networkMode);
}

/** Those that the container's tenant has for itself, where it is one of the first or of the larger. */
function ownNetworks(container: Named): readonly string[] {
  const { tenantId, container: name = '' } = container.made;
  if (tenantId === undefined) return [];
  const only = tenantName('', tenantId);
  const isPart = aliasOf(container) !== undefined;
  const end = isPart ? partName(only, name) : only;
  const serving = servingName(container.name);
  if (!serving.endsWith(end)) return [];
  const replica = isPart ? replicaOf(name) : 1;
  const network = tenantNetworkName(serving.slice(0, -end.length), tenantId, replica);
  return [network, largerNetworkName(network)];
}

/** By which its siblings are to find it in their network. Undefined: it has none. */
export function aliasOf({ name, made }: Named): string | undefined {
  const { tenantId, container } = made;
  if (tenantId === undefined || container === undefined || isRelease({ made })) return undefined;
  const isOneOfSeveral = servingName(name).endsWith(partName(tenantName('', tenantId), container));
  return isOneOfSeveral ? specName(container) : undefined;
}

/**
 * Networks that it is to be in and is not. Its tenant's, where it runs: somebody took it out, or died of doing so, and
 * nobody reaches it. Those that it is in besides, before it begins as well: the engine has it in no more than one when it is made.
 */
export function missingNetworks(container: ObservedContainer): readonly string[] {
  const { made, networks, state } = container;
  const own = tenantNetworkOf(container);
  const wanted = [
    ...(own !== undefined && isUp(container) ? [own] : []),
    ...(isUp(container) || state === 'created' ? (made.networks ?? []) : []),
  ];
  return wanted.filter((network) => !networks.includes(network));
}

/**
 * The tenant's network that it is in, and not by the name that it is to have there. Undefined: none, or no inspect tells.
 * One that was in the first when the larger was made is in both.
 */
export function unnamedIn(container: ObservedContainer): string | undefined {
  const alias = aliasOf(container);
  if (alias === undefined || tenantNetworkOf(container) === undefined) return undefined;
  const endpoints = container.inspected?.endpoints ?? {};
  return ownNetworks(container).find((network) => endpoints[network]?.aliases.includes(alias) === false);
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
    ownNetworks(predecessor)[0] === desired.network.name &&
    tenantNetworkOf(predecessor) !== undefined;
  // What waits for another one may be started long after it.
  const withIt = coming.filter(
    (other) => other.desired === desired || (other.desired.spec.dependsOn ?? []).length === 0,
  );
  return !bearsName || withIt.some((other) => excludes(other.desired, predecessor));
}

/** Whether a container that was taken out of its network comes back by its name. */
export function returnsByName({ name }: ObservedContainer): boolean {
  return !isNext(name) && !isDropped(name) && !isOld(name);
}
