import { expect, test } from 'vitest';
import { desireService } from '../../../../src/compute/providers/ecs/desired.ts';
import { ecsProvider } from '../../../../src/compute/providers/ecs/provider.ts';
import { tidyFamily } from '../../../../src/compute/providers/ecs/trickle.ts';
import { placedTenant } from '../../placed-tenant.ts';
import { containerSpec, context, settings, tenantSpec } from './ecs-fixture.ts';
import { memoryEcs, writesOf } from './memory-ecs.ts';

const signal = new AbortController().signal;
const { block, policy, owner } = settings();
const running = (image: string) => tenantSpec({}, { containers: [containerSpec('app', { image })] });

test('old revisions go one at a time, oldest first, and never one that runs or is about to', async () => {
  const ecs = memoryEcs();
  const provider = ecsProvider(ecs, block, policy, context());
  const look = async (image: string) => {
    const spec = running(image);
    return provider.getStatus(placedTenant(provider, spec, { thorough: true }), spec, signal);
  };
  for (const image of ['app:1', 'app:2', 'app:3']) {
    await provider.update(running(image), signal);
    await look(image);
  }
  const active = () =>
    [...ecs.taskDefinitions.values()]
      .filter(
        ({ taskDefinition }) => taskDefinition.status === 'ACTIVE' && taskDefinition.family !== 'tenant-app',
      )
      .map(({ taskDefinition }) => taskDefinition.containerDefinitions?.[0]?.image);
  const desired = desireService(running('app:3'), settings());
  ecs.calls.length = 0;
  expect(await tidyFamily(ecs, owner, desired, signal)).toBe(true);
  expect(active()).toEqual(['app:2', 'app:3']);
  expect(await tidyFamily(ecs, owner, desired, signal)).toBe(false);
  expect(active()).toEqual(['app:3']);
  expect(await tidyFamily(ecs, owner, desired, signal)).toBe(false);
  expect(writesOf(ecs)).toEqual(['deregisterTaskDefinition', 'deregisterTaskDefinition']);
});

test('while a rollout goes on, nothing is deregistered', async () => {
  const ecs = memoryEcs();
  const provider = ecsProvider(ecs, block, policy, context());
  await provider.update(running('app:1'), signal);
  await provider.update(running('crash:2'), signal);
  const service = ecs.service('landlord-tenant-acme');
  for (const deployment of service?.deployments ?? []) deployment.failedTasks = -5;
  ecs.calls.length = 0;
  expect(await tidyFamily(ecs, owner, desireService(running('crash:2'), settings()), signal)).toBe(true);
  expect(writesOf(ecs)).toEqual([]);
});
