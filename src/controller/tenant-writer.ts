import { finalizer } from '../api/names.ts';
import type { TenantStatus } from '../api/status.ts';
import type { Tenant } from '../api/tenant.ts';
import { isNotFound } from '../kube/client/kube-api-error.ts';
import { mergePatchDiff } from '../kube/client/merge-patch.ts';
import type { Reflector } from '../kube/cache/reflector.ts';
import type { Resource } from '../kube/client/resource.ts';

/** All that Landlord ever writes to a Tenant. Each answer goes into the cache, so that the next pass sees it. */
export interface TenantWriter {
  /** Rejects with 409 where the Tenant has changed meanwhile. */
  addFinalizer(tenant: Tenant, signal: AbortSignal): Promise<Tenant>;
  /** The same; a Tenant that is gone already is fine. */
  removeFinalizer(tenant: Tenant, signal: AbortSignal): Promise<void>;
  /**
   * Writes what differs, and nothing where nothing does. A change of what destroy relies on (placements, rejected) is
   * refused with 409 where anybody has written since, because it was decided on that state.
   */
  writeStatus(tenant: Tenant, status: TenantStatus, signal: AbortSignal): Promise<Tenant>;
}

export function createTenantWriter(tenants: Resource<Tenant>, cache: Reflector<Tenant>): TenantWriter {
  const assume = (tenant: Tenant): Tenant => {
    cache.assume(tenant);
    return tenant;
  };
  const patchFinalizers = (tenant: Tenant, finalizers: string[], signal: AbortSignal): Promise<Tenant> => {
    const { name, namespace, uid, resourceVersion } = tenant.metadata;
    const patch = { metadata: { uid, resourceVersion, finalizers } };
    return tenants.mergePatch(name, namespace, patch, { signal });
  };

  return {
    async addFinalizer(tenant, signal) {
      return assume(
        await patchFinalizers(tenant, [...(tenant.metadata.finalizers ?? []), finalizer], signal),
      );
    },
    async removeFinalizer(tenant, signal) {
      const others = (tenant.metadata.finalizers ?? []).filter((name) => name !== finalizer);
      try {
        // Gone with this write or not: a pass that comes before the watch says so must not find the finalizer.
        assume(await patchFinalizers(tenant, others, signal));
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    },
    async writeStatus(tenant, status, signal) {
      const patch = mergePatchDiff(tenant.status ?? {}, status);
      if (patch === undefined) return tenant;
      const { name, namespace, uid, resourceVersion } = tenant.metadata;
      const guarded = ['placement', 'previousPlacements', 'rejected'].some((key) =>
        Object.hasOwn(patch ?? {}, key),
      );
      const metadata = guarded ? { uid, resourceVersion } : { uid };
      return assume(
        await tenants.mergePatch(
          name,
          namespace,
          { metadata, status: patch },
          { subresource: 'status', signal },
        ),
      );
    },
  };
}
