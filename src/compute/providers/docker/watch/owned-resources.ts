import type { Marks, Ownership } from '../../../ownership.ts';
import type { OwnedResource } from '../../../provider.ts';
import type { EngineReads } from '../engine/engine.ts';
import { dockerPlacement } from '../state/desired-tenant.ts';
import { ownContainers } from '../state/own-containers.ts';

/** Everything on the engine that this instance made for a tenant of this cluster. */
export async function ownedResources(
  engine: EngineReads,
  ownership: Ownership,
  signal: AbortSignal,
): Promise<readonly OwnedResource[]> {
  const label = ownership.filter();
  const [containers, networks, volumes] = await Promise.all([
    engine.listContainers(label, signal),
    engine.listNetworks({ label }, signal),
    engine.listVolumes(label, signal),
  ]);
  const owned = (resource: string, marks: Marks | undefined, isData = false): readonly OwnedResource[] => {
    const tenant = ownership.tenantOf(marks);
    if (tenant === undefined) return [];
    const placement = dockerPlacement(ownership.prefix, tenant.tenantId);
    return [{ ...tenant, resource, isData, placement }];
  };
  return [
    ...ownContainers(containers, ownership).flatMap(({ name, labels }) => owned(`container ${name}`, labels)),
    ...networks.flatMap(({ Name, Labels }) => owned(`network ${Name}`, Labels)),
    ...volumes.flatMap(({ Name, Labels }) => owned(`volume ${Name}`, Labels, true)),
  ];
}
