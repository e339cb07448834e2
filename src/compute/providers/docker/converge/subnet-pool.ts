import type Dockerode from 'dockerode';
import { EngineRefusal } from '../engine/engine.ts';
import type { Engine } from '../engine/engine.ts';
import { freeSubnets } from './free-subnets.ts';

/**
 * The subnets that are free for tenants' networks. To list all networks for each new one would cost the more the more there
 * are: what was taken when they were last listed, and by us since, is remembered. The engine has the last word: it refuses
 * what others have taken meanwhile, and then, or where none is left, they are listed anew.
 */
export interface SubnetPool {
  /** Tries free ones, lowest first, with `make`, until the engine takes one. False: there is none. */
  take(
    prefixLength: number,
    make: (subnet: string) => Promise<unknown>,
    signal: AbortSignal,
  ): Promise<boolean>;
}

/** The engine refuses a subnet that something we can't see holds; after so many of them, the pool is unusable. */
const subnetTries = 64;

export function createSubnetPool(engine: Pick<Engine, 'listNetworks'>, pool: string): SubnetPool {
  let taken: Set<string> | undefined;
  const list = async (signal: AbortSignal): Promise<Set<string>> =>
    (taken = new Set(subnetsOf(await engine.listNetworks({}, signal))));

  return {
    async take(prefixLength, make, signal) {
      let isListed = taken === undefined;
      let known = taken ?? (await list(signal));
      const refused = new Set<string>();
      while (refused.size < subnetTries) {
        const free = freeSubnets(pool, [...known, ...refused], prefixLength).next();
        if (free.done !== true) {
          try {
            await make(free.value);
            known.add(free.value);
            return true;
          } catch (error) {
            if (!(error instanceof EngineRefusal) || error.kind !== 'overlap') throw error;
            refused.add(free.value);
          }
        } else if (isListed) return false;
        if (isListed) continue;
        known = await list(signal);
        isListed = true;
      }
      return false;
    },
  };
}

export function subnetsOf(
  networks: readonly Pick<Dockerode.NetworkInspectInfo, 'IPAM'>[],
): readonly string[] {
  return networks.flatMap(({ IPAM }) =>
    (IPAM?.Config ?? []).flatMap(({ Subnet }) => (typeof Subnet === 'string' ? [Subnet] : [])),
  );
}
