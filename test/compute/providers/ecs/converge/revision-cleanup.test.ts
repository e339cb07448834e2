import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { desireService } from '../../../../../src/compute/providers/ecs/state/desired.ts';
import {
  createRevisionCleanup,
  cleanUpFamily,
} from '../../../../../src/compute/providers/ecs/converge/revision-cleanup.ts';
import { containerSpec, context, drivenEcs, settings, tenantSpec } from '../ecs-fixture.ts';
import { memoryEcs, writesOf } from '../memory-ecs.ts';
import { anyPermit } from '../../../permits.ts';

const signal = new AbortController().signal;
const { block, policy, ownership } = settings();
const running = (image: string) => tenantSpec({}, { containers: [containerSpec('app', { image })] });

test('old revisions go one at a time, oldest first, and never one that runs or is about to', async () => {
  const ecs = memoryEcs();
  const provider = drivenEcs(ecs, block, policy, context());
  const look = async (image: string) => {
    const spec = running(image);
    return provider.getStatus(spec, { fresh: true, signal });
  };
  for (const image of ['app:1', 'app:2', 'app:3']) {
    await provider.update(running(image), signal);
    await look(image);
  }
  const active = () =>
    [...ecs.taskDefinitions.values()]
      .filter(
        ({ taskDefinition }) => taskDefinition.status === 'ACTIVE' && taskDefinition.family !== 'tenant-app',
      )
      .map(({ taskDefinition }) => taskDefinition.containerDefinitions?.[0]?.image);
  const desired = desireService(running('app:3'), settings());
  ecs.calls.length = 0;
  expect(await cleanUpFamily(ecs, ownership, { desired, permit: anyPermit }, signal)).toBe(true);
  expect(active()).toEqual(['app:2', 'app:3']);
  expect(await cleanUpFamily(ecs, ownership, { desired, permit: anyPermit }, signal)).toBe(false);
  expect(active()).toEqual(['app:3']);
  expect(await cleanUpFamily(ecs, ownership, { desired, permit: anyPermit }, signal)).toBe(false);
  expect(writesOf(ecs)).toEqual(['deregisterTaskDefinition', 'deregisterTaskDefinition']);
});

test('while a rollout goes on, nothing is deregistered', async () => {
  const ecs = memoryEcs();
  const provider = drivenEcs(ecs, block, policy, context());
  await provider.update(running('app:1'), signal);
  await provider.update(running('crash:2'), signal);
  const service = ecs.service('landlord-tenant-acme');
  for (const deployment of service?.deployments ?? []) deployment.failedTasks = -5;
  ecs.calls.length = 0;
  expect(
    await cleanUpFamily(
      ecs,
      ownership,
      { desired: desireService(running('crash:2'), settings()), permit: anyPermit },
      signal,
    ),
  ).toBe(true);
  expect(writesOf(ecs)).toEqual([]);
});

/** A tenant that came from `app:1` over `app:2` to `app:3`, whose first two revisions nobody uses. */
async function withOldRevisions() {
  const ecs = memoryEcs();
  const provider = drivenEcs(ecs, block, policy, context());
  for (const image of ['app:1', 'app:2', 'app:3']) await provider.update(running(image), signal);
  await ecs.describeService(desired.target, 'sweep', signal);
  ecs.calls.length = 0;
  return ecs;
}
const desired = desireService(running('app:3'), settings());

describe('a family is left alone', () => {
  test.each<[what: string, change: object]>([
    ['where the service is somebody else’s', { tags: [] }],
    ['where the service is no more', { status: 'INACTIVE' }],
  ])('%s', async (_what, change) => {
    const ecs = await withOldRevisions();
    Object.assign(ecs.service('landlord-tenant-acme') ?? {}, change);
    expect(await cleanUpFamily(ecs, ownership, { desired, permit: anyPermit }, signal)).toBe(false);
    expect(writesOf(ecs)).toEqual([]);
  });

  test('where the cluster is gone, or where the tenant has none', async () => {
    const ecs = await withOldRevisions();
    expect(
      await cleanUpFamily(
        memoryEcs({ hasCluster: false }),
        ownership,
        { desired, permit: anyPermit },
        signal,
      ),
    ).toBe(false);
    const { overlay, ...plain } = desired;
    expect(overlay).toBeDefined();
    expect(await cleanUpFamily(ecs, ownership, { desired: plain, permit: anyPermit }, signal)).toBe(false);
    expect(writesOf(ecs)).toEqual([]);
  });

  test('but for what is not in use: neither by a deployment nor by the mark of what is to come', async () => {
    const ecs = await withOldRevisions();
    const service = ecs.service('landlord-tenant-acme');
    const [first = '', second = '', third = ''] = [...ecs.taskDefinitions.keys()].slice(1);
    const mark = service?.tags?.find(({ key }) => key === 'landlord.task_definition');
    Object.assign(mark ?? {}, { value: `hash ${second.split('/')[1]}` });
    const [primary] = service?.deployments ?? [];
    const deployments = [
      { ...primary, taskDefinition: undefined },
      { ...primary, taskDefinition: first, status: 'ACTIVE' },
    ];
    Object.assign(service ?? {}, { deployments });
    const api = { ...ecs, describeService: async () => structuredClone(service) };
    expect(await cleanUpFamily(api, ownership, { desired, permit: anyPermit }, signal)).toBe(false);
    expect(writesOf(ecs)).toEqual([]);
    Object.assign(service ?? {}, { deployments: undefined });
    expect(await cleanUpFamily(api, ownership, { desired, permit: anyPermit }, signal)).toBe(false);
    expect(ecs.calls.at(-1)).toEqual({ name: 'deregisterTaskDefinition', input: first });
    expect(ecs.taskDefinitions.get(third)?.taskDefinition.status).toBe('ACTIVE');
  });
});

describe('the clean-up', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Cleans up through `api`; `at` says how many revisions are gone after so many more milliseconds. */
  async function cleaningUp(over: object = {}) {
    const ecs = await withOldRevisions();
    const cleanup = createRevisionCleanup({
      api: { ...ecs, ...over },
      ownership,
      logger: pino({ level: 'silent' }),
    });
    const stop = new AbortController();
    const done = cleanup.run(stop.signal);
    const after = async (ms: number): Promise<number> => {
      await vi.advanceTimersByTimeAsync(ms);
      return writesOf(ecs).length;
    };
    const end = async (): Promise<void> => {
      stop.abort();
      await done;
      expect(vi.getTimerCount()).toBe(0);
    };
    return { ecs, cleanup, after, end };
  }

  test('takes one revision every 6 s, until none is left', async () => {
    const { ecs, cleanup, after, end } = await cleaningUp();
    expect(await after(6_000)).toBe(0);
    cleanup.add(desired, anyPermit);
    expect([await after(5_999), await after(1), await after(6_000), await after(6_000)]).toEqual([
      0, 1, 2, 2,
    ]);
    const calls = ecs.calls.length;
    await after(60_000);
    expect(ecs.calls).toHaveLength(calls);
    await end();
  });

  test('takes families in turn, and one that got a new revision meanwhile once', async () => {
    const looks: string[] = [];
    const other = { ...desired, target: { ...desired.target, service: 'other' } };
    const { cleanup, after, end } = await cleaningUp({
      describeService: async ({ service }: { service: string }) => {
        looks.push(service);
        if (looks.length === 1) cleanup.add(desired, anyPermit);
        return undefined;
      },
    });
    cleanup.add(desired, anyPermit);
    cleanup.add(other, anyPermit);
    await after(60_000);
    expect(looks).toEqual([desired.target.service, 'other', desired.target.service]);
    await end();
  });

  test('passes over a family that can’t be cleaned up now, and ends when it is told to', async () => {
    let looks = 0;
    const { cleanup, after, end } = await cleaningUp({
      describeService: async () => {
        looks += 1;
        throw new Error('away');
      },
    });
    cleanup.add(desired, anyPermit);
    await after(60_000);
    expect(looks).toBe(1);
    cleanup.add(desired, anyPermit);
    await after(6_000);
    expect(looks).toBe(2);
    await end();
  });
});
