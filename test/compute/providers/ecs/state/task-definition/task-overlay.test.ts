import type { RegisterTaskDefinitionCommandInput, TaskDefinition } from '@aws-sdk/client-ecs';
import { describe, expect, test } from 'vitest';
import { fargateSize } from '../../../../../../src/compute/providers/ecs/state/task-definition/fargate-size.ts';
import { desireService } from '../../../../../../src/compute/providers/ecs/state/desired.ts';
import { secretArn } from '../../../../../../src/compute/providers/ecs/state/task-definition/secret-arn.ts';
import {
  inheritedKeys,
  registerInput,
} from '../../../../../../src/compute/providers/ecs/state/task-definition/register-input.ts';
import type { ContainerSpec } from '../../../../../../src/compute/spec/tenant-compute-spec.ts';
import { containerSpec, settings, tenantSpec } from '../../ecs-fixture.ts';
import { baseArn } from '../../memory-ecs.ts';

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
    const { containerDefinitions } = register([containerSpec('extra')]);
    expect(containerDefinitions.map(({ name, image }) => [name, image])).toEqual([
      ['app', 'registry.example/app:0'],
      ['sidecar', 'sidecar:1'],
      ['extra', 'app:1'],
    ]);
  });

  test.each([
    ['registry.example/app:2', true],
    ['registry.example/other:2', false],
    ['evil.example/app:1', false],
    ['app:1', false],
  ])('uses the repository’s password for no other repository: %s', (image, kept) => {
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

describe('what an overlay takes from its base', () => {
  test.each([undefined, null, '', []])('is nothing that is %j', (nothing) => {
    const over = { taskRoleArn: nothing, ipcMode: nothing, volumes: nothing } as Partial<TaskDefinition>;
    const keys = Object.keys(register([containerSpec('app')], over));
    for (const key of Object.keys(over)) expect(keys).not.toContain(key);
  });

  test('is everything else that may be sent back', () => {
    const over: Partial<TaskDefinition> = {
      volumes: [{ name: 'v' }],
      enableFaultInjection: false,
      pidMode: 'task',
    };
    expect(register([containerSpec('app')], over)).toMatchObject(over);
  });

  test('is named as ECS answers and takes it', () => {
    const keys: readonly (keyof TaskDefinition & keyof RegisterTaskDefinitionCommandInput)[] = inheritedKeys;
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('is nothing where it has no containers', () => {
    const { containerDefinitions } = register([containerSpec('app')], { containerDefinitions: undefined });
    expect(containerDefinitions).toMatchObject([
      { name: 'app', essential: true, environment: [], secrets: [] },
    ]);
  });

  test.each([
    [600, '500Mi', 500],
    [400, '500Mi', 400],
    [400, undefined, 400],
    [undefined, '500Mi', undefined],
  ])('is a reservation of %s MiB no higher than a limit of %s: %s', (memoryReservation, memory, expected) => {
    const container = containerSpec('app', { resources: memory === undefined ? {} : { memory } });
    const definition = { name: 'app', image: 'app:0', memoryReservation };
    const [app] = register([container], { containerDefinitions: [definition] }).containerDefinitions ?? [];
    expect(app?.memoryReservation).toBe(expected);
  });

  test.each([
    ['app:0', 'team/app:1', false],
    ['app:0', 'docker.io/app:1', true],
    ['app:0', 'localhost/app:1', false],
    ['localhost/app:0', 'localhost/app:1', true],
    ['registry:5000/app:0', 'registry:5000/app:1', true],
    ['registry:5000/app:0', 'app:1', false],
    ['team/app:0', 'registry.example/app:1', false],
    [undefined, 'app:1', false],
    ['app:0', 'index.docker.io/library/app:1', true],
    ['docker.io/app:0', 'index.docker.io/library/app@sha256:' + '0'.repeat(64), true],
    ['registry:5000/app', 'registry:5000/team/app:1', false],
    ['registry:5000/app', 'registry:5000/app:1', true],
    ['registry:5000/app:0', 'registry:5001/app', false],
    ['Registry/app:0', 'app:1', false],
    ['Registry/app:0', 'Registry/app:1', true],
    ['registry.example/App:0', 'registry.example/app:0', false],
  ])('is the password of %s for %s: %j', (baseImage, image, kept) => {
    const definition = {
      name: 'app',
      image: baseImage,
      repositoryCredentials: { credentialsParameter: 'x' },
    };
    const over = { containerDefinitions: [definition] };
    const [app] = register([containerSpec('app', { image })], over).containerDefinitions ?? [];
    expect(app?.repositoryCredentials !== undefined).toBe(kept);
  });
});

describe('a container of an overlay', () => {
  const first = (over: Partial<ContainerSpec>, of: Partial<TaskDefinition> = {}) =>
    register([containerSpec('app', over)], of).containerDefinitions?.[0];

  test.each([
    [{ intervalSeconds: 1, timeoutSeconds: 1, retries: 0, startPeriodSeconds: 0 }, [5, 2, 1, 0]],
    [{ intervalSeconds: 999, timeoutSeconds: 99, retries: 99, startPeriodSeconds: 999 }, [300, 60, 10, 300]],
    [{ intervalSeconds: 30, retries: 3, startPeriodSeconds: 9 }, [30, 3, 3, 9]],
    [{ intervalSeconds: 2, retries: 3, startPeriodSeconds: 9 }, [5, 2, 3, 9]],
    [{ intervalSeconds: 30, timeoutSeconds: 20, retries: 3, startPeriodSeconds: 9 }, [30, 20, 3, 9]],
  ])('is checked within what ECS takes: %j', (check, [interval, timeout, retries, startPeriod]) => {
    expect(first({ healthCheck: { command: ['/ok'], ...check } })?.healthCheck).toEqual({
      command: ['CMD', '/ok'],
      interval,
      timeout,
      retries,
      startPeriod,
    });
  });

  test('listens on the ports that it names, on the host’s where it may', () => {
    const ports = [
      { containerPort: 80, hostPort: 8080, protocol: 'TCP' as const },
      { containerPort: 53, protocol: 'UDP' as const },
    ];
    const onInstances: Partial<TaskDefinition> = { requiresCompatibilities: [], networkMode: 'bridge' };
    expect(first({ ports }, onInstances)?.portMappings).toEqual([
      { containerPort: 80, hostPort: 8080, protocol: 'tcp' },
      { containerPort: 53, protocol: 'udp' },
    ]);
    const same = [{ containerPort: 80, hostPort: 80, protocol: 'TCP' as const }];
    expect(first({ ports: same })?.portMappings).toEqual([
      { containerPort: 80, hostPort: 80, protocol: 'tcp' },
    ]);
  });

  test.each([
    ['1m', 2],
    ['250m', 256],
    ['1', 1024],
  ])('with %s of CPU has %i units', (cpu, units) => {
    expect(first({ resources: { cpu } })?.cpu).toBe(units);
  });

  test.each([
    ['1Mi', 6],
    ['6Mi', 6],
    ['100M', 96],
  ])('with %s of memory has %i MiB', (memory, mebibytes) => {
    expect(first({ resources: { memory } })?.memory).toBe(mebibytes);
  });

  test('names its variables in their order, whatever the tenant’s', () => {
    const env = ['B', 'A', 'C', 'A'].map((name, index) => ({ name, value: String(index) }));
    const named = first({ env }, { containerDefinitions: [] })?.environment;
    expect(named?.map(({ name, value }) => `${name}${value}`)).toEqual(['A1', 'A3', 'B0', 'C2']);
  });

  test('reads secrets from who may read them, and needs no role where it reads none', () => {
    const env = [{ name: 'A', secretKeyRef: { name: 'x', key: 'y' } }];
    expect(first({ env })?.secrets).toContainEqual({ name: 'A', valueFrom: `${vault}team-a/x:y::` });
    expect(() => first({}, { executionRoleArn: undefined })).not.toThrow();
    expect(() => first({ env }, { executionRoleArn: undefined })).toThrow(/no execution role/);
  });
});

describe('the size of a task', () => {
  const sized = (over: Partial<TaskDefinition>, resources = {}, config = {}) => {
    const { cpu, memory } = register([containerSpec('app', { resources })], over, config);
    return [cpu, memory];
  };
  const definitions = (...of: object[]) => ({
    containerDefinitions: of.map((over, index) => ({ name: ['app', 'sidecar'][index], image: 'x', ...over })),
  });
  const instances = { requiresCompatibilities: [], networkMode: 'bridge' as const };

  test.each<
    [
      what: string,
      over: Partial<TaskDefinition>,
      resources: object,
      config: object,
      size: (string | undefined)[],
    ]
  >([
    ['of Fargate is the base’s', {}, {}, {}, ['256', '512']],
    ['of Fargate holds what the tenant asks for', {}, { cpu: '1', memory: '3Gi' }, {}, ['1024', '3072']],
    [
      'of Fargate by the launch type',
      { ...instances, cpu: undefined, memory: undefined },
      { cpu: '300m' },
      { launch_type: 'FARGATE' },
      ['512', '1024'],
    ],
    [
      'of Fargate by memory alone',
      { cpu: undefined, memory: undefined },
      { memory: '3Gi' },
      {},
      ['512', '3072'],
    ],
    [
      'of Fargate that nobody names is none',
      { cpu: undefined, memory: undefined },
      {},
      {},
      [undefined, undefined],
    ],
    [
      'is the sum where each container names its part',
      { ...definitions({}, { cpu: 100, memory: 100 }), ...instances, cpu: '4096', memory: '8192' },
      { cpu: '1', memory: '1Gi' },
      {},
      ['1124', '1124'],
    ],
    [
      'counts a reservation for memory',
      { ...definitions({}, { cpu: 100, memoryReservation: 50 }), ...instances },
      { cpu: '1', memory: '1Gi' },
      {},
      ['1124', '1074'],
    ],
    [
      'is at least the base’s where one names none',
      { ...definitions({}, {}), ...instances, cpu: '4096', memory: '8192' },
      { cpu: '1', memory: '1Gi' },
      {},
      ['4096', '8192'],
    ],
    [
      'is at least the base’s where one names 0',
      { ...definitions({}, { cpu: 0, memory: 0 }), ...instances, cpu: '4096', memory: '8192' },
      { cpu: '1', memory: '1Gi' },
      {},
      ['4096', '8192'],
    ],
    [
      'is the sum beyond the base’s',
      { ...definitions({}, { cpu: 0 }), ...instances, cpu: '512', memory: '512' },
      { cpu: '1', memory: '1Gi' },
      {},
      ['1024', '1024'],
    ],
    [
      'on instances without one is none',
      { ...instances, cpu: undefined, memory: undefined },
      { cpu: '1' },
      {},
      [undefined, undefined],
    ],
    [
      'on instances may be memory alone',
      { ...instances, cpu: undefined },
      { memory: '1Gi' },
      {},
      [undefined, '1024'],
    ],
  ])('%s', (_what, over, resources, config, size) => {
    expect(sized(over, resources, config)).toEqual(size);
  });

  test.each<[what: string, compatibilities: ('EC2' | 'FARGATE')[] | undefined, launchType: string]>([
    ['the one that the base is made for', ['EC2', 'FARGATE'], 'EC2'],
    ['any where the base says nothing', [], 'EC2'],
    ['any where ECS leaves that out', undefined, 'EC2'],
  ])('is for the launch type: %s', (_what, requiresCompatibilities, launch_type) => {
    expect(() => sized({ requiresCompatibilities }, {}, { launch_type })).not.toThrow();
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

  test.each([
    [256, [512, 1024, 2048]],
    [512, [1024, 2048, 3072, 4096]],
    [8192, [16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60].map((gigabytes) => gigabytes * 1024)],
  ])('with %i units is one of %j', (cpu, sizes) => {
    const offered = [0, ...sizes.slice(0, -1)].map((below) => fargateSize({ cpu, memory: below + 1 }));
    expect(offered).toEqual(sizes.map((memory) => ({ cpu, memory })));
  });

  test.each([
    { cpu: 16_385, memory: 1 },
    { cpu: 1, memory: 122_881 },
  ])('is none for %j', (needed) => {
    expect(() => fargateSize(needed)).toThrow(/Fargate has no task size/);
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

  test.each<[pattern: string, name: string, fits: boolean]>([
    ['a*b*c', 'abc', true],
    ['a*b*c', 'a-b-c', true],
    ['a*b*c', 'a-c', false],
    ['a*b*c', 'ab', false],
    ['a*b*b', 'ab', false],
    ['a*bc*c', 'abc', false],
    ['*b*b*', 'abab', true],
    ['*b*b*', 'ab', false],
    ['*b*a*', 'ab', false],
    ['a**c', 'ac', true],
    ['a*a', 'a', false],
  ])('%s fits %s: %s', (pattern, name, isFit) => {
    const patterns = { [`team/${pattern}/k`]: `${vault}fits`, 'team/*/k': `${vault}does-not` };
    expect(secretArn(patterns, { namespace: 'team', name, key: 'k' })).toBe(
      `${vault}${isFit ? 'fits' : 'does-not'}`,
    );
  });

  test('that no pattern fits is refused, saying what to add', () => {
    expect(() => secretArn(arns, { namespace: 'other', name: 'db', key: 'k' })).toThrow(
      /compute\.ecs\.secret_arns\["other\/db\/k"\]/,
    );
  });
});
