import type { Tenant, TenantSpec } from '../api/tenant.ts';
import { chooseProvider } from '../compute/selection/choose-provider.ts';

/**
 * The provider that a pass over the Tenant will wait for: one that hangs must not keep the others' workers busy.
 * '' where none can be told yet, and such a pass ends without calling any.
 */
export function providerLane(tenant: Tenant | undefined, enabled: readonly string[]): string {
  if (tenant === undefined) return '';
  const { metadata, status } = tenant;
  const placedOn = status?.placement?.provider;
  if (metadata.deletionTimestamp !== undefined) return placedOn ?? '';
  const spec = (tenant.spec ?? {}) as Partial<TenantSpec>;
  try {
    return chooseProvider({
      computeProvider: spec.computeProvider,
      labels: metadata.labels,
      annotations: metadata.annotations,
      blocks: Object.keys(spec.computeConfig ?? {}),
      placedOn,
      enabled,
    });
  } catch {
    return '';
  }
}
