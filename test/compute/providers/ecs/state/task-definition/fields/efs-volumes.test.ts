import type { TaskDefinition } from '@aws-sdk/client-ecs';
import { describe, expect, test } from 'vitest';
import { explainIssues } from '../../../../../../../src/api/explain-issues.ts';
import { ecsOperatorBlock } from '../../../../../../../src/compute/providers/ecs/config.ts';
import { desireService } from '../../../../../../../src/compute/providers/ecs/state/desired.ts';
import { registerInput } from '../../../../../../../src/compute/providers/ecs/state/task-definition/register-input.ts';
import type {
  ContainerSpec,
  TenantComputeSpec,
  VolumeSpec,
} from '../../../../../../../src/compute/spec/tenant-compute-spec.ts';
import { containerSpec, settings, tenantSpec } from '../../../ecs-fixture.ts';
import { onFargate, onInstances } from '../../../base-definitions.ts';
import { exampleBlock } from '../../../client-fixture.ts';

const volumes: readonly VolumeSpec[] = [
  { name: 'data', kind: 'persistent' },
  { name: 'uploads', kind: 'persistent' },
];
const efs_volumes = {
  'team-a/acme/uploads': { file_system_id: 'fs-0abc', access_point_id: 'fsap-0def', iam: true },
  'team-a/*/*': { file_system_id: 'fs-0abc', root_directory: '/tenants/{namespace}/{name}/{volume}' },
};
const operator = settings({ efs_volumes });
const data = {
  name: 'landlord-data',
  efsVolumeConfiguration: {
    fileSystemId: 'fs-0abc',
    rootDirectory: '/tenants/team-a/acme/data',
    transitEncryption: 'ENABLED',
  },
};

const mount = (name: string, mountPath = `/${name}`, over: object = {}) => ({ name, mountPath, ...over });
const desiredOf = (
  over: Partial<ContainerSpec>,
  { config = {}, spec = {} }: { config?: object; spec?: Partial<TenantComputeSpec> } = {},
) =>
  desireService(
    tenantSpec({ ...config }, { containers: [containerSpec('app', over)], volumes, ...(spec as object) }),
    operator,
  );

function register(over: Partial<ContainerSpec>, base: TaskDefinition = onFargate) {
  const { overlay, ownerTags } = desiredOf(over);
  if (overlay === undefined) throw new Error('no overlay');
  return registerInput(overlay, base, ownerTags);
}

const refusal = (message: RegExp) =>
  expect.objectContaining({ code: 'InvalidSpec', message: expect.stringMatching(message) as string });

describe('a persistent volume that is mapped to EFS', () => {
  test('is a volume of the task, and mounted where the container says, on Fargate too', () => {
    const input = register({ volumeMounts: [mount('data'), mount('uploads', '/up', { readOnly: true })] });
    expect(input.volumes).toEqual([
      data,
      {
        name: 'landlord-uploads',
        efsVolumeConfiguration: {
          fileSystemId: 'fs-0abc',
          transitEncryption: 'ENABLED',
          authorizationConfig: { accessPointId: 'fsap-0def', iam: 'ENABLED' },
        },
      },
    ]);
    expect(input.containerDefinitions[0]?.mountPoints).toEqual([
      { sourceVolume: 'landlord-data', containerPath: '/data', readOnly: false },
      { sourceVolume: 'landlord-uploads', containerPath: '/up', readOnly: true },
    ]);
  });

  test('stands beside what the base mounts, but for the same path', () => {
    const [app = {}] = onInstances.containerDefinitions ?? [];
    const cache = { sourceVolume: 'cache', containerPath: '/cache' };
    const mountPoints = [cache, { sourceVolume: 'cache', containerPath: '/data' }];
    const base = {
      ...onInstances,
      volumes: [{ name: 'cache' }],
      containerDefinitions: [{ ...app, mountPoints }],
    };
    const input = register({ volumeMounts: [mount('data')] }, base);
    expect(input.volumes).toEqual([{ name: 'cache' }, data]);
    expect(input.containerDefinitions[0]?.mountPoints).toEqual([
      cache,
      { sourceVolume: 'landlord-data', containerPath: '/data', readOnly: false },
    ]);
    expect(() =>
      register({ volumeMounts: [mount('data')] }, { ...base, volumes: [{ name: 'landlord-data' }] }),
    ).toThrow(refusal(/^spec\.volumes: the task definition has a volume landlord-data of its own/));
  });

  test('changes nothing of a task that mounts none', () => {
    expect(register({})).not.toHaveProperty('volumes');
    expect(register({}).containerDefinitions[0]).not.toHaveProperty('mountPoints');
  });

  test('is another revision where it is mounted elsewhere, or is elsewhere', () => {
    const hashes = [
      desiredOf({ volumeMounts: [mount('data')] }),
      desiredOf({ volumeMounts: [mount('data', '/other')] }),
      desiredOf({ volumeMounts: [mount('data', '/data', { readOnly: true })] }),
      desiredOf({ volumeMounts: [mount('uploads', '/data')] }),
      desiredOf({}),
    ].map(({ specHash }) => specHash);
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  test('is written by one task at a time, unless the spec says otherwise', () => {
    const percents = ({ deployment }: ReturnType<typeof desiredOf>) => [
      deployment.minimumHealthyPercent,
      deployment.maximumPercent,
    ];
    const writing = { volumeMounts: [mount('data')] };
    const deployment = { minimum_healthy_percent: 100, maximum_percent: 200 };
    expect(percents(desiredOf(writing))).toEqual([0, 100]);
    expect(percents(desiredOf({ volumeMounts: [mount('data', '/data', { readOnly: true })] }))).toEqual([
      100, 200,
    ]);
    expect(percents(desiredOf(writing, { config: { deployment } }))).toEqual([100, 200]);
  });

  test('has no part of its own, and stays when the Tenant goes: what asks for either is refused', () => {
    expect(() => desiredOf({ volumeMounts: [mount('data', '/data', { subPath: 'a' })] })).toThrow(
      refusal(/subPath: ECS mounts a directory as a whole/),
    );
    const deleting = { spec: { volumePolicy: 'Delete' as const } };
    expect(() => desiredOf({ volumeMounts: [mount('data')] }, deleting)).toThrow(
      refusal(/^spec\.volumePolicy: Delete: what is on EFS stays/),
    );
    expect(() => desiredOf({}, deleting)).not.toThrow();
  });

  test('of another namespace is none of these', () => {
    const spec = { tenant: { namespace: 'team-b', name: 'acme', uid: 'u' } };
    expect(() => desiredOf({ volumeMounts: [mount('data')] }, { spec })).toThrow(
      refusal(/ECS keeps no data of data\. .*compute\.ecs\.efs_volumes/),
    );
  });
});

describe('efs_volumes', () => {
  const fault = (pattern: string, volume: object) => {
    const parsed = ecsOperatorBlock.safeParse({
      ...exampleBlock,
      efs_volumes: { [pattern]: { file_system_id: 'fs-0abc', ...volume } },
    });
    return parsed.success ? 'taken' : explainIssues(parsed.error, 'ecs');
  };

  test.each<[pattern: string, volume: object]>([
    ['a/b/c', { root_directory: '/shared' }],
    ['a/b/c', { access_point_id: 'fsap-0def' }],
    ['a/b-*/c', { root_directory: '/a/{name}' }],
    ['*/*/*', { root_directory: '/{namespace}/{name}/{volume}' }],
  ])('take %s', (pattern, volume) => {
    expect(fault(pattern, volume)).toBe('taken');
  });

  test.each<[pattern: string, volume: object, message: RegExp]>([
    ['a/b/c', {}, /must have exactly one of root_directory and access_point_id/],
    ['a/b/c', { root_directory: '/a', access_point_id: 'fsap-0' }, /must have exactly one/],
    ['a/b', { root_directory: '/a' }, /must be a pattern NAMESPACE\/NAME\/VOLUME/],
    ['a//c', { root_directory: '/a' }, /must be a pattern NAMESPACE\/NAME\/VOLUME/],
    [
      '*/b/c',
      { root_directory: '/{name}' },
      /has `\*` in the part \{namespace\}, which root_directory does not have/,
    ],
    ['a/*/c', { access_point_id: 'fsap-0def' }, /has `\*` in the part \{name\}/],
    ['a/b/c', { root_directory: '/a/../b' }, /root_directory: must be a path/],
    ['a/b/c', { root_directory: '/a/{name}-{volume}' }, /root_directory: must be a path/],
    ['a/b/c', { root_directory: 'a' }, /root_directory: must be a path/],
    ['a/b/c', { root_directory: '/{key}' }, /root_directory: must be a path/],
  ])('refuse %s with %j', (pattern, volume, message) => {
    expect(fault(pattern, volume)).toMatch(message);
  });
});
