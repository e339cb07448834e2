import type { TenantRef } from './spec/tenant-compute-spec.ts';

/**
 * The owner mark on everything that Landlord creates, written once for all engines: Docker has it as labels, ECS as
 * tags. It says which operator made a thing, and for which Tenant of which cluster.
 */

/** This operator, as its marks name it. */
export interface Owner {
  readonly instance: string;
  /** UID of the namespace kube-system, or `cluster_id` of the config. */
  readonly clusterUid: string;
  /** Those of other clusters whose resources count as ours. */
  readonly adoptClusters: readonly string[];
}

/** Labels or tags, whatever the engine calls them. */
export type Marks = Readonly<Record<string, string>>;

type TenantName = Pick<TenantRef, 'namespace' | 'name'>;

/** Whose a thing is, as its marks say. */
export interface MarkedTenant extends TenantName {
  readonly tenantId: string;
}

export interface Ownership {
  /** Who makes the marks. */
  readonly owner: Owner;
  /** What stands before the key of each mark, without the dot. */
  readonly prefix: string;
  /** The key of a mark: `landlord.owner`. */
  readonly key: (mark: string) => string;
  /** Marks of what serves all tenants: a network that several of them join. */
  shared(): Marks;
  /** Marks of what belongs to one tenant. */
  of(subject: { readonly tenantId: string; readonly tenant: TenantRef }): Marks;
  /** Marks that everything of this instance bears, or everything of one of its tenants, as `key=value`. */
  filter(tenantId?: string): readonly string[];
  /** Whether the marks say that this instance, for this cluster or one that it adopts, made the thing. */
  isOurs(marks: Marks | undefined): boolean;
  /** Whether it is ours and this tenant's. The tenant's UID does not count: a re-applied Tenant takes its own back. */
  belongsTo(tenant: TenantName, marks: Marks | undefined): boolean;
  /** Whose it is, where it is ours and some tenant's. */
  tenantOf(marks: Marks | undefined): MarkedTenant | undefined;
  /**
   * A thing that is in the way of `tenant`, in words for the message of a ProviderConflict: whose kind of thing it is. Who
   * that is, when not one of the same namespace, is no tenant's to read.
   */
  describe(tenant: TenantName, marks: Marks | undefined): string;
  /** Whose it is by all of its marks, for the operator's log. */
  identify(marks: Marks | undefined): string;
  /** The same operator's marks with another prefix: those of a place of an earlier configuration. */
  withPrefix(prefix: string): Ownership;
}

/** `provider` is informative: no check reads it. */
export function ownershipOf(owner: Owner, provider: string, prefix: string): Ownership {
  const key = (mark: string): string => `${prefix}.${mark}`;
  const shared = (): Marks => ({
    [key('owner')]: owner.instance,
    [key('cluster')]: owner.clusterUid,
    [key('provider')]: provider,
  });
  const isOurs = (marks: Marks | undefined): boolean => {
    const cluster = marks?.[key('cluster')];
    return (
      marks?.[key('owner')] === owner.instance &&
      cluster !== undefined &&
      (cluster === owner.clusterUid || owner.adoptClusters.includes(cluster))
    );
  };
  return {
    owner,
    prefix,
    key,
    shared,
    isOurs,
    // Their order takes part in the token by which ECS knows that a request is made again.
    of: ({ tenantId, tenant }) => ({
      [key('owner')]: owner.instance,
      [key('cluster')]: owner.clusterUid,
      [key('tenant_id')]: tenantId,
      [key('tenant_namespace')]: tenant.namespace,
      [key('tenant_name')]: tenant.name,
      [key('tenant_uid')]: tenant.uid,
      [key('provider')]: provider,
    }),
    filter(tenantId) {
      const ours = `${key('owner')}=${owner.instance}`;
      return tenantId === undefined ? [ours] : [ours, `${key('tenant_id')}=${tenantId}`];
    },
    belongsTo: ({ namespace, name }, marks) =>
      isOurs(marks) && marks?.[key('tenant_namespace')] === namespace && marks[key('tenant_name')] === name,
    tenantOf(marks) {
      const tenantId = marks?.[key('tenant_id')];
      if (tenantId === undefined || !isOurs(marks)) return undefined;
      const namespace = marks?.[key('tenant_namespace')] ?? '';
      return { tenantId, namespace, name: marks?.[key('tenant_name')] ?? '' };
    },
    describe(tenant, marks) {
      if (marks?.[key('owner')] === undefined) return unmarked;
      if (marks[key('owner')] !== owner.instance) return 'belongs to another instance of Landlord';
      if (!isOurs(marks)) return 'belongs to another Kubernetes cluster';
      const name = marks[key('tenant_name')];
      if (name === undefined) return 'serves all tenants';
      return marks[key('tenant_namespace')] === tenant.namespace
        ? `belongs to the tenant ${name} of this namespace`
        : 'belongs to a tenant of another namespace';
    },
    identify: (marks) => identifyOwner(key, marks),
    withPrefix: (other) => ownershipOf(owner, provider, other),
  };
}

const unmarked = 'was not made by Landlord';

function identifyOwner(key: (mark: string) => string, marks: Marks | undefined): string {
  const instance = marks?.[key('owner')];
  if (instance === undefined) return unmarked;
  const namespace = marks?.[key('tenant_namespace')] ?? '?';
  const name = marks?.[key('tenant_name')] ?? '?';
  const cluster = marks?.[key('cluster')] ?? '?';
  return `belongs to the tenant ${namespace}/${name} of the instance ${instance} in the Kubernetes cluster ${cluster}`;
}
