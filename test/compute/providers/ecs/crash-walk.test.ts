import { array, assert, asyncProperty, constantFrom, integer, record } from 'fast-check';
import { expect, it } from 'vitest';
import type { DestroyResult, StepResult } from '../../../../src/compute/provider.ts';
import type { EcsConfig } from '../../../../src/compute/providers/ecs/config.ts';
import type { EcsApi } from '../../../../src/compute/providers/ecs/engine/ecs-api.ts';
import type { TenantComputeSpec } from '../../../../src/compute/spec/tenant-compute-spec.ts';
import { dyingProcess, onlyDeath, walks } from '../../dying-process.ts';
import { containerSpec, context, drivenEcs, settings, tenantSpec } from './ecs-fixture.ts';
import { listenerArn } from './memory-balancing.ts';
import { seenTarget } from './memory-scaling.ts';
import { memoryEcs, writeOf, writes } from './memory-ecs.ts';
import type { MemoryEcs } from './memory-ecs.ts';

const listeners = ['one', 'two'].map(listenerArn);
const { block, policy } = settings(
  {},
  {
    allowed_subnets: ['subnet-1', 'subnet-2'],
    allowed_listeners: listeners,
    allowed_host_headers: ['*'],
  },
);
const build = (api: EcsApi) => drivenEcs(api, block, policy, context());
const signal = new AbortController().signal;
const name = 'landlord-tenant-acme';

const image = (tag: string, config: Record<string, unknown> = {}) =>
  tenantSpec(config, { containers: [containerSpec('app', { image: tag })] });
/** Reached by a rule of the listener, and by more. */
const reached = (listener: number, priority: number, group: object = {}) => ({
  subnets: ['subnet-1'],
  load_balancers: [
    {
      listener_rule: { listener_arn: listeners[listener], priority, host_header: ['a.example'] },
      target_group: group,
      container_name: 'app',
      container_port: 80,
    },
  ],
});
const good = {
  plain: tenantSpec(),
  counted: tenantSpec({ desired_count: 3, tags: { team: 'a', stage: 'dev' } }),
  networked: tenantSpec({ subnets: ['subnet-1'], tags: { team: 'b' } }),
  fargate: tenantSpec({ launch_type: 'FARGATE' }),
  onInstances: tenantSpec({ launch_type: 'EC2', desired_count: 2 }),
  drained: tenantSpec({ drain: true }),
  scaled: tenantSpec({ autoscaling: { min: 2, max: 5, cpu: 60, memory: 70 } }),
  scaledOtherwise: tenantSpec({ autoscaling: { min: 3, max: 6, memory: 80 }, drain: true }),
  reached: tenantSpec(reached(0, 1)),
  reachedOtherwise: tenantSpec(reached(0, 2, { protocol: 'HTTPS', deregistration_delay: 9 })),
  reachedElsewhere: tenantSpec({ ...reached(1, 1), autoscaling: { max: 3, cpu: 50 } }),
  overlaid: image('app:1'),
  overlaidAgain: image('app:2', { desired_count: 2 }),
};
const bad = {
  crashing: image('crash:1'),
  missing: image('missing:1', { tags: { team: 'c' } }),
  crashingReached: image('crash:2', reached(1, 3, { protocol_version: 'HTTP2' })),
};
type Good = keyof typeof good;
const goodNames = Object.keys(good) as Good[];
const badNames = Object.keys(bad) as (keyof typeof bad)[];
const whens = ['before', 'after'] as const;

type Outcome = StepResult['outcome'] | DestroyResult['outcome'];

/** As the controller does: calls until nothing is left to do. */
async function untilDone(step: () => Promise<{ outcome: Outcome }>): Promise<Outcome> {
  for (let calls = 0; calls < 30; calls += 1) {
    const { outcome } = await step();
    if (outcome !== 'in_progress') return outcome;
  }
  throw new Error('no end after 30 calls');
}

function emptyEcs(): MemoryEcs {
  const ecs = memoryEcs({ drainsFor: 1 });
  for (const listener of listeners) ecs.balancing.listeners.set(listener, []);
  return ecs;
}

/** As the controller does: it looks between two steps, for longer than ECS takes to go back, and ends where that has. */
async function untilDoneOrBack(
  provider: ReturnType<typeof build>,
  spec: TenantComputeSpec<EcsConfig>,
): Promise<Outcome> {
  return untilDone(async () => {
    const step = await provider.update(spec, signal);
    if (step.outcome !== 'in_progress') return step;
    await provider.getStatus(spec, { fresh: true, signal });
    const { rolledBack } = await provider.getStatus(spec, { fresh: true, signal });
    return rolledBack === undefined ? step : { outcome: 'rolled_back' };
  });
}

async function startedFrom(from: Good | 'nothing'): Promise<MemoryEcs> {
  const ecs = emptyEcs();
  if (from === 'nothing') return ecs;
  await untilDone(() => build(ecs).provision(good[from], signal));
  await build(ecs).getStatus(good[from], { fresh: true, signal });
  return ecs;
}

/**
 * Runs `act` once for each of its writes, killed there, and then to its end by a new process. Before a write is not the
 * same as after the one before it: with each look in between, a moment passes here.
 */
async function walk(
  from: Good | 'nothing',
  act: (provider: ReturnType<typeof build>) => Promise<Outcome>,
  check: (ecs: MemoryEcs, outcome: Outcome) => Promise<void>,
): Promise<number> {
  let points = 0;
  for (const when of whens) {
    for (let write = 1, died = true; died; write += 1) {
      const ecs = await startedFrom(from);
      const mortal = dyingProcess({ write, when });
      await act(build(mortal.seeing(ecs, writeOf))).catch(onlyDeath);
      died = mortal.hasDied();
      await check(ecs, await act(build(ecs)));
      if (died) points += 1;
    }
  }
  return points;
}

async function expectDesired(ecs: MemoryEcs, spec: TenantComputeSpec<EcsConfig>): Promise<void> {
  const provider = build(ecs);
  const status = await provider.getStatus(spec, { fresh: true, signal });
  expect(status).toMatchObject({ exists: true, changes: [] });
  const before = ecs.calls.filter((call) => writes.includes(call.name)).length;
  expect((await provider.update(spec, signal)).outcome).toBe('done');
  expect(ecs.calls.filter((call) => writes.includes(call.name)).length).toBe(before);
  const service = ecs.service(name);
  const { autoscaling } = provider.desired(spec);
  expect(seenTarget(ecs.scalings.get(name))).toEqual(autoscaling ? { ...autoscaling, foreign: [] } : 'none');
  expectReached(ecs, spec);
  const definition = ecs.taskDefinitions.get(service?.taskDefinition ?? '')?.taskDefinition;
  expect(definition?.containerDefinitions?.[0]?.image).toBe(spec.containers[0]?.image ?? 'app:0');
}

/** By exactly the rules that are asked for, each of which leads to the one target group that it has. */
function expectReached(ecs: MemoryEcs, { config }: TenantComputeSpec<EcsConfig>): void {
  const groups = [...ecs.balancing.groups.values()];
  const wanted = (config.load_balancers ?? []).map(({ listener_rule: rule }) => rule?.priority);
  const rules = [...ecs.balancing.listeners].flatMap(([listener, some]) =>
    some.map((rule) => ({ listener, ...rule })),
  );
  expect(rules.map(({ priority }) => priority)).toEqual(wanted);
  expect(rules.map(({ listener }) => listener)).toEqual(
    (config.load_balancers ?? []).map(({ listener_rule: rule }) => rule?.listener_arn),
  );
  expect(rules.map(({ forwards }) => forwards)).toEqual(groups.map(({ arn }) => [{ group: arn, weight: 1 }]));
  expect(groups.map(({ delay }) => delay)).toEqual(
    (config.load_balancers ?? []).map(({ target_group: group }) => group?.deregistration_delay ?? 300),
  );
  expect((ecs.service(name)?.loadBalancers ?? []).map((one) => one.targetGroupArn)).toEqual(
    groups.map(({ arn }) => arn),
  );
}

it.each(goodNames.flatMap((to) => (['nothing', ...goodNames] as const).map((from) => ({ from, to }))))(
  'from $from to $to: killed at any write, the next process ends with exactly what is desired, made once',
  async ({ from, to }) => {
    const points = await walk(
      from,
      (provider) => untilDone(() => provider.update(good[to], signal)),
      async (ecs, outcome) => {
        expect(outcome).toBe('done');
        await expectDesired(ecs, good[to]);
        expect(ecs.services.size).toBe(1);
        const revisions = [...ecs.taskDefinitions.values()].map(
          ({ tags }) => tags.find(({ key }) => key === 'landlord.overlay_hash')?.value,
        );
        const hashes = revisions.filter((hash) => hash !== undefined);
        expect(new Set(hashes).size).toBe(hashes.length);
      },
    );
    expect(points).toBeGreaterThanOrEqual(from === to ? 0 : 2);
  },
);

it.each(badNames.flatMap((to) => goodNames.map((from) => ({ from, to }))))(
  'from $from to $to: killed at any write, ECS goes back, and no process takes that for what is desired',
  async ({ from, to }) => {
    await walk(
      from,
      (provider) => untilDoneOrBack(provider, bad[to]),
      async (ecs) => {
        const provider = build(ecs);
        for (let looks = 0; looks < 4; looks += 1) {
          await provider.getStatus(bad[to], { fresh: true, signal });
        }
        // One that died between the rollout and its mark finds an older mark: it tries once more.
        await untilDoneOrBack(provider, bad[to]);
        for (let looks = 0; looks < 3; looks += 1) {
          await provider.getStatus(bad[to], { fresh: true, signal });
        }
        const seen = await build(ecs).getStatus(bad[to], { fresh: true, signal });
        expect(seen.rolledBack?.reason).toBe(to === 'missing' ? 'ImageUnavailable' : 'RolledBack');
        expect(seen.compute.running).toBe(seen.compute.desired);
      },
    );
  },
);

it.each(goodNames)('destroying %s: killed at any write, the next process leaves nothing', async (from) => {
  const points = await walk(
    from,
    (provider) => untilDone(() => provider.destroy(good[from], signal)),
    async (ecs, outcome) => {
      expect(outcome).toBe('gone');
      expect([...ecs.services.values()].map(({ status }) => status)).toEqual(['INACTIVE']);
      const active = [...ecs.taskDefinitions.values()].filter(
        ({ taskDefinition }) => taskDefinition.status === 'ACTIVE',
      );
      expect(active).toHaveLength(1);
      expect(ecs.scalings.size).toBe(0);
      expect(ecs.balancing.groups.size).toBe(0);
      expect([...ecs.balancing.listeners.values()].flat()).toEqual([]);
    },
  );
  expect(points).toBeGreaterThanOrEqual(2);
});

it('a walk over any specs with deaths at any writes ends where its last spec points', async () => {
  const journeys = array(
    record({
      to: constantFrom(...goodNames, ...badNames),
      write: integer({ min: 1, max: 5 }),
      when: constantFrom(...whens),
    }),
    { minLength: 1, maxLength: 5 },
  );
  await assert(
    asyncProperty(journeys, constantFrom(...goodNames), async (journey, end) => {
      const ecs = emptyEcs();
      for (const { to, write, when } of journey) {
        const mortal = build(dyingProcess({ write, when }).seeing(ecs, writeOf));
        const spec = { ...good, ...bad }[to];
        await untilDoneOrBack(mortal, spec).catch(onlyDeath);
      }
      await untilDone(() => build(ecs).update(good[end], signal));
      await expectDesired(ecs, good[end]);
    }),
    { numRuns: walks },
  );
});
