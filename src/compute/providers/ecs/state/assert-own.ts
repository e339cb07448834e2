import { ComputeError } from '../../../errors.ts';
import type { Ownership } from '../../../ownership.ts';
import type { TenantRef } from '../../../spec/tenant-compute-spec.ts';
import { isThere } from './ecs-service.ts';
import type { EcsService } from './ecs-service.ts';
import { tagMap } from './marks/tags.ts';

/** Throws ProviderConflict where the service is someone else's. An INACTIVE one is anybody's. */
export function assertOwn(
  ownership: Ownership,
  tenant: Pick<TenantRef, 'namespace' | 'name'>,
  service: EcsService | undefined,
): void {
  if (!isThere(service)) return;
  const tags = tagMap(service.tags);
  if (ownership.belongsTo(tenant, tags)) return;
  throw new ComputeError(
    'ProviderConflict',
    `service ${service.serviceName} exists and ${ownership.describe(tenant, tags)}. Delete it, or give the tenant another tenantId or service_name`,
    { forLog: ownership.identify(tags) },
  );
}
