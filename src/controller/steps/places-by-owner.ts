import type { Placement } from '../../api/status.ts';
import { defaultTenantId } from '../../compute/spec/tenant-id.ts';
import { jsonEqual } from '../../kube/client/merge-patch.ts';
import type { Pass } from '../pass.ts';

/**
 * Where something bears the tenant's owner mark, on every enabled provider whose work outlives this process. For a
 * status that names no placement: that alone does not say that there is nothing. Rejects with ComputeError where a
 * provider can't tell.
 */
export async function placesByOwner({ deps, tenant, draft, signal }: Pass): Promise<readonly Placement[]> {
  const { namespace, name } = tenant.metadata;
  const tenantId = draft.tenantId ?? defaultTenantId(namespace, name);
  const places: Placement[] = [];
  for (const { definition, provider } of deps.providers.values()) {
    if (!definition.durable) continue;
    for (const owned of await provider.list(signal)) {
      const isIts = owned.namespace === namespace && owned.name === name && owned.tenantId === tenantId;
      if (!isIts || places.some((place) => jsonEqual(place, owned.placement))) continue;
      places.push(owned.placement);
    }
  }
  return places;
}
