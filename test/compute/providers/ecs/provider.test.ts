import { describe, expect, test } from 'vitest';
import type { ComputeStatusBlock } from '../../../../src/api/status.ts';
import { ComputeError } from '../../../../src/compute/errors.ts';
import { anyConsent, anyPermit } from '../../permits.ts';
import type { EcsConfig } from '../../../../src/compute/providers/ecs/config.ts';
import type { TenantComputeSpec } from '../../../../src/compute/spec/tenant-compute-spec.ts';
import { containerSpec, context, drivenEcs, settings, settled, tenantSpec } from './ecs-fixture.ts';
import { baseArn, memoryEcs, writesOf } from './memory-ecs.ts';
import type { MemoryEcs, MemoryEcsOptions } from './memory-ecs.ts';

const signal = new AbortController().signal;
const { block, policy } = settings();
const name = 'landlord-tenant-acme';

function setUp(options: MemoryEcsOptions = {}): {
  ecs: MemoryEcs;
  provider: ReturnType<typeof drivenEcs>;
} {
  const ecs = memoryEcs(options);
  return { ecs, provider: drivenEcs(ecs, block, policy, context()) };
}

const running = (image: string): TenantComputeSpec<EcsConfig> =>
  tenantSpec({}, { containers: [containerSpec('app', { image })] });

describe('a service', () => {
  test('is created with breaker, rollback, 100/200 %, tags and one task where nobody names a count', async () => {
    const { ecs, provider } = setUp();
    await provider.provision(tenantSpec(), signal);
    expect(writesOf(ecs)).toEqual(['createService']);
    expect(ecs.service(name)).toMatchObject({
      desiredCount: 1,
      taskDefinition: baseArn,
      propagateTags: 'SERVICE',
      deploymentConfiguration: {
        deploymentCircuitBreaker: { enable: true, rollback: true },
        maximumPercent: 200,
        minimumHealthyPercent: 100,
      },
    });
    expect(await settled(provider, tenantSpec())).toMatchObject({
      exists: true,
      changes: [],
      compute: { state: 'running', health: 'healthy', running: 1, desired: 1 },
    });
  });

  test('whose creation was answered into the void is adopted, not made twice', async () => {
    const { ecs, provider } = setUp({ hiddenFor: 1 });
    await provider.provision(tenantSpec(), signal);
    const made = ecs.service(name);
    ecs.calls.length = 0;
    const again = await drivenEcs(ecs, block, policy, context()).provision(tenantSpec(), signal);
    expect(again).toEqual({ outcome: 'done', message: `Service ${name} was created` });
    expect(writesOf(ecs)).toEqual(['createService']);
    expect(ecs.service(name)).toBe(made);
    expect(await settled(provider, tenantSpec())).toMatchObject({ exists: true, changes: [] });
  });

  test('that is MISSING right after its creation is not taken for destroyed', async () => {
    const { provider } = setUp({ hiddenFor: 1 });
    await provider.provision(tenantSpec(), signal);
    expect((await provider.destroy(tenantSpec(), signal)).outcome).toBe('in_progress');
  });

  test('is not created while the old one of that name drains', async () => {
    const { ecs, provider } = setUp({ drainsFor: 3 });
    await provider.provision(tenantSpec(), signal);
    await provider.destroy(tenantSpec(), signal);
    ecs.calls.length = 0;
    const step = await provider.provision(tenantSpec(), signal);
    expect(step).toMatchObject({ outcome: 'in_progress', message: /drain/ });
    expect(writesOf(ecs)).toEqual([]);
  });

  test('that is made anew is not the one that was deleted before, for all its client token', async () => {
    const { ecs, provider } = setUp();
    await provider.provision(tenantSpec(), signal);
    await provider.destroy(tenantSpec(), signal);
    await provider.provision(tenantSpec(), signal);
    expect(ecs.service(name)?.status).toBe('ACTIVE');
  });

  test('on a cluster that does not exist fails by its name, and is destroyed at once', async () => {
    const { provider } = setUp({ hasCluster: false });
    await expect(provider.provision(tenantSpec(), signal)).rejects.toMatchObject({
      code: 'ProvisionFailed',
      message: expect.stringContaining('cluster/landlord'),
    });
    expect(await provider.destroy(tenantSpec(), signal)).toMatchObject({
      outcome: 'gone',
      message: /cluster .* is gone/,
    });
  });

  test('of another Kubernetes cluster is a conflict, unless that cluster is adopted; then only its marks change', async () => {
    const { ecs } = setUp();
    const theirs = drivenEcs(ecs, block, policy, context({ clusterUid: 'cluster-0' }));
    await theirs.provision(running('app:1'), signal);
    const ours = drivenEcs(ecs, block, policy, context());
    await expect(ours.provision(running('app:1'), signal)).rejects.toMatchObject({
      code: 'ProviderConflict',
    });
    const adopting = drivenEcs(ecs, settings({ adopt_clusters: ['cluster-0'] }).block, policy, context());
    ecs.calls.length = 0;
    await adopting.update(running('app:1'), signal);
    expect(writesOf(ecs)).toEqual(['tagResource']);
    expect(await settled(ours, running('app:1'))).toMatchObject({ exists: true, changes: [] });
  });
});

describe('an update', () => {
  test.each<[what: string, config: Record<string, unknown>, calls: readonly string[]]>([
    ['a count', { desired_count: 3 }, ['updateService', 'tagResource']],
    ['a tag', { tags: { team: 'a' } }, ['tagResource']],
    ['subnets', { subnets: ['subnet-1'] }, ['updateService', 'tagResource']],
    ['the wish for a drain', { drain: true }, ['tagResource']],
  ])('of %s makes the calls it needs and no other, its mark last', async (_what, config, calls) => {
    const ecs = memoryEcs();
    const open = settings({}, { allowed_subnets: ['subnet-1'] });
    const provider = drivenEcs(ecs, open.block, open.policy, context());
    await provider.provision(tenantSpec(), signal);
    ecs.calls.length = 0;
    await provider.update(tenantSpec(config), signal);
    expect(writesOf(ecs)).toEqual(calls);
    expect(await settled(provider, tenantSpec(config))).toMatchObject({ changes: [] });
    ecs.calls.length = 0;
    await provider.update(tenantSpec(config), signal);
    expect(writesOf(ecs)).toEqual([]);
  });

  test('takes away the tags that the spec no longer has, and leaves those that others have added', async () => {
    const { ecs, provider } = setUp();
    await provider.provision(tenantSpec({ tags: { team: 'a', stage: 'dev' } }), signal);
    const arn = ecs.service(name)?.serviceArn ?? '';
    await ecs.tagResource({ region: 'us-west-2' }, arn, [{ key: 'cost-center', value: '7' }], signal);
    await provider.update(tenantSpec({ tags: { team: 'a' } }), signal);
    const keys = ecs.service(name)?.tags?.map(({ key }) => key);
    expect(keys).toContain('team');
    expect(keys).toContain('cost-center');
    expect(keys).not.toContain('stage');
  });

  test('leaves the count to autoscaling where nobody names one', async () => {
    const { ecs, provider } = setUp();
    await provider.provision(tenantSpec(), signal);
    const service = ecs.service(name);
    if (service !== undefined) service.desiredCount = 7;
    expect((await settled(provider, tenantSpec())).changes).toEqual([]);
    await provider.update(tenantSpec({ tags: { team: 'a' } }), signal);
    expect(ecs.service(name)?.desiredCount).toBe(7);
  });

  test('that makes the service anew, or moves it, gives it as many tasks as autoscaling had', async () => {
    const { ecs, provider } = setUp({ drainsFor: 2 });
    await provider.provision(tenantSpec({ launch_type: 'EC2' }), signal);
    Object.assign(ecs.service(name) ?? {}, { desiredCount: 20 });
    // As the controller does: what is told stands in the status, and nothing else is remembered.
    let before = (await settled(provider, tenantSpec({ launch_type: 'EC2' }))).compute;
    const external = () => tenantSpec({ launch_type: 'EXTERNAL' }, { before });
    for (let calls = 0; calls < 6; calls += 1) {
      await provider.update(external(), signal);
      before = (await provider.getStatus(external(), { fresh: true, signal })).compute;
    }
    expect(ecs.service(name)).toMatchObject({ status: 'ACTIVE', launchType: 'EXTERNAL', desiredCount: 20 });
    const moved = () => tenantSpec({ service_name: 'green' }, { before });
    before = (await provider.getStatus(moved(), { fresh: true, signal })).compute;
    await provider.provision(moved(), signal);
    expect(ecs.service('green')?.desiredCount).toBe(20);
  });

  test.each<[what: string, config: object, before: Partial<ComputeStatusBlock>, count: number]>([
    ['a count that the spec names', { desired_count: 3 }, { desired: 20 }, 3],
    ['one where there were none', {}, { desired: 0 }, 1],
    [
      'one where what ran before was no service',
      {},
      { desired: 4, resourceIds: { 'container/app': 'x' } },
      1,
    ],
  ])('that makes a service begins with %s', async (_what, config, before, count) => {
    const { ecs, provider } = setUp();
    const told = { state: 'running', health: 'healthy', running: 0, desired: 0, ...before } as const;
    await provider.provision(tenantSpec({ ...config }, { before: told }), signal);
    expect(ecs.service(name)?.desiredCount).toBe(count);
  });

  test('of a launch type that ECS can’t change drains the service and makes it anew, and says so', async () => {
    const { ecs, provider } = setUp({ drainsFor: 1 });
    const [ec2, external] = [tenantSpec({ launch_type: 'EC2' }), tenantSpec({ launch_type: 'EXTERNAL' })];
    await provider.provision(ec2, signal);
    const step = await provider.update(external, signal);
    expect(step).toMatchObject({ outcome: 'in_progress', message: /launch type from EC2 to EXTERNAL/ });
    for (let calls = 0; calls < 5; calls += 1) await provider.update(external, signal);
    expect(ecs.service(name)).toMatchObject({ status: 'ACTIVE', launchType: 'EXTERNAL' });
  });

  test('of the network that ECS takes back is a rollback, and is sent once', async () => {
    const ecs = memoryEcs();
    const open = settings({}, { allowed_subnets: ['subnet-1', 'subnet-bad'] });
    const provider = drivenEcs(ecs, open.block, open.policy, context());
    await provider.provision(tenantSpec({ subnets: ['subnet-1'] }), signal);
    await settled(provider, tenantSpec({ subnets: ['subnet-1'] }));
    const bad = tenantSpec({ subnets: ['subnet-bad'] });
    ecs.calls.length = 0;
    await provider.update(bad, signal);
    const seen = await settled(provider, bad);
    expect(seen.rolledBack?.message).toContain('went back to its network and launch type from before');
    expect(seen.changes.map(({ cause }) => cause)).not.toContain('drift');
    for (let steps = 0; steps < 3; steps += 1) await provider.hold(bad, signal);
    expect((await settled(provider, bad)).changes.map(({ cause }) => cause)).not.toContain('drift');
    expect(writesOf(ecs).filter((call) => call === 'updateService')).toHaveLength(1);
  });

  test('registers one revision for each overlay, in a family of the tenant’s own', async () => {
    const { ecs, provider } = setUp();
    await provider.provision(running('app:1'), signal);
    await provider.update(running('app:1'), signal);
    await provider.update(running('app:2'), signal);
    await provider.update(
      tenantSpec({ desired_count: 2 }, { containers: running('app:2').containers }),
      signal,
    );
    const own = [...ecs.taskDefinitions.values()].filter(
      ({ taskDefinition }) => taskDefinition.family !== 'tenant-app',
    );
    expect(own.map(({ taskDefinition }) => taskDefinition.containerDefinitions?.[0]?.image)).toEqual([
      'app:1',
      'app:2',
    ]);
    expect(own[0]?.taskDefinition.family).toMatch(/^landlord-tenant-acme-[0-9a-f]{8}$/);
    await settled(provider, running('app:2'));
    expect(ecs.service(name)?.taskDefinition).toBe(own[1]?.taskDefinition.taskDefinitionArn);
  });

  test('never touches a family of that name that is someone else’s', async () => {
    const { ecs, provider } = setUp();
    await provider.provision(running('app:1'), signal);
    const [own] = [...ecs.taskDefinitions.values()].slice(-1);
    own?.tags.splice(0);
    await expect(provider.update(running('app:2'), signal)).rejects.toMatchObject({
      code: 'ProviderConflict',
    });
  });
});

describe('drift', () => {
  test.each<[what: string, edit: (ecs: MemoryEcs) => unknown, path: string]>([
    [
      'the count',
      (ecs) => ecs.updateService({ region: '' }, { service: name, desiredCount: 9 }, anyConsent, signal),
      'desiredCount',
    ],
    [
      'the task definition',
      (ecs) =>
        ecs.updateService(
          { region: '' },
          { service: name, taskDefinition: ecs.addTaskDefinition({ family: 'theirs' }) },
          anyConsent,
          signal,
        ),
      'taskDefinition',
    ],
    [
      'a tag',
      (ecs) =>
        ecs.tagResource(
          { region: '' },
          ecs.service(name)?.serviceArn ?? '',
          [{ key: 'team', value: 'x' }],
          signal,
        ),
      'tags.team',
    ],
    [
      'the breaker',
      (ecs) =>
        ecs.updateService(
          { region: '' },
          {
            service: name,
            deploymentConfiguration: { deploymentCircuitBreaker: { enable: false, rollback: false } },
          },
          anyConsent,
          signal,
        ),
      'deploymentConfiguration.deploymentCircuitBreaker.enable',
    ],
  ])('of %s is seen as drift, not as a rollback, and mended', async (_what, edit, path) => {
    const { ecs, provider } = setUp();
    const spec = tenantSpec(
      { desired_count: 2, tags: { team: 'a' } },
      { containers: running('app:1').containers },
    );
    await provider.provision(spec, signal);
    await settled(provider, spec);
    await edit(ecs);
    const seen = await provider.getStatus(spec, { fresh: true, signal });
    expect(seen.rolledBack).toBeUndefined();
    expect(seen.changes).toContainEqual(expect.objectContaining({ path, cause: 'drift' }));
    await provider.update(spec, signal);
    expect((await settled(provider, spec)).changes).toEqual([]);
  });
});

describe('a rollout that fails', () => {
  test.each([
    ['crashes', 'crash:1', 'RolledBack', 'exited with code 3'],
    ['can not be pulled', 'missing:1', 'ImageUnavailable', 'missing:1'],
  ])('because its image %s is rolled back by ECS and told so', async (_what, image, reason, text) => {
    const { ecs, provider } = setUp();
    await provider.provision(running('app:1'), signal);
    await settled(provider, running('app:1'));
    await provider.update(running(image), signal);
    const seen = await settled(provider, running(image));
    expect(seen.rolledBack).toMatchObject({ reason, message: expect.stringContaining(text) });
    expect(seen.compute).toMatchObject({ running: 1 });
    // What is kept is left alone, and a process that finds it so says the same.
    ecs.calls.length = 0;
    await provider.hold(running(image), signal);
    expect(writesOf(ecs).filter((call) => call !== 'tagResource')).toEqual([]);
  });

  test('is tried again when asked to, and can then succeed', async () => {
    const { ecs, provider } = setUp();
    await provider.provision(running('app:1'), signal);
    await settled(provider, running('app:1'));
    await provider.update(running('crash:1'), signal);
    expect((await settled(provider, running('crash:1'))).rolledBack).toBeDefined();
    for (const { taskDefinition } of ecs.taskDefinitions.values()) {
      for (const container of taskDefinition.containerDefinitions ?? []) {
        if (container.image === 'crash:1') container.image = 'mended:1';
      }
    }
    ecs.calls.length = 0;
    await provider.update(running('crash:1'), signal);
    expect(writesOf(ecs)).toContain('updateService');
    expect(await settled(provider, running('crash:1'))).toMatchObject({
      changes: [],
      compute: { health: 'healthy' },
    });
  });

  test('is not mistaken for an edit once it is rejected: drift beside it is mended, the task definition is not', async () => {
    const { ecs, provider } = setUp();
    const spec = (image: string) =>
      tenantSpec({ desired_count: 1 }, { containers: running(image).containers });
    await provider.provision(spec('app:1'), signal);
    await settled(provider, spec('app:1'));
    await provider.update(spec('crash:1'), signal);
    await settled(provider, spec('crash:1'));
    const old = ecs.service(name)?.taskDefinition;
    const service = ecs.service(name);
    if (service !== undefined) Object.assign(service, { events: [], desiredCount: 4 });
    await provider.hold(spec('crash:1'), signal);
    expect(ecs.service(name)).toMatchObject({ taskDefinition: old, desiredCount: 1 });
    const seen = await provider.getStatus(spec('crash:1'), { fresh: false, signal });
    expect(seen.changes.filter(({ cause }) => cause === 'drift')).toEqual([]);
    await provider.hold(spec('crash:1'), signal);
    ecs.calls.length = 0;
    await provider.hold(spec('crash:1'), signal);
    expect(writesOf(ecs)).toEqual([]);
  });

  test('with nothing before it to go back to is told so, and not waited for', async () => {
    const { provider } = setUp();
    await provider.provision(running('crash:1'), signal);
    const seen = await settled(provider, running('crash:1'));
    expect(seen.rolledBack).toMatchObject({
      reason: 'RolledBack',
      message: expect.stringContaining('none before it'),
    });
  });
});

describe('destroying', () => {
  test('deletes by force, follows the draining, and deregisters the tenant’s own revisions', async () => {
    const { ecs, provider } = setUp({ drainsFor: 2 });
    const spec = running('app:1');
    await provider.provision(spec, signal);
    await provider.update(running('app:2'), signal);
    const outcomes: string[] = [];
    for (let calls = 0; calls < 6 && outcomes.at(-1) !== 'gone'; calls += 1) {
      outcomes.push((await provider.destroy(spec, signal)).outcome);
    }
    expect(outcomes.at(0)).toBe('in_progress');
    expect(outcomes.at(-1)).toBe('gone');
    expect(writesOf(ecs).filter((call) => call === 'deleteService')).toHaveLength(1);
    const active = [...ecs.taskDefinitions.values()].filter(
      ({ taskDefinition }) => taskDefinition.status === 'ACTIVE',
    );
    expect(active.map(({ taskDefinition }) => taskDefinition.family)).toEqual(['tenant-app']);
  });

  test('needs nothing but the placement', async () => {
    const { ecs, provider } = setUp();
    await provider.provision(tenantSpec(), signal);
    const ref = { tenantId: 'acme', namespace: 'team-a', name: 'acme', placement: { provider: 'ecs' } };
    await expect(provider.undriven.destroy(ref, anyPermit, signal)).rejects.toMatchObject({
      code: 'DestroyFailed',
    });
    const { placement } = provider.desired(tenantSpec());
    expect((await provider.undriven.destroy({ ...ref, placement }, anyPermit, signal)).outcome).toBe('gone');
    expect(ecs.service(name)?.status).toBe('INACTIVE');
  });
});

describe('a drain', () => {
  const drained = tenantSpec({ drain: true, desired_count: 3 });
  const tagOf = (ecs: MemoryEcs): string | undefined =>
    ecs.service(name)?.tags?.find(({ key }) => key === 'landlord.drain')?.value;

  async function started(options: MemoryEcsOptions, spec = drained) {
    const { ecs, provider } = setUp(options);
    await provider.provision(spec, signal);
    await settled(provider, spec);
    ecs.calls.length = 0;
    return { ecs, provider, spec };
  }

  test('scales to 0 and deletes only once no task is left, whichever process looks', async () => {
    const { ecs, spec } = await started({ stopsFor: 2, drainsFor: 1 });
    const told: string[] = [];
    for (let calls = 0; calls < 9 && !told.at(-1)?.startsWith('gone'); calls += 1) {
      const by = drivenEcs(ecs, block, policy, context());
      const { outcome, message } = await by.destroy(spec, signal);
      told.push(`${outcome}: ${message}`);
    }
    const stillRuns = `in_progress: Draining service ${name}: 3 tasks still run`;
    expect(told).toEqual([
      stillRuns,
      stillRuns,
      stillRuns,
      `in_progress: Draining service ${name}`,
      `in_progress: Draining service ${name}`,
      `gone: there is no service ${name}`,
    ]);
    expect(writesOf(ecs)).toEqual(['tagResource', 'updateService', 'deleteService']);
  });

  test('waits for tasks that are still to come up, too', async () => {
    const { ecs, provider, spec } = await started({});
    await provider.destroy(spec, signal);
    Object.assign(ecs.service(name) ?? {}, { pendingCount: 1 });
    expect(await provider.destroy(spec, signal)).toMatchObject({
      outcome: 'in_progress',
      message: /1 task still runs$/,
    });
    expect(writesOf(ecs)).not.toContain('deleteService');
    Object.assign(ecs.service(name) ?? {}, { pendingCount: 0 });
    await provider.destroy(spec, signal);
    expect(writesOf(ecs)).toContain('deleteService');
  });

  test('scales to 0 again what somebody else has scaled up meanwhile', async () => {
    const { ecs, provider, spec } = await started({});
    await provider.destroy(spec, signal);
    Object.assign(ecs.service(name) ?? {}, { desiredCount: 1 });
    expect((await provider.destroy(spec, signal)).outcome).toBe('in_progress');
    expect(ecs.service(name)).toMatchObject({ status: 'ACTIVE', desiredCount: 0 });
    expect(tagOf(ecs)).toBe('from 3');
  });

  test.each([
    ['nobody asked for one', tenantSpec({ desired_count: 3 }), undefined],
    ['the service runs nothing', tenantSpec({ drain: true, desired_count: 0 }), 'true'],
  ])('is none where %s: DeleteService is the only write', async (_what, spec, tag) => {
    const { ecs, provider } = await started({}, spec);
    expect(tagOf(ecs)).toBe(tag);
    await provider.destroy(spec, signal);
    expect(writesOf(ecs)).toEqual(['deleteService']);
  });

  test('ends at once when its mark is taken off by hand', async () => {
    const { ecs, provider, spec } = await started({ stopsFor: 99 });
    await provider.destroy(spec, signal);
    const arn = ecs.service(name)?.serviceArn ?? '';
    await ecs.untagResource({ region: 'us-west-2' }, arn, ['landlord.drain'], signal);
    expect((await provider.destroy(spec, signal)).outcome).toBe('gone');
  });

  test.each([
    ['count is autoscaling’s', { drain: true }, { drain: true }, 5, 'true'],
    ['wish is gone as well', { drain: true }, {}, 5, undefined],
    ['count is named', { drain: true, desired_count: 5 }, { drain: true, desired_count: 2 }, 2, 'true'],
  ])('that is called off gives the tasks back where the %s', async (_what, before, after, count, tag) => {
    const { ecs, provider, spec } = await started({}, tenantSpec(before));
    Object.assign(ecs.service(name) ?? {}, { desiredCount: 5 });
    await provider.destroy(spec, signal);
    expect(ecs.service(name)?.desiredCount).toBe(0);
    const back = tenantSpec(after);
    const seen = await provider.getStatus(back, { fresh: true, signal });
    expect(seen.changes.map(({ cause }) => cause)).not.toContain('drift');
    await provider.update(back, signal);
    expect(ecs.service(name)?.desiredCount).toBe(count);
    expect(tagOf(ecs)).toBe(tag);
    expect((await settled(provider, back)).changes).toEqual([]);
  });

  test.each(['', 'no'])('has its mark mended after it was set to %j', async (value) => {
    const { ecs, provider } = await started({});
    const arn = ecs.service(name)?.serviceArn ?? '';
    await ecs.tagResource({ region: 'us-west-2' }, arn, [{ key: 'landlord.drain', value }], signal);
    await provider.update(drained, signal);
    expect(tagOf(ecs)).toBe('true');
  });

  test('loses its mark when the tenant no longer asks for it', async () => {
    const { ecs, provider } = await started({});
    await provider.update(tenantSpec({ desired_count: 3 }), signal);
    expect(tagOf(ecs)).toBeUndefined();
    expect(writesOf(ecs)).toEqual(['untagResource', 'tagResource']);
  });

  test('is no part of a change of the launch type', async () => {
    const { ecs, provider } = await started({}, tenantSpec({ drain: true, launch_type: 'EC2' }));
    await provider.update(tenantSpec({ drain: true, launch_type: 'EXTERNAL' }), signal);
    expect(writesOf(ecs)).toEqual(['deleteService']);
  });

  test('that ECS refuses is DestroyFailed', async () => {
    const { ecs, spec } = await started({});
    const refusing = {
      ...ecs,
      updateService: async () => {
        throw new ComputeError('InvalidSpec', 'no');
      },
    };
    const provider = drivenEcs(refusing, block, policy, context());
    await expect(provider.destroy(spec, signal)).rejects.toMatchObject({ code: 'DestroyFailed' });
    expect(ecs.service(name)?.status).toBe('ACTIVE');
  });
});
