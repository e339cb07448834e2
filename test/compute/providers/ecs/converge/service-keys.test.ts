import { describe, expect, test } from 'vitest';
import { convergeService } from '../../../../../src/compute/providers/ecs/converge/converge-service.ts';
import { desireService } from '../../../../../src/compute/providers/ecs/state/desired.ts';
import { diffService } from '../../../../../src/compute/providers/ecs/state/diff.ts';
import { settingNames } from '../../../../../src/compute/providers/ecs/state/service/service-fields.ts';
import { word } from '../../../../../src/compute/providers/ecs/state/service/words.ts';
import { pendingScaling } from '../../../../../src/compute/providers/ecs/state/scaling/compare-scaling.ts';
import { appliedMark, readMark } from '../../../../../src/compute/providers/ecs/state/marks/applied-mark.ts';
import { rolloutOf } from '../../../../../src/compute/providers/ecs/state/rollout.ts';
import { permitUpTo } from '../../../../../src/compute/permit.ts';
import type { Effect } from '../../../../../src/api/status.ts';
import { noGroups, settings, tenantSpec } from '../ecs-fixture.ts';
import { baseArn, clusterArn, memoryEcs } from '../memory-ecs.ts';
import type { MemoryEcs } from '../memory-ecs.ts';
import { keyCases, openServicePolicy } from '../service-keys.ts';

const signal = new AbortController().signal;
const service = 'landlord-tenant-acme';
const operator = settings({}, openServicePolicy);
const desiredOf = (config: Record<string, unknown>) => desireService(tenantSpec(config), operator);

/** One step towards what the config asks for, and a moment for ECS. Rejects where the effect is worse than that. */
async function step(ecs: MemoryEcs, config: Record<string, unknown>, effect: Effect = 'outage') {
  const deps = {
    api: ecs,
    ownership: operator.ownership,
    groups: noGroups,
    noteCreate: () => undefined,
    noteRevision: () => undefined,
  };
  const attempt = { hold: false, permit: permitUpTo(effect), failure: 'UpdateFailed' } as const;
  const result = await convergeService(deps, { ...attempt, desired: desiredOf(config) }, signal);
  await ecs.describeService({ scope: { region: 'us-west-2' }, cluster: clusterArn, service }, 'user', signal);
  return result;
}

/** What a call was given since the last time, but for what every service has. */
function given(ecs: MemoryEcs, call: string): unknown {
  const inputs = ecs.calls.filter(({ name }) => name === call).map(({ input }) => input);
  ecs.calls.length = 0;
  expect(inputs.length).toBeLessThan(2);
  const { cluster: _cluster, service: _service, ...rest } = (inputs[0] ?? {}) as Record<string, unknown>;
  return rest;
}

const created = {
  serviceName: service,
  taskDefinition: baseArn,
  desiredCount: 1,
  deploymentConfiguration: {
    deploymentCircuitBreaker: { enable: true, rollback: true },
    maximumPercent: 200,
    minimumHealthyPercent: 100,
  },
  propagateTags: 'SERVICE',
  tags: expect.anything() as unknown,
  clientToken: expect.anything() as unknown,
};

const diffOf = (ecs: MemoryEcs, config: Record<string, unknown>) =>
  diffService(desiredOf(config), ecs.service(service) ?? {}).changes;
const isMark = ({ path }: { readonly path: string }) => path.startsWith('tags.landlord.');

test('every setting has a case', () => {
  const ofConfig = Object.keys(keyCases).map(word);
  const more = ['schedulingStrategy'];
  expect([...ofConfig, ...more].toSorted()).toEqual(
    [...settingNames, 'capacityProviderStrategy', 'deployment'].toSorted(),
  );
});

test('a service of none of the keys is asked for what it always was', async () => {
  const ecs = memoryEcs();
  await step(ecs, {});
  expect(given(ecs, 'createService')).toEqual(created);
});

describe.each(Object.entries(keyCases))('%s', (key, { config, asked, other, without, effect }) => {
  test('is asked for as the service is made, and is no difference then', async () => {
    const ecs = memoryEcs();
    await step(ecs, { [key]: config });
    expect(given(ecs, 'createService')).toEqual({ ...created, ...asked });
    expect(diffOf(ecs, { [key]: config })).toEqual([]);
    await step(ecs, { [key]: config });
    expect(ecs.calls.map(({ name }) => name)).not.toContain('updateService');
  });

  test('is given to a service that is there, with its effect and no other', async () => {
    const ecs = memoryEcs();
    await step(ecs, {});
    ecs.calls.length = 0;
    const changes = diffOf(ecs, { [key]: config }).filter((change) => !isMark(change));
    expect(changes.map(({ cause }) => cause)).toEqual(changes.map(() => 'spec'));
    expect(new Set(changes.map((change) => change.effect))).toEqual(new Set([effect]));
    await step(ecs, { [key]: config }, effect);
    expect(given(ecs, 'updateService')).toMatchObject(asked);
    expect(diffOf(ecs, { [key]: config })).toEqual([]);
  });

  test('is changed in place', async () => {
    const ecs = memoryEcs();
    await step(ecs, { [key]: config });
    ecs.calls.length = 0;
    await step(ecs, { [key]: other.config }, effect);
    expect(given(ecs, 'updateService')).toEqual(other.asked);
    expect(diffOf(ecs, { [key]: other.config })).toEqual([]);
  });

  test('that is left out again goes from the service, but for what it keeps, and stays gone', async () => {
    const ecs = memoryEcs();
    await step(ecs, { [key]: config });
    ecs.calls.length = 0;
    await step(ecs, {}, effect);
    expect(given(ecs, 'updateService')).toEqual(without ?? {});
    expect(diffOf(ecs, {})).toEqual([]);
    await step(ecs, { tags: { team: 'a' } });
    expect(given(ecs, 'updateService')).toEqual({});
  });

  test('that others gave the service is nobody’s business where it is not asked for', async () => {
    const ecs = memoryEcs();
    await step(ecs, {});
    await ecs.updateService(
      { region: 'us-west-2' },
      {
        cluster: clusterArn,
        service,
        ...asked,
        ...(key === 'deployment' ? { deploymentConfiguration: {} } : {}),
      },
      undefined as never,
      signal,
    );
    expect(diffOf(ecs, {})).toEqual([]);
  });

  test('that others changed is drift, and is put right', async () => {
    const ecs = memoryEcs();
    await step(ecs, { [key]: config });
    await ecs.updateService(
      { region: 'us-west-2' },
      { cluster: clusterArn, service, ...other.asked },
      undefined as never,
      signal,
    );
    const changes = diffOf(ecs, { [key]: config });
    expect(changes.length).toBeGreaterThan(0);
    expect(new Set(changes.map(({ cause }) => cause))).toEqual(new Set(['drift']));
    ecs.calls.length = 0;
    await step(ecs, { [key]: config }, effect);
    expect(given(ecs, 'updateService')).toMatchObject(asked);
    expect(diffOf(ecs, { [key]: config })).toEqual([]);
  });

  test('that an endpoint takes and never shows is asked for once', async () => {
    const ecs = memoryEcs();
    await step(ecs, { [key]: config });
    for (const name of Object.keys(asked)) {
      const shown = ecs.service(service) as unknown as Record<string, unknown> | undefined;
      if (shown !== undefined) delete shown[name];
      for (const one of ecs.service(service)?.deployments ?? [])
        delete (one as unknown as Record<string, unknown>)[name];
    }
    expect(diffOf(ecs, { [key]: config })).toEqual([]);
  });
});

test.each(Object.entries(keyCases).filter(([, { effect }]) => effect === 'replace'))(
  'a rollout by %s is not started by whom only a live change was announced to',
  async (key, { config }) => {
    const ecs = memoryEcs();
    await step(ecs, {});
    await expect(step(ecs, { [key]: config }, 'live')).rejects.toThrow('was not announced');
    expect(ecs.calls.map(({ name }) => name)).not.toContain('updateService');
  },
);

describe('a rollout that ECS takes back', () => {
  /** Nothing comes up on that subnet. */
  const network = (subnet: string) => ({ subnets: [subnet], security_groups: ['sg-1'] });
  const by = settings(
    {},
    { ...openServicePolicy, allowed_subnets: ['subnet-1', 'subnet-bad'], allowed_security_groups: ['sg-1'] },
  );
  const desiredBy = (config: Record<string, unknown>) => desireService(tenantSpec(config), by);
  const stepBy = async (ecs: MemoryEcs, config: Record<string, unknown>, hold = false) => {
    const deps = {
      api: ecs,
      ownership: by.ownership,
      groups: noGroups,
      noteCreate: () => undefined,
      noteRevision: () => undefined,
    };
    const attempt = { hold, permit: permitUpTo('outage'), failure: 'UpdateFailed' } as const;
    await convergeService(deps, { ...attempt, desired: desiredBy(config) }, signal);
  };
  const look = (ecs: MemoryEcs) =>
    ecs.describeService({ scope: { region: 'us-west-2' }, cluster: clusterArn, service }, 'user', signal);
  const rolled = Object.entries(keyCases).filter(
    ([key, { effect }]) => effect === 'replace' && key !== 'capacity_provider_strategy',
  );

  test.each(rolled)(
    'takes back %s, which is no drift and is not tried again',
    async (key, { config, other }) => {
      const ecs = memoryEcs();
      await stepBy(ecs, { ...network('subnet-1'), [key]: config });
      await look(ecs);
      const bad = { ...network('subnet-bad'), [key]: other.config };
      await stepBy(ecs, bad);
      for (let looks = 0; looks < 3; looks += 1) await look(ecs);
      const seen = ecs.service(service) ?? {};
      expect(rolloutOf(seen, desiredBy(bad)).kind).toBe('failed');
      const changes = diffService(desiredBy(bad), seen, true).changes;
      expect(changes.filter(({ cause }) => cause === 'drift')).toEqual([]);
      ecs.calls.length = 0;
      await stepBy(ecs, bad, true);
      expect(ecs.calls.map(({ name }) => name)).not.toContain('updateService');
    },
  );

  test.each(rolled)(
    'and %s with it leaves settings that are live alone once they are right, and goes back without a rollout',
    async (key, { config, other }) => {
      const ecs = memoryEcs();
      const grace = { health_check_grace_period_seconds: 30, deployment: keyCases['deployment']?.config };
      const good = { ...network('subnet-1'), [key]: config };
      await stepBy(ecs, good);
      await look(ecs);
      const bad = { ...network('subnet-bad'), ...grace, [key]: other.config };
      await stepBy(ecs, bad);
      for (let looks = 0; looks < 3; looks += 1) await look(ecs);
      await stepBy(ecs, bad, true);
      ecs.calls.length = 0;
      await stepBy(ecs, bad, true);
      expect(ecs.calls.map(({ name }) => name)).toEqual(['describeService']);
      ecs.calls.length = 0;
      await stepBy(ecs, { ...good, ...grace });
      expect(given(ecs, 'updateService')).toEqual({});
      expect(ecs.service(service)?.deployments).toHaveLength(1);
    },
  );

  test.each(rolled)(
    'brings back %s, which the next spec still knows that it has to take away',
    async (key, { config, without }) => {
      const ecs = memoryEcs();
      await stepBy(ecs, { ...network('subnet-1'), [key]: config });
      await look(ecs);
      await stepBy(ecs, network('subnet-bad'));
      for (let looks = 0; looks < 3; looks += 1) await look(ecs);
      await stepBy(ecs, network('subnet-bad'), true);
      ecs.calls.length = 0;
      await stepBy(ecs, { ...network('subnet-1'), tags: { team: 'a' } });
      expect(given(ecs, 'updateService')).toMatchObject(without ?? {});
    },
  );
});

describe('a rollout that may stop all before the first new one runs', () => {
  const gap = { deployment: { minimum_healthy_percent: 0, maximum_percent: 100 } };
  test('is announced as a gap, and done with no less than that', async () => {
    const ecs = memoryEcs();
    await step(ecs, gap);
    const balancers = { ...gap, load_balancers: keyCases['load_balancers']?.config };
    expect(diffOf(ecs, balancers).filter((change) => !isMark(change))).toMatchObject([
      { path: 'loadBalancers', effect: 'gap' },
    ]);
    await expect(step(ecs, balancers, 'replace')).rejects.toThrow('was not announced');
    await step(ecs, balancers, 'gap');
    expect(diffOf(ecs, balancers)).toEqual([]);
  });
});

describe('the scheduling strategy', () => {
  const daemon = { scheduling_strategy: 'DAEMON' };
  test('is an outage to change, either way, and says so', async () => {
    for (const [from, to, words] of [
      [{}, daemon, 'from REPLICA to DAEMON'],
      [daemon, {}, 'from DAEMON to REPLICA'],
    ] as const) {
      const ecs = memoryEcs();
      await step(ecs, from);
      expect(diffOf(ecs, to)).toContainEqual(
        expect.objectContaining({ path: 'schedulingStrategy', effect: 'outage', cause: 'spec' }),
      );
      await expect(step(ecs, to, 'gap')).rejects.toThrow('was not announced');
      expect(await step(ecs, to, 'outage')).toMatchObject({
        outcome: 'in_progress',
        message: expect.stringContaining(`its scheduling strategy ${words}`) as unknown,
      });
      expect(ecs.service(service)?.status).toBe('INACTIVE');
    }
  });
});

test('the mark of all keys at once is no longer than a tag may be', () => {
  const all = Object.fromEntries(Object.entries(keyCases).map(([key, { config }]) => [key, config]));
  const deployment = {
    ...(keyCases['deployment']?.config as object),
    strategy: 'CANARY',
    bake_time_in_minutes: 1,
    canary_configuration: {},
  };
  const desired = desireService(
    tenantSpec({
      ...all,
      deployment,
      autoscaling: { max: 5, cpu: 50 },
      force_new_deployment: true,
      scheduling_strategy: 'REPLICA',
      subnets: ['subnet-1'],
      security_groups: ['sg-1'],
    }),
    settings({}, { ...openServicePolicy, allowed_subnets: ['subnet-1'], allowed_security_groups: ['sg-1'] }),
  );
  const mark = appliedMark(desired, pendingScaling(desired));
  expect(mark.length).toBeLessThanOrEqual(256);
  expect(mark).toMatch(/^[\w.:/=+@ -]+$/);
  expect(Object.keys(readMark({ 'landlord.spec_hash': mark }).settings)).toHaveLength(
    settingNames.length + 5,
  );
});

describe('a requested reconcile', () => {
  const forced = { force_new_deployment: true };
  const at = (requestedAt: string | undefined, config: Record<string, unknown> = forced) =>
    desireService(tenantSpec(config, requestedAt === undefined ? {} : { requestedAt }), operator);
  const take = async (
    ecs: MemoryEcs,
    desired: ReturnType<typeof at>,
    effect: Effect = 'replace',
    hold = false,
  ) => {
    const deps = {
      api: ecs,
      ownership: operator.ownership,
      groups: noGroups,
      noteCreate: () => undefined,
      noteRevision: () => undefined,
    };
    ecs.calls.length = 0;
    await convergeService(
      deps,
      { desired, hold, permit: permitUpTo(effect), failure: 'UpdateFailed' },
      signal,
    );
    return given(ecs, 'updateService');
  };
  const started = async (desired: ReturnType<typeof at>) => {
    const ecs = memoryEcs();
    await take(ecs, desired);
    return ecs;
  };

  test('starts all tasks anew, once for each value, where the block says so', async () => {
    const ecs = await started(at(undefined));
    for (const value of ['one', 'two']) {
      const desired = at(value);
      expect(diffService(desired, ecs.service(service) ?? {}).changes).toEqual([
        {
          path: 'tasks',
          desired: 'started anew',
          actual: 'of an earlier request',
          cause: 'spec',
          effect: 'replace',
        },
      ]);
      await expect(take(ecs, desired, 'live')).rejects.toThrow('was not announced');
      expect(await take(ecs, desired)).toEqual({ forceNewDeployment: true });
      expect(await take(ecs, desired)).toEqual({});
      expect(diffService(desired, ecs.service(service) ?? {}).changes).toEqual([]);
    }
    expect(await take(ecs, at(undefined))).toEqual({});
  });

  test('starts nothing anew where the block does not, nor for a request from before it did', async () => {
    const ecs = await started(at('one', {}));
    expect(await take(ecs, at('two', {}))).toEqual({});
    expect(await take(ecs, at('two'))).toEqual({});
    expect(await take(ecs, at('three'))).toEqual({ forceNewDeployment: true });
    expect(await take(ecs, at('four', {}))).toEqual({});
  });

  test('that waits for consent is no rollback: what runs is held, and its mark stays', async () => {
    const ecs = await started(at('one'));
    const tags = ecs.service(service)?.tags;
    expect(await take(ecs, at('two'), 'live', true)).toEqual({});
    expect(ecs.service(service)?.tags).toEqual(tags);
  });
});
