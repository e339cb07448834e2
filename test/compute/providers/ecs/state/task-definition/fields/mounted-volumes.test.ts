import type { TaskDefinition } from '@aws-sdk/client-ecs';
import { expect, test } from 'vitest';
import { desireService } from '../../../../../../../src/compute/providers/ecs/state/desired.ts';
import { registerInput } from '../../../../../../../src/compute/providers/ecs/state/task-definition/register-input.ts';
import type { ContainerSpec, VolumeSpec } from '../../../../../../../src/compute/spec/tenant-compute-spec.ts';
import { containerSpec, settings, tenantSpec } from '../../../ecs-fixture.ts';
import { onFargate, onInstances } from '../../../base-definitions.ts';

const volumes: readonly VolumeSpec[] = [
  { name: 'tmp', kind: 'tmpfs', size: '65Ki' },
  { name: 'data', kind: 'persistent' },
  { name: 'tls', kind: 'files', from: 'Secret tls', files: [] },
];

function register(over: Partial<ContainerSpec>, base: TaskDefinition, config = {}) {
  const containers = [containerSpec('app', over)];
  const desired = desireService(tenantSpec(config, { containers, volumes }), settings());
  if (desired.overlay === undefined) throw new Error('no overlay');
  return registerInput(desired.overlay, base, desired.ownerTags).containerDefinitions[0];
}

const mounting = (name: string, readOnly?: boolean) => ({
  volumeMounts: [{ name, mountPath: '/tmp', ...(readOnly === undefined ? {} : { readOnly }) }],
});
const refusal = (message: RegExp) =>
  expect.objectContaining({ code: 'InvalidSpec', message: expect.stringMatching(message) as string });

test("memory is mounted with the rest of the base's parameters, in whole MiB", () => {
  expect(register({ ...mounting('tmp'), init: true }, onInstances)?.linuxParameters).toEqual({
    capabilities: { drop: ['NET_RAW'] },
    initProcessEnabled: true,
    tmpfs: [{ containerPath: '/tmp', size: 1, mountOptions: ['rw', 'mode=1777'] }],
  });
  expect(register(mounting('tmp', true), onInstances)?.linuxParameters).toMatchObject({
    tmpfs: [{ mountOptions: ['ro', 'mode=1777'] }],
  });
});

test('memory is refused on Fargate, by the block and by the base', () => {
  const message = /container app: volumeMounts: Fargate has no tmpfs/;
  expect(() => register(mounting('tmp'), onFargate)).toThrow(refusal(message));
  expect(() => register(mounting('tmp'), onInstances, { launch_type: 'FARGATE' })).toThrow(refusal(message));
});

test.each([
  [
    'data',
    /container app: volumeMounts: \/tmp: ECS keeps no data of data. Have the operator's admin name a directory of EFS/,
  ],
  [
    'tls',
    /container app: volumeMounts: \/tmp: ECS has no files of the Secret tls. Give what is in it by env/,
  ],
  ['none', /container app: volumeMounts: \/tmp: spec.volumes has no volume of that name/],
])('a mount of %s is refused, and says what to do', (name, message) => {
  expect(() => register(mounting(name), onInstances)).toThrow(refusal(message));
});

test('a part of memory is refused, for there is none', () => {
  const volumeMounts = [{ name: 'tmp', mountPath: '/tmp', subPath: 'a' }];
  expect(() => register({ volumeMounts }, onInstances)).toThrow(
    refusal(/container app: volumeMounts: \/tmp: subPath: memory has no parts. Leave it out/),
  );
});

test('what nobody mounts is in nobody’s way', () => {
  expect(register({}, onFargate)).toBeDefined();
});
