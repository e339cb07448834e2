import { distinctPlaces } from '../../compute/place.ts';
import type { Placement } from '../../api/status.ts';
import { defaultTenantId, formerTenantId } from '../../compute/spec/tenant-id.ts';
import type { Pass } from '../pass.ts';
import { idInSpec } from '../tenant-index.ts';
import type { OwnedPlaces } from '../tenant-memory.ts';

/**
 * Where something bears the tenant's owner mark, on every enabled provider whose work outlives this process, and under
 * which id. For a status that names no placement: that alone does not say that there is nothing. Rejects with ComputeError
 * where a provider can't tell.
 */
export async function placesByOwner(
  { deps, tenant, draft }: Pass,
  signal: AbortSignal,
): Promise<OwnedPlaces> {
  const { namespace, name } = tenant.metadata;
  const known = draft.placement === undefined ? undefined : draft.tenantId;
  const id = idInSpec(tenant.spec) ?? known;
  const ids = id === undefined ? [formerTenantId(namespace, name), defaultTenantId(namespace, name)] : [id];
  const found = new Map<string, Placement[]>(ids.map((one) => [one, []]));
  for (const enabled of deps.providers.values()) {
    if (!enabled.definition.durable) continue;
    for (const owned of await deps.ownedOn({ enabled }, signal)) {
      if (owned.namespace === namespace && owned.name === name)
        found.get(owned.tenantId)?.push(owned.placement);
    }
  }
  // Of one id: nothing but a hand could have made things under both.
  const [used] = [...found].filter(([, places]) => places.length > 0);
  return used === undefined ? { places: [] } : { tenantId: used[0], places: distinctPlaces(used[1]) };
}
