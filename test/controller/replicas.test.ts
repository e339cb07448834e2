import { describe, expect, test } from 'vitest';
import { tenantSpecSchema } from '../../src/api/tenant.ts';
import { ecsTenantBlock } from '../../src/compute/providers/ecs/config.ts';
import { ecsDefinition } from '../../src/compute/providers/ecs/definition.ts';
import { awsBench, serviceName } from '../compute/providers/ecs/aws-bench.ts';
import { startController } from './controller-fixture.ts';
import type { ControllerFixture } from './controller-fixture.ts';
import { block, scriptedProvider } from './scripted-provider.ts';

const specSchema = tenantSpecSchema({ docker: block, ecs: ecsTenantBlock });
const containers = [{ name: 'app', image: 'app:1' }];

/** With a Tenant on ECS as AWS runs it, and another provider that it may move to. */
async function scaled(spec: Record<string, unknown>) {
  const { aws, provider, block: operatorBlock } = awsBench({ fateOf: () => ({ startMs: 5_000 }) });
  const docker = scriptedProvider('docker');
  const ns = await startController([docker], {
    specSchema,
    providers: new Map([
      ['docker', docker.enabled],
      ['ecs', { definition: ecsDefinition, provider: provider.undriven, block: operatorBlock }],
    ]),
  });
  await ns.create('acme', { tenantId: 'acme', computeProvider: 'ecs', containers, ...spec });
  await settle(ns);
  return { aws, ns, docker, count: () => aws.service(serviceName)?.desiredCount };
}

async function settle(ns: ControllerFixture): Promise<void> {
  for (let second = 0; second < 300; second += 1) await ns.pass(1_000);
}

describe('the count of replicas on ECS', () => {
  test('follows the spec, as kubectl scale sets it, and the status tells how many run', async () => {
    const { ns, count } = await scaled({ replicas: 1 });
    expect(count()).toBe(1);
    await ns.patch('acme', { spec: { replicas: 3 } });
    await settle(ns);
    expect(count()).toBe(3);
    expect(await ns.conditions('acme')).toEqual(['Ready=True/Running']);
    const { status } = await ns.get('acme');
    expect(status).toMatchObject({ replicas: 3, selector: 'landlord.dev/tenant-id=acme' });
    expect(status?.compute?.replicas).toBe('3/3');
  });

  test('is no longer in the status once nobody names it, and stays as it was on ECS', async () => {
    const { ns, count } = await scaled({ replicas: 2 });
    await ns.patch('acme', { spec: { replicas: null } });
    await settle(ns);
    expect(count()).toBe(2);
    expect((await ns.get('acme')).status).not.toHaveProperty('replicas');
  });

  test('is put back where somebody else changes it', async () => {
    const { aws, ns, count } = await scaled({ replicas: 2 });
    aws.strangers.update(serviceName, { desiredCount: 5 });
    await settle(ns);
    expect(count()).toBe(2);
  });

  test('may be 0: the Tenant is Ready, and its status says why nothing runs', async () => {
    const { ns, count } = await scaled({ replicas: 1 });
    await ns.patch('acme', { spec: { replicas: 0 } });
    await settle(ns);
    expect(count()).toBe(0);
    expect(await ns.conditions('acme')).toEqual(['Ready=True/Running']);
    expect(await ns.message('acme')).toBe('nothing runs, as spec.replicas is 0');
    expect((await ns.get('acme')).status).toMatchObject({ replicas: 0, compute: { state: 'stopped' } });
  });

  test('that an autoscaler has set goes along on an edit, a request, and a move there and back', async () => {
    const { ns, docker, count } = await scaled({ replicas: 1 });
    await ns.patch('acme', { spec: { replicas: 4 } });
    await settle(ns);
    await ns.patch('acme', { spec: { containers: [{ name: 'app', image: 'app:2' }] } });
    await ns.patch('acme', { metadata: { annotations: { 'landlord.dev/reconcile-requested-at': '1' } } });
    await settle(ns);
    expect(count()).toBe(4);
    await ns.patch('acme', { spec: { computeProvider: 'docker' } });
    await settle(ns);
    expect(docker.workloads.size).toBe(1);
    expect(count()).toBe(0);
    await ns.patch('acme', { spec: { computeProvider: 'ecs' } });
    await settle(ns);
    expect(count()).toBe(4);
    expect((await ns.get('acme')).status).toMatchObject({ replicas: 4 });
  });
});
