import type { PlacedTenant, Provider } from '../../src/compute/provider.ts';
import type { TenantComputeSpec } from '../../src/compute/spec/tenant-compute-spec.ts';

/** The tenant of `spec` at the place where the provider would put it, as the controller passes it on. */
export function placedTenant<Config>(
  provider: Provider<Config>,
  spec: TenantComputeSpec<Config>,
  over: Pick<PlacedTenant, 'thorough'> = {},
): PlacedTenant {
  const { namespace, name } = spec.tenant;
  return { tenantId: spec.tenantId, namespace, name, placement: provider.desire(spec).placement, ...over };
}
