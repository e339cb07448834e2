import { ComputeError } from '../../../errors.ts';
import type { Stance } from '../../../foreign.ts';
import type { Ownership } from '../../../ownership.ts';
import type { TenantPlace } from '../../../provider.ts';
import { isThere } from './ecs-service.ts';
import type { EcsService } from './ecs-service.ts';
import { whoseService } from './marks/owner-marks.ts';
import { tagMap } from './marks/tags.ts';

/** Whose service it is: the tenant's, or nobody's that is known, of which `stance` says that it is to be shown or taken over. */
export type Holder = 'tenant' | 'nobody';

/** Throws ProviderConflict where the service is someone else's. An INACTIVE one is anybody's. */
export function assertOwn(
  ownership: Ownership,
  tenant: TenantPlace,
  {
    service,
    stance = 'refuse',
  }: { readonly service: EcsService | undefined; readonly stance?: Stance | undefined },
): Holder {
  if (!isThere(service)) return 'tenant';
  const tags = tagMap(service.tags);
  const whose = whoseService(ownership, tenant, tags);
  if (whose === 'tenant') return 'tenant';
  if (whose === 'unmarked' && stance !== 'refuse') return 'nobody';
  throw new ComputeError(
    'ProviderConflict',
    `service ${service.serviceName} exists and ${ownership.describe(tenant, tags)}. Delete it, or give the tenant another tenantId or service_name`,
    { forLog: ownership.identify(tags) },
  );
}
