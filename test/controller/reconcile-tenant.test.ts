import { describe, expect, test } from 'vitest';
import { finalizer } from '../../src/api/names.ts';
import { ComputeError } from '../../src/compute/errors.ts';
import type { Change } from '../../src/compute/provider.ts';
import { startController } from './controller-fixture.ts';
import { changesIn, scriptedProvider } from './scripted-provider.ts';
import { image, key, running } from './tenant-fixture.ts';

const stopped: Change = {
  path: 'state',
  desired: 'running',
  actual: 'exited',
  cause: 'drift',
  effect: 'live',
};
const unreachable = new ComputeError('ProviderUnavailable', 'the engine does not answer');

describe('a tenant', () => {
  test('is Ready after three writes: finalizer, place, and what came of it', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', image('a'));
    expect(fixture.writes()).toEqual([
      'PATCH tenants/acme',
      'PATCH tenants/acme/status',
      'PATCH tenants/acme/status',
    ]);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    expect((await fixture.get('acme')).status).toMatchObject({
      observedGeneration: 1,
      tenantId: 'team-a-acme-9201d5e7',
      computeProvider: 'docker',
      placement: { provider: 'docker' },
      phase: 'Ready',
    });
    expect(fixture.news()).toEqual(['Normal Provisioned']);
  });

  test('has its finalizer and its place written before anything is created', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    docker.failures.set('getStatus', unreachable);
    await fixture.create('acme', image('a', { place: 'here' }));
    const { metadata, status } = await fixture.get('acme');
    expect(metadata.finalizers).toEqual([finalizer]);
    expect(status?.placement).toEqual({ provider: 'docker', place: 'here' });
    expect(changesIn(docker.calls)).toEqual([]);
  });

  test('of a provider that forgets with the process is Ready after two writes, and no news', async () => {
    const mock = scriptedProvider('mock', { durable: false });
    const fixture = await startController([mock]);
    await fixture.create('acme');
    expect(fixture.writes()).toEqual(['PATCH tenants/acme', 'PATCH tenants/acme/status']);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    expect(fixture.news()).toEqual([]);
    mock.failures.set('getStatus', new ComputeError('ProviderConflict', 'it is another’s'));
    mock.hint();
    await fixture.pass();
    expect(fixture.news()).toEqual(['Warning ProviderConflict']);
  });

  test('is what its Events are about, and each of them is in the log', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    const { metadata } = await fixture.create('acme', image('a'));
    docker.failures.set('getStatus', new ComputeError('ProviderConflict', 'it is another’s'));
    docker.hint();
    await fixture.pass();
    const { uid } = metadata;
    const regarding = {
      apiVersion: 'landlord.dev/v1alpha1',
      kind: 'Tenant',
      name: 'acme',
      namespace: 'team-a',
      uid,
    };
    expect(fixture.events).toMatchObject([
      { regarding, type: 'Normal', reason: 'Provisioned', action: 'Provision', note: 'runs on docker' },
      {
        regarding,
        type: 'Warning',
        reason: 'ProviderConflict',
        action: 'Reconcile',
        note: 'it is another’s',
      },
    ]);
    expect(fixture.lines.filter(({ fields }) => fields['tenant'] === 'team-a/acme')).toEqual([
      { level: 'info', fields: { tenant: 'team-a/acme', reason: 'Provisioned' }, message: 'runs on docker' },
      {
        level: 'warn',
        fields: { tenant: 'team-a/acme', reason: 'ProviderConflict' },
        message: 'it is another’s',
      },
    ]);
  });

  test('that is Ready costs nothing: no pass, no write, no call', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', image('a'));
    fixture.writes();
    const [passes, calls] = [fixture.passes.length, docker.calls.length];
    await fixture.pass(3_600_000);
    expect({ passes: fixture.passes.length, calls: docker.calls.length }).toEqual({ passes, calls });
    expect(fixture.writes()).toEqual([]);
  });

  test('that was Ready before the start is looked at once, and not written', async () => {
    const docker = scriptedProvider('docker');
    const first = await startController([docker]);
    await first.create('acme', image('a'));
    await first.stop();
    docker.calls.length = 0;
    const second = await startController([docker], { apiserver: first.apiserver });
    await second.pass(3_600_000);
    expect(second.passes).toEqual(['team-a/acme']);
    expect(docker.calls.map(({ operation }) => operation)).toEqual(['validate', 'getStatus']);
    expect(second.writes()).toEqual([]);
  });

  test('that is updated says so once, at its new generation', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', image('a'));
    fixture.news();
    await fixture.patch('acme', { spec: image('b') });
    expect(changesIn(docker.calls)).toEqual([`provision ${key}`, `update ${key}`]);
    expect((await fixture.get('acme')).status?.observedGeneration).toBe(2);
    expect(fixture.news()).toEqual(['Normal Updated']);
  });

  test('on its way is looked at when its provider asks for it, and written once it is there', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    docker.steps.push({ outcome: 'in_progress', message: 'Pulling a', lookAgainAfterMs: 400 });
    await fixture.create('acme', image('a'));
    expect(await fixture.message('acme')).toBe('waiting for it to run and be healthy on docker');
    fixture.writes();
    await fixture.pass(400);
    expect(fixture.writes()).toEqual(['PATCH tenants/acme/status']);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    expect(fixture.news()).toEqual(['Normal Provisioned']);
  });

  test('that takes its time says how far it is', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    for (let step = 0; step < 7; step += 1)
      docker.steps.push({ outcome: 'in_progress', message: 'Pulling a', lookAgainAfterMs: 1000 });
    await fixture.create('acme', image('a'));
    fixture.writes();
    await fixture.pass(4000);
    expect(fixture.writes()).toEqual([]);
    await fixture.pass(1000);
    expect(fixture.writes()).toEqual(['PATCH tenants/acme/status']);
    expect(await fixture.message('acme')).toBe('Pulling a');
    expect(await fixture.conditions('acme')).toEqual([
      'Ready=False/Provisioning',
      'Reconciling=True/Provisioning',
    ]);
  });
});

describe('drift', () => {
  async function withDrift(spec: Record<string, unknown> = {}) {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', { ...image('a'), ...spec });
    fixture.news();
    docker.calls.length = 0;
    const drift = async (): Promise<void> => {
      docker.workloads.get(key)?.drift.push(stopped);
      docker.hint('team-a-acme-9201d5e7');
      await fixture.pass();
    };
    return { docker, fixture, drift };
  }

  test('is repaired and told', async () => {
    const { docker, fixture, drift } = await withDrift();
    await drift();
    expect(changesIn(docker.calls)).toEqual([`update ${key}`]);
    expect(fixture.news()).toEqual(['Warning Drifted', 'Normal Repaired']);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
  });

  test('under Report is shown and left alone, until the policy is Correct', async () => {
    const { docker, fixture, drift } = await withDrift({ driftPolicy: 'Report' });
    await drift();
    expect(changesIn(docker.calls)).toEqual([]);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running', 'Drifted=True/Drifted']);
    expect((await fixture.get('acme')).status?.drift).toEqual([
      { path: 'state', desired: 'running', actual: 'exited' },
    ]);
    expect(fixture.news()).toEqual(['Warning Drifted']);
    docker.hint('team-a-acme-9201d5e7');
    await fixture.pass();
    expect(fixture.news()).toEqual([]);
    await fixture.patch('acme', { spec: { driftPolicy: 'Correct' } });
    expect(changesIn(docker.calls)).toEqual([`update ${key}`]);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
  });

  test('that returns is repaired later and later, and at once after a settled run', async () => {
    const { docker, fixture, drift } = await withDrift();
    const repairs = (): number => changesIn(docker.calls).length;
    docker.showsAfterStep = { compute: { ...running, state: 'starting', health: 'unknown' } };
    await drift();
    expect(repairs()).toBe(1);
    await drift();
    await fixture.pass(999);
    expect(repairs()).toBe(1);
    await fixture.pass(1);
    expect(repairs()).toBe(2);
    await drift();
    await fixture.pass(1999);
    expect(repairs()).toBe(2);
    await fixture.pass(1);
    expect(repairs()).toBe(3);
    docker.showsAfterStep = {};
    const workload = docker.workloads.get(key);
    if (workload !== undefined) workload.shows = {};
    docker.hint('team-a-acme-9201d5e7');
    await fixture.pass();
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    await drift();
    expect(repairs()).toBe(4);
  });

  test('of a Tenant that is gone does not hold back one of the same name', async () => {
    const { docker, fixture, drift } = await withDrift();
    docker.showsAfterStep = { compute: { ...running, state: 'starting', health: 'unknown' } };
    await drift();
    await fixture.tenants.delete('acme', 'team-a');
    await fixture.pass();
    docker.showsAfterStep = {};
    await fixture.create('acme', image('a'));
    docker.calls.length = 0;
    docker.showsAfterStep = { compute: { ...running, state: 'starting', health: 'unknown' } };
    await drift();
    expect(changesIn(docker.calls)).toEqual([`update ${key}`]);
  });
});

describe('suspend', () => {
  test('stops every change, and keeps Ready and the generation that was applied', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', image('a'));
    docker.calls.length = 0;
    await fixture.patch('acme', { spec: { ...image('b'), suspend: true } });
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Suspended']);
    const { status } = await fixture.get('acme');
    expect(status).toMatchObject({ phase: 'Suspended', observedGeneration: 2 });
    expect(status?.conditions?.map(({ observedGeneration }) => observedGeneration)).toEqual([1]);
    const workload = docker.workloads.get(key);
    if (workload !== undefined) workload.shows = { compute: { ...running, state: 'failed' } };
    docker.hint('team-a-acme-9201d5e7');
    await fixture.pass();
    expect((await fixture.get('acme')).status?.compute?.state).toBe('failed');
    expect(changesIn(docker.calls)).toEqual([]);
  });

  test('of one that has nothing yet makes nothing, and asks once whether there is something', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', { ...image('a'), suspend: true });
    expect(await fixture.conditions('acme')).toEqual(['Ready=Unknown/Suspended']);
    await fixture.patch('acme', { metadata: { labels: { 'landlord.dev/compute-provider': 'docker' } } });
    expect(docker.calls).toEqual([{ operation: 'list', what: 'docker' }]);
  });

  test('ends with what was asked for meanwhile', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', image('a'));
    await fixture.patch('acme', { spec: { ...image('b'), suspend: true } });
    await fixture.patch('acme', { spec: { suspend: false } });
    expect(docker.workloads.get(key)?.specHash).toBe('image=b');
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
  });

  test('does not hold up deletion', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', image('a'));
    await fixture.patch('acme', { spec: { suspend: true } });
    await fixture.tenants.delete('acme', 'team-a');
    await fixture.pass();
    expect(docker.workloads.size).toBe(0);
    expect(await fixture.tenants.get('acme', 'team-a')).toBeUndefined();
  });
});

describe('a move', () => {
  const at = (port: number) => ({ name: 'http', type: 'tcp', address: '127.0.0.1', port });

  test('to another provider makes the new one Ready before the old one goes', async () => {
    const [docker, ecs] = [scriptedProvider('docker'), scriptedProvider('ecs')];
    const fixture = await startController([docker, ecs]);
    await fixture.create('acme', { computeProvider: 'docker' });
    ecs.steps.push({ outcome: 'in_progress', message: 'starting', lookAgainAfterMs: 2000 });
    fixture.writes();
    await fixture.patch('acme', { spec: { computeProvider: 'ecs' } });
    expect((await fixture.get('acme')).status).toMatchObject({
      placement: { provider: 'ecs' },
      previousPlacements: [{ provider: 'docker' }],
    });
    expect(changesIn(docker.calls)).toEqual([`provision ${key}`]);
    await fixture.pass(2000);
    expect(changesIn(docker.calls)).toEqual([`provision ${key}`, `destroy ${key}`]);
    expect((await fixture.get('acme')).status).not.toHaveProperty('previousPlacements');
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    expect(fixture.news()).toEqual(['Normal Provisioned', 'Normal Updated']);
  });

  test('by a label is a move, though the generation stays', async () => {
    const [docker, ecs] = [scriptedProvider('docker'), scriptedProvider('ecs')];
    const fixture = await startController([docker, ecs]);
    await fixture.create('acme', {}, { labels: { compute_provider: 'docker' } });
    await fixture.patch('acme', { metadata: { labels: { compute_provider: 'ecs' } } });
    expect(changesIn(docker.calls)).toEqual([`provision ${key}`, `destroy ${key}`]);
    expect(changesIn(ecs.calls)).toEqual(['provision team-a-acme-9201d5e7@ecs']);
  });

  test('keeps the old endpoint in the status until the new one has stood there for a second', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', image('a', { place: 'old' }));
    const old = docker.workloads.get(`${key}/old`);
    if (old !== undefined) old.endpoints = [at(1)];
    docker.workloads.set(`${key}/new`, { specHash: 'image=a', drift: [], shows: {}, endpoints: [at(2)] });
    await fixture.patch('acme', { spec: image('a', { place: 'new' }) });
    const { status } = await fixture.get('acme');
    expect(status?.compute?.endpoints).toEqual([at(2), at(1)]);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running', 'Reconciling=True/Updating']);
    await fixture.pass(1000);
    expect((await fixture.get('acme')).status?.compute?.endpoints).toEqual([at(2)]);
    expect(changesIn(docker.calls)).toEqual([`provision ${key}/old`, `destroy ${key}/old`]);
  });

  test('back leaves nothing at either place behind', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', image('a', { place: 'one' }));
    docker.failures.set('provision', new ComputeError('ProvisionFailed', 'no space left'));
    await fixture.patch('acme', { spec: image('a', { place: 'two' }) });
    expect((await fixture.get('acme')).status?.previousPlacements).toEqual([
      { provider: 'docker', place: 'one' },
    ]);
    docker.failures.clear();
    await fixture.patch('acme', { spec: image('a', { place: 'one' }) });
    await fixture.pass(1000);
    expect((await fixture.get('acme')).status).toMatchObject({ placement: { place: 'one' } });
    expect((await fixture.get('acme')).status).not.toHaveProperty('previousPlacements');
    expect(changesIn(docker.calls).at(-1)).toBe(`destroy ${key}/two`);
  });

  test('from what forgets to what lasts, and back, writes both places first', async () => {
    const [docker, mock] = [scriptedProvider('docker'), scriptedProvider('mock', { durable: false })];
    const fixture = await startController([docker, mock]);
    await fixture.create('acme', { computeProvider: 'docker' });
    mock.failures.set('getStatus', unreachable);
    await fixture.patch('acme', { spec: { computeProvider: 'mock' } });
    expect((await fixture.get('acme')).status).toMatchObject({
      placement: { provider: 'mock' },
      previousPlacements: [{ provider: 'docker' }],
    });
  });
});

describe('deletion', () => {
  async function withTenant(spec: Record<string, unknown> = image('a')) {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', spec);
    fixture.news();
    fixture.writes();
    const remove = async (): Promise<void> => {
      await fixture.tenants.delete('acme', 'team-a');
      await fixture.pass();
    };
    const isGone = async () => (await fixture.tenants.get('acme', 'team-a')) === undefined;
    return { docker, fixture, remove, isGone };
  }

  test('empties the engine, then lets the Tenant go, in one write', async () => {
    const { docker, fixture, remove, isGone } = await withTenant();
    await remove();
    expect(docker.workloads.size).toBe(0);
    expect(await isGone()).toBe(true);
    expect(fixture.writes()).toEqual(['PATCH tenants/acme']);
    expect(fixture.news()).toEqual(['Normal Destroyed']);
  });

  test('that takes time is looked at when the provider asks for it', async () => {
    const { docker, fixture, remove, isGone } = await withTenant();
    docker.destroys.push({ outcome: 'in_progress', message: 'draining', lookAgainAfterMs: 700 });
    await remove();
    expect(await fixture.conditions('acme')).toEqual(['Ready=False/Deleting', 'Reconciling=True/Deleting']);
    expect(await fixture.message('acme')).toBe('removing what is left on docker: draining');
    await fixture.pass(699);
    expect(await isGone()).toBe(false);
    await fixture.pass(1);
    expect(await isGone()).toBe(true);
  });

  test('waits for its engine, with its place in the status', async () => {
    const { docker, fixture, remove, isGone } = await withTenant();
    docker.failures.set('destroy', unreachable);
    await remove();
    expect(await fixture.conditions('acme')).toEqual([
      'Ready=False/ProviderUnavailable',
      'Reconciling=True/ProviderUnavailable',
    ]);
    expect((await fixture.get('acme')).status?.placement).toEqual({ provider: 'docker' });
    docker.failures.clear();
    await fixture.pass(1000);
    expect(await isGone()).toBe(true);
  });

  test('with Retain touches nothing, and says so', async () => {
    const { docker, fixture, remove, isGone } = await withTenant({ ...image('a'), deletionPolicy: 'Retain' });
    docker.calls.length = 0;
    await remove();
    expect(await isGone()).toBe(true);
    expect(docker.calls).toEqual([]);
    expect(docker.workloads.size).toBe(1);
    expect(fixture.news()).toEqual(['Normal Deleting']);
  });

  test('with Retain is followed by taking the workload back', async () => {
    const { docker, fixture, remove } = await withTenant({ ...image('a'), deletionPolicy: 'Retain' });
    await remove();
    docker.calls.length = 0;
    await fixture.create('acme', image('a'));
    expect(changesIn(docker.calls)).toEqual([]);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
  });

  test('of what is on a provider that is away waits, and Retain lets it go', async () => {
    const { docker, fixture } = await withTenant();
    await fixture.stop();
    const mock = scriptedProvider('mock', { durable: false });
    const later = await startController([mock], { apiserver: fixture.apiserver });
    await later.tenants.delete('acme', 'team-a');
    await later.pass();
    expect(await later.conditions('acme')).toEqual([
      'Ready=False/ProviderNotFound',
      'Stalled=True/ProviderNotFound',
    ]);
    expect(await later.message('acme')).toContain("add compute.docker to the operator's config");
    await later.patch('acme', { spec: { deletionPolicy: 'Retain' } });
    expect(await later.tenants.get('acme', 'team-a')).toBeUndefined();
    expect(docker.workloads.size).toBe(1);
  });

  test('of a Tenant without our finalizer is none of our business', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', { nonsense: [] }, { finalizers: ['other.example/finalizer'] });
    fixture.writes();
    docker.calls.length = 0;
    await fixture.tenants.delete('acme', 'team-a');
    await fixture.pass();
    expect(docker.calls).toEqual([]);
    expect(fixture.writes()).toEqual([]);
  });

  test('runs without the Secrets that the spec refers to', async () => {
    const env = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }];
    const { docker, fixture, remove, isGone } = await withTenant({
      containers: [{ name: 'app', image: 'a', env }],
    });
    await fixture.putSecret('db', { password: 'one' });
    expect(docker.workloads.size).toBe(1);
    await fixture.secrets.delete('db', 'team-a');
    await fixture.pass();
    expect(await fixture.conditions('acme')).toEqual([
      'Ready=False/SecretNotFound',
      'Reconciling=True/SecretNotFound',
    ]);
    await remove();
    expect(await isGone()).toBe(true);
    expect(docker.workloads.size).toBe(0);
  });

  test('of a spec that is refused by now runs all the same', async () => {
    const { docker, fixture, remove, isGone } = await withTenant();
    await fixture.patch('acme', { spec: { nonsense: [] } });
    await remove();
    expect(await isGone()).toBe(true);
    expect(docker.workloads.size).toBe(0);
  });
});

describe('a tenant id', () => {
  test('belongs to the oldest Tenant that claims it; the next one has it when that one is gone', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('first', { tenantId: 'shared', ...image('a') });
    await fixture.pass(1000);
    await fixture.create('second', { tenantId: 'shared', ...image('b') });
    expect(await fixture.conditions('second')).toEqual([
      'Ready=False/ProviderConflict',
      'Stalled=True/ProviderConflict',
    ]);
    expect(await fixture.message('second')).toBe(
      'tenant id "shared" belongs to Tenant first, which is older; delete one of the two, or set spec.tenantId on a new one',
    );
    expect(docker.workloads.get('shared@docker')?.specHash).toBe('image=a');
    await fixture.tenants.delete('first', 'team-a');
    await fixture.pass();
    expect(await fixture.conditions('second')).toEqual(['Ready=True/Running']);
    expect(docker.workloads.get('shared@docker')?.specHash).toBe('image=b');
  });

  test('that is claimed by the default of an older Tenant is that one’s', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', image('a'));
    await fixture.pass(1000);
    await fixture.create('thief', { tenantId: 'team-a-acme-9201d5e7', ...image('b') });
    expect((await fixture.conditions('thief'))[0]).toBe('Ready=False/ProviderConflict');
    expect((await fixture.conditions('acme'))[0]).toBe('Ready=True/Running');
  });
});
