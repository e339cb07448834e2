import type { OwnedResource } from '../../provider.ts';
import type { ClusterTarget, EcsApi } from './ecs-api.ts';
import { isThere } from './observed.ts';
import { isOurs, tagKeys, tagMap } from './ownership.ts';
import type { Owner } from './ownership.ts';

/** Every service on the cluster that this instance made for a tenant of this Kubernetes cluster. */
export async function listOwned(
  api: EcsApi,
  owner: Owner,
  place: ClusterTarget,
  signal: AbortSignal,
): Promise<readonly OwnedResource[]> {
  signal.throwIfAborted();
  const owned: OwnedResource[] = [];
  for await (const names of api.listServices(place, signal)) {
    const services = await Promise.all(
      names.map((service) => api.describeService({ ...place, service }, 'sweep', signal)),
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
