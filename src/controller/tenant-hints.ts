import type { Tenant, TenantSpec } from '../api/tenant.ts';
import { defaultTenantId } from '../compute/spec/tenant-id.ts';
import type { CacheEvent } from '../kube/cache/object-cache.ts';
import type { Reflector } from '../kube/cache/reflector.ts';
import { keyOf } from '../kube/client/kube-object.ts';
import type { WorkQueue } from '../kube/queue/work-queue.ts';
import { isWorthALook } from './tenant-change.ts';
import type { TenantIndex } from './tenant-index.ts';
import type { TenantMemories } from './tenant-memory.ts';

/** Turns whatever has happened into keys of the queue: Tenants that may need a pass. */
export interface TenantHints {
  /** A Tenant came, changed or went. */
  onTenant(event: CacheEvent<Tenant>): void;
  /** A Secret changed that Tenants may read. */
  onSecret(namespace: string, name: string): void;
  /** Something happened on the provider's engine; without an id, to any tenant. */
  onProvider(provider: string, tenantId: string | undefined): void;
}

export interface TenantHintsOptions {
  readonly index: TenantIndex;
  readonly memories: TenantMemories;
  readonly queue: Pick<WorkQueue, 'add' | 'forget'>;
  readonly tenants: () => ReturnType<Reflector<Tenant>['values']>;
}

export function createTenantHints({ index, memories, queue, tenants }: TenantHintsOptions): TenantHints {
  const addAll = (keys: readonly string[]): void => {
    for (const key of keys) queue.add(key);
  };
  return {
    onTenant(event) {
      const key = keyOf(event.object);
      if (event.type === 'deleted') {
        memories.forget(key);
        queue.forget(key);
        addAll(index.remove(key));
        return;
      }
      addAll(index.put(key, tenantIdOf(event.object)));
      const written = memories.peek(key)?.lastWrite?.status;
      if (event.type === 'added' || isWorthALook(event.previous, event.object, written)) queue.add(key);
    },
    onSecret: (namespace, name) => addAll(index.readersOf(namespace, name)),
    onProvider(provider, tenantId) {
      if (tenantId !== undefined) return addAll(index.keysOf(tenantId));
      for (const tenant of tenants()) if (isPlacedOn(tenant, provider)) queue.add(keyOf(tenant));
    },
  };
}

function isPlacedOn({ status }: Tenant, provider: string): boolean {
  const places = [status?.placement, ...(status?.previousPlacements ?? [])];
  return places.some((place) => place?.provider === provider);
}

function tenantIdOf({ metadata, spec }: Tenant): string {
  return (
    (spec as Partial<TenantSpec> | undefined)?.tenantId ?? defaultTenantId(metadata.namespace, metadata.name)
  );
}
