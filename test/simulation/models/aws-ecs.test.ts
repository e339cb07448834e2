import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { TaskDefinition } from '@aws-sdk/client-ecs';
import { awsEcs } from './aws-ecs.ts';
import type { AwsEcs, AwsEcsOptions } from './aws-ecs.ts';
import { seededRandom } from './aws-ecs/hands.ts';
import type { Launch, TaskFate } from './aws-ecs/records.ts';
import { anyConsent } from '../../compute/permits.ts';

/** That the model does what AWS does where the provider must heed it. */

const cluster = 'arn:aws:ecs:us-west-2:123456789012:cluster/landlord';
const scope = { region: 'us-west-2' };
const target = { scope, cluster, service: 'web' };
const { signal } = new AbortController();
const breaker = { deploymentCircuitBreaker: { enable: true, rollback: true } };

beforeEach(() => void vi.useFakeTimers({ now: Date.parse('2026-01-01T00:00:00Z') }));
afterEach(() => void vi.useRealTimers());

const pass = (seconds: number) => vi.advanceTimersByTimeAsync(1_000 * seconds);
const clock = {
  now: () => Date.now(),
  after: (ms: number, act: () => void) => void setTimeout(act, ms),
};
const app = (image: string, over: Partial<TaskDefinition> = {}): Partial<TaskDefinition> => ({
  family: image.split(':')[0] ?? '',
  containerDefinitions: [{ name: 'app', image, essential: true }],
  ...over,
});
const checked = app('checked:1', {
  containerDefinitions: [
    { name: 'app', image: 'checked:1', healthCheck: { command: ['/ok'], interval: 5, retries: 2 } },
  ],
});

function fateOf({ images: [image = ''] }: Launch): TaskFate {
  const startMs = 20_000;
  if (image.startsWith('missing')) return { startMs, pullFails: true };
  if (image.startsWith('crash')) return { startMs, crashAfterMs: 8_000 };
  return { startMs, stopMs: 5_000 };
}

function ecs(over: Partial<AwsEcsOptions> = {}): AwsEcs {
  const definitions = [app('app:1'), app('other:1'), app('missing:1'), app('crash:1'), checked];
  const random = seededRandom(1);
  return awsEcs({ clock, random, clusters: [cluster], definitions, fateOf, steadyMs: () => 30_000, ...over });
}

const create = (aws: AwsEcs, taskDefinition = 'app:1', over: object = {}) =>
  aws.createService(
    scope,
    {
      cluster,
      serviceName: 'web',
      taskDefinition,
      desiredCount: 1,
      deploymentConfiguration: breaker,
      ...over,
    },
    signal,
  );
const update = (aws: AwsEcs, input: object) =>
  aws.updateService(scope, { cluster, service: 'web', ...input }, anyConsent, signal);
const subnets = (...names: string[]) => ({ awsvpcConfiguration: { subnets: names } });
const rollouts = (aws: AwsEcs) =>
  (aws.service('web')?.deployments ?? []).map(({ status, rolloutState }) => `${status} ${rolloutState}`);
const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => 'done',
    (error: unknown) => (error as { code?: string }).code,
  );

describe('a new service', () => {
  test('is MISSING for a second, starts its tasks, and is COMPLETED only a while after they run', async () => {
    const aws = ecs();
    await create(aws);
    expect(await aws.describeService(target, 'user', signal)).toBeUndefined();
    await pass(15);
    expect(await aws.describeService(target, 'user', signal)).toMatchObject({
      runningCount: 0,
      pendingCount: 1,
    });
    await pass(6);
    expect(aws.service('web')).toMatchObject({ runningCount: 1, pendingCount: 0 });
    await pass(28);
    expect(rollouts(aws)).toEqual(['PRIMARY IN_PROGRESS']);
    await pass(2);
    expect(rollouts(aws)).toEqual(['PRIMARY COMPLETED']);
    expect(aws.service('web')?.events?.[0]?.message).toBe('(service web) has reached a steady state.');
  });

  test('is made once for one client token', async () => {
    const aws = ecs();
    const first = await create(aws, 'app:1', { clientToken: 'a' });
    expect(await create(aws, 'app:1', { clientToken: 'a' })).toEqual(first);
    expect(await create(aws, 'app:1', { clientToken: 'b' })).toBe('exists');
  });

  test('whose tasks fail three times has FAILED, with nothing to go back to; its tasks are told for an hour', async () => {
    const aws = ecs();
    await create(aws, 'missing:1');
    await pass(120);
    expect(rollouts(aws)).toEqual(['PRIMARY FAILED']);
    const tasks = aws.tasks('web');
    expect([tasks.length, new Set(tasks.map(({ taskArn }) => taskArn)).size]).toEqual([3, 3]);
    await pass(3_600);
    expect(aws.tasks('web')).toEqual([]);
  });

  test('whose tasks crash three times has FAILED for good', async () => {
    const aws = ecs();
    await create(aws, 'crash:1');
    await pass(600);
    expect(rollouts(aws)).toEqual(['PRIMARY FAILED']);
    expect(aws.tasks('web')).toHaveLength(3);
  });

  test('is not COMPLETED while its tasks crash, and starts them ever more slowly without a breaker', async () => {
    const aws = ecs();
    await create(aws, 'crash:1', { deploymentConfiguration: {} });
    await pass(3_000);
    expect(rollouts(aws)).toEqual(['PRIMARY IN_PROGRESS']);
    const starts = aws.tasks('web').map(({ createdAt }) => (createdAt?.getTime() ?? 0) / 1_000);
    const gaps = starts.slice(1).map((at, index) => (starts[index] ?? 0) - at);
    expect(gaps.length).toBeGreaterThan(3);
    expect(gaps[0]).toBeGreaterThan(10 * (gaps.at(-1) ?? 0));
  });

  test.each([
    [5_000, 'HEALTHY', 'COMPLETED'],
    [60_000, 'UNHEALTHY', 'FAILED'],
  ])(
    'with a check that succeeds after %i ms has seen %s and ends %s',
    async (healthyAfterMs, health, end) => {
      const aws = ecs({ fateOf: () => ({ startMs: 1_000, healthyAfterMs, stopMs: 1_000 }) });
      await create(aws, 'checked:1');
      await pass(2);
      expect(aws.tasks('web')).toMatchObject([{ lastStatus: 'RUNNING', healthStatus: 'UNKNOWN' }]);
      await pass(300);
      expect(aws.tasks('web').map(({ healthStatus }) => healthStatus)).toContain(health);
      expect(rollouts(aws)).toEqual([`PRIMARY ${end}`]);
    },
  );
});

describe('a deployment', () => {
  async function running(over: Partial<AwsEcsOptions> = {}): Promise<AwsEcs> {
    const aws = ecs(over);
    await create(aws, 'app:1', { desiredCount: 2, networkConfiguration: subnets('subnet-a') });
    await pass(60);
    expect(rollouts(aws)).toEqual(['PRIMARY COMPLETED']);
    return aws;
  }

  test('keeps the old tasks until the new ones run', async () => {
    const aws = await running();
    await update(aws, { taskDefinition: 'other:1' });
    await pass(15);
    expect(aws.service('web')).toMatchObject({ runningCount: 2, pendingCount: 2 });
    expect(rollouts(aws)).toEqual(['PRIMARY IN_PROGRESS', 'ACTIVE COMPLETED']);
    await pass(45);
    expect(aws.service('web')).toMatchObject({ runningCount: 2, pendingCount: 0 });
    expect(rollouts(aws)).toEqual(['PRIMARY COMPLETED']);
  });

  test('that fails takes the whole revision back: task definition and network', async () => {
    const aws = await running();
    await update(aws, { taskDefinition: 'missing:1', networkConfiguration: subnets('subnet-b') });
    await pass(75);
    const { deployments = [], events = [], ...service } = aws.service('web') ?? {};
    expect(deployments[0]?.rolloutStateReason).toMatch(
      /^ECS deployment circuit breaker: rolling back to deploymentId ecs-svc\//,
    );
    expect(events.some(({ message }) => message?.includes('rolling back to deployment'))).toBe(true);
    expect(service.taskDefinition).toContain('/app:1');
    expect(service.networkConfiguration?.awsvpcConfiguration?.subnets).toEqual(['subnet-a']);
    expect(service.runningCount).toBe(2);
    await pass(60);
    expect(rollouts(aws)).toEqual(['PRIMARY COMPLETED']);
  });

  test('is started by another capacity provider only where it is forced, and an emptied list goes back', async () => {
    const aws = await running();
    const capacityProviderStrategy = [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }];
    expect(await codeOf(update(aws, { capacityProviderStrategy }))).toBe('InvalidSpec');
    await update(aws, { capacityProviderStrategy, forceNewDeployment: true });
    expect(aws.service('web')).toMatchObject({ capacityProviderStrategy });
    expect(aws.service('web')?.launchType).toBeUndefined();
    await update(aws, { capacityProviderStrategy: [], forceNewDeployment: true });
    expect(aws.service('web')?.launchType).toBe('EC2');
  });

  test('is none where the count changes, or tasks move to another zone: more run than asked for, for a while', async () => {
    const aws = await running();
    aws.strangers.update('web', { desiredCount: 3 });
    await pass(30);
    expect(aws.service('web')).toMatchObject({ desiredCount: 3, runningCount: 3 });
    aws.strangers.rebalance('web');
    await pass(21);
    expect(aws.service('web')).toMatchObject({ desiredCount: 3, runningCount: 4 });
    await pass(20);
    expect(aws.service('web')?.runningCount).toBe(3);
    expect(rollouts(aws)).toEqual(['PRIMARY COMPLETED']);
  });

  test('of a deregistered task definition goes on, and no new one may have it', async () => {
    const aws = await running();
    aws.strangers.deregister('app:1');
    aws.strangers.stopTask('web');
    await pass(40);
    expect(aws.service('web')?.runningCount).toBe(2);
    expect(await codeOf(update(aws, { taskDefinition: 'app:1' }))).toBe('InvalidSpec');
  });
});

test('a deleted service drains, keeps its name meanwhile, and is remembered for an hour', async () => {
  const aws = ecs();
  await create(aws);
  await pass(60);
  expect(await aws.deleteService(target, anyConsent, signal)).toMatchObject({ status: 'DRAINING' });
  expect(await create(aws)).toBe('draining');
  await pass(10);
  expect(await aws.describeService(target, 'user', signal)).toMatchObject({ status: 'INACTIVE' });
  expect(await update(aws, { desiredCount: 1 })).toBe('inactive');
  await pass(3_700);
  expect(await aws.describeService(target, 'user', signal)).toBeUndefined();
  expect(await update(aws, { desiredCount: 1 })).toBe('missing');
});

describe('a call', () => {
  const look = (aws: AwsEcs) => codeOf(aws.describeService(target, 'user', signal));

  test('is throttled by family once its tokens are used up, and goes through again later', async () => {
    const aws = ecs();
    const tag = () => codeOf(aws.tagResource(scope, '', [], signal));
    const codes = await Promise.all(Array.from({ length: 21 }, tag));
    expect(codes.filter((code) => code === 'Throttled')).toHaveLength(1);
    expect(await look(aws)).toBe('done');
    await pass(1);
    expect(await tag()).not.toBe('Throttled');
    aws.door.exhaust('serviceReads', 5_000);
    expect(await look(aws)).toBe('Throttled');
    await pass(5);
    expect(await look(aws)).toBe('done');
  });

  test('takes no time and no tokens while the door is wide open', async () => {
    const aws = ecs({ latencyMs: () => 1_000 });
    aws.door.isWideOpen = true;
    const tags = Array.from({ length: 100 }, () => codeOf(aws.tagResource(scope, '', [], signal)));
    expect(await Promise.all(tags)).not.toContain('Throttled');
    aws.door.isWideOpen = false;
    const looked = look(aws);
    await pass(1);
    expect(await looked).toBe('done');
  });

  test('without the right, the role or the network to it is refused, and changes nothing', async () => {
    const aws = ecs();
    aws.door.denied = /^ecs:Create/;
    expect([await codeOf(create(aws)), await look(aws)]).toEqual(['AccessDenied', 'done']);
    aws.door.denied = undefined;
    aws.door.outage = '503';
    expect(await codeOf(create(aws))).toBe('ProviderUnavailable');
    aws.door.outage = undefined;
    const roleArn = 'arn:aws:iam::210987654321:role/tenant';
    aws.door.untrusted.add(roleArn);
    const there = { ...target, scope: { ...scope, roleArn } };
    expect(await codeOf(aws.describeService(there, 'user', signal))).toBe('AccessDenied');
    expect(aws.service('web')).toBeUndefined();
  });

  test('whose answer is lost was carried out', async () => {
    const aws = ecs();
    aws.door.lostAnswers.add('ecs:CreateService');
    expect(await codeOf(create(aws))).toBe('ProviderUnavailable');
    expect(aws.service('web')).toMatchObject({ status: 'ACTIVE' });
    expect(await create(aws)).toBe('exists');
  });

  test('to register what somebody else registers at the same time is refused', async () => {
    const aws = ecs();
    const register = () =>
      aws.registerTaskDefinition(scope, { family: 'f', containerDefinitions: [] }, signal);
    aws.strangers.contend(1);
    await expect(register()).rejects.toThrow('Too many concurrent attempts to create a new revision');
    expect(await register()).toMatchObject({ family: 'f', revision: 1 });
  });
});

test('what happened when is told by its own clock', async () => {
  const aws = ecs({ skewMs: 600_000 });
  await create(aws);
  expect(aws.now() - Date.now()).toBe(600_000);
  expect(aws.service('web')?.createdAt?.getTime()).toBe(aws.now());
  expect(aws.tasks('web')).toMatchObject([{ createdAt: new Date(aws.now()) }]);
});

test('those who listen hear of each change', async () => {
  const aws = ecs({ hasHints: true });
  const stop = new AbortController();
  const heard: string[] = [];
  const listening = (async () => {
    for await (const { service } of aws.serviceHints(stop.signal)) heard.push(service);
  })();
  await pass(0);
  await create(aws);
  await pass(60);
  expect(heard.length).toBeGreaterThan(2);
  stop.abort();
  await listening;
});
