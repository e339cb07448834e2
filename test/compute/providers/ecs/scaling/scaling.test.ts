import { describe, expect, test } from 'vitest';
import { readMark } from '../../../../../src/compute/providers/ecs/state/marks/applied-mark.ts';
import { tagMap } from '../../../../../src/compute/providers/ecs/state/marks/tags.ts';
import { policyInput } from '../../../../../src/compute/providers/ecs/state/scaling/scaling.ts';
import { context, drivenEcs, settings, settled, tenantSpec } from '../ecs-fixture.ts';
import { seenTarget } from '../memory-scaling.ts';
import { memoryEcs, writesOf } from '../memory-ecs.ts';
import type { MemoryEcs, MemoryEcsOptions } from '../memory-ecs.ts';

const signal = new AbortController().signal;
const { block, policy } = settings();
const name = 'landlord-tenant-acme';
const autoscaling = { min: 2, max: 10, cpu: 60 };
const scaled = (over: Record<string, unknown> = {}) => tenantSpec({ autoscaling, ...over });

function setUp(options: MemoryEcsOptions = {}) {
  const ecs = memoryEcs(options);
  return { ecs, provider: drivenEcs(ecs, block, policy, context()) };
}

/** Created, and scaled. */
async function setUpScaled(over: Record<string, unknown> = {}, options: MemoryEcsOptions = {}) {
  const made = setUp(options);
  await made.provider.provision(scaled(over), signal);
  await made.provider.update(scaled(over), signal);
  made.ecs.calls.length = 0;
  return made;
}

const marked = (ecs: MemoryEcs) => readMark(tagMap(ecs.service(name)?.tags)).settings['as'];
const shown = ({ scalings }: MemoryEcs) => seenTarget(scalings.get(name));
const cpu = (target: number) =>
  ({ name: 'landlord-cpu', metric: 'ECSServiceAverageCPUUtilization', target }) as const;

describe('a service with autoscaling', () => {
  test('gets its scalable target and policies once it is there, and begins with a count within the bounds', async () => {
    const { ecs, provider } = setUp();
    expect(await provider.provision(scaled({ desired_count: 1 }), signal)).toMatchObject({
      outcome: 'in_progress',
      message: `Service ${name} was created: its autoscaling follows`,
    });
    expect(ecs.service(name)?.desiredCount).toBe(2);
    expect(shown(ecs)).toBe('none');
    expect((await settled(provider, scaled({ desired_count: 1 }))).changes).toMatchObject([
      {
        path: 'autoscaling',
        desired: '2 to 10 tasks by cpu 60',
        actual: 'none',
        cause: 'spec',
        effect: 'live',
      },
    ]);
    ecs.calls.length = 0;
    await provider.update(scaled({ desired_count: 1 }), signal);
    expect(writesOf(ecs)).toEqual(['registerScalableTarget', 'putScalingPolicy', 'tagResource']);
    expect(shown(ecs)).toEqual({ min: 2, max: 10, policies: [cpu(60)], foreign: [] });
    expect(await settled(provider, scaled({ desired_count: 1 }))).toMatchObject({ changes: [] });
  });

  test('leaves its count to that, whoever names one', async () => {
    const { ecs, provider } = await setUpScaled();
    Object.assign(ecs.service(name) ?? {}, { desiredCount: 7 });
    const named = { ...scaled(), replicas: 3 };
    await provider.update(named, signal);
    expect(writesOf(ecs)).toEqual([]);
    expect(ecs.service(name)?.desiredCount).toBe(7);
    expect((await settled(provider, named)).changes).toEqual([]);
    expect(provider.desired(named).notes).toEqual([
      'replicas 3 only begins the count, which autoscaling has from then on',
    ]);
    expect(provider.desired(scaled({ desired_count: 4 })).notes).toEqual([
      'desired_count 4 only begins the count, which autoscaling has from then on',
    ]);
  });

  test.each([
    [1, 2],
    [40, 10],
  ])('has a count of %i, which no alarm would bring into the bounds, set to %i', async (count, set) => {
    const { ecs, provider } = await setUpScaled();
    Object.assign(ecs.service(name) ?? {}, { desiredCount: count });
    expect((await settled(provider, scaled())).changes).toMatchObject([
      { path: 'desiredCount', desired: String(set), actual: String(count), cause: 'drift' },
    ]);
    await provider.update(scaled(), signal);
    expect(writesOf(ecs)).toEqual(['updateService']);
    expect(ecs.service(name)?.desiredCount).toBe(set);
  });

  test('rests with replicas 0, and has the count again afterwards', async () => {
    const { ecs, provider } = await setUpScaled();
    const none = { ...scaled(), replicas: 0 };
    await provider.update(none, signal);
    expect(ecs.service(name)?.desiredCount).toBe(0);
    expect(ecs.scalings.has(name)).toBe(false);
    expect(await settled(provider, none)).toMatchObject({ changes: [] });
    await provider.update(scaled(), signal);
    expect(ecs.service(name)?.desiredCount).toBe(2);
    expect(shown(ecs)).toMatchObject({ min: 2, max: 10 });
  });

  test.each<[what: string, config: Record<string, unknown>, calls: readonly string[], policies: unknown[]]>([
    ['bounds', { ...autoscaling, max: 12 }, ['registerScalableTarget'], [cpu(60)]],
    ['a target', { ...autoscaling, cpu: 70 }, ['putScalingPolicy'], [cpu(70)]],
    [
      'another metric',
      { min: 2, max: 10, memory: 50 },
      ['putScalingPolicy', 'deleteScalingPolicy'],
      [{ name: 'landlord-memory', metric: 'ECSServiceAverageMemoryUtilization', target: 50 }],
    ],
  ])('is changed in place: %s', async (_what, config, calls, policies) => {
    const { ecs, provider } = await setUpScaled();
    const next = tenantSpec({ autoscaling: config });
    expect((await provider.getStatus(next, { fresh: true, signal })).changes).toContainEqual(
      expect.objectContaining({ path: 'autoscaling', cause: 'spec', effect: 'live' }),
    );
    await provider.update(next, signal);
    expect(writesOf(ecs)).toEqual([...calls, 'tagResource']);
    expect(shown(ecs)).toMatchObject({ policies });
    expect(await settled(provider, next)).toMatchObject({ changes: [] });
  });

  test.each<[what: string, edit: (ecs: MemoryEcs) => unknown, actual: string, calls: readonly string[]]>([
    [
      'bounds',
      (ecs) => Object.assign(ecs.scalings.get(name) ?? {}, { max: 50 }),
      '2 to 50 tasks by cpu 60',
      ['registerScalableTarget'],
    ],
    [
      'a target',
      (ecs) => ecs.scalings.get(name)?.policies.set('landlord-cpu', policyInput(cpu(90)) as never),
      '2 to 10 tasks by cpu 90',
      ['putScalingPolicy'],
    ],
    ['all of it', (ecs) => ecs.scalings.delete(name), 'none', ['registerScalableTarget', 'putScalingPolicy']],
  ])('has what others changed told as drift, and put back: %s', async (_what, edit, actual, calls) => {
    const { ecs, provider } = await setUpScaled();
    edit(ecs);
    expect((await provider.getStatus(scaled(), { fresh: true, signal })).changes).toEqual([
      { path: 'autoscaling', desired: '2 to 10 tasks by cpu 60', actual, cause: 'drift', effect: 'live' },
    ]);
    await provider.hold(scaled(), signal);
    expect(writesOf(ecs)).toEqual(calls);
    expect(shown(ecs)).toEqual({ min: 2, max: 10, policies: [cpu(60)], foreign: [] });
    expect(await settled(provider, scaled())).toMatchObject({ changes: [] });
  });

  test('leaves policies of other names alone, and says so', async () => {
    const { ecs, provider } = await setUpScaled();
    ecs.scalings.get(name)?.policies.set('nightly', { PolicyName: 'nightly' } as never);
    expect(await settled(provider, scaled())).toMatchObject({
      changes: [],
      notes: ['the scaling policy nightly of others is left alone'],
    });
    await provider.update(tenantSpec(), signal);
    expect(shown(ecs)).toMatchObject({ policies: [], foreign: ['nightly'] });
    expect(marked(ecs)).toBeUndefined();
  });

  test('loses its scalable target when the key goes, and is never asked about again', async () => {
    const { ecs, provider } = await setUpScaled();
    expect((await provider.getStatus(tenantSpec(), { fresh: true, signal })).changes).toContainEqual(
      expect.objectContaining({ path: 'autoscaling', desired: 'none', cause: 'spec' }),
    );
    await provider.update(tenantSpec(), signal);
    expect(writesOf(ecs)).toEqual(['deregisterScalableTarget', 'tagResource']);
    ecs.calls.length = 0;
    expect(await settled(provider, tenantSpec())).toMatchObject({ changes: [] });
    expect(ecs.calls.map((call) => call.name)).not.toContain('describeScaling');
  });

  test('is marked before the first scalable target is made, so that none is left by who dies in between', async () => {
    const { ecs, provider } = setUp();
    await provider.provision(tenantSpec(), signal);
    const dying = drivenEcs(
      { ...ecs, putScalingPolicy: async () => Promise.reject(new Error('dead')) },
      block,
      policy,
      context(),
    );
    await expect(dying.update(scaled(), signal)).rejects.toThrow('dead');
    expect(marked(ecs)).toBe('new');
    await provider.destroy(scaled(), signal);
    expect(ecs.scalings.has(name)).toBe(false);
  });

  test('is unscaled before it is deleted, and before it is drained', async () => {
    const { ecs, provider } = await setUpScaled();
    await provider.destroy(scaled(), signal);
    expect(writesOf(ecs)).toEqual(['deregisterScalableTarget', 'deleteService']);
    const draining = await setUpScaled({ drain: true }, { stopsFor: 2 });
    await draining.provider.destroy(scaled({ drain: true }), signal);
    expect(writesOf(draining.ecs)).toEqual(['deregisterScalableTarget', 'tagResource', 'updateService']);
    // Called off, it is scaled again, and that is nobody's edit.
    const status = await draining.provider.getStatus(scaled({ drain: true }), { fresh: true, signal });
    expect(status.changes.map(({ path, cause }) => [path, cause])).toContainEqual(['autoscaling', 'spec']);
  });

  test('takes the count that it had along where it is made anew', async () => {
    const { ecs, provider } = await setUpScaled({ launch_type: 'EC2' });
    Object.assign(ecs.service(name) ?? {}, { desiredCount: 8 });
    const { compute } = await settled(provider, scaled({ launch_type: 'EC2' }));
    const external = { ...scaled({ launch_type: 'EXTERNAL', desired_count: 3 }), before: compute };
    await provider.update(external, signal);
    expect(writesOf(ecs)).toEqual(['deregisterScalableTarget', 'deleteService']);
    await provider.update(external, signal);
    expect(ecs.service(name)).toMatchObject({ status: 'ACTIVE', desiredCount: 8 });
  });

  test('waits for Application Auto Scaling to see it', async () => {
    const { ecs } = setUp();
    const late = drivenEcs(
      { ...ecs, registerScalableTarget: async () => 'missing' },
      block,
      policy,
      context(),
    );
    await late.provision(scaled(), signal);
    expect(await late.update(scaled(), signal)).toMatchObject({
      outcome: 'in_progress',
      message: `Waiting until Application Auto Scaling sees the service ${name}`,
    });
    expect(marked(ecs)).toBe('new');
  });
});

describe('what is seen of autoscaling', () => {
  test('costs a restart no call, and is looked at by the watch, which tells of what others changed', async () => {
    const { ecs } = await setUpScaled();
    ecs.scalings.delete(name);
    const provider = drivenEcs(ecs, block, policy, context({ sweepIntervalMs: 5 }));
    const watching = new AbortController();
    const { promise: told, resolve } = Promise.withResolvers<string | undefined>();
    const watch = provider.undriven.watch(resolve, watching.signal);
    const look = () => provider.getStatus(scaled(), { fresh: false, signal });
    expect(await look()).toMatchObject({ exists: true, changes: [] });
    expect(ecs.calls.map((call) => call.name)).not.toContain('describeScaling');
    expect(await told).toBe('acme');
    expect((await look()).changes).toMatchObject([{ path: 'autoscaling', actual: 'none', cause: 'drift' }]);
    watching.abort();
    await watch;
  });
});

describe('what a tenant may ask for', () => {
  const balanced = {
    load_balancers: [
      {
        target_group_arn:
          'arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/web/0123456789abcdef',
        container_name: 'app',
        container_port: 80,
      },
    ],
  };
  const requests = {
    per_task: 1_000,
    load_balancer_arn:
      'arn:aws:elasticloadbalancing:us-west-2:123456789012:loadbalancer/app/front/abcdef0123456789',
  };
  const open = settings({}, { allowed_target_groups: ['*'] });
  const desired = (config: Record<string, unknown>, { block: own, policy: rules } = open) =>
    drivenEcs(memoryEcs(), own, rules, context()).desired(tenantSpec(config));

  test('is requests by the first target group of its load balancer', () => {
    expect(desired({ ...balanced, autoscaling: { max: 5, requests } }).autoscaling).toEqual({
      min: 1,
      max: 5,
      policies: [
        {
          name: 'landlord-requests',
          metric: 'ALBRequestCountPerTarget',
          target: 1_000,
          label: 'app/front/abcdef0123456789/targetgroup/web/0123456789abcdef',
        },
      ],
    });
  });

  test.each<[config: Record<string, unknown>, code: string, message: string]>([
    [{ autoscaling: { cpu: 50 } }, 'InvalidSpec', 'autoscaling.max: is required'],
    [{ autoscaling: { min: 3, max: 2, cpu: 50 } }, 'InvalidSpec', 'autoscaling.min: 3 is more than max, 2'],
    [{ autoscaling: { max: 2 } }, 'InvalidSpec', 'autoscaling: name what it goes by'],
    [{ autoscaling: { max: 2, requests } }, 'InvalidSpec', 'autoscaling.requests: needs load_balancers'],
    [
      { ...balanced, deployment: { strategy: 'BLUE_GREEN' }, autoscaling: { max: 2, requests } },
      'InvalidSpec',
      'autoscaling.requests: counts one target group, and BLUE_GREEN has two',
    ],
    [{ autoscaling: { max: 101, cpu: 50 } }, 'PolicyDenied', 'policy.ecs.max_desired_count'],
  ])('is not %j', (config, code, message) => {
    expect(() => desired(config)).toThrow(expect.objectContaining({ code }) as Error);
    expect(() => desired(config)).toThrow(message);
  });

  test("is more than the policy's bound where the operator's own is", () => {
    const own = { autoscaling: { max: 500, cpu: 50 } };
    expect(desired(own, settings(own)).autoscaling?.max).toBe(500);
    expect(() => desired({ autoscaling: { max: 501, cpu: 50 } }, settings(own))).toThrow('max_desired_count');
  });

  test('is nothing for a DAEMON; a default of the operator’s is none for it', () => {
    const daemon = { scheduling_strategy: 'DAEMON', launch_type: 'EC2', autoscaling };
    const rules = { allowed_keys: ['scheduling_strategy'] };
    expect(() => desired(daemon, settings({}, rules))).toThrow('autoscaling: a DAEMON has as many tasks');
    expect(desired(daemon, settings({ autoscaling }, rules)).autoscaling).toBeUndefined();
  });

  test('counts with all its tasks against what it may use', async () => {
    const bounded = {
      allowed_images: ['*'],
      max_resources: { cpu: '', memory: '4Gi' },
      default_resources: { cpu: '', memory: '' },
    };
    const ecs = memoryEcs();
    const arn = ecs.addTaskDefinition({ family: 'tenant-app', revision: 13, cpu: '256', memory: '512' });
    const { block: own, policy: rules } = settings({ task_definition_arn: arn });
    const provider = drivenEcs(ecs, own, rules, context({ policy: bounded }));
    const spec = (max: number) => tenantSpec({ task_definition_arn: arn, autoscaling: { max, cpu: 50 } });
    await expect(provider.provision(spec(9), signal)).rejects.toMatchObject({ code: 'PolicyDenied' });
    await provider.provision(spec(8), signal);
    expect(ecs.service(name)?.status).toBe('ACTIVE');
    await provider.update(spec(8), signal);
    await expect(provider.update(spec(9), signal)).rejects.toMatchObject({ code: 'PolicyDenied' });
  });
});
