import { finalizer } from '../../api/names.ts';
import type { Tenant, TenantSpec } from '../../api/tenant.ts';
import { ComputeError } from '../../compute/errors.ts';
import { denied } from '../../compute/policy.ts';
import { defaultTenantId, formerTenantId, strangeness } from '../../compute/spec/tenant-id.ts';
import { keyOf } from '../../kube/client/kube-object.ts';
import type { Whereabouts } from '../owned/owned-look.ts';
import type { Pass } from '../pass.ts';
import { idInSpec, oldestTenant } from '../tenant-index.ts';

/**
 * The tenant's id; of several Tenants that may have it, the oldest has it. `chosen`: where it is to run.
 * Rejects with ComputeError PolicyDenied or ProviderConflict, and as `Provider.list` does.
 */
export async function identify(
  pass: Pass,
  { tenantId }: TenantSpec,
  chosen: () => Whereabouts | undefined,
): Promise<string> {
  const { deps, tenant, draft } = pass;
  const { namespace } = tenant.metadata;
  const id = tenantId ?? (await derivedId(pass, chosen));
  const strange = tenantId === undefined ? undefined : strangeness(tenantId, namespace);
  if (strange !== undefined && draft.placement === undefined && !mayClaim(deps, tenant)) {
    const mend = `Make a Tenant whose tenantId begins with ${namespace}-, or that names none`;
    throw denied('free_tenant_ids', `tenantId ${id} ${strange}`, mend);
  }
  const claimants = deps.index.keysOf(id).flatMap((key) => deps.tenantOf(key) ?? []);
  const entitled = claimants.filter((one) => mayClaim(deps, one));
  const owner = oldestTenant([...entitled, tenant]) ?? tenant;
  if (keyOf(owner) === keyOf(tenant)) return id;
  const whose =
    owner.metadata.namespace === namespace
      ? `Tenant ${owner.metadata.name}`
      : 'a Tenant of another namespace';
  throw new ComputeError(
    'ProviderConflict',
    `tenant id "${id}" belongs to ${whose}, which is older; delete one of the two, or set spec.tenantId on a new one`,
    { forLog: `Tenant ${keyOf(owner)}` },
  );
}

/** What was made under an id before there was such a rule stays as it is. */
function mayClaim(
  { freeTenantIds }: Pass['deps'],
  { metadata: { namespace }, spec, status }: Tenant,
): boolean {
  const id = idInSpec(spec);
  if (id === undefined || strangeness(id, namespace) === undefined) return true;
  return (status?.placement !== undefined && status.tenantId === id) || freeTenantIds(namespace);
}

/** Where the spec names none. */
async function derivedId(pass: Pass, chosen: () => Whereabouts | undefined): Promise<string> {
  const { deps, draft, tenant, signal } = pass;
  const { namespace, name, finalizers } = tenant.metadata;
  const [now, former] = [defaultTenantId(namespace, name), formerTenantId(namespace, name)];
  if (now === former) return now;
  if (draft.placement !== undefined && draft.tenantId === former) deps.formerIds.note(tenant);
  if (draft.placement !== undefined && (draft.tenantId === now || draft.tenantId === former))
    return draft.tenantId;
  const only = finalizers?.includes(finalizer) === true ? undefined : chosen();
  const places = only === undefined ? [...deps.providers.values()].map((enabled) => ({ enabled })) : [only];
  return (await deps.formerIds.isUsed(tenant, places, signal)) ? former : now;
}
