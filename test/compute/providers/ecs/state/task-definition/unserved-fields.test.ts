import type { TaskDefinition } from '@aws-sdk/client-ecs';
import { describe, expect, test } from 'vitest';
import { desireService } from '../../../../../../src/compute/providers/ecs/state/desired.ts';
import { refusedParts } from '../../../../../../src/compute/providers/ecs/state/task-definition/unserved-fields.ts';
import { registerInput } from '../../../../../../src/compute/providers/ecs/state/task-definition/register-input.ts';
import type { ContainerSpec } from '../../../../../../src/compute/spec/tenant-compute-spec.ts';
import { containerProcess, processVolumes } from '../../../../container-process.ts';
import { containerSpec, settings, tenantSpec } from '../../ecs-fixture.ts';
import { onFargate, onInstances } from '../../base-definitions.ts';

/** Fields of a container that ECS has by another name, on some hosts alone, or not at all. */

function register(over: Partial<ContainerSpec>, base: TaskDefinition, config = {}, policy = {}) {
  const containers = [containerSpec('app', over)];
  const spec = tenantSpec(config, { containers, volumes: processVolumes });
  const desired = desireService(spec, settings({}, policy));
  if (desired.overlay === undefined) throw new Error('no overlay');
  return registerInput(desired.overlay, base, desired.ownerTags).containerDefinitions[0];
}

test('what a process is given stands in the request, in the words of ECS', () => {
  const { stopSignal: _unserved, ...served } = containerProcess;
  const ulimits: ContainerSpec['ulimits'] = [{ name: 'nproc', soft: 64, hard: 128 }];
  const definition = register({ ...served, ulimits }, onInstances);
  expect(definition).toMatchObject({
    workingDirectory: '/srv',
    user: '1000:1000',
    stopTimeout: 60,
    hostname: 'web',
    readonlyRootFilesystem: true,
    pseudoTerminal: true,
    interactive: true,
    linuxParameters: {
      capabilities: { add: ['NET_BIND_SERVICE'], drop: ['NET_RAW', 'ALL'] },
      initProcessEnabled: true,
      sharedMemorySize: 256,
      tmpfs: [{ containerPath: '/scratch', size: 16, mountOptions: ['rw', 'mode=1777'] }],
    },
    ulimits: [{ name: 'nproc', softLimit: 64, hardLimit: 128 }],
    extraHosts: [{ hostname: 'db', ipAddress: '10.0.0.1' }],
    dnsServers: ['10.0.0.2'],
    systemControls: [{ namespace: 'net.core.somaxconn', value: '1024' }],
  });
});

const everywhere: readonly (readonly [Partial<ContainerSpec>, RegExp])[] = [
  [
    { healthCheck: { httpGet: { port: 80 } } },
    /container app: healthCheck: ECS checks by a program of the image alone, and has no httpGet/,
  ],
  [{ healthCheck: { tcpSocket: { port: 80 } } }, /container app: healthCheck: .* no tcpSocket\. Name one /],
  [
    { ports: [{ containerPort: 80, hostPort: 80, protocol: 'TCP', edge: {} }] },
    /container app: ports: ECS has no host whose port an edge could keep/,
  ],
  [{ stopSignal: 'SIGINT' }, /container app: stopSignal: ECS sends the signal that the image names/],
  [{ stopGracePeriodSeconds: 121 }, /stopGracePeriodSeconds: ECS waits at most 120 seconds/],
  [{ extraHosts: [{ hostname: 'host', ip: 'host-gateway' }] }, /extraHosts: ECS does not know host-gateway/],
  [{ capabilities: { drop: ['AUDIT_READ'] } }, /capabilities: ECS does not know AUDIT_READ/],
];
const withOwnNetwork: readonly (readonly [Partial<ContainerSpec>, RegExp])[] = [
  [{ hostname: 'web' }, /hostname: ECS has no such setting for tasks in awsvpc/],
  [{ dns: ['10.0.0.2'] }, /dns: ECS has no such setting for tasks in awsvpc/],
  [{ extraHosts: [{ hostname: 'db', ip: '10.0.0.1' }] }, /extraHosts: ECS has no such setting/],
];
const withoutHost: readonly (readonly [Partial<ContainerSpec>, RegExp])[] = [
  [{ shmSize: '1Gi' }, /shmSize: Fargate has no such setting/],
  [{ ulimits: [{ name: 'core', soft: 0, hard: 0 }] }, /ulimits: Fargate knows nofile alone, not core/],
  [{ capabilities: { add: ['CHOWN'] } }, /capabilities: Fargate adds SYS_PTRACE alone, not CHOWN/],
];
const refusal = (message: RegExp) =>
  expect.objectContaining({ code: 'InvalidSpec', message: expect.stringMatching(message) as string });

describe('what ECS can not do is refused, and says what to do', () => {
  test.each(everywhere)('%o anywhere', (over, message) => {
    expect(() => register(over, onInstances)).toThrow(refusal(message));
  });

  test.each(withOwnNetwork)('%o for tasks with an address of their own', (over, message) => {
    expect(() => register(over, { ...onInstances, networkMode: 'awsvpc' })).toThrow(refusal(message));
    expect(() => register(over, onInstances, { launch_type: 'FARGATE' })).toThrow(refusal(message));
    expect(register(over, onInstances)).toBeDefined();
  });

  test.each(withoutHost)('%o on Fargate', (over, message) => {
    expect(() => register(over, onFargate)).toThrow(refusal(message));
    expect(() => register(over, onInstances, { launch_type: 'FARGATE' })).toThrow(refusal(message));
    expect(register(over, onInstances)).toBeDefined();
  });
});

const somaxconn = (value: string): Partial<ContainerSpec> => ({
  sysctls: [{ name: 'net.core.somaxconn', value }],
});

describe('settings of the kernel', () => {
  test('go over those of the task definition, one by one', () => {
    const systemControls = [
      { namespace: 'net.core.somaxconn', value: '128' },
      { namespace: 'net.ipv4.tcp_syncookies', value: '1' },
    ];
    const base = { ...onInstances, containerDefinitions: [{ name: 'app', systemControls }] };
    expect(register(somaxconn('1024'), base)?.systemControls).toEqual([
      systemControls[1],
      { namespace: 'net.core.somaxconn', value: '1024' },
    ]);
  });

  test('of a network are no container’s in that of the instance', () => {
    const base = { ...onInstances, networkMode: 'host' as const };
    expect(() => register(somaxconn('1024'), base)).toThrow(
      refusal(/net\.core\.somaxconn is the host's in network mode host/),
    );
  });

  test('of a network that containers share have one value', () => {
    const both = (...values: string[]) => {
      const containers = values.map((value, index) => containerSpec(`app-${index}`, somaxconn(value)));
      return desireService(tenantSpec({ launch_type: 'FARGATE' }, { containers }), settings());
    };
    expect(both('1', '1').containers).toHaveLength(2);
    expect(() => both('1', '2')).toThrow(
      refusal(/container app-1: sysctls: net\.core\.somaxconn is 2 here and 1/),
    );
  });
});

describe('what needs leave', () => {
  const denial = (message: RegExp) =>
    expect.objectContaining({ code: 'PolicyDenied', message: expect.stringMatching(message) as string });
  const open = { allow_capabilities: ['NET_ADMIN', 'NET_RAW'], allow_sysctls: ['net.ipv4.*'] };
  const forwarding = { sysctls: [{ name: 'net.ipv4.ip_forward', value: '1' }] };
  const administering = { capabilities: { add: ['NET_ADMIN' as const] } };
  const takingBack = { capabilities: { add: ['NET_RAW' as const] } };

  test.each<[string, Partial<ContainerSpec>, RegExp]>([
    [
      'a capability',
      administering,
      /^policy\.ecs\.allow_capabilities: container app: .* NET_ADMIN, which is not/,
    ],
    ['one that the task definition drops', takingBack, /allow_capabilities: .* NET_RAW, which its task def/],
    ['a sysctl', forwarding, /^policy\.ecs\.allow_sysctls: container app: sysctl net\.ipv4\.ip_forward/],
  ])('%s is refused by the rule that would allow it', (_what, over, message) => {
    expect(() => register(over, onInstances)).toThrow(denial(message));
    expect(register(over, onInstances, {}, open)).toBeDefined();
  });

  test('what the engine has by default does not, where nobody dropped it', () => {
    const base = { ...onInstances, containerDefinitions: [{ name: 'app' }] };
    expect(register(takingBack, base)?.linuxParameters).toEqual({ capabilities: { add: ['NET_RAW'] } });
  });
});

describe('a platform', () => {
  type Platform = TaskDefinition['runtimePlatform'];
  const platformOf = (platforms: readonly (string | undefined)[], base?: Platform): Platform => {
    const containers = platforms.map((platform, index) => containerSpec(`app-${index}`, { platform }));
    const desired = desireService(tenantSpec({}, { containers }), settings());
    if (desired.overlay === undefined) throw new Error('no overlay');
    return registerInput(desired.overlay, { ...onInstances, runtimePlatform: base }, {}).runtimePlatform;
  };
  const arm = { cpuArchitecture: 'ARM64', operatingSystemFamily: 'LINUX' } as const;

  test('is the task’s, whoever of its containers names it', () => {
    expect(platformOf([undefined, 'linux/arm64', 'linux/arm64/v8'])).toEqual(arm);
    expect(platformOf(['linux/amd64'])).toEqual({ ...arm, cpuArchitecture: 'X86_64' });
    expect(platformOf([undefined], arm)).toEqual(arm);
    expect(platformOf(['linux/arm64'], arm)).toEqual(arm);
  });

  test.each<[string, readonly string[], Platform, RegExp]>([
    ['ECS has not', ['linux/riscv64'], undefined, /container app-0: platform: ECS has no linux\/riscv64/],
    [
      'a sibling has not',
      ['linux/amd64', 'linux/arm64'],
      undefined,
      /container app-1: platform: it is not that of container app-0/,
    ],
    [
      'the task definition has not',
      ['linux/amd64'],
      arm,
      /container app-0: platform: the task definition .* is for LINUX on ARM64/,
    ],
    [
      'is another system',
      ['linux/amd64'],
      { operatingSystemFamily: 'WINDOWS_SERVER_2022_CORE' },
      /is for WINDOWS/,
    ],
  ])('that %s is refused', (_what, platforms, base, message) => {
    expect(() => platformOf(platforms, base)).toThrow(refusal(message));
  });
});

test('each part of a field that the table of fields calls refused is, on every host', () => {
  const asked: Readonly<Record<(typeof refusedParts)[number], Partial<ContainerSpec>>> = {
    'ports[].edge': { ports: [{ containerPort: 80, hostPort: 80, protocol: 'TCP', edge: {} }] },
    'healthCheck.httpGet': { healthCheck: { httpGet: { port: 80 } } },
    'healthCheck.tcpSocket': { healthCheck: { tcpSocket: { port: 80 } } },
  };
  for (const part of refusedParts)
    for (const base of [onFargate, onInstances])
      expect(() => register(asked[part], base), part).toThrow(/^spec\.containers: container app: /);
});
