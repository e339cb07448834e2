import { tenantSpecSchema } from '../../src/api/tenant.ts';
import { describe, expect, test } from 'vitest';
import { findCondition } from '../../src/api/conditions.ts';
import { ecsTenantBlock } from '../../src/compute/providers/ecs/config.ts';
import { ecsDefinition } from '../../src/compute/providers/ecs/definition.ts';
import type { FrontDoor } from '../simulation/models/aws-ecs/front-door.ts';
import type { Launch } from '../simulation/models/aws-ecs/records.ts';
import { awsBench } from '../compute/providers/ecs/aws-bench.ts';
import { startController } from './controller-fixture.ts';

const specSchema = tenantSpecSchema({ ecs: ecsTenantBlock });

/** What a Tenant that is Ready says while nobody can tell how its service is. */

async function settledTenant() {
  const { aws, provider, block } = awsBench({ fateOf: () => ({ startMs: 10_000 }) });
  const ns = await startController([], {
    specSchema,
    providers: new Map([['ecs', { definition: ecsDefinition, provider: provider.undriven, block }]]),
  });
  await ns.create('acme', { containers: [{ name: 'app', image: 'app:1' }] });
  await ns.pass(600_000);
  const ready = async () => findCondition((await ns.get('acme')).status?.conditions, 'Ready');
  expect(await ready()).toMatchObject({ status: 'True' });
  ns.writes();
  return { aws, ns, ready };
}

const hour = 3_600_000;

describe('a Tenant that is Ready says Unknown within 75 seconds, and True again within one, where ECS', () => {
  test.each<[what: string, begin: (door: FrontDoor) => void, end: (door: FrontDoor) => void, reason: string]>(
    [
      [
        'is out of reach',
        (door) => (door.outage = 'refused'),
        (door) => (door.outage = undefined),
        'ProviderUnavailable',
      ],
      [
        'does not answer',
        (door) => (door.outage = 'silent'),
        (door) => (door.outage = undefined),
        'ProviderUnavailable',
      ],
      [
        'takes the right away',
        (door) => (door.denied = /^ecs:Describe/),
        (door) => (door.denied = undefined),
        'AccessDenied',
      ],
      [
        'throttles',
        (door) => door.exhaust('serviceReads', 24 * hour),
        (door) => door.exhaust('serviceReads', 0),
        'Throttled',
      ],
    ],
  )('%s', async (_what, begin, end, reason) => {
    const { aws, ns, ready } = await settledTenant();
    begin(aws.door);
    // A minute since the last answer, and one more call that is waited for.
    await ns.pass(75_000);
    expect(await ready()).toMatchObject({ status: 'Unknown', reason });
    await ns.pass(hour);
    expect(await ready()).toMatchObject({ status: 'Unknown', reason });
    end(aws.door);
    await ns.pass(60_000);
    expect(await ready()).toMatchObject({ status: 'True', reason: 'Running' });
  });

  test('and says nothing of one that is over within a minute', async () => {
    const { aws, ns, ready } = await settledTenant();
    aws.door.outage = '503';
    // The minute begins with the last answer, which may be 20 s older than the outage.
    await ns.pass(35_000);
    aws.door.outage = undefined;
    await ns.pass(600_000);
    expect(await ready()).toMatchObject({ status: 'True' });
    expect(ns.writes()).toEqual([]);
  });
});

describe('a service of which nothing comes is looked at ever more seldom, to once a minute', () => {
  const fates = {
    'because no task of it finds a place': () => ({ startMs: 24 * hour }),
    'while the one before it serves on': ({ images: [image = ''] }: Launch) => ({
      startMs: image.endsWith(':2') ? 24 * hour : 10_000,
    }),
  } as const;

  test.each(Object.entries(fates))('%s', async (_why, fateOf) => {
    const { provider, block } = awsBench({ fateOf });
    const ns = await startController([], {
      specSchema,
      providers: new Map([['ecs', { definition: ecsDefinition, provider: provider.undriven, block }]]),
    });
    await ns.create('acme', { containers: [{ name: 'app', image: 'app:1' }] });
    await ns.pass(600_000);
    await ns.patch('acme', { spec: { containers: [{ name: 'app', image: 'app:2' }] } });
    ns.passes.length = 0;
    await ns.pass(60_000);
    // A task that starts shows within seconds.
    expect(ns.passes.length).toBeGreaterThan(10);
    await ns.pass(hour);
    ns.passes.length = 0;
    await ns.pass(hour);
    expect(ns.passes.length).toBeGreaterThanOrEqual(59);
    expect(ns.passes.length).toBeLessThan(75);
  });
});
