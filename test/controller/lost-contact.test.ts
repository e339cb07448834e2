import { describe, expect, test } from 'vitest';
import { reconcileRequestedAt } from '../../src/api/names.ts';
import { ComputeError } from '../../src/compute/errors.ts';
import type { ErrorCode } from '../../src/compute/errors.ts';
import type { Change } from '../../src/compute/provider.ts';
import { startController } from './controller-fixture.ts';
import { changesIn, scriptedProvider } from './scripted-provider.ts';
import type { Operation } from './scripted-provider.ts';
import { image, key, running } from './tenant-fixture.ts';

const silentCodes = ['ProviderUnavailable', 'AccessDenied', 'Throttled'] as const;

/** A Ready tenant whose engine can be made to answer no look, in each of the ways in which that happens. */
async function withTenant(spec: Record<string, unknown> = {}) {
  const docker = scriptedProvider('docker');
  const fixture = await startController([docker]);
  await fixture.create('acme', { ...image('a'), ...spec });
  fixture.news();
  fixture.writes();
  const look = async (): Promise<void> => {
    docker.hint();
    // That the engine is back cuts nobody's back-off short; that something happened to it does.
    docker.hint(key.split('@')[0]);
    await fixture.pass();
  };
  return {
    docker,
    fixture,
    look,
    lose: async (code: ErrorCode, operation: 'getStatus' | 'validate' = 'getStatus'): Promise<void> => {
      docker.failures.set(operation, new ComputeError(code, 'no answer'));
      await look();
    },
    find: async (): Promise<void> => {
      docker.failures.clear();
      await look();
    },
    compute: async () => (await fixture.get('acme')).status?.compute,
  };
}

describe.each(silentCodes)('a look that ends in %s', (code) => {
  test.each(['getStatus', 'validate'] as const)('by %s is no news for 60 s', async (operation) => {
    const { fixture, lose, find } = await withTenant();
    await lose(code, operation);
    await fixture.pass(59_000);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    await find();
    await fixture.pass(60_000);
    expect(fixture.writes()).toEqual([]);
    expect(fixture.news()).toEqual([]);
  });

  test('counts the minute from the last answer of the engine, where the provider knows when that was', async () => {
    const { docker, fixture, look } = await withTenant();
    docker.failures.set('getStatus', new ComputeError(code, 'no answer', { silentForMs: 45_000 }));
    await look();
    await fixture.pass(14_000);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    await fixture.pass(1_000);
    expect(await fixture.conditions('acme')).toEqual([`Ready=Unknown/${code}`, `Reconciling=True/${code}`]);
  });

  test('begins the minute itself, where the engine has never answered', async () => {
    const { docker, fixture, look } = await withTenant();
    docker.failures.set('getStatus', new ComputeError(code, 'no answer', { silentForMs: Infinity }));
    await look();
    await fixture.pass(59_000);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
  });

  test('makes a Ready tenant Unknown after 60 s, and Ready again without any other Event', async () => {
    const { fixture, lose, find, compute } = await withTenant();
    await lose(code);
    expect(await compute()).toMatchObject({ state: 'running', health: 'healthy' });
    await fixture.pass(60_000);
    expect(await fixture.conditions('acme')).toEqual([`Ready=Unknown/${code}`, `Reconciling=True/${code}`]);
    expect(await compute()).toMatchObject({ state: 'unknown', health: 'unknown' });
    await find();
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    expect(await compute()).toMatchObject({ state: 'running', health: 'healthy' });
    expect(fixture.news()).toEqual([`Warning ${code}`]);
  });

  test('leaves a suspended tenant as it is, also once it is over', async () => {
    const { fixture, lose, find } = await withTenant();
    await fixture.patch('acme', { spec: { suspend: true } });
    fixture.writes();
    await lose(code);
    await fixture.pass(300);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Suspended']);
    await find();
    expect(fixture.writes()).toEqual([]);
  });

  test('for 60 s makes a suspended tenant Unknown, and it is what it was once it is seen again', async () => {
    const { fixture, lose, find, compute } = await withTenant();
    await fixture.patch('acme', { spec: { suspend: true } });
    await lose(code);
    await fixture.pass(60_000);
    expect(await fixture.conditions('acme')).toEqual([`Ready=Unknown/${code}`]);
    expect((await fixture.get('acme')).status).toMatchObject({ phase: 'Suspended' });
    expect(await compute()).toMatchObject({ state: 'unknown', health: 'unknown' });
    await find();
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Suspended']);
  });

  test('does not keep a tenant from being suspended', async () => {
    const { fixture, lose } = await withTenant();
    await lose(code);
    await fixture.patch('acme', { spec: { suspend: true } });
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Suspended']);
  });

  test('makes a tenant that never was Ready False, and its last look counts for 60 s', async () => {
    const { docker, fixture, lose, compute } = await withTenant();
    docker.workloads.clear();
    docker.showsAfterStep = { compute: { ...running, state: 'starting', health: 'unknown' } };
    await fixture.create('new', image('a'));
    const ofNew = async () => (await fixture.get('new')).status?.compute;
    await lose(code);
    expect((await fixture.conditions('new'))[0]).toBe(`Ready=False/${code}`);
    expect(await ofNew()).toMatchObject({ state: 'starting' });
    await fixture.pass(60_000);
    expect((await fixture.conditions('new'))[0]).toBe(`Ready=False/${code}`);
    expect(await ofNew()).toMatchObject({ state: 'unknown', health: 'unknown' });
    expect(await compute()).toMatchObject({ state: 'unknown' });
  });

  test('at a new generation says at once that it is not applied, and takes none of it for drift', async () => {
    const { docker, fixture, lose, find } = await withTenant({ driftPolicy: 'Report' });
    docker.failures.set('getStatus', new ComputeError(code, 'no answer'));
    await fixture.patch('acme', { spec: image('a', { count: 2 }) });
    expect((await fixture.conditions('acme'))[0]).toBe(`Ready=Unknown/${code}`);
    expect((await fixture.get('acme')).status?.observedGeneration).toBe(2);
    // What is changed live looks to its provider as drift does.
    const limit: Change = { path: 'limits', desired: '2', actual: '1', cause: 'drift', effect: 'live' };
    docker.workloads.get(key)?.drift.push(limit);
    await lose(code);
    await find();
    expect(changesIn(docker.calls).at(-1)).toBe(`update ${key}`);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
  });

  test('leaves a requested reconcile to be done', async () => {
    const { docker, fixture, find } = await withTenant();
    docker.failures.set('getStatus', new ComputeError(code, 'no answer'));
    await fixture.patch('acme', { metadata: { annotations: { [reconcileRequestedAt]: 'noon' } } });
    await fixture.pass(60_000);
    expect((await fixture.get('acme')).status).not.toHaveProperty('lastHandledReconcileAt');
    docker.calls.length = 0;
    await find();
    expect(docker.calls.map(({ what }) => what)).toContain(`${key} fresh`);
    expect((await fixture.get('acme')).status?.lastHandledReconcileAt).toBe('noon');
  });
});

describe('under driftPolicy Report, what was in place stays so', () => {
  const failures: [what: string, operation: Operation, error: Error][] = [
    ...silentCodes.map((code): [string, Operation, Error] => [
      code,
      'getStatus',
      new ComputeError(code, 'no answer'),
    ]),
    ['a check that fails', 'validate', new ComputeError('ProviderUnavailable', 'no answer')],
    ['a refusal', 'desired', new ComputeError('PolicyDenied', 'not allowed')],
    ['a defect', 'validate', new TypeError('oops')],
  ];

  test.each(failures)('over %s: what is gone by then is not made anew', async (_what, operation, error) => {
    const { docker, fixture, look, find } = await withTenant({ driftPolicy: 'Report' });
    docker.failures.set(operation, error);
    await look();
    await fixture.pass(61_000);
    docker.workloads.delete(key);
    docker.calls.length = 0;
    await find();
    await fixture.pass(60_000);
    expect(changesIn(docker.calls)).toEqual([]);
    expect(await fixture.conditions('acme')).toEqual(['Ready=False/Unhealthy', 'Drifted=True/Drifted']);
  });

  test.each(failures)(
    'over %s that follows upon the loss, and a restart',
    async (_what, operation, error) => {
      const { docker, fixture, look } = await withTenant({ driftPolicy: 'Report' });
      docker.workloads.delete(key);
      await look();
      expect((await fixture.conditions('acme'))[0]).toBe('Ready=False/Unhealthy');
      docker.failures.set(operation, error);
      await look();
      await fixture.pass(61_000);
      docker.calls.length = 0;
      await fixture.stop();
      docker.failures.clear();
      const later = await startController([docker], { apiserver: fixture.apiserver });
      await later.pass(60_000);
      expect(changesIn(docker.calls)).toEqual([]);
      expect(await later.conditions('acme')).toEqual(['Ready=False/Unhealthy', 'Drifted=True/Drifted']);
      expect((await later.get('acme')).status).not.toHaveProperty('appliedGeneration');
    },
  );

  test('and what is asked for meanwhile is applied all the same', async () => {
    const { docker, fixture, lose, look, find } = await withTenant({ driftPolicy: 'Report' });
    docker.workloads.delete(key);
    await look();
    await lose('ProviderUnavailable');
    await fixture.patch('acme', { spec: image('b') });
    docker.calls.length = 0;
    await find();
    expect(changesIn(docker.calls)).toEqual([`provision ${key}`]);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
  });

  test('but at no other place', async () => {
    const docker = scriptedProvider('docker');
    const other = scriptedProvider('mock');
    const fixture = await startController([docker, other]);
    const labels = { 'landlord.dev/compute-provider': 'docker' };
    await fixture.create('acme', { ...image('a'), driftPolicy: 'Report' }, { labels });
    other.failures.set('getStatus', new ComputeError('ProviderUnavailable', 'no answer'));
    await fixture.patch('acme', { metadata: { labels: { 'landlord.dev/compute-provider': 'mock' } } });
    await fixture.pass(61_000);
    other.failures.clear();
    await fixture.pass(300_000);
    expect([...other.workloads.keys()]).toEqual(['team-a-acme-9201d5e7@mock']);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
  });
});

test('a step that is refused makes a Ready tenant False at once', async () => {
  const { docker, fixture, look } = await withTenant();
  docker.failures.set('update', new ComputeError('AccessDenied', 'no'));
  docker.workloads
    .get(key)
    ?.drift.push({ path: 'state', desired: 'running', actual: 'exited', cause: 'drift', effect: 'live' });
  await look();
  expect(await fixture.conditions('acme')).toEqual([
    'Ready=False/AccessDenied',
    'Reconciling=True/AccessDenied',
  ]);
});
