import { beforeEach, describe, expect, test } from 'vitest';
import { desireService } from '../../../../../src/compute/providers/ecs/state/desired.ts';
import { getStatus } from '../../../../../src/compute/providers/ecs/watch/get-status.ts';
import type { StatusDeps } from '../../../../../src/compute/providers/ecs/watch/get-status.ts';
import { createListenerRoutes } from '../../../../../src/compute/providers/ecs/watch/listener-routes.ts';
import { createSecretVersions } from '../../../../../src/compute/providers/ecs/watch/secret-versions.ts';
import { createServiceView } from '../../../../../src/compute/providers/ecs/watch/service-view.ts';
import type { Observation } from '../../../../../src/compute/provider.ts';
import { silentLogger } from '../../../../cluster/silent-logger.ts';
import { containerSpec, context, drivenEcs, settings, tenantSpec } from '../ecs-fixture.ts';
import { memoryEcs } from '../memory-ecs.ts';
import type { MemoryEcs } from '../memory-ecs.ts';

const signal = new AbortController().signal;
const operator = settings({}, { allowed_subnets: ['subnet-1'] });
const ports = [{ name: 'http', containerPort: 80, protocol: 'TCP' as const }];
const plain = tenantSpec({ desired_count: 1 });
const networked = tenantSpec(
  { desired_count: 1, subnets: ['subnet-1'] },
  { containers: [containerSpec('app', { ports })] },
);
const name = 'landlord-tenant-acme';

/** A tenant that runs on a memory ECS, and what a process knows of it. */
async function started(spec = plain) {
  const ecs = memoryEcs();
  const provider = drivenEcs(ecs, operator.block, operator.policy, context());
  await provider.provision(spec, signal);
  let nowMs = 0;
  const view = createServiceView(() => nowMs);
  const parts: StatusDeps = {
    api: ecs,
    ownership: operator.ownership,
    view,
    secrets: createSecretVersions({ api: ecs, view, now: () => nowMs }),
    routes: createListenerRoutes({ api: ecs, view, logger: silentLogger, now: () => nowMs }),
    clock: () => ({ nowMs: Date.now(), settleMs: 0 }),
  };
  const stopWatching = parts.view.beginSweeps();
  const desired = desireService(spec, operator);
  const look = (over: { fresh?: boolean; spec?: typeof spec | undefined } = {}): Promise<Observation> => {
    const { fresh, spec: of } = { fresh: false, spec, ...over };
    const against = of && desireService(of, operator);
    return getStatus(parts, { at: desired, against }, { fresh, signal });
  };
  await look();
  ecs.calls.length = 0;
  return {
    ecs,
    parts,
    target: desired.target,
    look,
    pass: (ms: number) => void (nowMs += ms),
    stopWatching,
  };
}

/** What the task definitions run changes its nature. */
function useImage(ecs: MemoryEcs, image: string): void {
  for (const { taskDefinition } of ecs.taskDefinitions.values()) {
    for (const container of taskDefinition.containerDefinitions ?? []) container.image = image;
  }
}

const callsOf = (ecs: MemoryEcs): unknown[] =>
  ecs.calls.splice(0).map(({ name: call, input }) => [call, input]);
const look = ['describeService', 'sweep'];
const closeLook = ['describeService', 'user'];
const tasks = ['describeTasks', { limit: 100, priority: 'user' }];

describe('a look at what is settled', () => {
  let ecs: MemoryEcs;
  let parts: Awaited<ReturnType<typeof started>>;
  beforeEach(async () => {
    parts = await started();
    ({ ecs } = parts);
  });

  test('costs no call while the watch sweeps', async () => {
    expect(await parts.look()).toMatchObject({ exists: true, changes: [], compute: { state: 'running' } });
    expect(callsOf(ecs)).toEqual([]);
  });

  test('asks ECS where the watch does not', async () => {
    parts.stopWatching();
    await parts.look();
    expect(callsOf(ecs)).toEqual([look]);
  });

  test('asks ECS where it is to be fresh, as a user would', async () => {
    await parts.look({ fresh: true });
    expect(callsOf(ecs)).toEqual([closeLook]);
  });

  test('asks ECS where something was done to it', async () => {
    parts.parts.view.touch(parts.target);
    await parts.look();
    expect(callsOf(ecs)).toEqual([look]);
  });

  test.each<[what: string, change: object]>([
    ['differs', { desiredCount: 2, runningCount: 2 }],
    ['is on its way', { desiredCount: 0 }],
    ['is not there', { status: 'INACTIVE' }],
  ])('was no look at what is settled where it %s', async (_what, change) => {
    Object.assign(ecs.service(name) ?? {}, change);
    await parts.look({ fresh: true });
    ecs.calls.length = 0;
    await parts.look();
    expect(callsOf(ecs)[0]).toEqual(look);
  });

  test('that nobody wants any more is remembered as a place only while it is there', async () => {
    await parts.look({ fresh: true, spec: undefined });
    expect(parts.parts.view.watched()).toHaveLength(1);
    ecs.services.clear();
    await parts.look({ fresh: true });
    expect(parts.parts.view.watched()).toHaveLength(1);
    await parts.look({ fresh: true, spec: undefined });
    expect(parts.parts.view.watched()).toEqual([]);
  });

  test('given up before it began asks nothing', async () => {
    const stopped = AbortSignal.abort(new Error('stop'));
    const at = desireService(plain, operator);
    const looking = getStatus(parts.parts, { at, against: at }, { fresh: false, signal: stopped });
    await expect(looking).rejects.toThrow('stop');
    expect(ecs.calls).toEqual([]);
  });
});

describe('the tasks', () => {
  test('are asked for while something is wrong, and for 5 min after it was', async () => {
    const { ecs, look: glance, pass, parts, target } = await started();
    Object.assign(ecs.service(name) ?? {}, { runningCount: 0, deployments: [] });
    useImage(ecs, 'crash:1');
    expect((await glance({ fresh: true })).compute.health).toBe('unhealthy');
    expect(callsOf(ecs)).toEqual([closeLook, tasks]);
    expect(parts.view.tasks(target)).toBeUndefined();
    Object.assign(ecs.service(name) ?? {}, { runningCount: 1 });
    pass(299_999);
    await glance({ fresh: true });
    // It is unhealthy still, so the 5 min begin anew.
    expect(callsOf(ecs)).toEqual([closeLook, tasks]);
    useImage(ecs, 'good:1');
    await glance({ fresh: true });
    expect(callsOf(ecs)).toEqual([closeLook, tasks]);
    pass(300_000);
    await glance({ fresh: true });
    expect(callsOf(ecs)).toEqual([closeLook]);
  });

  test('with addresses are asked for after those of whoever changes something, where nothing is wrong', async () => {
    const { ecs, parts, look: lookAt, target } = await started(networked);
    parts.view.forget(target);
    await lookAt();
    expect(callsOf(ecs)).toEqual([look, ['describeTasks', { limit: 100, priority: 'sweep' }]]);
  });

  test('with addresses are asked for once for as long as the deployments stay the same', async () => {
    const { ecs, look: glance } = await started(networked);
    const { compute } = await glance();
    expect(compute.endpoints).toMatchObject([{ name: 'http', address: '10.0.0.7', port: 80 }]);
    expect(callsOf(ecs)).toEqual([]);
    await glance({ fresh: true });
    expect(callsOf(ecs)).toEqual([closeLook, tasks]);
    const service = ecs.service(name);
    Object.assign(service?.deployments?.[0] ?? {}, { id: 'ecs-svc/9' });
    await glance({ fresh: true });
    expect(callsOf(ecs)).toEqual([closeLook, tasks]);
    Object.assign(service ?? {}, { desiredCount: 2 });
    await glance({ fresh: true });
    ecs.calls.length = 0;
    await glance();
    expect(callsOf(ecs)).toEqual([look]);
  });

  test('without addresses are not asked for, nor where nothing listens', async () => {
    const { ecs, look: glance } = await started(
      tenantSpec({ desired_count: 1, subnets: ['subnet-1'] }, { containers: [containerSpec('app')] }),
    );
    await glance({ fresh: true });
    expect(callsOf(ecs)).toEqual([closeLook]);
    const portless = await started(
      tenantSpec({ desired_count: 1 }, { containers: [containerSpec('app', { ports })] }),
    );
    await portless.look({ fresh: true });
    expect(callsOf(portless.ecs)).toEqual([closeLook]);
  });

  test('of a service that drains or is gone are forgotten', async () => {
    for (const status of ['DRAINING', 'INACTIVE']) {
      const { ecs, look: glance, parts, target } = await started(networked);
      expect(parts.view.tasks(target)).toBeDefined();
      Object.assign(ecs.service(name) ?? {}, { status });
      await glance({ fresh: true });
      expect(callsOf(ecs)).toEqual([closeLook]);
      expect(parts.view.tasks(target)).toBeUndefined();
    }
  });
});

describe('the ports of a service that nobody has a spec of', () => {
  const containerDefinitions = [
    {
      name: 'app',
      image: 'app:0',
      portMappings: [{ containerPort: 80 }, { containerPort: 53, protocol: 'udp' as const }, {}],
    },
    { name: 'sidecar', image: 'sidecar:0' },
  ];

  test('are those of its task definition', async () => {
    const { ecs, look: glance, parts, target } = await started(networked);
    parts.view.storeTasks(target, undefined);
    const arn = ecs.addTaskDefinition({ family: 'theirs', containerDefinitions });
    const [primary] = ecs.service(name)?.deployments ?? [];
    Object.assign(ecs.service(name) ?? {}, {
      taskDefinition: arn,
      deployments: [{ ...primary, taskDefinition: arn }],
    });
    const { compute } = await glance({ fresh: true, spec: undefined });
    expect(compute.endpoints?.map(({ name: port, type }) => [port, type])).toEqual([
      ['app-80', 'tcp'],
      ['app-53', 'udp'],
    ]);
    expect(callsOf(ecs)).toEqual([closeLook, ['describeTaskDefinition', arn], tasks]);
  });

  test('keep the names that the spec gave them', async () => {
    const { ecs, look: glance } = await started(networked);
    const { compute } = await glance({ fresh: true, spec: undefined });
    expect(compute.endpoints?.map(({ name: port }) => port)).toEqual(['http']);
    expect(callsOf(ecs)).toEqual([closeLook, tasks]);
  });

  test('are none where its task definition is gone', async () => {
    const { ecs, look: glance, parts, target } = await started(networked);
    parts.view.storeTasks(target, undefined);
    ecs.taskDefinitions.clear();
    expect((await glance({ fresh: true, spec: undefined })).compute.endpoints).toBeUndefined();
  });
});

test('a spec that goes elsewhere says nothing of this place', async () => {
  const { look: glance } = await started();
  const elsewhere = tenantSpec({ service_name: 'other', desired_count: 7 });
  expect((await glance({ fresh: true, spec: elsewhere })).changes).toEqual([]);
});

test('a service of somebody else’s is a conflict, unless it is no more', async () => {
  const { ecs, look: glance } = await started();
  Object.assign(ecs.service(name) ?? {}, { tags: [] });
  await expect(glance({ fresh: true })).rejects.toMatchObject({ code: 'ProviderConflict' });
  Object.assign(ecs.service(name) ?? {}, { status: 'INACTIVE' });
  expect(await glance({ fresh: true })).toMatchObject({ exists: false });
});

test('a cluster that is gone has nothing in it', async () => {
  const { parts, target } = await started();
  const at = desireService(plain, operator);
  const seen = await getStatus(
    { ...parts, api: memoryEcs({ hasCluster: false }) },
    { at, against: at },
    { fresh: true, signal },
  );
  expect(seen).toMatchObject({ exists: false, compute: { state: 'stopped', running: 0, desired: 1 } });
  expect(parts.view.last(target)).toBeUndefined();
});

test('an image that the registry does not have is an error only for who wants it to run', async () => {
  const { look: glance, ecs } = await started();
  useImage(ecs, 'missing:1');
  Object.assign(ecs.service(name) ?? {}, { runningCount: 0 });
  await expect(glance({ fresh: true })).rejects.toMatchObject({
    code: 'ImageUnavailable',
    message: expect.stringMatching(/^Image missing:1 can't be pulled: /),
  });
  const unwanted = await glance({ fresh: true, spec: undefined });
  expect(unwanted).toMatchObject({ exists: true, compute: { state: 'failed', health: 'unhealthy' } });
  expect(Object.keys(unwanted)).not.toContain('imageUnavailable');
});
