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
