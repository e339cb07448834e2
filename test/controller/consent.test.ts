import { describe, expect, test } from 'vitest';
import { ComputeError } from '../../src/compute/errors.ts';
import { startController } from './controller-fixture.ts';
import { changesIn, scriptedProvider } from './scripted-provider.ts';
import type { Workload } from './scripted-provider.ts';
import { image, key } from './tenant-fixture.ts';

/** What the controller does with effects, consent, and with what it finds without a word of the status. */

const outage = (spec: Record<string, unknown> = {}) => changing(spec, { effect: 'outage' });

/** A Ready Tenant, and what a rollout of it does. */
async function changing(spec: Record<string, unknown>, rollout: Pick<Workload, 'effect' | 'needs'>) {
  const docker = scriptedProvider('docker');
  const fixture = await startController([docker]);
  await fixture.create('acme', { ...image('a'), ...spec });
  Object.assign(docker.workloads.get(key) ?? {}, rollout);
  docker.calls.length = 0;
  fixture.news();
  const plan = async () => (await fixture.get('acme')).status?.plan;
  const approve = (digest: string | undefined) =>
    fixture.patch('acme', { metadata: { annotations: { 'landlord.dev/approve': digest ?? null } } });
  return { docker, fixture, plan, approve };
}

describe('a change that ends what runs', () => {
  test('waits with plan and command, and is made once that very plan is approved', async () => {
    const { docker, fixture, plan, approve } = await outage();
    await fixture.patch('acme', { spec: image('b') });
    expect(changesIn(docker.calls)).toEqual([]);
    expect(await fixture.conditions('acme')).toEqual([
      'Ready=False/ApprovalRequired',
      'Stalled=True/ApprovalRequired',
    ]);
    expect(fixture.news()).toEqual(['Warning ApprovalRequired']);
    const first = await plan();
    expect(first).toMatchObject({ effect: 'outage', changes: [{ path: 'image', effect: 'outage' }] });
    expect(await fixture.message('acme')).toContain(`landlord.dev/approve=${first?.digest} --overwrite`);

    await fixture.patch('acme', { spec: image('c') });
    await approve(first?.digest);
    expect(changesIn(docker.calls)).toEqual([]);
    const second = await plan();
    expect(second?.digest).not.toBe(first?.digest);

    await approve(second?.digest);
    expect(changesIn(docker.calls)).toEqual([`update ${key}`]);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    expect(await plan()).toBeUndefined();
  });

  test('has the same digest for an operator that was started anew', async () => {
    const { docker, fixture, plan } = await outage();
    await fixture.patch('acme', { spec: image('b') });
    const before = await plan();
    await fixture.stop();
    const later = await startController([docker], { apiserver: fixture.apiserver });
    await later.patch('acme', { metadata: { annotations: { 'landlord.dev/reconcile-requested-at': '1' } } });
    expect((await later.get('acme')).status?.plan).toEqual(before);
    expect(before).toBeDefined();
  });

  test('is withdrawn with the spec that asked for it', async () => {
    const { docker, fixture, plan } = await outage();
    await fixture.patch('acme', { spec: image('b') });
    await fixture.patch('acme', { spec: image('a') });
    expect(await plan()).toBeUndefined();
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    expect(changesIn(docker.calls)).toEqual([]);
  });

  test('keeps what runs running meanwhile', async () => {
    const { docker, fixture } = await outage();
    await fixture.patch('acme', { spec: image('b') });
    const stopped = {
      path: 'state',
      desired: 'running',
      actual: 'exited',
      cause: 'drift',
      effect: 'live',
    } as const;
    docker.workloads.get(key)?.drift.push(stopped);
    docker.hint('team-a-acme-9201d5e7');
    await fixture.pass();
    expect(changesIn(docker.calls)).toEqual([`hold ${key}`]);
    expect(await fixture.conditions('acme')).toContain('Stalled=True/ApprovalRequired');
  });

  test('is made at once under approval Never', async () => {
    const { docker, fixture } = await outage({ approval: 'Never' });
    await fixture.patch('acme', { spec: image('b') });
    expect(changesIn(docker.calls)).toEqual([`update ${key}`]);
  });
});

describe('a change that turns out half-way to be worse than was announced', () => {
  test('is announced anew, once, and is made with that approval', async () => {
    const { docker, fixture, plan, approve } = await changing({ approval: 'Always' }, { needs: 'gap' });
    await fixture.patch('acme', { spec: image('b') });
    const first = await plan();
    expect(first?.effect).toBe('replace');
    await approve(first?.digest);
    const second = await plan();
    expect(second).toMatchObject({ effect: 'gap' });
    expect(second?.digest).not.toBe(first?.digest);
    const message = await fixture.message('acme');
    expect(message).toContain('stopping it, as it turned out');
    expect(message).toContain(`landlord.dev/approve=${second?.digest} --overwrite`);
    expect(docker.workloads.get(key)?.specHash).toBe('image=a');

    fixture.news();
    docker.calls.length = 0;
    await fixture.pass(700_000);
    expect((await plan())?.digest).toBe(second?.digest);
    expect(changesIn(docker.calls)).toEqual([]);
    expect(fixture.news()).toEqual([]);

    await approve(second?.digest);
    expect(docker.workloads.get(key)?.specHash).toBe('image=b');
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    expect(await plan()).toBeUndefined();
  });

  test('needs the same approval for an operator that was started anew', async () => {
    const { docker, fixture, plan, approve } = await changing({ approval: 'Always' }, { needs: 'gap' });
    await fixture.patch('acme', { spec: image('b') });
    await approve((await plan())?.digest);
    const before = await plan();
    await fixture.stop();
    const later = await startController([docker], { apiserver: fixture.apiserver });
    await later.patch('acme', { metadata: { annotations: { 'landlord.dev/reconcile-requested-at': '1' } } });
    expect((await later.get('acme')).status?.plan).toEqual(before);
    expect(before?.effect).toBe('gap');
  });

  test.each<[approval: string, waits: boolean]>([
    ['Destructive', true],
    ['Never', false],
  ])('waits under approval %s only where that holds it back: %s', async (approval, waits) => {
    const { docker, fixture, plan, approve } = await changing({ approval }, { needs: 'outage' });
    await fixture.patch('acme', { spec: image('b') });
    expect(docker.workloads.get(key)?.specHash).toBe(waits ? 'image=a' : 'image=b');
    expect((await plan())?.effect).toBe(waits ? 'outage' : undefined);
    await approve((await plan())?.digest);
    expect(docker.workloads.get(key)?.specHash).toBe('image=b');
  });

  test('is forgotten with the spec that asked for it', async () => {
    const { docker, fixture, plan, approve } = await changing({ approval: 'Always' }, { needs: 'gap' });
    await fixture.patch('acme', { spec: image('b') });
    await approve((await plan())?.digest);
    const workload = docker.workloads.get(key);
    if (workload !== undefined) delete workload.needs;
    await fixture.patch('acme', { spec: image('c') });
    expect((await plan())?.effect).toBe('replace');
  });
});

test('under approval Always a move waits, too, and touches neither place', async () => {
  const docker = scriptedProvider('docker');
  const fixture = await startController([docker]);
  await fixture.create('acme', { ...image('a', { place: 'here' }), approval: 'Always' });
  docker.calls.length = 0;
  await fixture.patch('acme', { spec: image('a', { place: 'there' }) });
  expect(changesIn(docker.calls)).toEqual([]);
  const { status } = await fixture.get('acme');
  expect(status?.placement).toEqual({ provider: 'docker', place: 'here' });
  expect(status?.plan?.changes).toEqual([
    { path: 'placement', desired: 'docker/there', actual: 'docker/here', effect: 'replace' },
  ]);
  await fixture.patch('acme', {
    metadata: { annotations: { 'landlord.dev/approve': status?.plan?.digest } },
  });
  await fixture.pass(5_000);
  expect([...docker.workloads.keys()]).toEqual(['team-a-acme-9201d5e7@docker/there']);
  expect((await fixture.get('acme')).status?.plan).toBeUndefined();
});

describe('what a Tenant of that name left on the engine', () => {
  const owned = {
    tenantId: 'team-a-acme-9201d5e7',
    namespace: 'team-a',
    name: 'acme',
    resource: 'container x',
    isData: false,
    placement: { provider: 'docker' },
  };

  test.each<[what: string, spec: Record<string, unknown>, ready: string]>([
    ['suspended', { ...image('a'), suspend: true }, 'Ready=Unknown/Suspended'],
    ['refused', { nonsense: [] }, 'Ready=False/InvalidSpec'],
  ])('is shown by a new one that is %s, and goes with it', async (_what, spec, ready) => {
    const docker = scriptedProvider('docker');
    docker.owned = [owned];
    docker.workloads.set(key, { specHash: 'image=a', drift: [], shows: {} });
    const fixture = await startController([docker]);
    await fixture.create('acme', spec);
    await fixture.pass(1_000);
    expect(await fixture.conditions('acme')).toContain(ready);
    const { status, metadata } = await fixture.get('acme');
    expect(status?.compute?.state).toBe('running');
    expect(status?.placement).toEqual({ provider: 'docker' });
    expect(metadata.finalizers).toContain('landlord.dev/compute');
    expect(changesIn(docker.calls)).toEqual([]);
    await fixture.tenants.delete('acme', 'team-a');
    await fixture.pass();
    expect(changesIn(docker.calls)).toEqual([`destroy ${key}`]);
    expect(await fixture.tenants.get('acme', 'team-a')).toBeUndefined();
  });

  test('is asked for again where the engine could not tell', async () => {
    const docker = scriptedProvider('docker');
    docker.owned = [owned];
    docker.workloads.set(key, { specHash: 'image=a', drift: [], shows: {} });
    docker.failures.set('list', new ComputeError('ProviderUnavailable', 'no answer'));
    const fixture = await startController([docker]);
    await fixture.create('acme', { ...image('a'), suspend: true });
    await fixture.pass(1_000);
    docker.failures.clear();
    expect((await fixture.get('acme')).status?.compute).toBeUndefined();
    await fixture.pass(60_000);
    expect((await fixture.get('acme')).status?.compute?.state).toBe('running');
  });

  test('is found again where the status of one that moves to a provider that forgets was wiped', async () => {
    const docker = scriptedProvider('docker');
    const mock = scriptedProvider('mock', { durable: false });
    const fixture = await startController([docker, mock]);
    await fixture.create('acme', { computeProvider: 'docker', ...image('a') });
    await fixture.stop();
    docker.owned = [owned];
    await fixture.tenants.mergePatch('acme', 'team-a', { spec: { computeProvider: 'mock' } });
    await fixture.tenants.mergePatch('acme', 'team-a', { status: null }, { subresource: 'status' });
    const later = await startController([docker, mock], { apiserver: fixture.apiserver });
    await later.pass(5_000);
    expect([...docker.workloads.keys()]).toEqual([]);
    expect([...mock.workloads.keys()]).toEqual(['team-a-acme-9201d5e7@mock']);
  });

  test('is found again where somebody has wiped the status of one that moves', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', image('a', { place: 'here' }));
    await fixture.stop();
    docker.owned = [{ ...owned, placement: { provider: 'docker', place: 'here' } }];
    await fixture.tenants.mergePatch('acme', 'team-a', { spec: image('a', { place: 'there' }) });
    await fixture.tenants.mergePatch('acme', 'team-a', { status: null }, { subresource: 'status' });
    const later = await startController([docker], { apiserver: fixture.apiserver });
    await later.pass(5_000);
    expect([...docker.workloads.keys()]).toEqual(['team-a-acme-9201d5e7@docker/there']);
  });
});
