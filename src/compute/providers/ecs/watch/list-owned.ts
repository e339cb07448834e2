import type { Ownership } from '../../../ownership.ts';
import type { OwnedResource } from '../../../provider.ts';
import type { EcsReads } from '../engine/ecs-api.ts';
import type { ClusterTarget, ServiceTarget } from '../address/service-target.ts';
import { groupPrefix, placeMark } from '../address/target-groups.ts';
import { placementOf } from '../state/desired.ts';
import { isThere } from '../state/ecs-service.ts';
import type { EcsService } from '../state/ecs-service.ts';
import { tagKeys, tagMap } from '../state/marks/tags.ts';

export interface ListDeps {
  readonly api: EcsReads;
  readonly ownership: Ownership;
  readonly lastSeen: (target: ServiceTarget) => EcsService | undefined;
  /** Whether anybody may have target groups made for them. */
  readonly hasGroups: boolean;
}

/**
 * Every service on the cluster that this instance made for a tenant of this Kubernetes cluster, and every target group that it
 * made for one. Asks ECS about those services alone that `lastSeen` does not know: the sweeps have looked at the others.
 */
export async function listOwned(
  deps: ListDeps,
  place: ClusterTarget,
  signal: AbortSignal,
): Promise<readonly OwnedResource[]> {
  return [...(await ownedServices(deps, place, signal)), ...(await ownedGroups(deps, place, signal))];
}

async function ownedServices(
  { api, ownership, lastSeen }: ListDeps,
  place: ClusterTarget,
  signal: AbortSignal,
): Promise<readonly OwnedResource[]> {
  signal.throwIfAborted();
  const owned: OwnedResource[] = [];
  for await (const names of api.listServices(place, signal)) {
    const services = await Promise.all(
      names.map(async (service) => {
        const target = { ...place, service };
        return lastSeen(target) ?? api.describeService(target, 'sweep', signal);
      }),
    );
    for (const service of services) {
      if (service === 'cluster-gone' || !isThere(service)) continue;
      const tenant = ownership.tenantOf(tagMap(service.tags));
      if (tenant === undefined) continue;
      const { serviceName = '' } = service;
      const placement = placementOf({ ...place, service: serviceName });
      owned.push({ ...tenant, resource: `service ${serviceName}`, isData: false, placement });
    }
  }
  return owned;
}

/** Its tags name the service, and, in short, which cluster that is of. */
async function ownedGroups(
  { api, ownership, hasGroups }: ListDeps,
  place: ClusterTarget,
  signal: AbortSignal,
): Promise<readonly OwnedResource[]> {
  if (!hasGroups) return [];
  const groups = await api.targetGroups(place.scope, groupPrefix, signal);
  return groups.flatMap(({ name, tags }) => {
    const tenant = ownership.tenantOf(tags);
    const target = { ...place, service: tags[tagKeys.service] ?? '' };
    if (tenant === undefined || tags[tagKeys.place] !== placeMark(target)) return [];
    const placement = placementOf(target);
    return [{ ...tenant, resource: `target group ${name}`, isData: false, placement }];
  });
}
