import type { Placement } from '../../api/status.ts';
import type { Tenant } from '../../api/tenant.ts';
import type { TenantPlace } from '../../compute/provider.ts';
import { defaultTenantId } from '../../compute/spec/tenant-id.ts';
import type { ReconcileContext } from './reconcile-context.ts';
import type { StatusDraft } from './status-draft.ts';

/** What one pass carries along. `tenant` is replaced by the answer of each write. */
export interface Pass {
  readonly context: ReconcileContext;
  tenant: Tenant;
  readonly draft: StatusDraft;
  readonly signal: AbortSignal;
}

export function placedAt({ tenant, draft }: Pass, placement: Placement): TenantPlace {
  const { namespace, name } = tenant.metadata;
  return { tenantId: draft.tenantId ?? defaultTenantId(namespace, name), namespace, name, placement };
}
