import {
  ApplicationAutoScalingClient,
  PutScalingPolicyCommand,
} from '@aws-sdk/client-application-auto-scaling';
import { expect, test, vi } from 'vitest';
import { startMoto } from '../../../../../dev/ecs-endpoint.ts';
import { callAsRoot } from '../as-root.ts';
import { seenScaling } from '../../../../../src/compute/providers/ecs/state/scaling/seen-scaling.ts';
import { anyConsent } from '../../../permits.ts';
import { never } from '../client-fixture.ts';
import { tenantSpec } from '../ecs-fixture.ts';
import { ecsOnTheWire } from '../ecs-on-the-wire.ts';

callAsRoot();

/** moto keeps scalable targets and policies as it is told, and scales nothing; ministack has no such API. */
test('over the wire, autoscaling is made, changed, put back and removed', async () => {
  await using stack = new AsyncDisposableStack();
  const { endpoint, fixture, config, ecs, provider } = await ecsOnTheWire(stack, () =>
    startMoto({ running: 2 }),
  );
  const spec = (max: number) => tenantSpec({ ...config, autoscaling: { min: 2, max, cpu: 60, memory: 80 } });
  const target = {
    scope: { region: fixture.region },
    cluster: fixture.clusterArn,
    service: 'landlord-tenant-acme',
  };
  const shown = async () => seenScaling(await ecs.describeScaling(target, 'user', never));
  const policies = [
    { name: 'landlord-cpu', metric: 'ECSServiceAverageCPUUtilization', target: 60 },
    { name: 'landlord-memory', metric: 'ECSServiceAverageMemoryUtilization', target: 80 },
  ];

  expect(await ecs.registerScalableTarget(target, { min: 1, max: 2 }, anyConsent, never)).toBe('missing');
  await provider.provision(spec(5), never);
  expect(await shown()).toBe('none');
  await provider.update(spec(5), never);
  expect(await shown()).toEqual({ min: 2, max: 5, policies, foreign: [] });
  await provider.update(spec(7), never);
  expect(await shown()).toMatchObject({ max: 7 });

  const others = new ApplicationAutoScalingClient({ endpoint: endpoint.url, region: fixture.region });
  stack.defer(() => others.destroy());
  await others.send(
    new PutScalingPolicyCommand({
      PolicyName: 'nightly',
      PolicyType: 'StepScaling',
      ServiceNamespace: 'ecs',
      ResourceId: `service/${fixture.clusterArn.split('/')[1]}/landlord-tenant-acme`,
      ScalableDimension: 'ecs:service:DesiredCount',
      StepScalingPolicyConfiguration: { AdjustmentType: 'ChangeInCapacity' },
    }),
  );
  await ecs.deleteScalingPolicy(target, 'landlord-cpu', anyConsent, never);
  const status = await provider.getStatus(spec(7), { fresh: true, signal: never });
  expect(status).toMatchObject({ notes: ['the scaling policy nightly of others is left alone'] });
  expect(status.changes).toContainEqual(expect.objectContaining({ path: 'autoscaling', cause: 'drift' }));
  await provider.update(spec(7), never);
  expect(await shown()).toEqual({
    min: 2,
    max: 7,
    policies: expect.arrayContaining(policies),
    foreign: ['nightly'],
  });

  await vi.waitFor(async () => expect((await provider.destroy(spec(7), never)).outcome).toBe('gone'), {
    timeout: 30_000,
    interval: 200,
  });
  expect(await shown()).toBe('none');
}, 120_000);
