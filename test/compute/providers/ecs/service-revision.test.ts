import { describe, expect, test } from 'vitest';
import type { Launch, TaskFate } from '../../../simulation/models/aws-ecs/records.ts';
import { awsBench, isWell, serviceName } from './aws-bench.ts';
import type { AwsBench, EcsSpec } from './aws-bench.ts';
import { tenantSpec } from './ecs-fixture.ts';

/** What ECS rolls out and takes back as a whole, over ECS as AWS runs it. */

const { signal } = new AbortController();
const spot = [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }];

/** From one subnet nothing can be pulled, and with the VPC's own groups neither. */
function fateOf({ revision: { network } }: Launch): TaskFate {
  const { subnets = [], securityGroups = [] } = network?.awsvpcConfiguration ?? {};
  const isBad = subnets.includes('subnet-bad') || securityGroups.includes('sg-default');
  return { startMs: 15_000, stopMs: 5_000, pullFails: isBad };
}

const bench = () => awsBench({ fateOf });
const onGood = { subnets: ['subnet-good'], security_groups: ['sg-1'] };
const callsOf = ({ aws }: AwsBench, name: string) => aws.calls.filter((call) => call.name === name);

/** As the controller does: what was taken back is held, and a look follows every ten seconds. */
async function drive(of: AwsBench, spec: EcsSpec, seconds: number): Promise<boolean> {
  let isRejected = false;
  for (let second = 0; second < seconds; second += 10) {
    const seen = await of.look(spec);
    isRejected ||= seen.rolledBack !== undefined;
    if (isRejected) {
      if (seen.changes.some(({ cause }) => cause === 'drift')) await of.provider.hold(spec, signal);
    } else await of.converge(spec);
    await of.pass(10);
  }
  return isRejected;
}

describe('a network that ECS takes back', () => {
  test.each([
    ['of other subnets', { ...onGood, subnets: ['subnet-bad'] }],
    ['of the VPC’s own groups', { subnets: ['subnet-good'] }],
  ])('%s is rejected, and sent once within the hour', async (_what, network) => {
    const of = bench();
    expect(await drive(of, tenantSpec(onGood), 120)).toBe(false);
    expect(await drive(of, tenantSpec(network), 3_600)).toBe(true);
    expect(callsOf(of, 'updateService')).toHaveLength(1);
    const { desiredCount, runningCount } = of.aws.service(serviceName) ?? {};
    expect(runningCount).toBe(desiredCount);
  });

  test('is not tried again by what is put right meanwhile', async () => {
    const of = bench();
    await drive(of, tenantSpec({ ...onGood, desired_count: 2 }), 120);
    const bad = tenantSpec({ subnets: ['subnet-bad'], desired_count: 2 });
    await drive(of, bad, 600);
    of.aws.strangers.update(serviceName, { desiredCount: 5 });
    of.aws.calls.length = 0;
    await of.provider.hold(bad, signal);
    expect(callsOf(of, 'updateService').map(({ input }) => input)).toEqual([
      expect.objectContaining({ desiredCount: 2 }),
    ]);
    expect(callsOf(of, 'updateService')[0]?.input).not.toHaveProperty('networkConfiguration');
  });
});

describe('a service that somebody has moved to FARGATE_SPOT', () => {
  const fargate = { ...onGood, launch_type: 'FARGATE' };
  const moved = async () => {
    const of = bench();
    await drive(of, tenantSpec(fargate), 120);
    of.aws.strangers.update(serviceName, { capacityProviderStrategy: spot, forceNewDeployment: true });
    await of.pass(120);
    of.aws.calls.length = 0;
    return of;
  };

  test('is neither deleted nor moved back by the edit of a tag, and that it is elsewhere is drift', async () => {
    const of = await moved();
    const tagged = tenantSpec({ ...fargate, tags: { team: 'a' } });
    await of.provider.update(tagged, signal);
    expect(callsOf(of, 'deleteService')).toEqual([]);
    expect(callsOf(of, 'updateService')).toEqual([]);
    expect((await of.look(tagged)).changes).toEqual([
      {
        path: 'launchType',
        desired: 'FARGATE',
        actual: 'capacity provider FARGATE_SPOT',
        cause: 'drift',
        effect: 'replace',
      },
    ]);
  });

  test('is brought back by a rollout where drift is put right, and serves throughout', async () => {
    const of = await moved();
    const seen = await of.watch(tenantSpec(fargate), 120);
    expect(callsOf(of, 'deleteService')).toEqual([]);
    expect(callsOf(of, 'updateService')).toHaveLength(1);
    expect(seen.every(({ observation }) => observation.compute.running > 0)).toBe(true);
    expect(seen.slice(-1).every(isWell)).toBe(true);
    expect(of.aws.service(serviceName)?.capacityProviderStrategy).toMatchObject([
      { capacityProvider: 'FARGATE' },
    ]);
  });
});

test('a new launch type is rolled out without an outage', async () => {
  const of = bench();
  await drive(of, tenantSpec(onGood), 120);
  const seen = await of.watch(tenantSpec({ ...onGood, launch_type: 'FARGATE' }), 120);
  expect(callsOf(of, 'deleteService')).toEqual([]);
  expect(seen.every(({ observation }) => observation.compute.running > 0)).toBe(true);
  expect(seen.slice(-1).every(isWell)).toBe(true);
});

test('a registration that meets another one is tried again, and is nobody’s fault', async () => {
  const of = bench();
  of.aws.strangers.contend(1);
  const spec = tenantSpec(onGood, {
    containers: [{ name: 'app', image: 'app:1', env: [], resources: {} }],
  });
  await expect(of.provider.provision(spec, signal)).rejects.toMatchObject({
    code: 'ProvisionFailed',
    retriable: true,
  });
  await expect(of.provider.provision(spec, signal)).resolves.toMatchObject({ outcome: 'done' });
});
