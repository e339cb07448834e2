import { describe, expect, test } from 'vitest';
import { ecsOperator } from './ecs-operator.ts';
import { lattice, listenerRule, registry, role, targetGroup } from '../compute/providers/ecs/service-keys.ts';
import { listenerArn } from '../compute/providers/ecs/memory-balancing.ts';

/** What a Tenant's service may reach: what the operator's own block does, and what is on its lists. */

const asking = (ecs: Record<string, unknown>) => ({ computeConfig: { ecs } });

const balancer = (advanced?: Record<string, unknown>) => [
  {
    target_group_arn: targetGroup('team-a'),
    container_name: 'app',
    container_port: 80,
    ...(advanced === undefined ? {} : { advanced_configuration: advanced }),
  },
];
const shifted = {
  alternate_target_group_arn: targetGroup('team-a'),
  production_listener_rule: listenerRule,
  role_arn: role('ecs-elb'),
};
const volume = (ebs: Record<string, unknown>) => [
  { name: 'data', managed_ebs_volume: { role_arn: role('ecs-ebs'), size_in_gb: 10, ...ebs } },
];

const listener = listenerArn('shared');
const listenerRuleOf = (host: string) => ({ listener_arn: listener, priority: 1, host_header: [host] });

/** What is asked for, the rules that refuse it one after the other, and what each has to list. */
const reached: readonly (readonly [
  key: string,
  value: unknown,
  rules: readonly (readonly [rule: string, entry: unknown])[],
])[] = [
  ['load_balancers', balancer(), [['allowed_target_groups', targetGroup('team-a')]]],
  [
    'load_balancers',
    balancer(shifted),
    [
      ['allowed_target_groups', targetGroup('team-a').slice(0, -16) + '*'],
      ['allowed_listener_rules', listenerRule],
      ['allowed_infrastructure_roles', role('ecs-elb')],
    ],
  ],
  [
    'load_balancers',
    [{ listener_rule: listenerRuleOf('acme.team-a.example'), container_name: 'app', container_port: 80 }],
    [
      ['allowed_listeners', listener],
      ['allowed_host_headers', '*.team-a.example'],
    ],
  ],
  [
    'vpc_lattice_configurations',
    [{ role_arn: role('lattice'), target_group_arn: lattice('tg-1'), port_name: 'http' }],
    [
      ['allowed_target_groups', lattice('tg-1')],
      ['allowed_infrastructure_roles', role('lattice')],
    ],
  ],
  [
    'service_registries',
    [{ registry_arn: registry('srv-1') }],
    [['allowed_service_registries', registry('srv-1')]],
  ],
  [
    'service_connect_configuration',
    { enabled: true, namespace: 'shop' },
    [['allowed_service_connect_namespaces', 'shop']],
  ],
  ['service_connect_configuration', { enabled: true }, [['allowed_service_connect_namespaces', 'default']]],
  ['deployment', { alarms: { alarm_names: ['errors'] } }, [['allowed_alarms', 'err*']]],
  ['deployment', { maximum_percent: 300 }, [['max_deployment_percent', 300]]],
  [
    'volume_configurations',
    volume({ snapshot_id: 'snap-1', kms_key_id: 'alias/ebs' }),
    [
      ['allowed_infrastructure_roles', role('ecs-ebs')],
      ['allowed_snapshots', 'snap-1'],
      ['allowed_kms_keys', 'alias/ebs'],
      ['allowed_keys', 'volume_configurations'],
    ],
  ],
  ['enable_execute_command', true, [['allowed_keys', 'enable_execute_command']]],
  ['propagate_tags', 'NONE', [['allowed_keys', 'propagate_tags']]],
  ['enable_ecs_managed_tags', true, [['allowed_keys', 'enable_ecs_managed_tags']]],
  ['placement_constraints', [{ type: 'distinctInstance' }], [['allowed_keys', 'placement_constraints']]],
  [
    'capacity_provider_strategy',
    [{ capacity_provider: 'big-instances', weight: 1 }],
    [['allowed_capacity_providers', 'big-instances']],
  ],
];

describe.each(reached)('%s: %j', (key, value, rules) => {
  const listing = (some: typeof rules) =>
    Object.fromEntries(some.map(([rule, entry]) => [rule, typeof entry === 'number' ? entry : [entry]]));

  test('is refused by each of its rules, and ECS is asked for nothing', async () => {
    for (const [index, [rule]] of rules.entries()) {
      const operator = ecsOperator({ policy: { ecs: listing(rules.slice(0, index)) } });
      expect(await operator.apply(asking({ [key]: value }))).toMatch(
        new RegExp(String.raw`^PolicyDenied: policy\.ecs\.${rule}: `),
      );
      expect(operator.ecs.calls).toEqual([]);
    }
  });

  test('is taken where it is listed, or listed for the namespace, or the operator’s own', async () => {
    const listed = ecsOperator({ policy: { ecs: listing(rules) } });
    expect(await listed.apply(asking({ [key]: value }))).toBe('taken');
    const policy = { namespaces: [{ names: ['team-a'], ecs: listing(rules) }] };
    expect(await ecsOperator({ policy }).apply(asking({ [key]: value }))).toBe('taken');
    const elsewhere = await ecsOperator({ policy }).apply(asking({ [key]: value }), { namespace: 'team-b' });
    expect(elsewhere).toMatch(/^PolicyDenied: /);
    expect(await ecsOperator({ block: { [key]: value } }).apply(asking({}))).toBe('taken');
    expect(await ecsOperator({ block: { [key]: value } }).apply(asking({ [key]: value }))).toBe('taken');
  });
});

test('a DAEMON is for the operator to allow, and never of Fargate or with a count', async () => {
  const daemon = { scheduling_strategy: 'DAEMON' };
  expect(await ecsOperator().apply(asking(daemon))).toMatch(/^PolicyDenied: policy\.ecs\.allowed_keys: /);
  const policy = { ecs: { allowed_keys: ['scheduling_strategy'], allowed_launch_types: ['EC2'] } };
  const allowed = ecsOperator({ policy, block: { desired_count: 2, drain: true } });
  expect(await allowed.apply(asking(daemon))).toBe('taken');
  const input = allowed.ecs.calls.find(({ name }) => name === 'createService')?.input;
  expect(input).toMatchObject({
    schedulingStrategy: 'DAEMON',
    deploymentConfiguration: { maximumPercent: 100, minimumHealthyPercent: 0 },
  });
  expect(input).not.toHaveProperty('desiredCount');
  for (const [more, field] of [
    [{ desired_count: 3 }, 'desired_count'],
    [{ launch_type: 'FARGATE' }, 'scheduling_strategy'],
    [{ placement_strategy: [{ type: 'random' }] }, 'placement_strategy'],
  ] as const) {
    expect(await allowed.apply(asking({ ...daemon, ...more }))).toMatch(
      new RegExp(String.raw`^InvalidSpec: spec\.computeConfig\.ecs\.${field}: `),
    );
  }
});

describe('capacity providers', () => {
  const spot = [{ capacity_provider: 'FARGATE_SPOT', weight: 1 }];
  const asked = async (block: Record<string, unknown>, ecs: Record<string, unknown>, policy = {}) => {
    const operator = ecsOperator({ block, policy: { ecs: policy } });
    const told = await operator.apply(asking(ecs));
    const { launchType, capacityProviderStrategy } = operator.service() ?? {};
    return told === 'taken' ? (capacityProviderStrategy?.[0]?.capacityProvider ?? launchType) : told;
  };

  test.each<[block: Record<string, unknown>, ecs: Record<string, unknown>, on: string]>([
    [{}, { capacity_provider_strategy: spot }, 'FARGATE_SPOT'],
    [{ launch_type: 'FARGATE' }, { capacity_provider_strategy: spot }, 'FARGATE_SPOT'],
    [{ capacity_provider_strategy: spot }, {}, 'FARGATE_SPOT'],
  ])('of Fargate are taken where its launch type is: %j, %j', async (block, ecs, on) => {
    expect(await asked(block, ecs)).toBe(on);
  });

  test('are those of the tenant or its launch type, whichever it names', async () => {
    const policy = { allowed_launch_types: ['EC2'] };
    expect(await asked({ capacity_provider_strategy: spot }, { launch_type: 'EC2' }, policy)).toBe('EC2');
    const both = { launch_type: 'EC2', capacity_provider_strategy: spot };
    expect(await asked({}, both, policy)).toMatch(/^InvalidSpec: .*exclude each other/);
  });

  test.each([
    [{ launch_type: 'EC2' }, { capacity_provider_strategy: spot }],
    [{ capacity_provider_strategy: [{ capacity_provider: 'mine' }] }, { capacity_provider_strategy: spot }],
    [{ capacity_provider_strategy: spot }, { capacity_provider_strategy: null }],
  ])('%j is not left for %j', async (block, ecs) => {
    expect(await asked(block, ecs)).toMatch(/^PolicyDenied: policy\.ecs\.allowed_capacity_providers: /);
  });
});

test('the log of a proxy is the operator’s to say', async () => {
  const connect = {
    enabled: true,
    namespace: 'shop',
    log_configuration: { log_driver: 'awslogs', options: { 'awslogs-group': 'others' } },
  };
  const policy = { ecs: { allowed_service_connect_namespaces: ['shop'] } };
  const refused = await ecsOperator({ policy }).apply(asking({ service_connect_configuration: connect }));
  expect(refused).toMatch(/^PolicyDenied: .*log_configuration is the operator's to say/);
  const block = { service_connect_configuration: connect };
  expect(await ecsOperator({ block }).apply(asking({}))).toBe('taken');
});

test.each([
  [{ deployment: { minimum_healthy_percent: 100, maximum_percent: 100 } }, 'deployment.maximum_percent'],
  [{ deployment: { canary_configuration: { canary_percent: 10 } } }, 'deployment.canary_configuration'],
  [{ deployment_controller: { type: 'CODE_DEPLOY' } }, 'deployment_controller.type'],
])('%j is refused with words', async (ecs, field) => {
  const told = await ecsOperator().apply(asking(ecs));
  expect(told).toMatch(new RegExp(String.raw`^InvalidSpec: spec\.computeConfig\.ecs\.${field}: `));
});
