import { finalizer } from '../api/names.ts';
import type { TenantStatus } from '../api/status.ts';
import type { Tenant } from '../api/tenant.ts';
import { isConflict, isNotFound } from '../kube/client/kube-api-error.ts';
import { mergePatchDiff } from '../kube/client/merge-patch.ts';
import type { Reflector } from '../kube/cache/reflector.ts';
import type { Resource } from '../kube/client/resource.ts';

/** All that Landlord ever writes to a Tenant. Each answer goes into the cache, so that the next pass sees it. */
export interface TenantWriter {
  /** Rejects with 409 where the Tenant has changed meanwhile. */
  addFinalizer(tenant: Tenant, signal: AbortSignal): Promise<Tenant>;
  /** The same; false where the Tenant is gone already. */
  removeFinalizer(tenant: Tenant, signal: AbortSignal): Promise<boolean>;
  /**
   * Writes what differs, and nothing where nothing does; never on another Tenant of the same name. A change of what
   * destroy relies on (placements, rejected) is refused with 409 where anybody has written since, because it was
   * decided on that state; so is another one where somebody writes each time.
   */
  writeStatus(tenant: Tenant, status: TenantStatus, signal: AbortSignal): Promise<Tenant>;
}

/** Writes of one status, each upon what the last one met. */
const maxTries = 3;

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
  // The apiserver does not look at the UID in a patch of the status: the version alone tells a namesake apart.
  const patchStatus = (tenant: Tenant, status: unknown, signal: AbortSignal): Promise<Tenant> => {
    const { name, namespace, resourceVersion } = tenant.metadata;
    const patch = { metadata: { resourceVersion }, status };
    return tenants.mergePatch(name, namespace, patch, { subresource: 'status', signal });
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
        assume(await patchFinalizers(tenant, others, signal));
        return true;
      } catch (error) {
        if (!isNotFound(error)) throw error;
        return false;
      }
    },
    async writeStatus(tenant, status, signal) {
      const { name, namespace, uid } = tenant.metadata;
      let current = tenant;
      let patch = mergePatchDiff(current.status ?? {}, status);
      for (let tries = 1; patch !== undefined; tries += 1) {
        try {
          return assume(await patchStatus(current, patch, signal));
        } catch (error) {
          if (!isConflict(error) || isGuarded(patch) || tries === maxTries) throw error;
          const newer = await tenants.get(name, namespace, { signal });
          if (newer?.metadata.uid !== uid) throw error;
          current = newer;
          patch = mergePatchDiff(current.status ?? {}, status);
          if (isGuarded(patch)) throw error;
        }
      }
      return current;
    },
  };
}

/** Whether it says where things are: that must have been decided on the newest state. */
function isGuarded(patch: unknown): boolean {
  const keys = Object.keys(patch ?? {});
  return ['placement', 'previousPlacements', 'rejected'].some((key) => keys.includes(key));
}
