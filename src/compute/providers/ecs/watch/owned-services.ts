import type { Service } from '@aws-sdk/client-ecs';
import type { OwnedResource } from '../../../provider.ts';
import type { EcsApi } from '../engine/ecs-api.ts';
import type { ClusterTarget, ServiceTarget } from '../service-target.ts';
import { isThere } from '../state/observed.ts';
import { isOurs, tagKeys, tagMap } from '../state/ownership.ts';
import type { Owner } from '../state/ownership.ts';

export interface ListParts {
  readonly api: EcsApi;
  readonly owner: Owner;
  readonly lastSeen: (target: ServiceTarget) => Service | undefined;
}

/**
 * Every service on the cluster that this instance made for a tenant of this Kubernetes cluster. Asks ECS about those
 * alone that `lastSeen` does not know: the sweeps have looked at the others.
 */
export async function listOwned(
  { api, owner, lastSeen }: ListParts,
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
      const tags = tagMap(service.tags);
      const tenantId = tags[tagKeys.tenantId];
      if (tenantId === undefined || !isOurs(owner, tags)) continue;
      owned.push({
        tenantId,
        namespace: tags[tagKeys.namespace] ?? '',
        name: tags[tagKeys.name] ?? '',
        resource: `service ${service.serviceName}`,
      });
    }
  }
  return owned;
}
