import type Dockerode from 'dockerode';
import { ComputeError } from '../../../errors.ts';
import type { TenantRef } from '../../../spec/tenant-compute-spec.ts';
import type { DesiredNetwork, DockerSettings } from '../state/desired.ts';
import { EngineRefusal } from '../engine/engine.ts';
import type { Engine } from '../engine/engine.ts';
import {
  describeOwner,
  isOurs,
  isTenants,
  labelFilter,
  sharedLabels,
  tenantLabels,
} from '../state/ownership.ts';
import { freeSubnets } from './subnets.ts';
import { atMost } from '../../../../async/at-most.ts';

export interface NetworkOwner {
  readonly tenantId: string;
  readonly tenant: TenantRef;
}

export interface Networks {
  /** Makes the network where it does not exist. Rejects with ProviderConflict or ProvisionFailed. */
  ensure(network: DesiredNetwork, owner: NetworkOwner, signal: AbortSignal): Promise<void>;
}

/** The engine refuses a subnet that something we can't see holds; after so many of them, the pool is unusable. */
const subnetTries = 64;

/** Networks that come with the engine. */
const builtIn: readonly string[] = ['bridge', 'host', 'none'];

export function createNetworks(engine: Engine, { block, owner }: DockerSettings): Networks {
  const inOrder = atMost(1);
  const prefix = block.label_prefix;

  const named = async (name: string, signal: AbortSignal): Promise<readonly Dockerode.NetworkInspectInfo[]> =>
    (await engine.listNetworks({ name: [name] }, signal)).filter(({ Name }) => Name === name);

  const ensureShared = async (name: string, signal: AbortSignal): Promise<void> => {
    if ((await named(name, signal)).length > 0) return;
    const Labels = sharedLabels(prefix, owner);
    await engine.createNetwork(
      { Name: name, Driver: block.network_driver, CheckDuplicate: true, Labels },
      signal,
    );
    await dropDuplicates(name, signal);
  };

  /** The engine lets two operators make two networks of one name. Both keep the one with the lowest id. */
  const dropDuplicates = async (name: string, signal: AbortSignal): Promise<void> => {
    const [, ...later] = (await named(name, signal)).toSorted((a, b) => (a.Id < b.Id ? -1 : 1));
    for (const network of later) {
      if (isOurs(prefix, owner, network.Labels)) await engine.removeNetwork(network.Id, signal);
    }
  };

  const ensurePrivate = async (name: string, whose: NetworkOwner, signal: AbortSignal): Promise<void> => {
    const [existing] = await named(name, signal);
    if (existing !== undefined) {
      if (isTenants(prefix, owner, whose.tenant)(existing.Labels)) return;
      const who = describeOwner(prefix, existing.Labels);
      throw new ComputeError(
        'ProviderConflict',
        `network ${name} ${who}. Remove it, or give the tenant another tenantId`,
      );
    }
    await createPrivate(name, tenantLabels(prefix, owner, whose), signal);
    await dropDuplicates(name, signal);
  };

  const createPrivate = async (
    name: string,
    Labels: Record<string, string>,
    signal: AbortSignal,
  ): Promise<void> => {
    const taken = subnetsOf(await engine.listNetworks({}, signal));
    let tries = 0;
    for (const Subnet of freeSubnets(block.network_pool, taken)) {
      tries += 1;
      if (tries > subnetTries) break;
      try {
        await engine.createNetwork(
          {
            Name: name,
            Driver: block.network_driver,
            CheckDuplicate: true,
            IPAM: { Driver: 'default', Config: [{ Subnet }] },
            Labels,
          },
          signal,
        );
        return;
      } catch (error) {
        if (!(error instanceof EngineRefusal) || error.kind !== 'overlap') throw error;
      }
    }
    throw new ComputeError(
      'ProvisionFailed',
      `network_pool ${block.network_pool} has no free /28 left for the network of a tenant with several containers. ` +
        'Widen compute.docker.network_pool, or remove networks that are no longer used',
    );
  };

  return {
    async ensure(network, whose, signal) {
      if (network.kind === 'mode' || builtIn.includes(network.name)) return;
      // One at a time over all tenants: each takes the first free subnet.
      if (network.kind === 'private') {
        await inOrder(() => ensurePrivate(network.name, whose, signal), { key: 'private' });
      } else {
        await inOrder(() => ensureShared(network.name, signal), { key: `shared/${network.name}` });
      }
    },
  };
}

/** The tenant's own networks, and no one else's. */
export async function tenantNetworks(
  engine: Engine,
  { prefix, owner, tenantId, tenant }: TenantMarks,
  signal: AbortSignal,
): Promise<readonly Dockerode.NetworkInspectInfo[]> {
  const label = labelFilter(prefix, owner, tenantId);
  const networks = await engine.listNetworks({ label }, signal);
  return networks.filter(({ Labels }) => isTenants(prefix, owner, tenant)(Labels));
}

export interface TenantMarks {
  readonly prefix: string;
  readonly owner: DockerSettings['owner'];
  readonly tenantId: string;
  readonly tenant: Pick<TenantRef, 'namespace' | 'name'>;
}

function subnetsOf(networks: readonly Dockerode.NetworkInspectInfo[]): readonly string[] {
  return networks.flatMap(({ IPAM }) =>
    (IPAM?.Config ?? []).flatMap(({ Subnet }) => (typeof Subnet === 'string' ? [Subnet] : [])),
  );
}
