import { describe, expect, test } from 'vitest';
import { apiVersion, kind } from '../../src/api/names.ts';
import { tenantSpecSchema } from '../../src/api/tenant.ts';
import { ecsTenantBlock } from '../../src/compute/providers/ecs/config.ts';
import { ecsDefinition } from '../../src/compute/providers/ecs/definition.ts';
import type { EnabledProviders } from '../../src/compute/selection/enabled-providers.ts';
import { context, drivenEcs, settings } from '../compute/providers/ecs/ecs-fixture.ts';
import { memoryEcs } from '../compute/providers/ecs/memory-ecs.ts';
import { meteredEcs } from '../compute/providers/ecs/metered-ecs.ts';
import { namespace, startController } from './controller-fixture.ts';
import type { FixtureOptions } from './controller-fixture.ts';

/**
 * What the operator asks of ECS, call by call: the real controller over the real provider and its client, with AWS'
 * limits. The numbers are the promise; a call more is a change of it.
 */

const specSchema = tenantSpecSchema({ ecs: ecsTenantBlock });
const sweepMs = 300_000;

const ports = [{ name: 'http', containerPort: 80, protocol: 'TCP' }];

/** One service with an address. */
const web = (image: string, count = 1) => ({
  spec: {
    containers: [{ name: 'app', image, ports }],
    computeConfig: { ecs: { desired_count: count } },
  },
});

async function operator(memory = memoryEcs(), over: FixtureOptions = {}) {
  const ecs = meteredEcs(memory);
  const { block, policy } = settings({ subnets: ['subnet-1'] });
  const provider = drivenEcs(ecs, block, policy, context({ sweepIntervalMs: sweepMs })).undriven;
  const providers: EnabledProviders = new Map([['ecs', { definition: ecsDefinition, provider, block }]]);
  const fixture = await startController([], { specSchema, providers, concurrency: 30, ...over });
  return { ...fixture, memory, ecs };
}

async function fleet(count: number) {
  const one = await operator();
  const names = Array.from({ length: count }, (_, index) => `t${index}`);
  for (const name of names)
    await one.tenants.create({ apiVersion, kind, metadata: { name, namespace }, ...web('app:1') });
  await one.pass(1_200_000);
  for (const name of names)
    expect([name, await one.message(name)]).toEqual([name, '1/1 running and healthy']);
  one.ecs.take();
  return one;
}

/** The next process over what one has made. */
async function restarted(one: Awaited<ReturnType<typeof fleet>>) {
  await one.stop();
  return operator(one.memory, { apiserver: one.apiserver });
}

/** Actions until the first of `action`, and how many of them there were. */
function before(order: readonly string[], action: string): Record<string, number> {
  const end = order.indexOf(action);
  expect(end).toBeGreaterThan(-1);
  const counts: Record<string, number> = {};
  for (const one of order.slice(0, end)) counts[one] = (counts[one] ?? 0) + 1;
  return counts;
}

describe('a restart over services with addresses', () => {
  test('costs a describe of ten each, and no write', async () => {
    const next = await restarted(await fleet(100));
    await next.pass(10_000);
    expect(next.ecs.take()).toEqual({ DescribeServices: 10 });
    expect(next.writes()).toEqual([]);
    expect((await next.get('t99')).status?.compute?.endpoints).toMatchObject([{ address: '10.0.0.7' }]);
  });

  test('lets an edit through after its own looks', async () => {
    const next = await restarted(await fleet(100));
    await next.pass(100);
    await next.patch('t50', web('app:1', 2));
    await next.pass(5_000);
    expect(before(next.ecs.order, 'UpdateService')).toEqual({ DescribeServices: 12 });
  });
});

describe('the calls to ECS', () => {
  test('to create a tenant with containers, until it is Ready', async () => {
    const one = await fleet(1);
    await one.create('acme', web('app:1').spec);
    await one.pass(15_000);
    expect(await one.conditions('acme')).toEqual(['Ready=True/Running']);
    expect(one.ecs.take()).toEqual({
      ListTaskDefinitions: 2,
      RegisterTaskDefinition: 1,
      CreateService: 1,
      DescribeServices: 5,
      ListTasks: 2,
      DescribeTasks: 1,
    });
  });

  test('to change its image, until it is Ready', async () => {
    const one = await fleet(1);
    await one.patch('t0', web('app:2'));
    await one.pass(15_000);
    expect(await one.conditions('t0')).toEqual(['Ready=True/Running']);
    expect(one.ecs.take()).toEqual({
      ListTaskDefinitions: 2,
      RegisterTaskDefinition: 1,
      UpdateService: 1,
      TagResource: 1,
      DescribeServices: 5,
      ListTasks: 2,
      DescribeTasks: 1,
      DescribeTaskDefinition: 1,
      DeregisterTaskDefinition: 1,
    });
  });

  test('to change its count, until it is Ready', async () => {
    const one = await fleet(1);
    await one.patch('t0', web('app:1', 2));
    await one.pass(15_000);
    expect(await one.conditions('t0')).toEqual(['Ready=True/Running']);
    expect(one.ecs.take()).toEqual({
      UpdateService: 1,
      TagResource: 1,
      DescribeServices: 4,
      ListTasks: 2,
      DescribeTasks: 1,
    });
  });

  test('to delete a tenant', async () => {
    const one = await fleet(1);
    await one.tenants.delete('t0', namespace);
    await one.pass(15_000);
    expect(await one.tenants.get('t0', namespace)).toBeUndefined();
    expect(one.ecs.take()).toEqual({
      DeleteService: 1,
      DescribeServices: 2,
      ListTaskDefinitions: 1,
      DescribeTaskDefinition: 1,
      DeregisterTaskDefinition: 1,
    });
  });

  test('of a sweep over 100 settled ones: a describe of ten each, and one every 20 s before it, for contact', async () => {
    const one = await fleet(100);
    await one.pass(sweepMs);
    expect(one.ecs.take()).toEqual({ DescribeServices: 10 + 14 });
  });
});
