import { describe, expect, test } from 'vitest';
import { finalizer } from '../../src/api/names.ts';
import { ComputeError } from '../../src/compute/errors.ts';
import { startController } from './controller-fixture.ts';
import type { FixtureOptions } from './controller-fixture.ts';
import { changesIn, scriptedProvider } from './scripted-provider.ts';
import type { Workload } from './scripted-provider.ts';
import { image, key, running } from './tenant-fixture.ts';

const observe = { mode: 'Observe' };
const id = 'team-a-acme-9201d5e7';

function workloadOf(specHash: string): Workload {
  return { specHash, drift: [], shows: {} };
}

async function observing(workload?: Workload, options: FixtureOptions = {}) {
  const docker = scriptedProvider('docker');
  if (workload !== undefined) docker.workloads.set(key, workload);
  const fixture = await startController([docker], options);
  return { docker, fixture };
}

/** One that Landlord has made, and that is only observed from now on. */
async function handedOver(options: FixtureOptions = {}) {
  const { docker, fixture } = await observing(undefined, options);
  await fixture.create('acme', image('a'));
  docker.calls.length = 0;
  fixture.writes();
  fixture.news();
  await fixture.patch('acme', { spec: observe });
  return { docker, fixture };
}

describe('a Tenant that is only observed', () => {
  test('is Ready by what runs, without a finalizer, a placement or an Event', async () => {
    const { docker, fixture } = await observing(workloadOf('image=a'));
    await fixture.create('acme', { ...image('a'), ...observe });
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Observed']);
    expect(await fixture.message('acme')).toBe('only observed, as mode says: 1/1 running and healthy');
    const { status, metadata } = await fixture.get('acme');
    expect(status).toMatchObject({ phase: 'Observed', observedGeneration: 1, computeProvider: 'docker' });
    expect(status).not.toHaveProperty('placement');
    expect(metadata.finalizers ?? []).toEqual([]);
    expect(fixture.writes()).toEqual(['PATCH tenants/acme/status']);
    expect(fixture.news()).toEqual([]);
    expect(changesIn(docker.calls)).toEqual([]);
  });

  test('has what differs from its spec shown as drift, and left', async () => {
    const { docker, fixture } = await observing(workloadOf('image=b'));
    await fixture.create('acme', { ...image('a'), ...observe });
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Observed', 'Drifted=True/Drifted']);
    expect((await fixture.get('acme')).status?.drift).toEqual([
      { path: 'image', desired: 'image=a', actual: 'image=b' },
    ]);
    expect(fixture.news()).toEqual(['Warning Drifted']);
    await fixture.pass(600_000);
    expect(changesIn(docker.calls)).toEqual([]);
  });

  test('of which nothing is there is not Ready, and nothing is made', async () => {
    const { docker, fixture } = await observing();
    await fixture.create('acme', { ...image('a'), ...observe });
    expect(await fixture.conditions('acme')).toEqual(['Ready=False/Unhealthy', 'Drifted=True/Drifted']);
    expect(await fixture.message('acme')).toContain('nothing is there');
    await fixture.pass(600_000);
    expect(changesIn(docker.calls)).toEqual([]);
  });

  test('is not Ready where what runs is ill', async () => {
    const { docker, fixture } = await observing(workloadOf('image=a'));
    await fixture.create('acme', { ...image('a'), ...observe });
    const workload = docker.workloads.get(key);
    if (workload) workload.shows = { compute: { ...running, health: 'unhealthy' }, message: 'it coughs' };
    docker.hint(id);
    await fixture.pass();
    expect(await fixture.conditions('acme')).toEqual(['Ready=False/Unhealthy']);
    expect(await fixture.message('acme')).toBe('only observed, as mode says: it coughs');
    expect(fixture.news()).toEqual(['Warning Unhealthy']);
    if (workload) workload.shows = {};
    docker.hint(id);
    await fixture.pass();
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Observed']);
  });

  test('writes nothing while nothing changes, and answers a requested reconcile', async () => {
    const { docker, fixture } = await observing(workloadOf('image=a'));
    await fixture.create('acme', { ...image('a'), ...observe });
    fixture.writes();
    docker.hint(id);
    await fixture.pass();
    expect(fixture.writes()).toEqual([]);
    docker.calls.length = 0;
    await fixture.patch('acme', {
      metadata: { annotations: { 'landlord.dev/reconcile-requested-at': '1' } },
    });
    expect((await fixture.get('acme')).status?.lastHandledReconcileAt).toBe('1');
    expect(docker.calls.map(({ what }) => what)).toContain(`${key} fresh`);
  });

  test('whose spec is refused takes nothing up, and gets no finalizer', async () => {
    const { docker, fixture } = await observing(workloadOf('image=a'));
    docker.failures.set('desired', new ComputeError('InvalidSpec', 'spec.image: is odd'));
    const owned = { namespace: 'team-a', name: 'acme', resource: 'container x', isData: false };
    docker.owned = [{ ...owned, tenantId: id, placement: { provider: 'docker' } }];
    await fixture.create('acme', { ...image('a'), ...observe });
    await fixture.pass(2_000);
    expect(await fixture.conditions('acme')).toContain('Stalled=True/InvalidSpec');
    const { status, metadata } = await fixture.get('acme');
    expect(metadata.finalizers ?? []).toEqual([]);
    expect(status).not.toHaveProperty('placement');
  });

  test('goes with its deletion, and nothing else does', async () => {
    const { docker, fixture } = await observing(workloadOf('image=a'));
    await fixture.create('acme', { ...image('a'), ...observe });
    await fixture.tenants.delete('acme', 'team-a');
    await fixture.pass();
    expect(await fixture.tenants.get('acme', 'team-a')).toBeUndefined();
    expect(changesIn(docker.calls)).toEqual([]);
    expect(docker.workloads.has(key)).toBe(true);
  });

  test('leaves what a provider without memory runs for it', async () => {
    const mock = scriptedProvider('mock', { durable: false });
    mock.workloads.set(`${id}@mock`, workloadOf('image=a'));
    const fixture = await startController([mock]);
    await fixture.create('acme', { ...image('a'), ...observe });
    await fixture.tenants.delete('acme', 'team-a');
    await fixture.pass();
    expect(changesIn(mock.calls)).toEqual([]);
  });
});

describe('what Landlord has made and is to observe from now on', () => {
  test('keeps its finalizer and its place, and is not touched, whatever its spec says', async () => {
    const { docker, fixture } = await handedOver();
    await fixture.patch('acme', { spec: image('b') });
    docker.workloads.get(key)?.drift.push({
      path: 'state',
      desired: 'running',
      actual: 'exited',
      cause: 'drift',
      effect: 'live',
    });
    docker.hint(id);
    await fixture.pass(600_000);
    const { status, metadata } = await fixture.get('acme');
    expect(metadata.finalizers).toEqual([finalizer]);
    expect(status).toMatchObject({ phase: 'Observed', placement: { provider: 'docker' } });
    expect(status?.drift?.map(({ path }) => path)).toEqual(['image', 'state']);
    expect(changesIn(docker.calls)).toEqual([]);
  });

  test('is looked at where it is, when its spec leads elsewhere', async () => {
    const { docker, fixture } = await handedOver();
    await fixture.patch('acme', { spec: { computeConfig: { docker: { place: 'there' } } } });
    const { status } = await fixture.get('acme');
    expect(status).toMatchObject({ compute: { state: 'running' }, placement: { provider: 'docker' } });
    expect(status?.drift).toEqual([{ path: 'placement', desired: 'docker/there', actual: 'docker' }]);
    expect(changesIn(docker.calls)).toEqual([]);
  });

  test('is driven again once it is to be managed', async () => {
    const { docker, fixture } = await handedOver();
    await fixture.patch('acme', { spec: { ...image('b'), mode: 'Manage' } });
    expect(changesIn(docker.calls)).toEqual([`update ${key}`]);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    expect(fixture.news()).toEqual(['Normal Updated']);
  });

  test('has no plan that waits', async () => {
    const { docker, fixture } = await observing();
    await fixture.create('acme', { ...image('a'), approval: 'Always' });
    await fixture.patch('acme', { spec: image('b') });
    expect((await fixture.get('acme')).status).toHaveProperty('plan');
    await fixture.patch('acme', { spec: observe });
    expect((await fixture.get('acme')).status).not.toHaveProperty('plan');
    expect(changesIn(docker.calls)).toEqual([`provision ${key}`]);
  });

  test('stays where its Tenant is deleted', async () => {
    const { docker, fixture } = await handedOver();
    await fixture.tenants.delete('acme', 'team-a');
    await fixture.pass();
    expect(await fixture.tenants.get('acme', 'team-a')).toBeUndefined();
    expect(changesIn(docker.calls)).toEqual([]);
    expect(fixture.events.at(-1)?.note).toBe('mode is Observe: the workload stays as it is');
  });

  test('goes with its Tenant where nothing may be left behind', async () => {
    const { docker, fixture } = await handedOver({ mayRetain: () => false });
    await fixture.tenants.delete('acme', 'team-a');
    await fixture.pass();
    expect(changesIn(docker.calls)).toEqual([`destroy ${key}`]);
    expect(fixture.events.at(-1)?.note).toContain(
      'mode is Observe, which policy.allow_retain does not allow here',
    );
  });
});
