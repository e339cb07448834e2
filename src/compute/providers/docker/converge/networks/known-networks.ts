import type Dockerode from 'dockerode';
import { largerNetworkName } from '../../state/container-name.ts';
import { roomIn, subnetsOf } from '../../state/network/subnets.ts';
import { tenantNetworkOf } from '../../state/network/tenant-network.ts';
import { isUp } from '../../state/observed-container.ts';
import type { ObservedContainer } from '../../state/observed-container.ts';

type Network = Pick<Dockerode.NetworkInspectInfo, 'Id' | 'Name' | 'IPAM'>;

/**
 * What lists have told of the tenants' own networks. Whose one is, and which subnet it has, does not change as long as it has its id. Lost
 * with the process, which costs a list each.
 */
export interface KnownNetworks {
  /** One whose marks say that it is the tenant's. */
  note(network: Network): void;
  /** How many containers have an address in the one of that name and id; 0: nothing is known of it. */
  roomIn(name: string, id: string | undefined): number;
}

/** As many are remembered. */
const maxNetworks = 10_000;

export function createKnownNetworks(): KnownNetworks {
  const known = new Map<string, { readonly id: string; readonly room: number }>();
  return {
    note(network) {
      const { Id: id, Name: name } = network;
      known.delete(name);
      known.set(name, { id, room: roomOf(network) });
      const [oldest] = known.keys();
      if (known.size > maxNetworks && oldest !== undefined) known.delete(oldest);
    },
    roomIn(name, id) {
      const found = known.get(name);
      return found !== undefined && found.id === id ? found.room : 0;
    },
  };
}

/** How many containers can have an address in it. */
export function roomOf(network: Pick<Network, 'IPAM'>): number {
  return Math.min(...subnetsOf([network]).map(roomIn));
}

/**
 * The tenant's own networks in which containers of it were seen to run, and that it has not outgrown: ids by names. That one runs there
 * tells that the network is there.
 */
export function networksInUse(seen: Iterable<ObservedContainer>): ReadonlyMap<string, string> {
  const inUse = new Map<string, string>();
  const meant = new Set<string>();
  for (const container of seen) {
    const name = tenantNetworkOf(container);
    if (name === undefined) continue;
    meant.add(name);
    const { networkId, networks } = container;
    if (isUp(container) && networkId !== undefined && networks.includes(name)) inUse.set(name, networkId);
  }
  for (const name of inUse.keys()) if (meant.has(largerNetworkName(name))) inUse.delete(name);
  return inUse;
}
