import type { TaskDefinition } from '@aws-sdk/client-ecs';
import { describe, expect, test } from 'vitest';
import { desireService } from '../../../../../../src/compute/providers/ecs/state/desired.ts';
import { registerInput } from '../../../../../../src/compute/providers/ecs/state/task-definition/register-input.ts';
import type { ContainerSpec } from '../../../../../../src/compute/spec/tenant-compute-spec.ts';
import { containerProcess } from '../../../../container-process.ts';
import { containerSpec, settings, tenantSpec } from '../../ecs-fixture.ts';
import { baseArn } from '../../memory-ecs.ts';

/** Fields of a container that ECS has by another name, on some hosts alone, or not at all. */

const onInstances: TaskDefinition = {
  taskDefinitionArn: baseArn,
  networkMode: 'bridge',
  containerDefinitions: [
    { name: 'app', image: 'app:0', linuxParameters: { capabilities: { drop: ['NET_RAW'] } } },
  ],
};
const onFargate: TaskDefinition = {
  ...onInstances,
  networkMode: 'awsvpc',
  requiresCompatibilities: ['FARGATE'],
  cpu: '256',
  memory: '512',
};

function register(over: Partial<ContainerSpec>, base: TaskDefinition, config = {}) {
  const desired = desireService(tenantSpec(config, { containers: [containerSpec('app', over)] }), settings());
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
      capabilities: { drop: ['NET_RAW'] },
      initProcessEnabled: true,
      sharedMemorySize: 256,
    },
    ulimits: [{ name: 'nproc', softLimit: 64, hardLimit: 128 }],
    extraHosts: [{ hostname: 'db', ipAddress: '10.0.0.1' }],
    dnsServers: ['10.0.0.2'],
  });
});

const everywhere: readonly (readonly [Partial<ContainerSpec>, RegExp])[] = [
  [{ stopSignal: 'SIGINT' }, /container app: stopSignal: ECS sends the signal that the image names/],
  [{ stopGracePeriodSeconds: 121 }, /stopGracePeriodSeconds: ECS waits at most 120 seconds/],
  [{ extraHosts: [{ hostname: 'host', ip: 'host-gateway' }] }, /extraHosts: ECS does not know host-gateway/],
];
const withOwnNetwork: readonly (readonly [Partial<ContainerSpec>, RegExp])[] = [
  [{ hostname: 'web' }, /hostname: ECS has no such setting for tasks in awsvpc/],
  [{ dns: ['10.0.0.2'] }, /dns: ECS has no such setting for tasks in awsvpc/],
  [{ extraHosts: [{ hostname: 'db', ip: '10.0.0.1' }] }, /extraHosts: ECS has no such setting/],
];
const withoutHost: readonly (readonly [Partial<ContainerSpec>, RegExp])[] = [
  [{ shmSize: '1Gi' }, /shmSize: Fargate has no such setting/],
  [{ ulimits: [{ name: 'core', soft: 0, hard: 0 }] }, /ulimits: Fargate knows nofile alone, not core/],
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
