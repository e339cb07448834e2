/** Where things are on ECS, in the words that everything here shares, from the configuration down to the calls. */

/** One client each. */
export interface EcsScope {
  readonly region: string;
  /** Role to assume; absent: the operator's own credentials. */
  readonly roleArn?: string;
}

export interface ClusterTarget {
  readonly scope: EcsScope;
  /** ARN of the cluster. */
  readonly cluster: string;
}

export interface ServiceTarget extends ClusterTarget {
  /** Name of the service. */
  readonly service: string;
}

export function scopeKey({ region, roleArn = '' }: EcsScope): string {
  return `${region} ${roleArn}`;
}

/** Sorted by it, the clusters of a scope stay together. */
export function clusterKey({ scope, cluster }: ClusterTarget): string {
  return `${scopeKey(scope)} ${cluster}`;
}

/** Sorted by it, the services of a cluster stay together. */
export function serviceKey(target: ServiceTarget): string {
  return `${clusterKey(target)} ${target.service}`;
}
