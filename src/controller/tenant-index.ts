import type { Tenant } from '../api/tenant.ts';
import { defaultTenantId, formerTenantId } from '../compute/spec/tenant-id.ts';
import { objectKey } from '../kube/client/kube-object.ts';
import { sourceKinds } from './sources/source.ts';
import type { SourceKind, SourceNames } from './sources/source.ts';

/**
 * Which Tenants bear a tenant id and which read a Secret or a ConfigMap. The ids are kept by the watch, these by the passes
 * that read them: both are sets of queue keys (`namespace/name`).
 */
export interface TenantIndex {
  /** Call it for each added or changed Tenant; returns the keys that shared the id it gave up, to be looked at again. */
  put(key: string, tenantId: string): readonly string[];
  /** Call it for each deleted Tenant; returns the keys that shared its id. */
  remove(key: string): readonly string[];
  keysOf(tenantId: string): readonly string[];
  /** Replaces what is known of what the Tenant `key` reads. */
  setSources(key: string, namespace: string, names: SourceNames): void;
  readersOf(kind: SourceKind, namespace: string, name: string): readonly string[];
}

export function createTenantIndex(): TenantIndex {
  const ids = new Map<string, string>();
  const byId: KeysByName = new Map();
  const sourcesOf = new Map<string, readonly string[]>();
  const bySource: KeysByName = new Map();

  const forgetId = (key: string): readonly string[] => {
    const tenantId = ids.get(key);
    if (tenantId === undefined) return [];
    ids.delete(key);
    return removeFrom(byId, tenantId, key);
  };
  const forgetSources = (key: string): void => {
    for (const source of sourcesOf.get(key) ?? []) removeFrom(bySource, source, key);
    sourcesOf.delete(key);
  };

  return {
    put(key, tenantId) {
      if (ids.get(key) === tenantId) return [];
      const freed = forgetId(key);
      ids.set(key, tenantId);
      addTo(byId, tenantId, key);
      return freed;
    },
    remove(key) {
      forgetSources(key);
      return forgetId(key);
    },
    keysOf: (tenantId) => keysIn(byId, tenantId),
    setSources(key, namespace, names) {
      forgetSources(key);
      const sources = sourceKinds.flatMap((kind) =>
        [...new Set(names[kind])].map((name) => sourceKey(kind, namespace, name)),
      );
      if (sources.length === 0) return;
      sourcesOf.set(key, sources);
      for (const source of sources) addTo(bySource, source, key);
    },
    readersOf: (kind, namespace, name) => keysIn(bySource, sourceKey(kind, namespace, name)),
  };
}

function sourceKey(kind: SourceKind, namespace: string, name: string): string {
  return `${kind} ${objectKey(namespace, name)}`;
}

/** Most names have one key: a set for each would be most of what an index takes. */
type KeysByName = Map<string, string | Set<string>>;

function keysIn(index: KeysByName, name: string): readonly string[] {
  const keys = index.get(name);
  if (keys === undefined) return [];
  return typeof keys === 'string' ? [keys] : [...keys];
}

function addTo(index: KeysByName, name: string, key: string): void {
  const keys = index.get(name);
  if (keys === undefined) index.set(name, key);
  else if (typeof keys !== 'string') keys.add(key);
  else if (keys !== key) index.set(name, new Set([keys, key]));
}

/** Returns the keys that remain. */
function removeFrom(index: KeysByName, name: string, key: string): readonly string[] {
  const left = keysIn(index, name).filter((one) => one !== key);
  const [only] = left;
  if (only === undefined) index.delete(name);
  else index.set(name, left.length === 1 ? only : new Set(left));
  return left;
}

/** Of several Tenants with one id the oldest has it; of two of one second, the first by namespace and name. */
export function oldestTenant(tenants: readonly Tenant[]): Tenant | undefined {
  let oldest: Tenant | undefined;
  for (const tenant of tenants) if (oldest === undefined || isOlder(tenant, oldest)) oldest = tenant;
  return oldest;
}

function isOlder({ metadata: a }: Tenant, { metadata: b }: Tenant): boolean {
  if (a.creationTimestamp !== b.creationTimestamp) return a.creationTimestamp < b.creationTimestamp;
  return objectKey(a.namespace, a.name) < objectKey(b.namespace, b.name);
}

/** The id that it asks for, or has kept. */
export function tenantIdOf({ metadata: { namespace, name }, spec, status }: Tenant): string {
  const kept = status?.placement === undefined ? undefined : status.tenantId;
  const derived = kept === formerTenantId(namespace, name) ? kept : defaultTenantId(namespace, name);
  return idInSpec(spec) ?? derived;
}

/** The rest of the spec may be no good. */
export function idInSpec(spec: unknown): string | undefined {
  const { tenantId } = (spec ?? {}) as { readonly tenantId?: unknown };
  return typeof tenantId === 'string' ? tenantId : undefined;
}
