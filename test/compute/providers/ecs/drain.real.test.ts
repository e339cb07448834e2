import { expect, test, vi } from 'vitest';
import { startMinistack } from '../../../../dev/ecs-endpoint.ts';
import { callAsRoot } from './as-root.ts';
import { never } from './client-fixture.ts';
import { tenantSpec } from './ecs-fixture.ts';
import { ecsOnTheWire } from './ecs-on-the-wire.ts';

callAsRoot();

test('over the wire, a service that asks for a drain is scaled to 0 first, and gone in the end', async () => {
  await using stack = new AsyncDisposableStack();
  const { fixture, config, ecs, provider } = await ecsOnTheWire(stack, () =>
    startMinistack({ mode: 'metadata' }),
  );
  const spec = tenantSpec({ ...config, drain: true, desired_count: 2 });
  const target = {
    scope: { region: fixture.region },
    cluster: fixture.clusterArn,
    service: 'landlord-tenant-acme',
  };

  await provider.provision(spec, never);
  expect(await provider.destroy(spec, never)).toMatchObject({
    outcome: 'in_progress',
    message: /Draining service landlord-tenant-acme: \d+ tasks? still runs?/,
  });
  const service = await ecs.describeService(target, 'user', never);
  expect(service).toMatchObject({ status: 'ACTIVE', desiredCount: 0 });
  expect(service).toHaveProperty(
    'tags',
    expect.arrayContaining([{ key: 'landlord.drain', value: 'from 2' }]),
  );

  // Called off, it gets its tasks and its mark back; asked for again, it goes.
  await provider.update(spec, never);
  expect(await ecs.describeService(target, 'user', never)).toMatchObject({
    desiredCount: 2,
    tags: expect.arrayContaining([{ key: 'landlord.drain', value: 'true' }]),
  });
  await vi.waitFor(async () => expect((await provider.destroy(spec, never)).outcome).toBe('gone'), {
    timeout: 30_000,
    interval: 200,
  });
}, 120_000);
