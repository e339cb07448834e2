import { ComputeError } from '../../../../errors.ts';
import { denied, isListed } from '../../../../policy.ts';
import type { EcsConfig, EcsOperatorBlock, EcsPolicy } from '../../config.ts';

/** Which names a tenant's service may have: none that is, or may become, another tenant's. */

export interface Named {
  readonly config: EcsConfig;
  readonly tenantId: string;
  readonly block: EcsOperatorBlock;
  readonly policy: EcsPolicy;
}

export function wantedName({ config, tenantId }: Pick<Named, 'config' | 'tenantId'>): string {
  return config.service_name ?? `${config.service_name_prefix ?? ''}${tenantId}`;
}

/**
 * Stands between what the operator's prefix makes of the tenant's id and what the tenant adds to that. No tenant id has
 * it, so that no other tenant's name begins likewise.
 */
const separator = '_';

/** Throws PolicyDenied, naming the rule. */
export function checkServiceName(named: Named): void {
  const { config, tenantId, block, policy } = named;
  const { service_name: name, service_name_prefix: prefix } = config;
  const own = block.service_name_prefix === undefined ? undefined : `${block.service_name_prefix}${tenantId}`;
  if (name === undefined ? prefix === block.service_name_prefix : name === block.service_name) return;
  if (name !== undefined && own !== undefined && isOrFollows(name, own)) return;
  checkIntrusion(named);
  if (name !== undefined && !isListed([...policy.allowed_service_names, ...policy.foreign_services], name)) {
    throw denied(
      'ecs.allowed_service_names',
      `service_name ${name} is not one that tenants may name`,
      own === undefined ? 'Leave it out' : `Leave it out, or begin it with ${own}${separator}`,
    );
  }
  if (name === undefined && prefix !== undefined && !policy.allowed_service_name_prefixes.includes(prefix)) {
    throw denied(
      'ecs.allowed_service_name_prefixes',
      `service_name_prefix ${prefix} is not one that tenants may name`,
      "Use the operator's own by leaving it out",
    );
  }
}

function isOrFollows(name: string, own: string): boolean {
  return name === own || name.startsWith(`${own}${separator}`);
}

/** A name that begins with a prefix of tenants' services is that of the tenant whose id follows, whatever a list says. */
function checkIntrusion(named: Named): void {
  const { tenantId, block, policy } = named;
  const name = wantedName(named);
  const prefixes = [block.service_name_prefix ?? [], policy.allowed_service_name_prefixes].flat();
  for (const prefix of prefixes) {
    // Nobody says that case tells two names apart.
    const rest = name.toLowerCase().startsWith(prefix.toLowerCase()) ? name.slice(prefix.length) : '';
    if (rest === '' || isOrFollows(rest, tenantId)) continue;
    throw new ComputeError(
      'PolicyDenied',
      `policy.ecs.allowed_service_names: service ${name} begins with ${prefix}, and what follows is not this tenant's id ` +
        `${tenantId}: the name may be another tenant's. Leave service_name and service_name_prefix out, or choose another one`,
    );
  }
}
