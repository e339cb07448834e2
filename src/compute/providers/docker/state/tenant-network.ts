import {
  isDropped,
  isNext,
  isOld,
  partName,
  servingName,
  tenantName,
  tenantNetworkName,
} from './container-name.ts';
import type { DesiredContainer } from './desired-tenant.ts';
import { excludes } from './exclusion.ts';
import { isUp } from './observed-container.ts';
import type { ObservedContainer } from './observed-container.ts';

/**
 * The network of a tenant with several containers, where they find each other by their names in the spec. Such a name is
 * an alias there: who bears it gets the traffic. A successor bears it once it is proven, beside the old one, which is
 * stopped after that: at each moment the name leads to something that is known to run well. Pure.
 */

/** The tenant's own network, where this container is to be in it. */
export function tenantNetworkOf({ name, made, networkMode }: ObservedContainer): string | undefined {
  const { tenantId, container } = made;
  if (tenantId === undefined || container === undefined || isOtherMode(networkMode)) return undefined;
  const end = partName(tenantName('', tenantId), container);
  const serving = servingName(name);
  return serving.endsWith(end) ? tenantNetworkName(serving.slice(0, -end.length), tenantId) : undefined;
}

function isOtherMode(mode: string): boolean {
  return ['', 'bridge', 'default', 'host', 'none'].includes(mode) || mode.startsWith('container:');
}

/** Whether it runs, and nobody reaches it: somebody took it out of its network, or died of doing so. */
export function isOutside(container: ObservedContainer): boolean {
  const network = tenantNetworkOf(container);
  return network !== undefined && isUp(container) && !container.networks.includes(network);
}

/** Whether it is in its network, and not by its name. False where no inspect tells. */
export function isUnnamed(container: ObservedContainer): boolean {
  const network = tenantNetworkOf(container);
  const endpoint = network === undefined ? undefined : container.inspected?.endpoints[network];
  return endpoint !== undefined && !endpoint.aliases.includes(container.made.container ?? '');
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
    tenantNetworkOf(predecessor) === desired.network.name;
  return !bearsName || coming.some((other) => excludes(other.desired, predecessor));
}

/** Whether a container that was taken out of its network comes back by its name. */
export function returnsByName({ name }: ObservedContainer): boolean {
  return !isNext(name) && !isDropped(name) && !isOld(name);
}
