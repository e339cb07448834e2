import { CreateServiceCommand, DescribeServicesCommand } from '@aws-sdk/client-ecs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findCondition } from '../../src/api/conditions.ts';
import type { Tenant } from '../../src/api/tenant.ts';
import { ecsWrites, openEcsPolicy, startEcsBench, tagsOf } from './ecs-bench.ts';
import type { EcsBench } from './ecs-bench.ts';
import type { TestOperator } from './test-operator.ts';

const ready = ({ status }: Tenant) => findCondition(status?.conditions, 'Ready');

let bench: EcsBench;
let operator: TestOperator;

beforeAll(async () => {
  bench = await startEcsBench({ prefix: 'foreign' });
  const ecs = { ...openEcsPolicy, allowed_service_names: [], foreign_services: ['shop-*'] };
  operator = bench.operator({ config: { instance: bench.ns.name, policy: { allow_adopt: true, ecs } } });
});
afterAll(async () => {
  await operator?.stop();
  await bench?.close();
});

/** Made by somebody else, as the operator's block would have it made. */
async function madeByHand(serviceName: string): Promise<void> {
  const { fixture, block } = bench;
  await fixture.client.send(
    new CreateServiceCommand({
      cluster: fixture.clusterArn,
      serviceName,
      taskDefinition: block['task_definition_arn'] as string,
      desiredCount: 1,
      launchType: 'FARGATE',
      networkConfiguration: {
        awsvpcConfiguration: {
          subnets: block['subnets'] as string[],
          securityGroups: block['security_groups'] as string[],
          assignPublicIp: 'DISABLED',
        },
      },
      deploymentConfiguration: {
        deploymentCircuitBreaker: { enable: true, rollback: true },
        maximumPercent: 200,
        minimumHealthyPercent: 100,
      },
      tags: [{ key: 'team', value: 'shop' }],
    }),
  );
}

async function serviceNamed(name: string) {
  const { client, clusterArn } = bench.fixture;
  const { services = [] } = await client.send(
    new DescribeServicesCommand({ cluster: clusterArn, services: [name], include: ['TAGS'] }),
  );
  return services.find(({ status }) => status === 'ACTIVE');
}

/** The operator's calls that change something of that service. */
const writesTo = (service: string) =>
  bench
    .calls(...ecsWrites)
    .filter(({ names, input }) =>
      [...names, input['resourceArn']].some((one) => String(one).endsWith(service)),
    )
    .map(({ operation }) => operation);

test.concurrent('a service of somebody else is shown and compared, and never written to', async () => {
  await madeByHand('shop-seen');
  const ecs = { service_name: 'shop-seen', desired_count: 1 };
  await bench.ns.create('seen', { mode: 'Observe', computeConfig: { ecs } });
  const seen = await bench.ns.untilReason('seen', 'Observed');
  expect(ready(seen)).toMatchObject({ reason: 'Observed' });
  expect(seen.status).toMatchObject({ phase: 'Observed', compute: { running: 1, desired: 1 } });
  expect(seen.metadata.finalizers ?? []).toEqual([]);
  await bench.ns.patch('seen', { spec: { computeConfig: { ecs: { desired_count: 2 } } } });
  const differs = await bench.ns.until('seen', 'it differs', ({ status }) => status?.drift !== undefined);
  expect(differs.status?.drift?.map(({ path }) => path)).toContain('desiredCount');
  await bench.ns.delete('seen');
  await bench.ns.untilGone('seen');
  expect(await serviceNamed('shop-seen')).toMatchObject({ desiredCount: 1 });
  expect(writesTo('shop-seen')).toEqual([]);
});

test.concurrent('a service is taken over by its tags alone, and goes with its Tenant', async () => {
  await madeByHand('shop-taken');
  const before = await serviceNamed('shop-taken');
  const spec = { adopt: true, computeConfig: { ecs: { service_name: 'shop-taken', desired_count: 1 } } };
  await bench.ns.create('taken', spec);
  await bench.ns.untilReady('taken');
  const after = await serviceNamed('shop-taken');
  expect(tagsOf(after)).toMatchObject({ team: 'shop', 'landlord.tenant_name': 'taken' });
  expect(after?.deployments?.map(({ id }) => id)).toEqual(before?.deployments?.map(({ id }) => id));
  expect(new Set(writesTo('shop-taken'))).toEqual(new Set(['TagResource']));
  await bench.ns.delete('taken');
  await bench.ns.untilGone('taken');
  expect(await serviceNamed('shop-taken')).toBeUndefined();
});
