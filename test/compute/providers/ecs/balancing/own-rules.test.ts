import { describe, expect, test } from 'vitest';
import { ruleText } from '../../../../../src/compute/providers/ecs/address/listener-rule.ts';
import { readMark } from '../../../../../src/compute/providers/ecs/state/marks/applied-mark.ts';
import { tagMap } from '../../../../../src/compute/providers/ecs/state/marks/tags.ts';
import { context, drivenEcs, settings, settled, tenantSpec } from '../ecs-fixture.ts';
import { listenerArn } from '../memory-balancing.ts';
import { listenerRule, role, targetGroup } from '../service-keys.ts';
import { memoryEcs, writesOf } from '../memory-ecs.ts';
import type { MemoryEcs, MemoryEcsOptions } from '../memory-ecs.ts';

const signal = new AbortController().signal;
const listener = listenerArn('shared');
const rules = {
  allowed_listeners: [`${listener.slice(0, -16)}*`, listenerArn('other')],
  allowed_host_headers: ['*.example', '*'],
};
const { block, policy } = settings({ subnets: ['subnet-1'] }, { ...rules, allowed_subnets: ['subnet-2'] });
const name = 'landlord-tenant-acme';

const rule = { listener_arn: listener, priority: 10, host_header: ['shop.example'] };
const balancer = (over: object = {}) => ({
  listener_rule: rule,
  container_name: 'app',
  container_port: 8080,
  ...over,
});
const reached = (over: object = {}, config: Record<string, unknown> = {}) =>
  tenantSpec({ subnets: ['subnet-1'], load_balancers: [balancer(over)], ...config });
const plain = tenantSpec({ subnets: ['subnet-1'] });

function setUp(options: MemoryEcsOptions = {}) {
  const ecs = memoryEcs(options);
  for (const one of ['shared', 'other']) ecs.balancing.listeners.set(listenerArn(one), []);
  return { ecs, provider: drivenEcs(ecs, block, policy, context()) };
}

async function setUpReached(over: object = {}, options: MemoryEcsOptions = {}) {
  const made = setUp(options);
  await made.provider.provision(reached(over), signal);
  await settled(made.provider, reached(over));
  made.ecs.calls.length = 0;
  return made;
}

/** Until nothing is left to do, with a moment between two steps. */
async function updated({ provider }: ReturnType<typeof setUp>, spec: ReturnType<typeof reached>) {
  for (let steps = 0; steps < 10; steps += 1) {
    const step = await provider.update(spec, signal);
    if (step.outcome === 'done') return step;
    await provider.getStatus(spec, { fresh: true, signal });
  }
  throw new Error('no end after 10 steps');
}

const marked = (ecs: MemoryEcs) => readMark(tagMap(ecs.service(name)?.tags)).settings['lr'];
const groups = ({ balancing }: MemoryEcs) => [...balancing.groups.values()];
const texts = ({ balancing }: MemoryEcs, one = 'shared') =>
  (balancing.listeners.get(listenerArn(one)) ?? []).map(ruleText);
const registered = (ecs: MemoryEcs) =>
  (ecs.service(name)?.loadBalancers ?? []).map(({ targetGroupArn }) => targetGroupArn);

describe('a service with a listener_rule', () => {
  test('gets a target group and the rule that leads to it before it is made, by its owner tags', async () => {
    const { ecs, provider } = setUp();
    expect(await provider.provision(reached(), signal)).toMatchObject({ outcome: 'done' });
    expect(writesOf(ecs)).toEqual(['createTargetGroup', 'createRule', 'createService']);
    const [group] = groups(ecs);
    expect(group).toMatchObject({
      name: expect.stringMatching(/^landlord-[0-9a-f]{12}-[0-9a-f]{10}$/) as string,
      vpc: 'vpc-1',
      protocol: 'HTTP',
      targetType: 'ip',
      check: { path: '/', matcher: '200', interval: 30 },
      tags: { 'landlord.owner': 'default', 'landlord.tenant_name': 'acme', 'landlord.listener': listener },
    });
    expect(texts(ecs)).toEqual([`priority 10, host shop.example, to ${group?.name}`]);
    expect(ecs.service(name)?.loadBalancers).toEqual([
      { targetGroupArn: group?.arn, containerName: 'app', containerPort: 8080 },
    ]);
    const status = await settled(provider, reached());
    expect(status).toMatchObject({ changes: [] });
    expect(status.compute.endpoints).toMatchObject([{ url: 'https://shop.example' }]);
    expect(status.compute.resourceIds).toMatchObject({ targetGroup: group?.arn });
  });

  test('registers instances where its tasks have no network of their own', async () => {
    const { ecs } = setUp();
    const bare = settings({}, rules);
    const provider = drivenEcs(ecs, bare.block, bare.policy, context());
    await provider.provision(tenantSpec({ load_balancers: [balancer()] }), signal);
    expect(groups(ecs)).toMatchObject([{ targetType: 'instance' }]);
  });

  test('costs a restart no call of Elastic Load Balancing', async () => {
    const { ecs } = await setUpReached();
    const { undriven } = drivenEcs(ecs, block, policy, context());
    const desired = undriven.desired(reached());
    expect(await undriven.getStatus(desired, desired, { fresh: false, signal })).toMatchObject({
      changes: [],
    });
    expect(ecs.calls.map((call) => call.name)).toEqual(['describeService']);
  });

  test.each<[what: string, over: object, calls: readonly string[], text: string]>([
    [
      'its hosts and paths',
      { listener_rule: { ...rule, path_pattern: ['/api/*'] } },
      ['modifyRule'],
      'priority 10, host shop.example, path /api/*',
    ],
    [
      'its priority',
      { listener_rule: { ...rule, priority: 11 } },
      ['setRulePriority'],
      'priority 11, host shop.example',
    ],
    [
      'its health check',
      { target_group: { health_check: { path: '/healthz', interval: 10 } } },
      ['modifyTargetGroup'],
      'priority 10, host shop.example',
    ],
    [
      'the delay of its targets',
      { target_group: { deregistration_delay: 20 } },
      [],
      'priority 10, host shop.example',
    ],
  ])('has %s changed in place', async (_what, over, calls, text) => {
    const made = await setUpReached();
    const { ecs, provider } = made;
    const { changes } = await provider.getStatus(reached(over), { fresh: true, signal });
    expect(changes).toContainEqual(
      expect.objectContaining({ path: 'listenerRules', cause: 'spec', effect: 'live' }),
    );
    expect(changes.map(({ effect }) => effect)).not.toContain('replace');
    await updated(made, reached(over));
    const delay = ['setDeregistrationDelay'];
    expect(writesOf(ecs).toSorted()).toEqual([...calls, ...delay, 'tagResource'].toSorted());
    expect(texts(ecs)).toEqual([`${text}, to ${groups(ecs)[0]?.name}`]);
    expect(await settled(provider, reached(over))).toMatchObject({ changes: [] });
  });

  test('has another port of its container in the same target group', async () => {
    const made = await setUpReached();
    const before = groups(made.ecs);
    await updated(made, reached({ container_port: 3000 }));
    expect(groups(made.ecs)).toEqual(before);
    expect(made.ecs.service(name)?.loadBalancers).toMatchObject([{ containerPort: 3000 }]);
  });

  test.each<[what: string, edit: (ecs: MemoryEcs) => unknown]>([
    [
      'conditions',
      (ecs) => Object.assign(ecs.balancing.listeners.get(listener)?.[0] ?? {}, { hosts: ['x.example'] }),
    ],
    ['a health check', (ecs) => Object.assign(groups(ecs)[0]?.check ?? {}, { path: '/odd' })],
    ['all of the rule', (ecs) => ecs.balancing.listeners.set(listener, [])],
  ])('has what others changed told as drift, and put back: %s', async (_what, edit) => {
    const made = await setUpReached();
    const { ecs } = made;
    const before = structuredClone([texts(ecs), groups(ecs).map(({ check }) => check)]);
    edit(ecs);
    const again = drivenEcs(ecs, block, policy, context());
    expect((await again.getStatus(reached(), { fresh: true, signal })).changes).toMatchObject([
      { path: 'listenerRules', cause: 'drift', effect: 'live' },
    ]);
    await again.hold(reached(), signal);
    expect([texts(ecs), groups(ecs).map(({ check }) => check)]).toEqual(before);
    expect(await settled(again, reached())).toMatchObject({ changes: [] });
  });

  test('has what others changed told by the watch, by the call that asks for its URL', async () => {
    const { ecs } = await setUpReached();
    const provider = drivenEcs(ecs, block, policy, context({ sweepIntervalMs: 5 }));
    const desired = provider.desired(reached());
    const look = () => provider.undriven.getStatus(desired, desired, { fresh: false, signal });
    await look();
    Object.assign(groups(ecs)[0]?.check ?? {}, { path: '/odd' });
    const watching = new AbortController();
    const { promise: told, resolve } = Promise.withResolvers<string | undefined>();
    const watch = provider.undriven.watch(resolve, watching.signal);
    expect(await told).toBe('acme');
    watching.abort();
    await watch;
    expect((await look()).changes).toMatchObject([
      {
        path: 'listenerRules',
        desired: 'HTTP / at traffic-port for 200 every 30 s within 5 s, 5 good, 2 bad',
        actual: 'HTTP /odd at traffic-port for 200 every 30 s within 5 s, 5 good, 2 bad',
        cause: 'drift',
      },
    ]);
    const balancing = new Set(Object.keys(ecs.balancing.api));
    const asked = new Set(ecs.calls.map((call) => call.name).filter((call) => balancing.has(call)));
    expect([...asked]).toEqual(['routesTo']);
  });

  test('has two of them change their priorities with each other', async () => {
    const made = setUp();
    const two = (first: number, second: number) =>
      tenantSpec({
        subnets: ['subnet-1'],
        load_balancers: [
          balancer({ listener_rule: { ...rule, priority: first } }),
          balancer({
            container_name: 'web',
            listener_rule: { ...rule, priority: second, path_pattern: ['/web'] },
          }),
        ],
      });
    await made.provider.provision(two(10, 20), signal);
    await settled(made.provider, two(10, 20));
    const before = registered(made.ecs);
    await updated(made, two(20, 10));
    const [app, web] = groups(made.ecs).map((group) => group.name);
    expect(texts(made.ecs).toSorted()).toEqual([
      `priority 10, host shop.example, path /web, to ${web}`,
      `priority 20, host shop.example, to ${app}`,
    ]);
    expect(registered(made.ecs)).toEqual(before);
    expect(await settled(made.provider, two(20, 10))).toMatchObject({ changes: [] });
  });

  test('has none of two rules lead to the other’s target group meanwhile, whatever becomes of their priorities', async () => {
    const made = setUp();
    const two = (first: number, second: number, config: object = {}) =>
      tenantSpec({
        subnets: ['subnet-1'],
        load_balancers: [
          balancer({ listener_rule: { ...rule, priority: first, path_pattern: ['/app'] } }),
          balancer({
            container_name: 'web',
            listener_rule: { ...rule, priority: second, path_pattern: ['/web'] },
          }),
        ],
        ...config,
      });
    await made.provider.provision(two(10, 20), signal);
    await settled(made.provider, two(10, 20));
    const [app, web] = groups(made.ecs).map((group) => group.name);
    // In the middle of a rollout.
    const [running] = made.ecs.service(name)?.deployments ?? [];
    const next = { ...running, status: 'PRIMARY', rolloutState: 'IN_PROGRESS' } as const;
    const describeService = async () => ({
      ...structuredClone(made.ecs.service(name)),
      deployments: [next, { ...running, status: 'ACTIVE' }],
    });
    const busy = drivenEcs({ ...made.ecs, describeService }, block, policy, context());
    await busy.update(two(20, 30), signal);
    expect(texts(made.ecs).toSorted()).toEqual([
      `priority 10, host shop.example, path /app, to ${app}`,
      `priority 20, host shop.example, path /app, to ${app}`,
      `priority 30, host shop.example, path /web, to ${web}`,
    ]);
    await updated(made, two(20, 30));
    expect(texts(made.ecs)).toHaveLength(2);
  });

  test('is tried again where its first tasks failed while something of before is left', async () => {
    const { ecs } = setUp();
    const bare = settings({}, rules);
    const provider = drivenEcs(ecs, bare.block, bare.policy, context());
    await provider.provision(tenantSpec({ load_balancers: [balancer()] }), signal);
    await settled(provider, tenantSpec({ load_balancers: [balancer()] }));
    await provider.update(tenantSpec(), signal);
    const [primary] = ecs.service(name)?.deployments ?? [];
    const fallen = { ...ecs.service(name), deployments: [{ ...primary, rolloutState: 'FAILED' as const }] };
    const describeService = async () => structuredClone(fallen);
    const again = drivenEcs({ ...ecs, describeService }, bare.block, bare.policy, context());
    ecs.calls.length = 0;
    await again.update(tenantSpec(), signal);
    expect(ecs.calls.find((call) => call.name === 'updateService')?.input).toMatchObject({
      forceNewDeployment: true,
    });
  });

  test('has its rule taken over by another container, which has a target group of its own', async () => {
    const made = await setUpReached();
    const spec = reached({ container_name: 'web' });
    await updated(made, spec);
    expect(groups(made.ecs)).toHaveLength(1);
    expect(texts(made.ecs)).toEqual([`priority 10, host shop.example, to ${groups(made.ecs)[0]?.name}`]);
    expect(made.ecs.service(name)?.loadBalancers).toMatchObject([{ containerName: 'web' }]);
  });

  test('waits for the tasks of before without a call of Elastic Load Balancing', async () => {
    const { ecs, provider } = await setUpReached();
    await provider.update(plain, signal);
    const service = ecs.service(name);
    const stuck = { deployments: [{ rolloutState: 'IN_PROGRESS' }, { rolloutState: 'COMPLETED' }] };
    const late = drivenEcs(
      { ...ecs, describeService: async () => ({ ...structuredClone(service), ...stuck }) as typeof service },
      block,
      policy,
      context(),
    );
    ecs.calls.length = 0;
    expect(await late.update(plain, signal)).toMatchObject({
      outcome: 'in_progress',
      lookAgainAfterMs: 10_000,
    });
    expect(ecs.calls.map((call) => call.name)).toEqual([]);
  });

  test('gets both anew where both are gone', async () => {
    const made = await setUpReached();
    const { ecs } = made;
    ecs.balancing.listeners.set(listener, []);
    ecs.balancing.groups.clear();
    const again = drivenEcs(ecs, block, policy, context());
    expect((await again.getStatus(reached(), { fresh: true, signal })).changes).toMatchObject([
      { path: 'listenerRules', cause: 'drift' },
    ]);
    await updated({ ecs, provider: again }, reached());
    expect(registered(ecs)).toEqual(groups(ecs).map(({ arn }) => arn));
    expect(texts(ecs)).toHaveLength(1);
  });

  test('leaves what it is no longer reached by to the tasks of before, and then removes it', async () => {
    const made = await setUpReached();
    const { ecs, provider } = made;
    const [before] = groups(ecs);
    expect(await provider.update(plain, signal)).toMatchObject({
      outcome: 'in_progress',
      message: `The service ${name} was updated: what it was reached by before goes with its tasks of before`,
    });
    expect(registered(ecs)).toEqual([]);
    expect(ecs.balancing.groups.has(before?.arn ?? '')).toBe(true);
    expect(marked(ecs)).toBe('new');
    await updated(made, plain);
    expect([groups(ecs), texts(ecs)]).toEqual([[], []]);
    expect(marked(ecs)).toBeUndefined();
    ecs.calls.length = 0;
    expect(await settled(provider, plain)).toMatchObject({ changes: [] });
    await provider.update(plain, signal);
    expect(ecs.calls.map((call) => call.name)).toEqual(
      expect.not.arrayContaining(['targetGroups', 'routesTo']),
    );
  });

  test('moves to another listener with a target group of its own, and is reached by both until its tasks are the new ones', async () => {
    const made = await setUpReached();
    const { ecs, provider } = made;
    const other = reached({ listener_rule: { ...rule, listener_arn: listenerArn('other') } });
    await provider.update(other, signal);
    expect([texts(ecs).length, texts(ecs, 'other').length, groups(ecs).length]).toEqual([1, 1, 2]);
    await updated(made, other);
    expect([texts(ecs).length, texts(ecs, 'other').length, groups(ecs).length]).toEqual([0, 1, 1]);
    expect(registered(ecs)).toEqual(groups(ecs).map(({ arn }) => arn));
    expect(await settled(provider, other)).toMatchObject({ changes: [] });
  });

  test('has its rule lead to the target group of before until its tasks are those of the new one', async () => {
    const made = await setUpReached();
    const { ecs, provider } = made;
    const [before] = groups(ecs);
    const spec = reached({ target_group: { protocol: 'HTTPS' } });
    expect((await provider.getStatus(spec, { fresh: true, signal })).changes).toContainEqual(
      expect.objectContaining({ path: 'listenerRules', effect: 'gap' }),
    );
    await provider.update(spec, signal);
    const next = groups(ecs).find(({ arn }) => arn !== before?.arn);
    const names = [`${before?.name} (1)`, `${next?.name} (0)`].toSorted().join(' ');
    expect(texts(ecs)).toEqual([`priority 10, host shop.example, to ${names}`]);
    await updated(made, spec);
    expect(texts(ecs)).toEqual([`priority 10, host shop.example, to ${next?.name}`]);
    expect(groups(ecs).map(({ arn }) => arn)).toEqual([next?.arn]);
  });

  test('keeps the requests by which it scales counted at its own target group', async () => {
    const { ecs, provider } = setUp();
    const load_balancer_arn =
      'arn:aws:elasticloadbalancing:us-west-2:123456789012:loadbalancer/app/shared/0123456789abcdef';
    const spec = reached({}, { autoscaling: { max: 3, requests: { per_task: 10, load_balancer_arn } } });
    await provider.provision(spec, signal);
    await provider.update(spec, signal);
    const policies = [...(ecs.scalings.get(name)?.policies.values() ?? [])];
    expect(JSON.stringify(policies)).toContain(
      `app/shared/0123456789abcdef/${groups(ecs)[0]?.arn.split(':').at(-1)}`,
    );
    expect(await settled(provider, spec)).toMatchObject({ changes: [] });
  });
});

describe('the end of a service with a listener_rule', () => {
  test('takes its rule, and then its target group, once it is gone', async () => {
    const { ecs, provider } = await setUpReached({}, { drainsFor: 1 });
    expect(await provider.destroy(reached(), signal)).toMatchObject({ outcome: 'in_progress' });
    expect(groups(ecs)).toHaveLength(1);
    expect(await provider.destroy(reached(), signal)).toMatchObject({ outcome: 'in_progress' });
    expect(await provider.destroy(reached(), signal)).toMatchObject({ outcome: 'gone' });
    expect(writesOf(ecs)).toEqual(['deleteService', 'deleteRule', 'deleteTargetGroup']);
    expect([groups(ecs), texts(ecs)]).toEqual([[], []]);
  });

  test('leaves what others have made, and says where they use what was made for it', async () => {
    const { ecs, provider } = await setUpReached();
    const [group] = groups(ecs);
    const foreign = {
      arn: 'theirs',
      priority: 20,
      hosts: ['b.example'],
      paths: [],
      forwards: [{ group: group?.arn ?? '', weight: 1 }],
      tags: {},
    };
    ecs.balancing.listeners.get(listener)?.push(foreign);
    await expect(provider.destroy(reached(), signal)).rejects.toMatchObject({
      code: 'DestroyFailed',
      message: `the target group ${group?.name} can't be removed: a rule or a listener that Landlord did not make for it leads to it`,
    });
    expect(ecs.balancing.listeners.get(listener)).toEqual([foreign]);
    ecs.balancing.listeners.set(listener, []);
    expect(await provider.destroy(reached(), signal)).toMatchObject({ outcome: 'gone' });
  });

  test('takes what an operator left that died before there was a service', async () => {
    const { ecs } = setUp();
    const dead = { createService: async () => Promise.reject(new Error('dead')) };
    const dying = drivenEcs({ ...ecs, ...dead }, block, policy, context());
    await expect(dying.provision(reached(), signal)).rejects.toThrow('dead');
    expect(groups(ecs)).toHaveLength(1);
    const owned = await drivenEcs(ecs, block, policy, context()).list(signal);
    expect(owned).toMatchObject([
      { tenantId: 'acme', resource: `target group ${groups(ecs)[0]?.name}`, placement: { service: name } },
    ]);
    const next = drivenEcs(ecs, block, policy, context());
    expect(await next.destroy(reached(), signal)).toMatchObject({ outcome: 'gone' });
    expect([groups(ecs), texts(ecs)]).toEqual([[], []]);
  });

  test('is not taken for the end of one that ECS does not show yet', async () => {
    const { ecs, provider } = setUp({ hiddenFor: 2 });
    await provider.provision(reached(), signal);
    const other = reached({ listener_rule: { ...rule, listener_arn: listenerArn('other') } });
    await provider.provision(other, signal);
    expect(groups(ecs)).toHaveLength(2);
    await updated({ ecs, provider }, other);
    expect(groups(ecs).map((group) => group.arn)).toEqual(registered(ecs));
    expect([texts(ecs).length, texts(ecs, 'other').length]).toEqual([0, 1]);
  });

  test('in a move leaves the rule to the service that it went to', async () => {
    const made = await setUpReached();
    const { ecs, provider } = made;
    const moved = reached({}, { service_name: `${name}_blue` });
    expect(await provider.provision(moved, signal)).toMatchObject({ outcome: 'in_progress' });
    expect(groups(ecs)).toHaveLength(2);
    await updated(made, moved);
    expect(await provider.destroy(reached(), signal)).toMatchObject({ outcome: 'gone' });
    expect(groups(ecs)).toHaveLength(1);
    expect(texts(ecs)).toEqual([`priority 10, host shop.example, to ${groups(ecs)[0]?.name}`]);
    expect(await settled(provider, moved)).toMatchObject({ changes: [] });
  });
});

describe('tenants without a listener_rule', () => {
  test('cost no call of Elastic Load Balancing, from their beginning to their end', async () => {
    const ecs = memoryEcs();
    const closed = settings({ subnets: ['subnet-1'] });
    const provider = drivenEcs(ecs, closed.block, closed.policy, context());
    await provider.provision(plain, signal);
    await settled(provider, plain);
    await provider.update(plain, signal);
    await provider.list(signal);
    await provider.destroy(plain, signal);
    const asked = new Set(ecs.calls.map((call) => call.name));
    for (const call of Object.keys(ecs.balancing.api)) expect(asked).not.toContain(call);
  });

  test('cost one for all of them where others may have some', async () => {
    const { ecs, provider } = setUp();
    for (const tenantId of ['acme', 'zeta']) {
      const spec = { ...plain, tenantId };
      await provider.provision(spec, signal);
      await provider.destroy(spec, signal);
    }
    expect(ecs.calls.filter((call) => call.name === 'targetGroups')).toHaveLength(1);
  });
});

describe('what stands in the way', () => {
  const taken = (tags: Record<string, string>) => ({
    arn: 'theirs',
    priority: 10,
    hosts: ['b.example'],
    paths: [],
    forwards: [],
    tags,
  });

  test.each<[what: string, tags: Record<string, string>, whose: string]>([
    ['somebody', {}, 'was not made by Landlord'],
    [
      'another tenant',
      {
        'landlord.owner': 'default',
        'landlord.cluster': 'cluster-1',
        'landlord.tenant_namespace': 'team-a',
        'landlord.tenant_name': 'zeta',
      },
      'belongs to the tenant zeta of this namespace',
    ],
  ])('is said before anything is made: a priority of %s', async (_what, tags, whose) => {
    const { ecs, provider } = setUp();
    ecs.balancing.listeners.get(listener)?.push(taken(tags));
    await expect(provider.provision(reached(), signal)).rejects.toMatchObject({
      code: 'ProviderConflict',
      message: `the priority 10 is taken on ${listener} by a rule that ${whose}. Choose another priority`,
    });
    expect(writesOf(ecs)).toEqual([]);
  });

  test('is said of a listener that is not there', async () => {
    const { ecs, provider } = setUp();
    ecs.balancing.listeners.delete(listener);
    await expect(provider.provision(reached(), signal)).rejects.toMatchObject({
      code: 'InvalidSpec',
      message: `spec.computeConfig.ecs.load_balancers: there is no listener ${listener}: name one that is there`,
    });
    expect(writesOf(ecs)).toEqual([]);
  });

  const desired = (config: Record<string, unknown>, over: Record<string, unknown> = rules) => {
    const own = settings({ subnets: ['subnet-1'] }, over);
    return () =>
      drivenEcs(memoryEcs(), own.block, own.policy, context()).desired(
        tenantSpec({ subnets: ['subnet-1'], ...config }),
      );
  };

  test.each<[over: object, message: string]>([
    [
      { listener_rule: { ...rule, path_pattern: ['/a', '/b', '/c', '/d', '/e'] } },
      'has 6 host names and paths, and a rule takes 5',
    ],
    [
      { listener_rule: { ...rule, listener_arn: listener.replace('us-west-2', 'us-east-1') } },
      'load_balancers[0].listener_rule.listener_arn: is of us-east-1',
    ],
    [
      { target_group: { health_check: { interval: 5 } } },
      'health_check.timeout: 5 must be less than the interval, 5',
    ],
  ])('is not desired: %j', (over, message) => {
    const open = { ...rules, allowed_listeners: ['*'], allowed_target_groups: ['*'] };
    expect(desired({ load_balancers: [balancer(over)] }, open)).toThrow(
      expect.objectContaining({ code: 'InvalidSpec' }) as Error,
    );
    expect(desired({ load_balancers: [balancer(over)] }, open)).toThrow(message);
  });

  test.each<[over: object, message: string]>([
    [{ listener_rule: undefined }, 'needs either target_group_arn or listener_rule'],
    [{ target_group_arn: targetGroup('a') }, 'needs either target_group_arn or listener_rule'],
    [
      { listener_rule: undefined, target_group_arn: targetGroup('a'), target_group: {} },
      'is that of a listener_rule',
    ],
    [
      {
        advanced_configuration: {
          alternate_target_group_arn: targetGroup('b'),
          production_listener_rule: listenerRule,
          role_arn: role('elb'),
        },
      },
      'name both by their ARNs',
    ],
    [{ listener_rule: { listener_arn: listener, priority: 1 } }, 'needs host_header, path_pattern or both'],
    [{ listener_rule: { ...rule, host_header: ['Shop.example'] } }, 'must be a host name in lower case'],
    [
      { listener_rule: { ...rule, listener_arn: listener.replace('/app/', '/net/') } },
      'of an application load balancer',
    ],
  ])('is no block: %j', (over, message) => {
    expect(() => reached(over)).toThrow(message);
  });

  test('is a priority that two of a tenant’s rules have', () => {
    expect(desired({ load_balancers: [balancer(), balancer({ container_name: 'web' })] })).toThrow(
      `two rules of ${listener} have the priority 10`,
    );
  });

  test.each<[over: object, rules: Record<string, unknown>, rule: string]>([
    [{}, {}, 'policy.ecs.allowed_listeners'],
    [{}, { allowed_listeners: ['*'] }, 'policy.ecs.allowed_host_headers: host shop.example'],
    [{}, { allowed_listeners: ['*'], allowed_host_headers: ['*.team-a.example'] }, 'allowed_host_headers'],
    [
      { listener_rule: { ...rule, host_header: ['*.example'] } },
      { allowed_listeners: ['*'], allowed_host_headers: ['*.team-a.example'] },
      'host *.example is not one',
    ],
    [
      { listener_rule: { listener_arn: listener, priority: 1, path_pattern: ['/a'] } },
      { allowed_listeners: ['*'], allowed_host_headers: ['*.example'] },
      'a listener_rule without host_header takes requests for all hosts',
    ],
  ])('is the policy: %j with %j', (over, allowed, message) => {
    const bare = desired({ load_balancers: [balancer(over)] }, allowed);
    expect(bare).toThrow(expect.objectContaining({ code: 'PolicyDenied' }) as Error);
    expect(bare).toThrow(message);
  });

  test('is not the policy where it is the operator’s own', () => {
    const own = settings({ subnets: ['subnet-1'], load_balancers: [balancer()] });
    const provider = drivenEcs(memoryEcs(), own.block, own.policy, context());
    expect(provider.desired(reached()).rules).toHaveLength(1);
  });
});
