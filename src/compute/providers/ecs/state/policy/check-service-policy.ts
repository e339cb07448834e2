import { denied, isListed } from '../../../../policy.ts';
import { fitsParts } from '../../address/part-pattern.ts';
import { guardedKeys } from '../../config/service-policy.ts';
import type { EcsConfig, EcsOperatorBlock, EcsPolicy } from '../../config.ts';
import { isFargateProvider } from '../service/capacity.ts';
import type { Capacity } from '../service/capacity.ts';
import { equals } from '../service/covers.ts';

/** What a tenant's service reaches must be reached by the operator's own block, or be on its lists. */

export interface ServicePolicyInput {
  readonly config: EcsConfig;
  readonly capacity: Capacity;
  readonly block: EcsOperatorBlock;
  readonly policy: EcsPolicy;
}

/** What a block names of a kind. */
type Names = (block: EcsConfig | EcsOperatorBlock) => readonly (string | undefined)[];

type ListName = Extract<keyof EcsPolicy, `allowed_${string}`>;

const lists: readonly (readonly [rule: ListName, what: string, names: Names])[] = [
  [
    'allowed_target_groups',
    'target group',
    ({ load_balancers: balancers = [], vpc_lattice_configurations: lattice = [] }) => [
      ...balancers.map((one) => one.target_group_arn),
      ...balancers.map((one) => one.advanced_configuration?.alternate_target_group_arn),
      ...lattice.map((one) => one.target_group_arn),
    ],
  ],
  [
    'allowed_listener_rules',
    'listener or rule',
    ({ load_balancers: balancers = [] }) =>
      balancers.flatMap(({ advanced_configuration: advanced }) => [
        advanced?.production_listener_rule,
        advanced?.test_listener_rule,
      ]),
  ],
  [
    'allowed_listeners',
    'listener',
    ({ load_balancers: balancers = [] }) => balancers.map((one) => one.listener_rule?.listener_arn),
  ],
  [
    'allowed_infrastructure_roles',
    'role',
    ({
      load_balancers: balancers = [],
      vpc_lattice_configurations: lattice = [],
      volume_configurations: volumes = [],
    }) => [
      ...balancers.map((one) => one.advanced_configuration?.role_arn),
      ...lattice.map((one) => one.role_arn),
      ...volumes.map((one) => one.managed_ebs_volume.role_arn),
    ],
  ],
  [
    'allowed_service_registries',
    'Cloud Map service',
    ({ service_registries: registries = [] }) => registries.map((one) => one.registry_arn),
  ],
  [
    'allowed_service_connect_namespaces',
    'namespace',
    ({ service_connect_configuration: connect }) => [connect?.namespace],
  ],
  ['allowed_alarms', 'alarm', ({ deployment }) => deployment?.alarms?.alarm_names ?? []],
  [
    'allowed_snapshots',
    'snapshot',
    ({ volume_configurations: volumes = [] }) => volumes.map((one) => one.managed_ebs_volume.snapshot_id),
  ],
  [
    'allowed_kms_keys',
    'key',
    ({ volume_configurations: volumes = [] }) => volumes.map((one) => one.managed_ebs_volume.kms_key_id),
  ],
];

/** Throws PolicyDenied, naming the rule. */
export function checkServicePolicy(input: ServicePolicyInput): void {
  const { config, block, policy } = input;
  for (const [rule, what, names] of lists) {
    const own = names(block);
    const refused = names(config).find(
      (name) => name !== undefined && !own.includes(name) && !isListed(policy[rule] as string[], name),
    );
    if (refused !== undefined) throw notNamed(rule, `${what} ${refused}`);
  }
  checkHosts(input);
  checkTaskRole(input, 'task_role_arn', 'allowed_task_roles');
  checkTaskRole(input, 'execution_role_arn', 'allowed_execution_roles');
  checkGuardedKeys(input);
  checkProviders(input);
  checkServiceConnect(input);
  checkPercent(input);
}

function notNamed(rule: string, what: string) {
  return denied(
    `ecs.${rule}`,
    `${what} is not one that tenants may name`,
    "Use the operator's own by leaving it out",
  );
}

/** On a listener that is shared, who may name a host gets what others are sent; without one, what all of them are. */
function checkHosts({ config, block, policy: { allowed_host_headers: allowed } }: ServicePolicyInput): void {
  const hostsOf = ({ load_balancers: balancers = [] }: EcsConfig | EcsOperatorBlock): readonly string[] =>
    balancers.flatMap(({ listener_rule: rule }) =>
      rule === undefined ? [] : (rule.host_header ?? []).length === 0 ? anyHost : (rule.host_header ?? []),
    );
  const own = hostsOf(block);
  const refused = hostsOf(config).find(
    (host) => !own.includes(host) && !allowed.some((pattern) => fitsParts(pattern, [host])),
  );
  if (refused === undefined) return;
  throw denied(
    'ecs.allowed_host_headers',
    refused === anyHost
      ? 'a listener_rule without host_header takes requests for all hosts'
      : `host ${refused} is not one that tenants may name`,
    'Name a host that is allowed',
  );
}
const anyHost = '*';

/** Without the operator's, it would be the task definition's, which may be another one. */
function checkTaskRole(
  { config, block, policy }: ServicePolicyInput,
  key: 'task_role_arn' | 'execution_role_arn',
  rule: 'allowed_task_roles' | 'allowed_execution_roles',
): void {
  const [role, own] = [config[key], block[key]];
  if (role === own || (role !== undefined && isListed(policy[rule], role))) return;
  throw role === undefined
    ? denied(`ecs.${rule}`, `${key} is unset, and tenants may not do without ${own}`, 'Leave it out')
    : notNamed(rule, `role ${role}`);
}

function checkGuardedKeys({ config, block, policy: { allowed_keys: allowed } }: ServicePolicyInput): void {
  const refused = guardedKeys.find((key) => !allowed.includes(key) && !equals(config[key], block[key]));
  if (refused === undefined) return;
  const what = config[refused] === undefined ? 'unset' : 'set otherwise than the operator does';
  throw denied('ecs.allowed_keys', `${refused} is not one that tenants may have ${what}`, 'Leave it out');
}

/** Who may have Fargate may have it by its capacity providers, too. */
function checkProviders({ capacity, block, policy }: ServicePolicyInput): void {
  const own = (block.capacity_provider_strategy ?? []).map((one) => one.capacity_provider);
  const { allowed_capacity_providers: listed, allowed_launch_types: types } = policy;
  const ownType = block.launch_type ?? (own.length === 0 ? 'FARGATE' : undefined);
  const mayFargate = ownType === 'FARGATE' || types.includes('FARGATE');
  const refused = (capacity.capacityProviders ?? []).find(
    ({ capacityProvider: name }) =>
      !own.includes(name) && !isListed(listed, name) && !(mayFargate && isFargateProvider(name)),
  );
  if (refused !== undefined)
    throw notNamed('allowed_capacity_providers', `capacity provider ${refused.capacityProvider}`);
}

/** A log goes wherever its options say, in the name of the task's execution role. */
function checkServiceConnect({ config, block, policy }: ServicePolicyInput): void {
  const log = config.service_connect_configuration?.log_configuration;
  const own = block.service_connect_configuration;
  if (log !== undefined && !equals(log, own?.log_configuration)) {
    throw denied(
      'ecs',
      "service_connect_configuration.log_configuration is the operator's to say",
      'Leave it out',
    );
  }
  const connect = config.service_connect_configuration;
  const isOfCluster = connect?.enabled === true && connect.namespace === undefined;
  const mayDefault = own?.enabled === true && own.namespace === undefined;
  if (isOfCluster && !mayDefault && !isListed(policy.allowed_service_connect_namespaces, 'default')) {
    throw notNamed(
      'allowed_service_connect_namespaces',
      "the cluster's own namespace (`default` on the list)",
    );
  }
}

function checkPercent({ config, block, policy: { max_deployment_percent: most } }: ServicePolicyInput): void {
  const percent = config.deployment?.maximum_percent ?? 0;
  if (percent <= most || percent === block.deployment?.maximum_percent) return;
  throw denied(
    'ecs.max_deployment_percent',
    `deployment.maximum_percent ${percent} is more than the ${most} that tenants may ask for`,
    'Ask for less',
  );
}
