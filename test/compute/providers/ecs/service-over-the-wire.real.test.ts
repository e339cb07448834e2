import { describe, expect, test } from 'vitest';
import { startMinistack, startMoto } from '../../../../dev/ecs-endpoint.ts';
import { callAsRoot } from './as-root.ts';
import { until } from '../../../until.ts';
import { never } from './client-fixture.ts';
import { containerSpec, settled, tenantSpec } from './ecs-fixture.ts';
import { ecsOnTheWire } from './ecs-on-the-wire.ts';

callAsRoot();

describe.each([
  ['ministack', () => startMinistack({ mode: 'metadata' })],
  ['moto', () => startMoto({ running: 1 })],
] as const)('over the wire, on %s,', (_name, start) => {
  test('a persistent volume is a directory of EFS in the revision, and no difference then', async () => {
    await using stack = new AsyncDisposableStack();
    const { fixture, config, ecs, provider } = await ecsOnTheWire(stack, start, {
      efs_volumes: { '*/*/*': { file_system_id: 'fs-0abc', root_directory: '/{namespace}/{name}/{volume}' } },
    });
    const volumeMounts = [{ name: 'data', mountPath: '/data' }];
    const containers = [containerSpec('app', { image: 'registry.example/app:1', volumeMounts })];
    const spec = tenantSpec(config, { containers, volumes: [{ name: 'data', kind: 'persistent' }] });
    await provider.provision(spec, never);
    const seen = await settled(provider, spec);
    expect(seen.changes).toEqual([]);
    const revision = seen.compute.resourceIds?.['taskDefinition'] ?? '';
    const found = await ecs.describeTaskDefinition({ region: fixture.region }, revision, never);
    expect(found?.taskDefinition.volumes).toMatchObject([
      {
        name: 'landlord-data',
        efsVolumeConfiguration: { fileSystemId: 'fs-0abc', rootDirectory: '/team-a/acme/data' },
      },
    ]);
    expect(found?.taskDefinition.containerDefinitions?.[0]?.mountPoints).toMatchObject([
      { sourceVolume: 'landlord-data', containerPath: '/data' },
    ]);
  });
});

test('over the wire, a rollout of which no task comes is told once its time is up', async () => {
  await using stack = new AsyncDisposableStack();
  const { config, provider } = await ecsOnTheWire(stack, () => startMoto({ running: 0 }));
  const spec = tenantSpec({ ...config, desired_count: 2, progress_deadline_seconds: 1 });
  await provider.provision(spec, never);
  let overdue: string | undefined;
  await until('it is told', async () => {
    ({ overdue } = await provider.getStatus(spec, { fresh: true, signal: never }));
    return overdue !== undefined;
  });
  expect(overdue).toContain('has not come to its end within 1 seconds, and goes on: 0 of 2 tasks run');
});
