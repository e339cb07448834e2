import type { TenantRef } from '../../../spec/tenant-compute-spec.ts';

/** The owner marks on everything that this provider creates, and who may touch what bears them. */

export interface Owner {
  readonly instance: string;
  readonly clusterUid: string;
  /** UIDs of other clusters whose containers count as ours. */
  readonly adoptClusters: readonly string[];
}

export type Labels = Readonly<Record<string, string>>;
type TenantName = Pick<TenantRef, 'namespace' | 'name'>;

/** Labels of what serves all tenants: a network that several of them join. */
export function sharedLabels(prefix: string, owner: Owner): Record<string, string> {
  return {
    [`${prefix}.owner`]: owner.instance,
    [`${prefix}.cluster`]: owner.clusterUid,
    [`${prefix}.provider`]: 'docker',
  };
}

/** Labels of what belongs to one tenant: container, private network, volume. */
export function tenantLabels(
  prefix: string,
  owner: Owner,
  { tenantId, tenant }: { readonly tenantId: string; readonly tenant: TenantRef },
): Record<string, string> {
  return {
    ...sharedLabels(prefix, owner),
    [`${prefix}.tenant_id`]: tenantId,
    [`${prefix}.tenant_namespace`]: tenant.namespace,
    [`${prefix}.tenant_name`]: tenant.name,
    [`${prefix}.tenant_uid`]: tenant.uid,
  };
}

/** The filter that finds everything of this instance, or of one of its tenants. */
export function labelFilter(prefix: string, owner: Owner, tenantId?: string): readonly string[] {
  const ours = `${prefix}.owner=${owner.instance}`;
  return tenantId === undefined ? [ours] : [ours, `${prefix}.tenant_id=${tenantId}`];
}

/** Whether the labels say that this instance, for this cluster or one that it adopts, made the thing. */
export function isOurs(prefix: string, owner: Owner, labels: Labels | undefined): boolean {
  const cluster = labels?.[`${prefix}.cluster`];
  return (
    labels?.[`${prefix}.owner`] === owner.instance &&
    cluster !== undefined &&
    (cluster === owner.clusterUid || owner.adoptClusters.includes(cluster))
  );
}

/** Whether it is ours and this tenant's. The tenant's UID does not count: a re-applied Tenant takes its own back. */
export function isTenants(
  prefix: string,
  owner: Owner,
  tenant: TenantName,
): (labels: Labels | undefined) => boolean {
  return (labels) =>
    isOurs(prefix, owner, labels) &&
    labels?.[`${prefix}.tenant_namespace`] === tenant.namespace &&
    labels[`${prefix}.tenant_name`] === tenant.name;
}

/** Who owns a thing that is in our way, in words for the message of a ProviderConflict. */
export function describeOwner(prefix: string, labels: Labels | undefined): string {
  const instance = labels?.[`${prefix}.owner`];
  if (instance === undefined) return 'was not made by Landlord';
  const namespace = labels?.[`${prefix}.tenant_namespace`] ?? '?';
  const name = labels?.[`${prefix}.tenant_name`] ?? '?';
  const cluster = labels?.[`${prefix}.cluster`] ?? '?';
  return `belongs to the tenant ${namespace}/${name} of the instance ${instance} in the cluster ${cluster}`;
}
