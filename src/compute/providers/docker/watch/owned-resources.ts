import type { Marks, Ownership } from '../../../ownership.ts';
import type { OwnedResource } from '../../../provider.ts';
import type { EngineReads } from '../engine/engine.ts';
import type { EngineCapacity } from './capacity/engine-capacity.ts';
import type { EnginePlaces } from './places/engine-places.ts';
import { dockerPlacement } from '../state/place/docker-placement.ts';
import { ownContainers } from '../state/own-containers.ts';
import { isFilesVolume } from '../state/volumes/files-volume.ts';

interface OwnedDeps {
  readonly engine: EngineReads;
  readonly places: Pick<EnginePlaces, 'locate'>;
  readonly ownership: Ownership;
  readonly capacity: Pick<EngineCapacity, 'look'>;
}

/**
 * Everything on the engine that this instance made for a tenant of this cluster. Networks are listed whosever they are: all of
 * them take from what is left.
 */
export async function ownedResources(
  { engine, places, ownership, capacity }: OwnedDeps,
  signal: AbortSignal,
): Promise<readonly OwnedResource[]> {
  const label = ownership.filter();
  const [onThisEngine, containers, networks, volumes] = await Promise.all([
    places.locate({ provider: 'docker' }, signal),
    engine.listContainers(label, signal),
    engine.listNetworks({}, signal),
    engine.listVolumes(label, signal),
  ]);
  await capacity.look(networks, signal);
  const owned = (resource: string, marks: Marks | undefined, isData = false): readonly OwnedResource[] => {
    const tenant = ownership.tenantOf(marks);
    if (tenant === undefined) return [];
    const placement = { ...onThisEngine, ...dockerPlacement(ownership.prefix, tenant.tenantId) };
    return [{ ...tenant, resource, isData, placement }];
  };
  return [
    ...ownContainers(containers, ownership).flatMap(({ name, labels }) => owned(`container ${name}`, labels)),
    ...networks.flatMap(({ Name, Labels }) => owned(`network ${Name}`, Labels)),
    ...volumes.flatMap(({ Name, Labels }) => owned(`volume ${Name}`, Labels, !isFilesVolume(Name))),
  ];
}
