import { describe, expect, test } from 'vitest';
import type { Launch, TaskFate } from '../../../simulation/models/aws-ecs/records.ts';
import { awsBench, imageSpec, isWell, serviceName } from './aws-bench.ts';
import type { AwsBenchOptions, EcsSpec, Seen } from './aws-bench.ts';

/** What the provider calls running and healthy, over ECS as AWS runs it. */

const tenMinutes = 600_000;
const check = {
  command: ['/ok'],
  intervalSeconds: 5,
  timeoutSeconds: 2,
  retries: 3,
  startPeriodSeconds: 0,
};

/** By the tag of the image. */
function fateOf({ images: [image = ''], revision }: Launch): TaskFate {
  const subnets = revision.network?.awsvpcConfiguration?.subnets ?? [];
  if (image.endsWith(':typo') || subnets.includes('subnet-bad')) return { startMs: 15_000, pullFails: true };
  if (image.endsWith(':crash')) return { startMs: 45_000, crashAfterMs: 8_000 };
  return { startMs: 45_000, stopMs: 5_000 };
}

const { signal } = new AbortController();
const bench = (options: AwsBenchOptions = {}) => awsBench({ fateOf, ...options });
const firstWell = (seen: readonly Seen[]) => seen.find(isWell);

describe.each([-tenMinutes, 0, tenMinutes])('where the clock of ECS is %d ms ahead', (skewMs) => {
  test.each([
    ['', {}],
    [' with a health check', { healthCheck: check }],
  ])('a new service%s is well only once ECS calls its deployment COMPLETED', async (_what, container) => {
    const { watch } = bench({ skewMs });
    const seen = await watch(imageSpec('app:1', {}, container), 150);
    const first = firstWell(seen);
    expect(first?.rollout).toBe('COMPLETED');
    expect(first?.second).toBeLessThan(100);
    expect(seen.slice(first?.second).every(isWell)).toBe(true);
  });

  test.each([
    ['', {}],
    [' with a health check that succeeds first', { healthCheck: check }],
  ])('a service whose tasks crash 8 s after they started%s is never well', async (_what, container) => {
    const { watch } = bench({ skewMs });
    const seen = await watch(imageSpec('app:crash', {}, container), 400);
    expect(firstWell(seen)).toBeUndefined();
    expect(seen.some(({ observation: { compute } }) => compute.running > 0)).toBe(true);
    expect(seen.at(-1)?.observation.rolledBack?.message).toContain('exited with code 1');
  });

  test.each([
    ['its image', imageSpec('app:1'), imageSpec('app:2')],
    [
      'its network alone',
      imageSpec('app:1', { subnets: ['subnet-good'] }),
      imageSpec('app:1', { subnets: ['subnet-bad', 'subnet-good'] }),
    ],
    [
      'what it runs on',
      imageSpec('app:1', { launch_type: 'EC2' }),
      imageSpec('app:1', { launch_type: 'FARGATE' }),
    ],
  ])(
    'an update of %s is well only once the new deployment is COMPLETED, not while the old tasks serve',
    async (_what, before, after) => {
      const { watch, aws } = bench({ skewMs, fateOf: () => ({ startMs: 45_000, stopMs: 5_000 }) });
      await watch(before, 120);
      expect(aws.service(serviceName)?.deployments?.[0]?.rolloutState).toBe('COMPLETED');
      const first = firstWell(await watch(after, 180));
      expect(first?.rollout).toBe('COMPLETED');
      expect(first?.second).toBeGreaterThan(45);
      expect(aws.calls.filter(({ name }) => name === 'createService')).toHaveLength(1);
    },
  );

  test.each([
    ['never calls a deployment COMPLETED', 1_000_000_000],
    ['calls it COMPLETED at once', 0],
  ])('an endpoint that %s has its tasks run for a while first', async (_what, steadyMs) => {
    const endpoint = 'http://127.0.0.1:4566';
    const { watch } = bench({ skewMs, steadyMs: () => steadyMs, block: { endpoint } });
    const first = firstWell(await watch(imageSpec('app:1'), 120));
    const settleSeconds = steadyMs === 0 ? 3 : 15;
    expect(first?.second).toBeGreaterThanOrEqual(45 + settleSeconds);
    expect(first?.second).toBeLessThanOrEqual(45 + settleSeconds + 3);
  });

  test('an endpoint that never calls a deployment COMPLETED does not make tasks that crash well', async () => {
    const endpoint = 'http://127.0.0.1:4566';
    const { watch } = bench({ skewMs, steadyMs: () => 1_000_000_000, block: { endpoint } });
    expect(firstWell(await watch(imageSpec('app:crash'), 400))).toBeUndefined();
  });

  test('a task that crashed a moment ago is told, though another one runs again', async () => {
    const { aws, watch } = bench({ skewMs, fateOf: () => ({ startMs: 2_000 }) });
    const spec = imageSpec('app:1');
    await watch(spec, 100);
    aws.strangers.crashTask(serviceName, 3);
    const seen = await watch(spec, 120);
    const running = seen.filter(({ observation: { compute } }) => compute.running === 1);
    expect(isWell(running[0] as Seen)).toBe(false);
    expect(running[0]?.observation.message).toBe('container app exited with code 3');
    expect(isWell(seen.at(-1) as Seen)).toBe(true);
  });
});

test('a service that crashes again and again does not look well in between', async () => {
  const { watch, aws } = bench();
  const spec = imageSpec('app:1');
  await watch(spec, 120);
  let crashes = 0;
  const seen: Seen[] = [];
  while (crashes < 5) {
    const [one] = await watch(spec, 1);
    if (one !== undefined) seen.push(one);
    const task = aws.tasks(serviceName).find(({ lastStatus }) => lastStatus === 'RUNNING');
    const ranMs = aws.now() - (task?.startedAt?.getTime() ?? aws.now());
    if (ranMs < 8_000) continue;
    aws.strangers.crashTask(serviceName);
    crashes += 1;
  }
  const after = seen.filter(({ observation }) => observation.message !== undefined);
  expect(after.length).toBeGreaterThan(60);
  expect(seen.slice(seen.indexOf(after[0] as Seen)).filter(isWell)).toEqual([]);
});

describe('what is corrected is applied at the next look', () => {
  const attempts: [what: string, wrong: EcsSpec, right: EcsSpec][] = [
    ['a wrong image', imageSpec('app:typo'), imageSpec('app:1')],
    [
      'a subnet without a way to the registry',
      imageSpec('app:1', { subnets: ['subnet-bad'] }),
      imageSpec('app:1', { subnets: ['subnet-good'] }),
    ],
    [
      'a wrong image of a task definition that is scaled to nothing',
      imageSpec('app:typo'),
      imageSpec('app:typo', { desired_count: 0 }),
    ],
  ];
  test.each(
    attempts.flatMap(([what, wrong, right]) => [
      [what, 'its first tasks failed', 25, wrong, right] as const,
      [what, 'ECS gave it up', 200, wrong, right] as const,
    ]),
  )('%s, where %s', async (_what, _when, seconds, wrong, right) => {
    const { aws, pass, look, provider, watch } = bench();
    await provider.provision(wrong, signal);
    await pass(seconds);
    await look(wrong).catch(() => undefined);
    const before = aws.calls.length;
    const seen = await watch(right, 150);
    const writes = aws.calls.slice(before).filter(({ name }) => name === 'updateService');
    expect(writes).toHaveLength(1);
    const { compute, changes } = seen.at(-1)?.observation ?? {};
    expect(changes).toEqual([]);
    expect(['running', 'stopped']).toContain(compute?.state);
  });
});

test.each([
  'https://vpce-0a1b2c3d-4e5f.ecs.us-west-2.vpce.amazonaws.com',
  'https://ecs.cn-north-1.amazonaws.com.cn',
  'https://ecs.us-west-2.api.aws',
])('the endpoint %s is AWS’ own: its word COMPLETED is waited for', async (endpoint) => {
  const { watch } = bench({ block: { endpoint }, steadyMs: () => 60_000 });
  const first = firstWell(await watch(imageSpec('app:1'), 150));
  expect(first?.second).toBeGreaterThanOrEqual(105);
});

describe('a service that runs well stays so', () => {
  const disturbances: [what: string, begin: (aws: ReturnType<typeof bench>['aws']) => void][] = [
    ['while autoscaling adds tasks', (aws) => aws.strangers.update(serviceName, { desiredCount: 6 })],
    ['while autoscaling takes tasks away', (aws) => aws.strangers.update(serviceName, { desiredCount: 1 })],
    ['while tasks move to another zone', (aws) => aws.strangers.rebalance(serviceName)],
    [
      'while somebody has its tasks replaced by new ones of the same kind',
      (aws) => aws.strangers.update(serviceName, { forceNewDeployment: true }),
    ],
  ];
  test.each(disturbances)('%s', async (_what, disturb) => {
    const { aws, watch } = bench();
    const spec = imageSpec('app:1');
    await watch(spec, 120);
    aws.strangers.update(serviceName, { desiredCount: 3 });
    await watch(spec, 120);
    const updates = aws.calls.filter(({ name }) => name === 'updateService').length;
    disturb(aws);
    const seen = await watch(spec, 240);
    expect(seen.filter((one) => !isWell(one)).map(({ second }) => second)).toEqual([]);
    const counts = new Set(seen.map(({ observation: { compute } }) => compute.running));
    expect(counts.size).toBeGreaterThan(1);
    expect(
      seen.every(
        ({ observation: { compute, scaling = false } }) => scaling === (compute.running !== compute.desired),
      ),
    ).toBe(true);
    expect(seen.at(-1)?.observation.lookAgainAfterMs).toBeUndefined();
    expect(aws.calls.filter(({ name }) => name === 'updateService')).toHaveLength(updates);
  });

  test('unless the tasks that autoscaling adds fail, or never come', async () => {
    let isBroken = false;
    const { aws, watch } = bench({
      fateOf: () => (isBroken ? { startMs: 10_000, pullFails: true } : { startMs: 10_000 }),
    });
    const spec = imageSpec('app:1');
    await watch(spec, 120);
    isBroken = true;
    aws.strangers.update(serviceName, { desiredCount: 4 });
    const seen = await watch(spec, 60);
    expect(isWell(seen[5] as Seen)).toBe(true);
    expect(isWell(seen.at(-1) as Seen)).toBe(false);
    expect(seen.at(-1)?.observation.message).toContain("can't be pulled");
  });
});

test('tasks that the spec asks for in addition are well only once they have run for a while', async () => {
  const { aws, watch } = bench();
  await watch(imageSpec('app:1', { desired_count: 1 }), 150);
  const seen = await watch(imageSpec('app:1', { desired_count: 3 }), 150);
  const inFull = seen.findIndex(({ observation: { compute } }) => compute.running === 3);
  const first = firstWell(seen);
  expect(inFull).toBeGreaterThan(0);
  expect(first?.second).toBeGreaterThanOrEqual(inFull + 15);
  expect(first?.second).toBeLessThanOrEqual(inFull + 20);
  expect(aws.calls.filter(({ name }) => name === 'updateService')).toHaveLength(1);
});

describe('what a foreigner does is shown as drift, and the service as well as the tasks that serve meanwhile:', () => {
  const network = { awsvpcConfiguration: { subnets: ['subnet-other'] } };
  const capacityProviderStrategy = [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }];
  test.each<[what: string, input: object, paths: string[]]>([
    ['another task definition', { taskDefinition: 'foreign:1' }, ['taskDefinition']],
    ['another network', { networkConfiguration: network }, ['networkConfiguration.subnets']],
    ['more tasks', { desiredCount: 4 }, ['desiredCount']],
    ['fewer tasks', { desiredCount: 1 }, ['desiredCount']],
    ['other capacity', { capacityProviderStrategy, forceNewDeployment: true }, []],
  ])('%s', async (_what, input, paths) => {
    const { aws, watch, look, pass } = bench();
    const spec = imageSpec('app:1', { desired_count: 2, subnets: ['subnet-good'] });
    await watch(spec, 120);
    const containerDefinitions = [{ name: 'app', image: 'foreign:1', essential: true }];
    await aws.registerTaskDefinition(
      { region: 'us-west-2' },
      { family: 'foreign', containerDefinitions },
      signal,
    );
    aws.strangers.update(serviceName, input);
    for (let second = 0; second < 150; second += 1) {
      const observation = await look(spec);
      expect(observation.changes.map(({ path, cause }) => [path, cause])).toEqual(
        paths.map((path) => [path, 'drift']),
      );
      expect([second, isWell({ observation })]).toEqual([second, true]);
      await pass(1);
    }
  });

  test('what fails is not, once too few of the tasks before it serve', async () => {
    const { aws, watch, look, pass } = bench();
    const spec = imageSpec('app:1', { desired_count: 2 });
    await watch(spec, 120);
    const containerDefinitions = [{ name: 'app', image: 'foreign:crash', essential: true }];
    await aws.registerTaskDefinition(
      { region: 'us-west-2' },
      { family: 'foreign', containerDefinitions },
      signal,
    );
    aws.strangers.update(serviceName, { taskDefinition: 'foreign:1' });
    const wells: boolean[] = [];
    for (let second = 0; second < 150; second += 1) {
      const observation = await look(spec);
      wells.push(isWell({ observation }));
      await pass(1);
    }
    expect(wells[40]).toBe(true);
    expect(wells).toContain(false);
  });
});

describe('a service that was well is asked about again, and its tenant is told once, where ECS', () => {
  const hours = 6 * 3600;
  test.each<[what: string, begin: (door: Door) => void, end: (door: Door) => void, code: string]>([
    ['is out of reach', (door) => (door.outage = 'refused'), endOutage, 'ProviderUnavailable'],
    ['does not answer', (door) => (door.outage = 'silent'), endOutage, 'ProviderUnavailable'],
    ['answers with errors', (door) => (door.outage = '503'), endOutage, 'ProviderUnavailable'],
    [
      'takes the right away',
      (door) => (door.denied = /^ecs:Describe/),
      (door) => (door.denied = undefined),
      'AccessDenied',
    ],
    [
      'throttles',
      (door) => door.exhaust('serviceReads', 1e9),
      (door) => door.exhaust('serviceReads', 0),
      'Throttled',
    ],
  ])('%s', async (_what, begin, end, code) => {
    const { aws, watch, pass, provider } = bench();
    const spec = imageSpec('app:1');
    await watch(spec, 150);
    const told: unknown[] = [];
    const stop = new AbortController();
    const watching = provider.undriven.watch((tenantId) => void told.push(tenantId), stop.signal);
    const glance = () => provider.getStatus(spec, { fresh: false, signal: stop.signal });
    await glance();
    const before = aws.calls.length;
    await pass(hours);
    expect(isWell({ observation: await glance() })).toBe(true);
    expect([told, aws.calls.length - before < hours / 10]).toEqual([[], true]);
    begin(aws.door);
    await pass(60);
    expect(told).toEqual(['acme']);
    await expect(Promise.all([glance(), pass(60)])).rejects.toMatchObject({ code });
    await pass(hours);
    expect(told).toEqual(['acme']);
    end(aws.door);
    await pass(60);
    expect(told).toEqual(['acme', 'acme']);
    expect(isWell({ observation: await glance() })).toBe(true);
    stop.abort();
    await watching;
  });

  type Door = ReturnType<typeof bench>['aws']['door'];
  function endOutage(door: Door): void {
    door.outage = undefined;
  }
});
