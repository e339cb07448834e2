import type Dockerode from 'dockerode';
import type { Logger } from 'pino';
import type { Capacity, CapacityKind } from '../../../../capacity.ts';
import type { EngineReads } from '../../engine/engine.ts';
import type { EngineSettings } from '../../state/desired-tenant.ts';
import { poolKey } from '../../state/network/pool-key.ts';
import { longestPrefix, roomIn, roomOfPool, subnetsOf } from '../../state/network/subnets.ts';
import type { Room } from '../../state/network/subnets.ts';

/**
 * How many networks and places in them the engine has left for tenants, by the last list of its networks. Few are told of
 * once, in the log, when that begins, and once when it is over.
 */
export interface EngineCapacity {
  /** The subnets of all of the engine's networks, whosever they are. */
  noteTaken(this: void, subnets: readonly string[]): void;
  /** All of the engine's networks. One call besides, where tenants share a network: who is in it stands in no list. */
  look(networks: readonly Dockerode.NetworkInspectInfo[], signal: AbortSignal): Promise<void>;
  /** Empty until the networks were listed. */
  known(this: void): readonly Capacity[];
}

/** The kernel's BR_MAX_PORTS is 1,024, and the first one is not given away. */
const bridgePorts = 1_023;

/**
 * Less than a tenth is little: a fleet that has filled the rest at an even pace has a ninth of that time left. It is over at
 * a fifth, so that what comes and goes at the limit is not told of each time.
 */
const fewPart = 1 / 10;
const enoughPart = 1 / 5;

export function createEngineCapacity(
  engine: Pick<EngineReads, 'inspectNetwork'>,
  settings: EngineSettings,
  logger: Logger,
): EngineCapacity {
  const { engineName: domain = '', block } = settings;
  const known = new Map<CapacityKind, Capacity>();
  const note = (of: CapacityKind, room: Room, words?: (room: Room) => string): void => {
    const { free, total } = room;
    const wasFew = known.get(of)?.warning !== undefined;
    const isFew = free < total * (wasFew ? enoughPart : fewPart);
    const warning = isFew ? words?.(room) : undefined;
    known.set(of, { domain, of, ...room, ...(warning !== undefined && { warning }) });
    if (warning !== undefined && !wasFew) logger.warn({ free, total }, warning);
    if (warning === undefined && wasFew) logger.info({ free, total }, `enough ${nouns[of]} are left again`);
  };
  const noteTaken = (subnets: readonly string[]): void => {
    const { networks, addresses } = roomOfPool(block.network_pool, subnets);
    note('networks', networks, (room) => poolWords(settings, room));
    note('addresses', addresses);
  };
  return {
    noteTaken,
    async look(networks, signal) {
      noteTaken(subnetsOf(networks));
      const shared = networks.find(({ Name }) => Name === block.network_name);
      const total = shared === undefined ? Infinity : placesIn(shared);
      if (shared === undefined || total === Infinity) {
        known.delete('shared_network_ports');
        return;
      }
      const used = Object.keys((await engine.inspectNetwork(shared.Id, signal))?.Containers ?? {}).length;
      const room = { free: Math.max(0, total - used), total };
      note('shared_network_ports', room, (left) => sharedWords(shared.Name, left));
    },
    known: () => [...known.values()],
  };
}

const nouns: Readonly<Record<CapacityKind, string>> = {
  networks: 'networks',
  addresses: 'addresses',
  shared_network_ports: 'places in the shared network',
};

/** Without bound where neither a bridge nor IPv4 sets one. */
function placesIn(network: Dockerode.NetworkInspectInfo): number {
  return Math.min(network.Driver === 'bridge' ? bridgePorts : Infinity, ...subnetsOf([network]).map(roomIn));
}

function poolWords(settings: EngineSettings, { free, total }: Room): string {
  return (
    `network_pool ${settings.block.network_pool} has ${free} of ${total} networks (/${longestPrefix}) left: ` +
    `widen ${poolKey(settings)}, or remove networks that are no longer used`
  );
}

function sharedWords(name: string, { free, total }: Room): string {
  return (
    `network ${name} (compute.docker.network_name) has room for ${free} more containers of ${total}: ` +
    'leave network_name out, and each Tenant has a network of its own, or use further engines'
  );
}
