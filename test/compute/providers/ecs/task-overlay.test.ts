import type { TaskDefinition } from '@aws-sdk/client-ecs';
import { describe, expect, test } from 'vitest';
import { fargateSize } from '../../../../src/compute/providers/ecs/fargate-size.ts';
import { desireService } from '../../../../src/compute/providers/ecs/desired.ts';
import { secretArn } from '../../../../src/compute/providers/ecs/secret-arns.ts';
import { registerInput } from '../../../../src/compute/providers/ecs/task-overlay.ts';
import type { ContainerSpec } from '../../../../src/compute/tenant-compute-spec.ts';
import { containerSpec, settings, tenantSpec } from './ecs-fixture.ts';
import { baseArn } from './memory-ecs.ts';

const vault = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:';
const base: TaskDefinition = {
  taskDefinitionArn: baseArn,
  family: 'tenant-app',
  revision: 12,
  status: 'ACTIVE',
  registeredBy: 'arn:aws:iam::123456789012:user/admin',
  compatibilities: ['EC2', 'FARGATE'],
  requiresAttributes: [{ name: 'ecs.capability.task-eni' }],
  networkMode: 'awsvpc',
  taskRoleArn: 'arn:aws:iam::123456789012:role/task',
  executionRoleArn: 'arn:aws:iam::123456789012:role/execution',
  volumes: [],
  requiresCompatibilities: ['FARGATE'],
  cpu: '256',
  memory: '512',
  containerDefinitions: [
    {
      name: 'app',
      image: 'registry.example/app:0',
      essential: true,
      entryPoint: ['/old'],
      command: ['old'],
      environment: [
        { name: 'KEPT', value: 'yes' },
        { name: 'LEVEL', value: 'debug' },
      ],
      secrets: [{ name: 'TOKEN', valueFrom: `${vault}base` }],
      repositoryCredentials: { credentialsParameter: `${vault}registry` },
      logConfiguration: { logDriver: 'awslogs' },
    },
    { name: 'sidecar', image: 'sidecar:1', essential: false },
  ],
};

function register(containers: readonly ContainerSpec[], over: Partial<TaskDefinition> = {}, config = {}) {
  const desired = desireService(
    tenantSpec(config, { containers }),
    settings({ secret_arns: { 'team-a/*/*': `${vault}{namespace}/{name}:{key}::` } }),
  );
  if (desired.overlay === undefined) throw new Error('no overlay');
  return registerInput(desired.overlay, { ...base, ...over }, desired.ownerTags);
}

test('the request that registers an overlay is this one', () => {
  const app = containerSpec('app', {
    image: 'registry.example/app:1',
    command: ['/bin/app'],
    args: ['serve'],
    env: [
      { name: 'LEVEL', value: 'info' },
      { name: 'DB_PASSWORD', secretKeyRef: { name: 'acme-db', key: 'password' } },
      { name: 'TOKEN', value: 'of the tenant' },
    ],
    ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
    healthCheck: {
      command: ['/bin/ok'],
      intervalSeconds: 2,
      timeoutSeconds: 1,
      retries: 3,
      startPeriodSeconds: 10,
    },
    resources: { cpu: '300m', memory: '600Mi' },
  });
  expect(register([app])).toMatchInlineSnapshot(`
    {
      "containerDefinitions": [
        {
          "command": [
            "serve",
          ],
          "cpu": 308,
          "entryPoint": [
            "/bin/app",
          ],
          "environment": [
            {
              "name": "KEPT",
              "value": "yes",
            },
            {
              "name": "LEVEL",
              "value": "info",
            },
            {
              "name": "TOKEN",
              "value": "of the tenant",
            },
          ],
          "essential": true,
          "healthCheck": {
            "command": [
              "CMD",
              "/bin/ok",
            ],
            "interval": 5,
            "retries": 3,
            "startPeriod": 10,
            "timeout": 2,
          },
          "image": "registry.example/app:1",
          "logConfiguration": {
            "logDriver": "awslogs",
          },
          "memory": 600,
          "name": "app",
          "portMappings": [
            {
              "containerPort": 8080,
              "protocol": "tcp",
            },
          ],
          "repositoryCredentials": {
            "credentialsParameter": "arn:aws:secretsmanager:us-west-2:123456789012:secret:registry",
          },
          "secrets": [
            {
              "name": "DB_PASSWORD",
              "valueFrom": "arn:aws:secretsmanager:us-west-2:123456789012:secret:team-a/acme-db:password::",
            },
          ],
        },
        {
          "essential": false,
          "image": "sidecar:1",
          "name": "sidecar",
        },
      ],
      "cpu": "512",
      "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
      "family": "landlord-tenant-acme-97212521",
      "memory": "1024",
      "networkMode": "awsvpc",
      "requiresCompatibilities": [
        "FARGATE",
      ],
      "tags": [
        {
          "key": "landlord.owner",
          "value": "default",
        },
        {
          "key": "landlord.cluster",
          "value": "cluster-1",
        },
        {
          "key": "landlord.tenant_id",
          "value": "acme",
        },
        {
          "key": "landlord.tenant_namespace",
          "value": "team-a",
        },
        {
          "key": "landlord.tenant_name",
          "value": "acme",
        },
        {
          "key": "landlord.tenant_uid",
          "value": "uid-1",
        },
        {
          "key": "landlord.provider",
          "value": "ecs",
        },
        {
          "key": "landlord.overlay_hash",
          "value": "v1:7780f08b02a2644c401b3b46e03568d4",
        },
      ],
      "taskRoleArn": "arn:aws:iam::123456789012:role/task",
    }
  `);
});

describe('an overlay', () => {
  test('adds containers that the base does not have, and leaves those that it does not name', () => {
    const { containerDefinitions = [] } = register([containerSpec('extra')]);
    expect(containerDefinitions.map(({ name, image }) => [name, image])).toEqual([
      ['app', 'registry.example/app:0'],
      ['sidecar', 'sidecar:1'],
      ['extra', 'app:1'],
    ]);
  });

  test.each([
    ['registry.example/other:2', true],
    ['evil.example/app:1', false],
    ['app:1', false],
  ])('sends the registry’s password to no other registry: %s', (image, kept) => {
    const [app] = register([containerSpec('app', { image })]).containerDefinitions ?? [];
    expect(app?.repositoryCredentials !== undefined).toBe(kept);
  });

  test.each<[what: string, over: Partial<ContainerSpec>, entryPoint: string[], command: string[]]>([
    ['nothing', {}, ['/old'], ['old']],
    ['a command', { command: ['/new'] }, ['/new'], []],
    ['arguments', { args: ['new'] }, ['/old'], ['new']],
    ['both', { command: ['/new'], args: ['new'] }, ['/new'], ['new']],
  ])('that names %s runs as a Pod would', (_what, over, entryPoint, command) => {
    expect(register([containerSpec('app', over)]).containerDefinitions?.[0]).toMatchObject({
      entryPoint,
      command,
    });
  });

  test.each<[what: string, container: ContainerSpec, over: Partial<TaskDefinition>, message: RegExp]>([
    [
      'secrets without an execution role',
      containerSpec('app', { env: [{ name: 'A', secretKeyRef: { name: 'x', key: 'y' } }] }),
      { executionRoleArn: '' },
      /container app reads secrets, .* no execution role/,
    ],
    [
      'a foreign host port in awsvpc mode',
      containerSpec('app', { ports: [{ containerPort: 80, hostPort: 81, protocol: 'TCP' }] }),
      {},
      /hostPort 81 must equal containerPort 80/,
    ],
    [
      'SCTP',
      containerSpec('app', { ports: [{ containerPort: 80, protocol: 'SCTP' }] }),
      {},
      /no protocol SCTP/,
    ],
    [
      'more than Fargate has',
      containerSpec('app', { resources: { cpu: '17' } }),
      {},
      /Fargate has no task size that holds 17 vCPU/,
    ],
  ])('with %s is refused', (_what, container, over, message) => {
    expect(() => register([container], over)).toThrow(message);
  });

  test('for another launch type than the base is made for is refused', () => {
    expect(() => register([containerSpec('app')], {}, { launch_type: 'EC2' })).toThrow(
      /made for FARGATE, not for EC2/,
    );
  });

  test('on instances needs no task size, and keeps one that holds its containers', () => {
    const onInstances: Partial<TaskDefinition> = { requiresCompatibilities: [], networkMode: 'bridge' };
    const app = containerSpec('app', { resources: { cpu: '2', memory: '1Gi' } });
    const none = register([app], { ...onInstances, cpu: '', memory: '' });
    expect([none.cpu, none.memory]).toEqual([undefined, undefined]);
    expect(none.containerDefinitions?.[0]).toMatchObject({ cpu: 2048, memory: 1024 });
    const sized = register([app], onInstances);
    expect([sized.cpu, sized.memory]).toEqual(['2048', '1024']);
  });
});

describe('a size that Fargate offers', () => {
  test.each([
    [
      { cpu: 0, memory: 0 },
      { cpu: 256, memory: 512 },
    ],
    [
      { cpu: 256, memory: 2049 },
      { cpu: 512, memory: 3072 },
    ],
    [
      { cpu: 257, memory: 1 },
      { cpu: 512, memory: 1024 },
    ],
    [
      { cpu: 256, memory: 8193 },
      { cpu: 2048, memory: 9216 },
    ],
    [
      { cpu: 8192, memory: 16_385 },
      { cpu: 8192, memory: 20_480 },
    ],
    [
      { cpu: 16_384, memory: 122_880 },
      { cpu: 16_384, memory: 122_880 },
    ],
  ])('for %j is %j', (needed, size) => {
    expect(fargateSize(needed)).toEqual(size);
  });
});

describe('a secret', () => {
  const arns = { 'team-a/db/password': `${vault}db`, 'team-*/*/*': `${vault}{namespace}/{name}#{key}` };
  test.each([
    [{ namespace: 'team-a', name: 'db', key: 'password' }, `${vault}db`],
    [{ namespace: 'team-b', name: 'db', key: 'a.b' }, `${vault}team-b/db#a.b`],
  ])('%j is found at %s', (secret, arn) => {
    expect(secretArn(arns, secret)).toBe(arn);
  });

  test('that no pattern fits is refused, saying what to add', () => {
    expect(() => secretArn(arns, { namespace: 'other', name: 'db', key: 'k' })).toThrow(
      /compute\.ecs\.secret_arns\["other\/db\/k"\]/,
    );
  });
});
