import type { Tag } from '@aws-sdk/client-ecs';
import type { TenantRef } from '../../../spec/tenant-compute-spec.ts';

/** The owner marks on everything that this provider creates, and who may touch what bears them. */

export interface Owner {
  readonly instance: string;
  readonly clusterUid: string;
  /** UIDs of other Kubernetes clusters whose services count as ours. */
  readonly adoptClusters: readonly string[];
}

export type Tags = Readonly<Record<string, string>>;
type TenantName = Pick<TenantRef, 'namespace' | 'name'>;

/** Starts the key of each of our tags; nobody else's may. */
export const tagPrefix = 'landlord.';

export const tagKeys = {
  owner: `${tagPrefix}owner`,
  cluster: `${tagPrefix}cluster`,
  tenantId: `${tagPrefix}tenant_id`,
  namespace: `${tagPrefix}tenant_namespace`,
  name: `${tagPrefix}tenant_name`,
  uid: `${tagPrefix}tenant_uid`,
  provider: `${tagPrefix}provider`,
  /** The desired state that was applied last. */
  specHash: `${tagPrefix}spec_hash`,
  /** On a service: the revision of the tenant's own that it was given, as `HASH FAMILY:REVISION`. */
  taskDefinition: `${tagPrefix}task_definition`,
  /** On a service: which of its other tags came from the spec. */
  tagKeys: `${tagPrefix}tag_keys`,
  /** On a service: to be drained before it is deleted; see drain-mark.ts. */
  drain: `${tagPrefix}drain`,
  /** On a task definition: the overlay that it was made from. */
  overlayHash: `${tagPrefix}overlay_hash`,
} as const;

/** Tags of whatever belongs to one tenant: service and task definitions. */
export function ownerTags(
  owner: Owner,
  { tenantId, tenant }: { readonly tenantId: string; readonly tenant: TenantRef },
): Tags {
  return {
    [tagKeys.owner]: owner.instance,
    [tagKeys.cluster]: owner.clusterUid,
    [tagKeys.tenantId]: tenantId,
    [tagKeys.namespace]: tenant.namespace,
    [tagKeys.name]: tenant.name,
    [tagKeys.uid]: tenant.uid,
    [tagKeys.provider]: 'ecs',
  };
}

export function tagMap(tags: readonly Tag[] | undefined): Tags {
  return Object.fromEntries((tags ?? []).map(({ key = '', value = '' }) => [key, value]));
}

export function tagList(tags: Tags): Tag[] {
  return Object.entries(tags).map(([key, value]) => ({ key, value }));
}

/** Whether the tags say that this instance, for this Kubernetes cluster or one that it adopts, made the thing. */
export function isOurs(owner: Owner, tags: Tags): boolean {
  const cluster = tags[tagKeys.cluster];
  return (
    tags[tagKeys.owner] === owner.instance &&
    cluster !== undefined &&
    (cluster === owner.clusterUid || owner.adoptClusters.includes(cluster))
  );
}

/** Whether it is ours and this tenant's. The tenant's UID does not count: a re-applied Tenant takes its own back. */
export function isTenants(owner: Owner, tenant: TenantName, tags: Tags): boolean {
  return (
    isOurs(owner, tags) && tags[tagKeys.namespace] === tenant.namespace && tags[tagKeys.name] === tenant.name
  );
}

/** Who owns a thing that is in our way, in words for the message of a ProviderConflict. */
export function describeOwner(tags: Tags): string {
  const instance = tags[tagKeys.owner];
  if (instance === undefined) return 'was not made by Landlord';
  const namespace = tags[tagKeys.namespace] ?? '?';
  const name = tags[tagKeys.name] ?? '?';
  const cluster = tags[tagKeys.cluster] ?? '?';
  return `belongs to the tenant ${namespace}/${name} of the instance ${instance} in the Kubernetes cluster ${cluster}`;
}
