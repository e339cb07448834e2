import { describe, expect, test } from 'vitest';
import type { Tenant } from '../../src/api/tenant.ts';
import { createRandom } from '../simulation/random.ts';
import { planFaults } from './plan.ts';
import type { Kind } from './plan.ts';
import { TransitionLog, untoldOf } from './transitions.ts';
import { metricIn } from './usage.ts';
import { grown, restarted, unlike, unready } from './verdict.ts';
import type { Running } from './truth.ts';
import { manifestOf, sharesOf, Workload } from './workload.ts';
import type { Wanted } from './workload.ts';

describe('the plan of faults', () => {
  const kinds: readonly Kind[] = [
    { name: 'apiserver', lane: 'cluster', weight: 2 },
    { name: 'operator', lane: 'cluster', weight: 1, endsOperator: true },
    { name: 'engine', lane: 'engines', weight: 1 },
  ];
  const plan = (seed: number) => planFaults(createRandom(seed), kinds, 600_000);

  test('is the same for the same seed, and another one for another', () => {
    expect(plan(7)).toEqual(plan(7));
    expect(plan(7)).not.toEqual(plan(8));
  });

  test.each([1, 2, 3, 4, 5])(
    'ends in time, lets no two faults of a lane overlap, and lets the operator live on in the second half (seed %i)',
    (seed) => {
      const faults = plan(seed);
      expect(new Set(faults.map(({ kind }) => kind.name))).toEqual(
        new Set(['apiserver', 'operator', 'engine']),
      );
      for (const lane of ['cluster', 'engines'] as const) {
        const mine = faults.filter((fault) => fault.lane === lane);
        for (const [index, { atMs, forMs }] of mine.entries())
          expect(atMs + forMs).toBeLessThanOrEqual(mine[index + 1]?.atMs ?? 600_000);
      }
      const ends = faults.filter(({ kind }) => kind.endsOperator).map(({ atMs }) => atMs);
      expect(Math.max(...ends)).toBeLessThan(300_000);
    },
  );
});

describe('the workload', () => {
  const shares = sharesOf(60);

  test('keeps to the shares, uses no name twice, and moves and suspends nobody that it has deleted', () => {
    const workload = new Workload(createRandom(3), shares);
    expect(workload.populate()).toHaveLength(60);
    const deleted = new Set<string>();
    const seen = new Set<string>();
    for (let step = 0; step < 500; step += 1) {
      const { what, tenant } = workload.next();
      seen.add(what);
      expect(deleted).not.toContain(tenant.name);
      if (what === 'delete') deleted.add(tenant.name);
      expect(workload.get(tenant.name)).toEqual(what === 'delete' ? undefined : tenant);
      const onDocker = workload.wanted().filter(({ provider }) => provider === 'docker');
      expect(onDocker.length).toBeLessThanOrEqual(shares.docker + 1);
    }
    expect([...seen].toSorted()).toEqual(['create', 'delete', 'edit', 'move', 'resume', 'suspend']);
    workload.resumeAll();
    expect(workload.wanted().filter(({ suspended }) => suspended)).toEqual([]);
  });
});

const one: Wanted = {
  name: 't-1',
  provider: 'docker',
  shape: 'pair',
  revision: 4,
  tag: '2',
  replicas: 1,
  suspended: false,
};
const imageOf = (tag: string): string => `app:${tag}`;

function tenant(status: Tenant['status'], generation = 3): Tenant {
  const { spec } = manifestOf(one, imageOf) as unknown as Tenant;
  return {
    apiVersion: 'landlord.dev/v1alpha1',
    kind: 'Tenant',
    metadata: { name: 't-1', generation },
    spec,
    status,
  } as Tenant;
}

const condition = (status: 'True' | 'False', reason: 'Running' | 'ProviderUnavailable', message = '') => ({
  type: 'Ready' as const,
  status,
  reason,
  message,
  observedGeneration: 3,
  lastTransitionTime: '2026-01-01T00:00:00Z',
});
const ready = (over: Partial<Tenant['status']> = {}): Tenant['status'] => ({
  observedGeneration: 3,
  computeProvider: 'docker',
  conditions: [condition('True', 'Running')],
  ...over,
});

describe('the statuses', () => {
  test('of a fleet that is as it is wanted break nothing', () => {
    expect(unready([one], [tenant(ready())])).toEqual([]);
  });

  test.each([
    ['is not there', [], /^t-1 is not there$/],
    [
      'is of an older generation',
      [tenant(ready(), 4)],
      /^t-1 on docker is not Ready: True Running .*observed 3/,
    ],
    [
      'fails',
      [tenant(ready({ conditions: [condition('False', 'ProviderUnavailable', 'no answer')] }))],
      /^t-1 on docker is not Ready: False ProviderUnavailable .*: no answer$/,
    ],
    ['is elsewhere', [tenant(ready({ computeProvider: 'mock' }))], /^t-1 is on mock, not on docker$/],
    [
      'has left something behind',
      [tenant(ready({ previousPlacements: [{ provider: 'ecs' }] }))],
      /^t-1 has not left .*ecs/,
    ],
  ])('of one that %s name it', (_what, tenants, line) => {
    expect(unready([one], tenants)).toEqual([expect.stringMatching(line)]);
  });

  test('of one that nobody wants name it', () => {
    expect(unready([], [tenant(ready())])).toEqual([expect.stringMatching(/^t-1 should be gone/)]);
  });
});

describe('what runs', () => {
  const container = (over: Partial<Running> = {}): Running => ({
    tenant: 't-1',
    provider: 'docker',
    state: 'app running',
    id: 'c1',
    image: 'app:2',
    revision: '4',
    ...over,
  });
  const side = container({ state: 'side running', id: 'c2' });
  const network = { tenant: 't-1', provider: 'docker', what: 'network n' } as const;

  test('is right where it is what is wanted', () => {
    expect(unlike([one], { running: [side, container()], belongings: [network] }, imageOf)).toEqual([]);
  });

  test.each<[string, readonly Running[]]>([
    ['one is missing', [container()]],
    ['one has exited', [container(), container({ state: 'side exited' })]],
    ['one is of an older revision', [container(), { ...side, revision: '3' }]],
    ['one has another image', [container(), { ...side, image: 'app:1' }]],
    ['one is there twice', [container(), side, container({ id: 'c3' })]],
  ])('is wrong where %s', (_what, running) => {
    expect(unlike([one], { running, belongings: [] }, imageOf)).toEqual([
      expect.stringMatching(
        /^t-1 on docker runs \[.*\], wanted is \[app running app:2 revision 4; side running/,
      ),
    ]);
  });

  test('and what belongs to nobody is named', () => {
    const truth = { running: [container()], belongings: [network] };
    expect(unlike([], truth, imageOf)).toEqual([
      expect.stringMatching(/^t-1 on docker runs and nobody wants it/),
      'network n of t-1 is left on docker',
    ]);
  });

  test('counts the tasks of a service', () => {
    const service = { ...one, provider: 'ecs', shape: 'single', replicas: 2 } as const;
    const seen = (state: string) => [container({ provider: 'ecs', state })];
    expect(unlike([service], { running: seen('ACTIVE 2/2'), belongings: [] }, imageOf)).toEqual([]);
    expect(unlike([service], { running: seen('ACTIVE 1/2'), belongings: [] }, imageOf)).toHaveLength(1);
  });

  test('is the same as before, or was made anew', () => {
    const before = { running: [container(), side], belongings: [] };
    expect(restarted(before, before)).toEqual([]);
    expect(restarted(before, { ...before, running: [container({ id: 'c9' }), side] })).toEqual([
      't-1 on docker was made anew while nothing happened',
    ]);
  });
});

test('what the operator holds may vary, and not grow', () => {
  const base = { memoryMb: 100, handles: 30 };
  expect(grown(base, { memoryMb: 120, handles: 34 })).toEqual([]);
  expect(grown(base, { memoryMb: 190, handles: 60 })).toEqual([
    'the operator holds 190 MB, at its base 100 MB',
    'the operator holds 60 files and sockets, at its base 30',
  ]);
});

test('a failure that lasted and that no Event names is found, a short one is not', () => {
  const log = new TransitionLog();
  const said = (reason: 'Running' | 'ProviderUnavailable') =>
    tenant(ready({ conditions: [condition(reason === 'Running' ? 'True' : 'False', reason)] }));
  log.note(said('Running'), 0);
  log.note(said('ProviderUnavailable'), 100_000);
  log.note(said('ProviderUnavailable'), 101_000);
  log.note(said('Running'), 102_000);
  log.note(said('ProviderUnavailable'), 200_000);
  log.note(said('Running'), 260_000);
  const lasting = log.lasting(50_000, 300_000, 10_000);
  expect(lasting.map(({ reason, at }) => [reason, at])).toEqual([
    ['Running', 102_000],
    ['ProviderUnavailable', 200_000],
    ['Running', 260_000],
  ]);
  const told = { tenant: 't-1', reason: 'ProviderUnavailable' };
  expect(untoldOf(lasting, [{ ...told, lastAt: 199_900 }])).toEqual([]);
  expect(untoldOf(lasting, [{ ...told, lastAt: 100_100 }])).toEqual([lasting[1]]);
});

test('a metric is the sum of its samples', () => {
  const text = 'a_total{reason="rate"} 2\na_total{reason="queue"} 3\na_total_more 9\nb 1\n';
  expect(metricIn(text, 'a_total')).toBe(5);
  expect(metricIn(text, 'missing')).toBe(0);
});
