import { describe, expect, test } from 'vitest';
import { convertEcs } from '../../src/convert/ecs/convert-ecs.ts';
import { anySpec, schema } from './compose-fixture.ts';

const region = 'arn:aws:ecs:eu-west-1:123456789012';

const service = {
  serviceArn: `${region}:service/main/Web`,
  serviceName: 'Web',
  clusterArn: `${region}:cluster/main`,
  status: 'ACTIVE',
  desiredCount: 2,
  runningCount: 2,
  pendingCount: 0,
  launchType: 'FARGATE',
  platformVersion: '1.4.0',
  taskDefinition: `${region}:task-definition/web:3`,
  loadBalancers: [{ targetGroupArn: 'arn:tg', containerName: 'web', containerPort: 80 }],
  serviceRegistries: [],
  deploymentConfiguration: {
    deploymentCircuitBreaker: { enable: true, rollback: false },
    maximumPercent: 200,
    minimumHealthyPercent: 50,
    alarms: { alarmNames: [], enable: false, rollback: false },
  },
  deployments: [
    { status: 'ACTIVE' },
    {
      status: 'PRIMARY',
      serviceConnectConfiguration: { enabled: true, services: [{ portName: 'http' }] },
      volumeConfigurations: [
        { name: 'v', managedEBSVolume: { roleArn: 'arn:r', sizeInGiB: 8, filesystemType: 'ext4' } },
      ],
    },
  ],
  networkConfiguration: {
    awsvpcConfiguration: { subnets: ['subnet-1'], securityGroups: [], assignPublicIp: 'ENABLED' },
  },
  healthCheckGracePeriodSeconds: 30,
  schedulingStrategy: 'REPLICA',
  deploymentController: { type: 'ECS' },
  enableECSManagedTags: true,
  enableExecuteCommand: false,
  propagateTags: 'SERVICE',
  availabilityZoneRebalancing: 'DISABLED',
  tags: [
    { key: 'team', value: 'a' },
    { key: 'aws:cloudformation:stack-id', value: 'x' },
  ],
  events: [{ id: '1', message: 'steady' }],
};

const definition = {
  taskDefinitionArn: `${region}:task-definition/web:3`,
  family: 'web',
  revision: 3,
  networkMode: 'awsvpc',
  containerDefinitions: [
    {
      name: 'web',
      image: 'reg.example/web:1',
      essential: true,
      cpu: 512,
      memory: 1024,
      entryPoint: ['/run'],
      command: ['serve'],
      environment: [{ name: 'A', value: '1' }],
      secrets: [{ name: 'PW', valueFrom: 'arn:secret' }],
      portMappings: [{ containerPort: 80, hostPort: 80, protocol: 'tcp', name: 'http' }],
      healthCheck: { command: ['CMD-SHELL', 'ok'], interval: 10, timeout: 5, retries: 2, startPeriod: 0 },
      dependsOn: [{ containerName: 'init', condition: 'SUCCESS' }],
      ulimits: [{ name: 'nofile', softLimit: 10, hardLimit: 20 }],
      linuxParameters: { initProcessEnabled: true, sharedMemorySize: 128, swappiness: 10 },
      readonlyRootFilesystem: false,
      stopTimeout: 60,
      mountPoints: [],
    },
    { name: 'init', image: 'reg.example/init:1', essential: false },
  ],
};

function said(...documents: readonly unknown[]) {
  const { manifests, notes } = convertEcs(
    documents.map((one) => JSON.stringify(one)),
    anySpec,
  );
  return {
    tenant: manifests.at(-1),
    notes: notes.map(({ kind, from, text }) => `${kind} ${from}: ${text}`),
  };
}

test('a service is the block of the provider, without what ECS has of itself', () => {
  const { tenant, notes } = said({ services: [service], failures: [] });
  expect(tenant).toEqual({
    apiVersion: 'landlord.dev/v1alpha1',
    kind: 'Tenant',
    metadata: { name: 'web' },
    spec: {
      computeProvider: 'ecs',
      computeConfig: {
        ecs: {
          cluster_arn: `${region}:cluster/main`,
          desired_count: 2,
          launch_type: 'FARGATE',
          platform_version: '1.4.0',
          task_definition_arn: `${region}:task-definition/web:3`,
          load_balancers: [{ target_group_arn: 'arn:tg', container_name: 'web', container_port: 80 }],
          deployment: {
            circuit_breaker: { enable: true, rollback: false },
            maximum_percent: 200,
            minimum_healthy_percent: 50,
          },
          subnets: ['subnet-1'],
          assign_public_ip: true,
          health_check_grace_period_seconds: 30,
          enable_ecs_managed_tags: true,
          propagate_tags: 'SERVICE',
          availability_zone_rebalancing: 'DISABLED',
          volume_configurations: [
            { name: 'v', managed_ebs_volume: { role_arn: 'arn:r', size_in_gb: 8, file_system_type: 'ext4' } },
          ],
          service_connect_configuration: { enabled: true, services: [{ port_name: 'http' }] },
          tags: { team: 'a' },
        },
      },
    },
  });
  expect(notes).toEqual([
    expect.stringMatching(/^changed services\[0\]\.serviceName: the name is of the Tenant/),
  ]);
});

test('capacity providers go in place of a launch type, and a daemon has no count', () => {
  const strategy = [{ capacityProvider: 'FARGATE_SPOT', weight: 1, base: 0 }];
  const daemon = { ...service, capacityProviderStrategy: strategy, schedulingStrategy: 'DAEMON' };
  const { tenant } = said({ services: [daemon] });
  const { ecs } = (tenant as { spec: { computeConfig: { ecs: Record<string, unknown> } } }).spec
    .computeConfig;
  expect(ecs['capacity_provider_strategy']).toEqual([
    { capacity_provider: 'FARGATE_SPOT', weight: 1, base: 0 },
  ]);
  expect(ecs['scheduling_strategy']).toBe('DAEMON');
  expect(ecs).not.toHaveProperty('launch_type');
  expect(ecs).not.toHaveProperty('desired_count');
});

test("the containers of a task definition are the tenant's, and what they have no words for stays in it", () => {
  const { tenant, notes } = said({ taskDefinition: definition });
  expect(tenant).toMatchObject({
    metadata: { name: 'web' },
    spec: {
      computeConfig: { ecs: { task_definition_arn: `${region}:task-definition/web:3` } },
      containers: [
        {
          name: 'web',
          image: 'reg.example/web:1',
          command: ['/run'],
          args: ['serve'],
          resources: { cpu: '500m', memory: '1024Mi' },
          env: [{ name: 'A', value: '1' }],
          ports: [{ name: 'http', containerPort: 80 }],
          healthCheck: {
            shell: 'ok',
            intervalSeconds: 10,
            timeoutSeconds: 5,
            retries: 2,
            startPeriodSeconds: 0,
          },
          dependsOn: [{ container: 'init', condition: 'Completed' }],
          ulimits: [{ name: 'nofile', soft: 10, hard: 20 }],
          stopGracePeriodSeconds: 60,
          init: true,
          shmSize: '128Mi',
        },
        { name: 'init', image: 'reg.example/init:1', essential: false, restartPolicy: 'Never' },
      ],
    },
  });
  expect(notes.map((line) => line.replace(/:.*/, ''))).toEqual([
    'changed taskDefinition.containerDefinitions[0].secrets',
    'changed taskDefinition.containerDefinitions[0].linuxParameters.swappiness',
    'changed taskDefinition.networkMode',
  ]);
});

test('without a task definition to stay in, what has no words is dropped', () => {
  const { taskDefinitionArn: _none, ...bare } = definition;
  expect(said(bare).notes.filter((line) => line.startsWith('dropped'))).toHaveLength(3);
});

test('containers of another revision than the service runs are told', () => {
  const older = { taskDefinition: { ...definition, taskDefinitionArn: `${region}:task-definition/web:2` } };
  const toldOf = (taskDefinition: string) =>
    said({ service: { ...service, taskDefinition } }, older).notes.filter((line) =>
      line.startsWith('changed taskDefinition.taskDefinitionArn: '),
    );
  expect(toldOf(`${region}:task-definition/web:3`)).toEqual([
    expect.stringContaining(`web:2, and the service runs ${region}:task-definition/web:3`),
  ]);
  expect([...toldOf(`${region}:task-definition/web:2`), ...toldOf('web:2'), ...toldOf('web')]).toEqual([]);
});

test('containers whose names no Tenant has stay in the task definition', () => {
  const odd = { ...definition, containerDefinitions: [{ name: 'My_App', image: 'a' }] };
  const { tenant, notes } = said({ taskDefinition: odd });
  expect(tenant).toMatchObject({
    spec: { computeConfig: { ecs: { task_definition_arn: definition.taskDefinitionArn } } },
  });
  expect(tenant).not.toHaveProperty('spec.containers');
  expect(notes).toContainEqual(
    expect.stringMatching(/^changed taskDefinition\.containerDefinitions: they stay in .*My_App$/),
  );
});

describe('what is refused as a whole', () => {
  test.each([
    ['{', /is no JSON/],
    ['{"clusters":[]}', /is neither of describe-services nor/],
    [JSON.stringify({ services: [service, service] }), /there are several services/],
  ])('%s', (source, text) => {
    const { manifests, notes } = convertEcs([source], schema);
    expect(manifests).toEqual([]);
    expect(notes).toEqual([expect.objectContaining({ kind: 'refused', text: expect.stringMatching(text) })]);
  });
});

/** By the schema that a Tenant has, as `landlord convert ecs` does. */
function converted(...documents: readonly unknown[]) {
  const { manifests, notes } = convertEcs(
    documents.map((one) => JSON.stringify(one)),
    schema,
  );
  const [tenant] = manifests as { spec: { computeConfig: { ecs: Record<string, unknown> } } }[];
  return {
    ecs: tenant?.spec.computeConfig.ecs,
    notes: notes.filter(({ kind }) => kind !== 'changed').map(({ kind, from }) => `${kind} ${from}`),
  };
}

const elb = 'arn:aws:elasticloadbalancing:eu-west-1:123456789012';
const targetGroup = (name: string) => `${elb}:targetgroup/${name}/0123456789abcdef`;
const role = 'arn:aws:iam::123456789012:role/ecs';

/** Every key of the API that says how a service is run and reached, as create-service takes it. */
const everything = {
  cluster: `${region}:cluster/main`,
  serviceName: 'everything',
  taskDefinition: `${region}:task-definition/web:3`,
  availabilityZoneRebalancing: 'ENABLED',
  loadBalancers: [
    {
      targetGroupArn: targetGroup('blue'),
      containerName: 'web',
      containerPort: 80,
      advancedConfiguration: {
        alternateTargetGroupArn: targetGroup('green'),
        productionListenerRule: `${elb}:listener-rule/app/web/1/2/3`,
        testListenerRule: `${elb}:listener-rule/app/web/1/2/4`,
        roleArn: role,
      },
    },
  ],
  serviceRegistries: [
    {
      registryArn: 'arn:aws:servicediscovery:eu-west-1:123456789012:service/srv-1',
      port: 53,
      containerName: 'web',
      containerPort: 80,
    },
  ],
  desiredCount: 3,
  clientToken: 'once',
  capacityProviderStrategy: [
    { capacityProvider: 'FARGATE', weight: 1, base: 2 },
    { capacityProvider: 'FARGATE_SPOT', weight: 4 },
  ],
  platformVersion: '1.4.0',
  deploymentConfiguration: {
    deploymentCircuitBreaker: { enable: true, rollback: true },
    maximumPercent: 150,
    minimumHealthyPercent: 75,
    alarms: { alarmNames: ['5xx'], rollback: true, enable: true },
    strategy: 'CANARY',
    bakeTimeInMinutes: 5,
    canaryConfiguration: { canaryPercent: 10, canaryBakeTimeInMinutes: 3 },
  },
  placementConstraints: [{ type: 'memberOf', expression: 'attribute:ecs.instance-type =~ t3.*' }],
  placementStrategy: [
    { type: 'spread', field: 'attribute:ecs.availability-zone' },
    { type: 'binpack', field: 'memory' },
  ],
  networkConfiguration: {
    awsvpcConfiguration: {
      subnets: ['subnet-1', 'subnet-2'],
      securityGroups: ['sg-1'],
      assignPublicIp: 'DISABLED',
    },
  },
  healthCheckGracePeriodSeconds: 60,
  schedulingStrategy: 'REPLICA',
  deploymentController: { type: 'ECS' },
  tags: [{ key: 'Team', value: 'a' }],
  enableECSManagedTags: true,
  propagateTags: 'TASK_DEFINITION',
  enableExecuteCommand: true,
  serviceConnectConfiguration: {
    enabled: true,
    namespace: 'internal',
    services: [
      {
        portName: 'http',
        discoveryName: 'web',
        clientAliases: [{ port: 80, dnsName: 'web.internal' }],
        ingressPortOverride: 8080,
        timeout: { idleTimeoutSeconds: 60, perRequestTimeoutSeconds: 15 },
      },
    ],
    logConfiguration: { logDriver: 'awslogs', options: { 'awslogs-group': '/ecs/web', Name: 'x' } },
  },
  volumeConfigurations: [
    {
      name: 'scratch',
      managedEBSVolume: {
        encrypted: true,
        kmsKeyId: 'alias/ebs',
        volumeType: 'gp3',
        sizeInGiB: 20,
        iops: 3000,
        throughput: 125,
        roleArn: role,
        filesystemType: 'xfs',
      },
    },
  ],
  vpcLatticeConfigurations: [
    {
      roleArn: role,
      targetGroupArn: 'arn:aws:vpc-lattice:eu-west-1:123456789012:targetgroup/tg-1',
      portName: 'http',
    },
  ],
};

describe('a service by the schema of a Tenant', () => {
  test('loses none of the keys that the API has for how it is run and reached', () => {
    const { ecs = {}, notes } = converted(everything);
    expect(notes).toEqual([]);
    expect(Object.keys(ecs).toSorted()).toEqual([
      'availability_zone_rebalancing',
      'capacity_provider_strategy',
      'cluster_arn',
      'deployment',
      'desired_count',
      'enable_ecs_managed_tags',
      'enable_execute_command',
      'health_check_grace_period_seconds',
      'load_balancers',
      'placement_constraints',
      'placement_strategy',
      'platform_version',
      'propagate_tags',
      'security_groups',
      'service_connect_configuration',
      'service_registries',
      'subnets',
      'tags',
      'task_definition_arn',
      'volume_configurations',
      'vpc_lattice_configurations',
    ]);
    expect(ecs['deployment']).toEqual({
      circuit_breaker: { enable: true, rollback: true },
      maximum_percent: 150,
      minimum_healthy_percent: 75,
      alarms: { alarm_names: ['5xx'], rollback: true, enable: true },
      strategy: 'CANARY',
      bake_time_in_minutes: 5,
      canary_configuration: { canary_percent: 10, canary_bake_time_in_minutes: 3 },
    });
    expect(ecs['service_connect_configuration']).toMatchObject({
      log_configuration: { log_driver: 'awslogs', options: { 'awslogs-group': '/ecs/web', Name: 'x' } },
    });
    expect(ecs['tags']).toEqual({ Team: 'a' });
  });

  test('is the same in the answer to create-service', () => {
    const { cluster, clientToken: _once, ...rest } = everything;
    expect(converted({ service: { ...rest, clusterArn: cluster } })).toEqual(converted(everything));
  });

  test('loses of a list or a map the piece alone that a Tenant has no word for', () => {
    const { ecs, notes } = converted({
      services: [
        {
          ...everything,
          loadBalancers: [
            ...everything.loadBalancers,
            { loadBalancerName: 'classic', containerName: 'web', containerPort: 80 },
          ],
          deploymentConfiguration: {
            ...everything.deploymentConfiguration,
            lifecycleHooks: [
              { hookTargetArn: 'arn:aws:lambda:eu-west-1:123456789012:function:f', roleArn: role },
            ],
          },
          serviceConnectConfiguration: {
            ...everything.serviceConnectConfiguration,
            services: [
              { portName: 'http', tls: { issuerCertificateAuthority: { awsPcaAuthorityArn: 'arn:x' } } },
            ],
          },
        },
      ],
    });
    expect(notes.toSorted()).toEqual([
      'dropped services[0].deploymentConfiguration.lifecycleHooks[0].hookTargetArn',
      'dropped services[0].deploymentConfiguration.lifecycleHooks[0].roleArn',
      'dropped services[0].loadBalancers[1].containerName',
      'dropped services[0].loadBalancers[1].containerPort',
      'dropped services[0].loadBalancers[1].loadBalancerName',
      'dropped services[0].serviceConnectConfiguration.services[0].tls.issuerCertificateAuthority.awsPcaAuthorityArn',
    ]);
    expect(ecs).toMatchObject({
      load_balancers: [{ target_group_arn: targetGroup('blue') }],
      deployment: { maximum_percent: 150 },
      service_connect_configuration: { services: [{ port_name: 'http' }] },
    });
  });

  test('drops what names no ARN, and a controller of somebody else, with words', () => {
    const { ecs, notes } = converted({
      ...everything,
      cluster: 'main',
      taskDefinition: 'web:3',
      deploymentController: { type: 'CODE_DEPLOY' },
    });
    expect(notes.toSorted()).toEqual([
      'dropped cluster',
      'dropped deploymentController.type',
      'dropped taskDefinition',
    ]);
    expect(ecs).toMatchObject({ desired_count: 3 });
  });
});
