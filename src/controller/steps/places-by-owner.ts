import type { Placement } from '../../api/status.ts';
import { distinctPlaces } from '../../compute/place.ts';
import { defaultTenantId } from '../../compute/spec/tenant-id.ts';
import type { Pass } from '../pass.ts';

/**
 * Where something bears the tenant's owner mark, on every enabled provider whose work outlives this process. For a
 * status that names no placement: that alone does not say that there is nothing. Rejects with ComputeError where a
 * provider can't tell.
 */
export async function placesByOwner(
  { deps, tenant, draft }: Pass,
  signal: AbortSignal,
): Promise<readonly Placement[]> {
  const { namespace, name } = tenant.metadata;
  const tenantId = draft.tenantId ?? idInSpec(tenant.spec) ?? defaultTenantId(namespace, name);
  const places: Placement[] = [];
  for (const enabled of deps.providers.values()) {
    if (!enabled.definition.durable) continue;
    for (const owned of await deps.ownedOn(enabled, signal)) {
      const isIts = owned.namespace === namespace && owned.name === name && owned.tenantId === tenantId;
      if (isIts) places.push(owned.placement);
    }
  }
  return distinctPlaces(places);
}

/** The rest of the spec may be no good. */
function idInSpec(spec: unknown): string | undefined {
  const { tenantId } = (spec ?? {}) as { readonly tenantId?: unknown };
  return typeof tenantId === 'string' ? tenantId : undefined;
}
