import { denied, isListed } from '../../../../policy.ts';
import { familyOf, regionOf, withoutRevision } from '../../address/arns.ts';
import type { EcsConfig, EcsOperatorBlock, EcsPolicy } from '../../config.ts';
import { checkServiceName } from './service-name.ts';
import { tagPrefix } from '../marks/tags.ts';
import type { Capacity } from '../service/capacity.ts';

/** What a tenant names of AWS must be the operator's own or on the operator's lists: all of it carries rights. */

export interface PolicyInput {
  readonly config: EcsConfig;
  readonly capacity: Capacity;
  readonly region: string;
  readonly tenantId: string;
  readonly block: EcsOperatorBlock;
  readonly policy: EcsPolicy;
}

/** Throws PolicyDenied, naming the rule. */
export function checkEcsPolicy(input: PolicyInput): void {
  const { config, region, block, policy } = input;
  const { cluster_arn: cluster, assume_role: role, subnets = [], security_groups: groups = [] } = config;
  allow('allowed_clusters', [cluster], [block.cluster_arn, ...policy.allowed_clusters], 'cluster');
  // Who may use a cluster may use it where it is.
  const regions = [block.region ?? regionOf(block.cluster_arn), regionOf(cluster), ...policy.allowed_regions];
  allow('allowed_regions', [region], regions, 'region');
  checkRole(role?.role_arn, block, policy);
  checkTaskDefinition(config.task_definition_arn, block, policy);
  allow('allowed_subnets', subnets, [...(block.subnets ?? []), ...policy.allowed_subnets], 'subnet');
  const allowedGroups = [...(block.security_groups ?? []), ...policy.allowed_security_groups];
  allow('allowed_security_groups', groups, allowedGroups, 'security group');
  checkLaunchType(input.capacity, block, policy);
  checkPublicIp(config.assign_public_ip, block, policy);
  checkTags(config.tags ?? {}, block, policy);
  checkServiceName(input);
  checkCount(config.desired_count, block.desired_count, policy);
  checkCount(config.autoscaling?.max, block.autoscaling?.max, policy);
}

function allow(
  rule: string,
  named: readonly string[],
  allowed: readonly (string | undefined)[],
  what: string,
): void {
  const refused = named.find((value) => !allowed.includes(value));
  if (refused === undefined) return;
  throw denied(
    `ecs.${rule}`,
    `${what} ${refused} is not one that tenants may name`,
    "Use the operator's own by leaving it out",
  );
}

/** Without a role, calls would go out in the operator's own name. */
function checkRole(role: string | undefined, block: EcsOperatorBlock, policy: EcsPolicy): void {
  const own = block.assume_role?.role_arn;
  const allowed = [own, ...policy.allowed_roles.map(({ role_arn }) => role_arn)];
  if (allowed.includes(role)) return;
  throw denied(
    'ecs.allowed_roles',
    role === undefined
      ? `assume_role is unset, and tenants may not do without the role ${own}`
      : `role ${role} is not one that tenants may name`,
    "Use the operator's own by leaving it out",
  );
}

function checkTaskDefinition(arn: string, block: EcsOperatorBlock, policy: EcsPolicy): void {
  const family = withoutRevision(arn);
  const allowed =
    family === withoutRevision(block.task_definition_arn) ||
    policy.allowed_task_definitions.some((entry) =>
      entry.startsWith('arn:') ? entry === arn || entry === family : entry === familyOf(arn),
    );
  if (allowed) return;
  throw denied(
    'ecs.allowed_task_definitions',
    `task definition ${arn} is not one that tenants may name`,
    "Use a revision of the operator's own family",
  );
}

/** Where the operator names none, the document's example holds: FARGATE. Capacity providers have a rule of their own. */
function checkLaunchType(
  { launchType, capacityProviders }: Capacity,
  { launch_type: own, capacity_provider_strategy: ownProviders = [] }: EcsOperatorBlock,
  { allowed_launch_types: listed }: EcsPolicy,
): void {
  if (capacityProviders !== undefined) return;
  const ofProviders = ownProviders.length > 0 ? ownProviders.map((one) => one.capacity_provider) : undefined;
  if (launchType !== undefined) {
    const allowed = own ?? (ofProviders === undefined ? 'FARGATE' : undefined);
    allow('allowed_launch_types', [launchType], [allowed, ...listed], 'launch type');
  } else if (own !== undefined) {
    throw denied(
      'ecs.allowed_launch_types',
      `launch_type is unset, and tenants may not do without the operator's, ${own}`,
      'Leave it out',
    );
  } else if (ofProviders !== undefined) {
    throw denied(
      'ecs.allowed_capacity_providers',
      `capacity_provider_strategy is unset, and tenants may not do without the operator's, ${ofProviders.join(', ')}`,
      'Leave it out',
    );
  }
}

function checkPublicIp(
  isPublic: boolean | undefined,
  { assign_public_ip: own }: EcsOperatorBlock,
  { allow_public_ip: isAllowed = own !== false }: EcsPolicy,
): void {
  if (isPublic !== true || own === true || isAllowed) return;
  throw denied(
    'ecs.allow_public_ip',
    'assign_public_ip is true, and tenants may have no public addresses',
    'Leave it out',
  );
}

/** IAM policies and bills go by tags: those of the operator stay as they are, too. */
function checkTags(
  tags: Readonly<Record<string, string>>,
  { tags: own = {} }: EcsOperatorBlock,
  { allowed_tag_keys: listed }: EcsPolicy,
): void {
  checkReservedTags(tags);
  const [before, after] = [new Map(Object.entries(own)), new Map(Object.entries(tags))];
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
    (key) => before.get(key) !== after.get(key),
  );
  const refused = changed.find((key) => !isListed(listed, key));
  if (refused === undefined) return;
  const what = before.has(refused) ? `change, which has a value of the operator's` : 'set';
  throw denied('ecs.allowed_tag_keys', `tag ${refused} is not one that tenants may ${what}`, 'Leave it out');
}

function checkReservedTags(tags: Readonly<Record<string, string>>): void {
  const taken = Object.keys(tags).find((key) => /^landlord\./i.test(key));
  if (taken === undefined) return;
  throw denied('ecs', `tag ${taken} starts with ${tagPrefix}, which marks the owner`, 'Name it otherwise');
}

function checkCount(
  count: number | undefined,
  own: number | undefined,
  { max_desired_count: most }: EcsPolicy,
): void {
  if (count === undefined || count === own || count <= most) return;
  throw denied(
    'ecs.max_desired_count',
    `${count} tasks are more than the ${most} that tenants may ask for`,
    'Ask for fewer',
  );
}
