import type { Ownership } from '../../../../ownership.ts';
import type { TenantPlace } from '../../../../provider.ts';
import type { Tags } from './tags.ts';

/**
 * Whose a service is by its tags: the tenant's; somebody else's; or `unmarked`: marks are missing, and those that are
 * there speak of nobody else, as after a hand or a policy that takes tags off.
 */
export type Whose = 'tenant' | 'other' | 'unmarked';

export function whoseService(ownership: Ownership, at: TenantPlace, tags: Tags): Whose {
  if (ownership.belongsTo(at, tags)) return 'tenant';
  const { instance, clusterUid, adoptClusters } = ownership.owner;
  const may: readonly (readonly [mark: string, values: readonly string[]])[] = [
    ['owner', [instance]],
    ['cluster', [clusterUid, ...adoptClusters]],
    ['tenant_id', [at.tenantId]],
    ['tenant_namespace', [at.namespace]],
    ['tenant_name', [at.name]],
  ];
  const isOthers = may.some(([mark, values]) => {
    const actual = tags[ownership.key(mark)];
    return actual !== undefined && !values.includes(actual);
  });
  return isOthers ? 'other' : 'unmarked';
}
