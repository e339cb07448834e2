import { apiVersion, kind } from '../../api/names.ts';
import type { Tenant, TenantMetadata } from '../../api/tenant.ts';
import { jsonEqual } from '../../kube/client/merge-patch.ts';

/**
 * What is kept of a Tenant: managedFields and kubectl's copy of the manifest are half of its memory. `known` is the
 * version before, as it is kept: what has not changed since is there once. A generation has one spec.
 */
export function keptTenant(tenant: Tenant, known: Tenant | undefined): Tenant {
  const { metadata, spec, status } = tenant;
  const before = known?.metadata.uid === metadata.uid ? known : undefined;
  return {
    ...(tenant.apiVersion !== undefined && { apiVersion: same(apiVersion, tenant.apiVersion) }),
    ...(tenant.kind !== undefined && { kind: same(kind, tenant.kind) }),
    metadata: keptMetadata(metadata, before?.metadata),
    spec: before?.metadata.generation === metadata.generation ? before.spec : spec,
    ...(status !== undefined && { status: same(before?.status, status) }),
  };
}

function keptMetadata(metadata: TenantMetadata, before: TenantMetadata | undefined): TenantMetadata {
  const { managedFields: _managedFields, ...kept } = metadata as TenantMetadata & {
    readonly managedFields?: unknown;
  };
  const { labels, finalizers } = kept;
  const annotations = keptAnnotations(kept.annotations);
  return {
    ...kept,
    uid: same(before?.uid, kept.uid),
    ...(labels !== undefined && { labels: same(before?.labels, labels) }),
    ...(annotations !== undefined && { annotations: same(before?.annotations, annotations) }),
    ...(finalizers !== undefined && { finalizers: same(before?.finalizers, finalizers) }),
  };
}

function keptAnnotations(annotations: TenantMetadata['annotations']): TenantMetadata['annotations'] {
  if (annotations?.[lastApplied] === undefined) return annotations;
  const { [lastApplied]: _lastApplied, ...others } = annotations;
  return others;
}

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** `known` itself, where `value` says the same. */
function same<T>(known: T | undefined, value: T): T {
  return known !== undefined && jsonEqual(known, value) ? known : value;
}
