import { tenantSpecSchema } from '../../src/api/tenant.ts';
import { describe, expect, test } from 'vitest';
import { findCondition } from '../../src/api/conditions.ts';
import { ecsTenantBlock } from '../../src/compute/providers/ecs/config.ts';
import { ecsDefinition } from '../../src/compute/providers/ecs/definition.ts';
import { awsBench, serviceName } from '../compute/providers/ecs/aws-bench.ts';
import type { TaskFate } from '../simulation/models/aws-ecs/records.ts';
import { startController } from './controller-fixture.ts';
import { block, scriptedProvider } from './scripted-provider.ts';

const specSchema = tenantSpecSchema({ docker: block, ecs: ecsTenantBlock });

/** A Tenant that moves from one provider to ECS as AWS runs it. */

const healthCheck = {
  command: ['/ok'],
  intervalSeconds: 5,
  timeoutSeconds: 2,
  retries: 3,
  startPeriodSeconds: 0,
};

async function moved(fate: TaskFate, container: object) {
  const { aws, provider, block: operatorBlock } = awsBench({ fateOf: () => fate });
  const docker = scriptedProvider('docker');
  const ns = await startController([docker], {
    specSchema,
    providers: new Map([
      ['docker', docker.enabled],
      ['ecs', { definition: ecsDefinition, provider: provider.undriven, block: operatorBlock }],
    ]),
  });
  const containers = [{ name: 'app', image: 'app:1', ...container }];
  await ns.create('acme', { tenantId: 'acme', computeProvider: 'docker', containers });
  await ns.pass(20_000);
  expect(docker.workloads.size).toBe(1);
  await ns.patch('acme', { spec: { computeProvider: 'ecs' } });
  const ready = async () => findCondition((await ns.get('acme')).status?.conditions, 'Ready')?.status;
  return { aws, docker, ns, ready };
}

describe.each([
  ['', {}],
  [' with a health check', { healthCheck }],
])('a move to ECS%s', (_what, container) => {
  test('leaves the old place alone while the tasks crash 8 s after a start of 45 s', async () => {
    const { docker, ns, ready, aws } = await moved({ startMs: 45_000, crashAfterMs: 8_000 }, container);
    for (let second = 0; second < 300; second += 1) {
      await ns.pass(1_000);
      expect([second, docker.workloads.size, await ready()]).toEqual([second, 1, 'False']);
    }
    expect(aws.tasks(serviceName).length).toBeGreaterThan(2);
  });

  test('empties the old place once ECS calls the new deployment COMPLETED, and not before', async () => {
    const { docker, ns, ready, aws } = await moved({ startMs: 45_000 }, container);
    for (let second = 0; second < 300 && docker.workloads.size > 0; second += 1) await ns.pass(1_000);
    expect(docker.workloads.size).toBe(0);
    expect(aws.service(serviceName)?.deployments?.[0]?.rolloutState).toBe('COMPLETED');
    expect(await ready()).toBe('True');
  });
});
