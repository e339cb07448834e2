import type { Destination } from '../../../provider.ts';
import { regionOf } from '../address/arns.ts';
import { scopeKey } from '../address/service-target.ts';
import type { EcsOperatorBlock, EcsPolicy } from '../config.ts';

/**
 * See `Provider.domainOf`. What the policy of all namespaces together has no place for is of no domain: nobody may make as
 * many as there are words.
 */
export function ecsDomains(
  block: EcsOperatorBlock,
  widest: EcsPolicy,
): (at: Destination) => string | undefined {
  const clusters = [block.cluster_arn, ...widest.allowed_clusters];
  const regions = new Set<unknown>([block.region, ...clusters.map(regionOf), ...widest.allowed_regions]);
  const roles = [block.assume_role, ...widest.allowed_roles].map((role) => role?.role_arn);
  const domain = (region: unknown, roleArn: unknown): string | undefined => {
    const role = roles.find((one) => one === roleArn);
    if (typeof region !== 'string' || !regions.has(region) || role !== roleArn) return undefined;
    return scopeKey({ region, ...(role !== undefined && { roleArn: role }) });
  };
  return ({ config, placement }) => {
    if (config === undefined) return domain(placement?.region, placement?.roleArn);
    const { region, cluster_arn: cluster, assume_role: role } = config;
    const { role_arn: roleArn } = (role ?? {}) as { readonly role_arn?: unknown };
    return domain(region ?? (typeof cluster === 'string' ? regionOf(cluster) : undefined), roleArn);
  };
}
