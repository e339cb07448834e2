import { describe, expect, test, vi } from 'vitest';
import { finalizer, reconcileRequestedAt } from '../../src/api/names.ts';
import { ComputeError } from '../../src/compute/errors.ts';
import type { Change } from '../../src/compute/provider.ts';
import { KubeApiError } from '../../src/kube/kube-api-error.ts';
import { startController } from './controller-fixture.ts';
import { changesIn, scriptedProvider } from './scripted-provider.ts';
import { running } from './tenant-fixture.ts';

vi.mock('node:timers/promises', () => import('./promise-timers.ts'));

const image = (name: string, more: Record<string, unknown> = {}) => ({
  computeConfig: { docker: { image: name, ...more } },
});
const key = 'team-a-acme@docker';
const stopped: Change = { path: 'state', desired: 'running', actual: 'exited', cause: 'drift' };
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
      tenantId: 'team-a-acme',
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

describe('a hint', () => {
  test('looks at the tenant it names, and at no other', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', image('a'));
    await fixture.create('other', image('a'));
    fixture.passes.length = 0;
    docker.hint('team-a-acme');
    await fixture.pass();
    expect(fixture.passes).toEqual(['team-a/acme']);
    docker.hint('team-a-nobody');
    await fixture.pass();
    expect(fixture.passes).toEqual(['team-a/acme']);
  });

  test('after a gap looks at all tenants of its provider, at those that are leaving it too', async () => {
    const [docker, ecs] = [scriptedProvider('docker'), scriptedProvider('ecs')];
    const fixture = await startController([docker, ecs]);
    await fixture.create('on-docker', { computeProvider: 'docker' });
    await fixture.create('on-ecs', { computeProvider: 'ecs' });
    await fixture.create('leaving', { computeProvider: 'docker' });
    docker.failures.set('destroy', unreachable);
    await fixture.patch('leaving', { spec: { computeProvider: 'ecs' } });
    fixture.passes.length = 0;
    docker.hint();
    await fixture.pass();
    expect(fixture.passes.toSorted()).toEqual(['team-a/leaving', 'team-a/on-docker']);
  });

  test('shows what fell ill, and what is well again', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', image('a'));
    const workload = docker.workloads.get(key);
    if (workload === undefined) throw new Error('nothing runs');
    workload.shows = { compute: { ...running, health: 'unhealthy' }, message: 'the check fails' };
    fixture.news();
    docker.hint('team-a-acme');
    await fixture.pass();
    expect(await fixture.conditions('acme')).toEqual(['Ready=False/Unhealthy']);
    expect(await fixture.message('acme')).toBe('the check fails');
    workload.shows = {};
    docker.hint('team-a-acme');
    await fixture.pass();
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    expect(fixture.news()).toContain('Warning Unhealthy');
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
      docker.hint('team-a-acme');
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
    docker.hint('team-a-acme');
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
    docker.hint('team-a-acme');
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

describe('a rollout that fails', () => {
  async function rolledBack() {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', image('good'));
    fixture.news();
    docker.steps.push({ outcome: 'rolled_back', reason: 'RolledBack', message: 'exited with code 1' });
    await fixture.patch('acme', { spec: image('bad') });
    return { docker, fixture };
  }

  test('is Stalled, told once, and not tried again', async () => {
    const { docker, fixture } = await rolledBack();
    expect(await fixture.conditions('acme')).toEqual(['Ready=False/RolledBack', 'Stalled=True/RolledBack']);
    expect((await fixture.get('acme')).status).toMatchObject({
      observedGeneration: 2,
      rejected: { specHash: 'image=bad', reason: 'RolledBack', message: 'exited with code 1' },
    });
    expect(fixture.news()).toEqual(['Warning RolledBack']);
    fixture.writes();
    const passes = fixture.passes.length;
    await fixture.pass(900_000);
    expect(fixture.passes.length - passes).toBe(3);
    expect(changesIn(docker.calls)).toEqual([`provision ${key}`, `update ${key}`]);
    expect(fixture.writes()).toEqual([]);
    expect(fixture.news()).toEqual([]);
  });

  test('is tried again on request, once for each', async () => {
    const { docker, fixture } = await rolledBack();
    docker.steps.push({ outcome: 'rolled_back', reason: 'RolledBack', message: 'exited with code 1' });
    await fixture.patch('acme', { metadata: { annotations: { [reconcileRequestedAt]: 'noon' } } });
    await fixture.pass(900_000);
    expect(changesIn(docker.calls)).toEqual([`provision ${key}`, `update ${key}`, `update ${key}`]);
    expect((await fixture.get('acme')).status).toMatchObject({
      rejected: { reconcileRequestedAt: 'noon' },
      lastHandledReconcileAt: 'noon',
    });
  });

  test('is over with the next spec', async () => {
    const { docker, fixture } = await rolledBack();
    await fixture.patch('acme', { spec: image('better') });
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    expect((await fixture.get('acme')).status).not.toHaveProperty('rejected');
    expect(docker.workloads.get(key)?.specHash).toBe('image=better');
  });

  test('is forgotten by a move', async () => {
    const { docker, fixture } = await rolledBack();
    await fixture.patch('acme', { spec: image('bad', { place: 'elsewhere' }) });
    expect(docker.workloads.get(`${key}/elsewhere`)?.specHash).toBe('image=bad');
    expect((await fixture.get('acme')).status).not.toHaveProperty('rejected');
  });
});

describe('a spec that is refused', () => {
  test('makes nothing, says why, and is looked at every 5 minutes', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', { volumes: [] });
    expect(await fixture.conditions('acme')).toEqual(['Ready=False/InvalidSpec', 'Stalled=True/InvalidSpec']);
    expect(fixture.news()).toEqual(['Warning InvalidSpec']);
    expect((await fixture.get('acme')).metadata.finalizers ?? []).toEqual([]);
    const passes = fixture.passes.length;
    await fixture.pass(299_999);
    expect(fixture.passes.length - passes).toBe(0);
    await fixture.pass(1);
    expect(fixture.passes.length - passes).toBe(1);
    expect(fixture.news()).toEqual([]);
    expect(docker.calls).toEqual([]);
  });

  test('still shows what runs', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', image('a'));
    const workload = docker.workloads.get(key);
    if (workload !== undefined) workload.shows = { compute: { ...running, health: 'unhealthy' } };
    await fixture.patch('acme', { spec: { volumes: [] } });
    expect((await fixture.get('acme')).status).toMatchObject({
      observedGeneration: 2,
      phase: 'Failed',
      compute: { health: 'unhealthy' },
    });
  });

  test('is told whole where even what runs can not be seen', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', image('a'));
    docker.failures.set('getStatus', unreachable);
    await fixture.patch('acme', { spec: { volumes: [] } });
    expect(await fixture.conditions('acme')).toEqual(['Ready=False/InvalidSpec', 'Stalled=True/InvalidSpec']);
  });

  test.each(['desire', 'validate'] as const)(
    'by %s creates nothing and writes no place',
    async (operation) => {
      const docker = scriptedProvider('docker');
      docker.failures.set(operation, new ComputeError('PolicyDenied', 'policy.docker: no'));
      const fixture = await startController([docker]);
      await fixture.create('acme', image('a'));
      expect(await fixture.conditions('acme')).toEqual([
        'Ready=False/PolicyDenied',
        'Stalled=True/PolicyDenied',
      ]);
      expect(changesIn(docker.calls)).toEqual([]);
      expect((await fixture.get('acme')).status).not.toHaveProperty('placement');
    },
  );

  test('is taken at once when it is mended', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', { volumes: [] });
    await fixture.patch('acme', { spec: { volumes: null, ...image('a') } });
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
  });
});

describe('a failure', () => {
  test('backs off, says so once, and is over once it works', async () => {
    const docker = scriptedProvider('docker');
    docker.failures.set('provision', new ComputeError('ProvisionFailed', 'no space left'));
    const fixture = await startController([docker]);
    await fixture.create('acme', image('a'));
    expect(await fixture.conditions('acme')).toEqual([
      'Ready=False/ProvisionFailed',
      'Reconciling=True/ProvisionFailed',
    ]);
    const tries = (): number => changesIn(docker.calls).length;
    const first = tries();
    for (const waitMs of [500, 1000, 2000, 4000]) {
      const before = tries();
      await fixture.pass(waitMs - 1);
      expect(tries()).toBe(before);
      await fixture.pass(1);
      expect(tries()).toBe(before + 1);
    }
    expect(first).toBe(1);
    expect(fixture.news()).toEqual(['Warning ProvisionFailed']);
    expect((await fixture.get('acme')).status?.retry).toEqual({ since: '2026-01-01T00:00:00Z' });
    docker.failures.clear();
    await fixture.pass(8000);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    expect((await fixture.get('acme')).status).not.toHaveProperty('retry');
  });

  test('that is a defect of ours is logged, and tried again', async () => {
    const docker = scriptedProvider('docker');
    docker.failures.set('getStatus', new TypeError('x is not a function'));
    const fixture = await startController([docker]);
    await fixture.create('acme', image('a'));
    expect(fixture.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    docker.failures.clear();
    await fixture.pass(500);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
  });

  test('of one tenant delays no other', async () => {
    const [docker, ecs] = [scriptedProvider('docker'), scriptedProvider('ecs')];
    docker.failures.set('validate', unreachable);
    const fixture = await startController([docker, ecs], { concurrency: 1 });
    for (const name of ['one', 'two', 'three']) await fixture.create(name, { computeProvider: 'docker' });
    await fixture.create('four', { computeProvider: 'ecs' });
    expect(await fixture.conditions('four')).toEqual(['Ready=True/Running']);
  });
});

describe('an engine that can not be reached', () => {
  async function away() {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', image('a'));
    fixture.news();
    fixture.writes();
    docker.failures.set('getStatus', unreachable);
    docker.hint();
    await fixture.pass();
    return { docker, fixture };
  }

  test('for less than 60 s is no news', async () => {
    const { docker, fixture } = await away();
    await fixture.pass(59_000);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    docker.failures.clear();
    await fixture.pass(60_000);
    expect(fixture.writes()).toEqual([]);
    expect(fixture.news()).toEqual([]);
  });

  test('for 60 s makes a Ready tenant Unknown, whatever the back-off has come to', async () => {
    const { fixture } = await away();
    await fixture.pass(60_000);
    expect(await fixture.conditions('acme')).toEqual([
      'Ready=Unknown/ProviderUnavailable',
      'Reconciling=True/ProviderUnavailable',
    ]);
    expect((await fixture.get('acme')).status?.compute).toMatchObject({
      state: 'unknown',
      health: 'unknown',
    });
    expect(fixture.news()).toEqual(['Warning ProviderUnavailable']);
  });

  test('is asked again with back-off, and at once after a hint', async () => {
    const { docker, fixture } = await away();
    const looks = (): number => docker.calls.filter(({ operation }) => operation === 'getStatus').length;
    const before = looks();
    await fixture.pass(499);
    expect(looks()).toBe(before);
    await fixture.pass(1);
    expect(looks()).toBe(before + 1);
    docker.hint('team-a-acme');
    await fixture.pass();
    expect(looks()).toBe(before + 2);
  });

  test('makes a tenant that never was Ready False at once', async () => {
    const docker = scriptedProvider('docker');
    docker.failures.set('getStatus', unreachable);
    const fixture = await startController([docker]);
    await fixture.create('acme', image('a'));
    expect(await fixture.conditions('acme')).toEqual([
      'Ready=False/ProviderUnavailable',
      'Reconciling=True/ProviderUnavailable',
    ]);
  });

  test('gives the next outage its own 60 s', async () => {
    const { docker, fixture } = await away();
    await fixture.pass(40_000);
    docker.failures.clear();
    docker.hint();
    await fixture.pass();
    docker.failures.set('getStatus', unreachable);
    docker.hint();
    await fixture.pass(40_000);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
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
    expect((await fixture.get('acme')).status).toMatchObject({ phase: 'Suspended' });
    const workload = docker.workloads.get(key);
    if (workload !== undefined) workload.shows = { compute: { ...running, state: 'failed' } };
    docker.hint('team-a-acme');
    await fixture.pass();
    expect((await fixture.get('acme')).status?.compute?.state).toBe('failed');
    expect(changesIn(docker.calls)).toEqual([]);
  });

  test('of one that has nothing yet makes nothing and asks nobody', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', { ...image('a'), suspend: true });
    expect(await fixture.conditions('acme')).toEqual(['Ready=Unknown/Suspended']);
    expect(docker.calls).toEqual([]);
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
    expect(changesIn(ecs.calls)).toEqual(['provision team-a-acme@ecs']);
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
    await fixture.create('acme', { volumes: [] }, { finalizers: ['other.example/finalizer'] });
    fixture.writes();
    await fixture.tenants.delete('acme', 'team-a');
    await fixture.pass();
    expect(docker.calls).toEqual([]);
    expect(fixture.writes()).toEqual([]);
  });

  test('of a spec that is refused by now runs all the same', async () => {
    const { docker, fixture, remove, isGone } = await withTenant();
    await fixture.patch('acme', { spec: { volumes: [] } });
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
      'tenant id "shared" belongs to Tenant team-a/first, which is older; delete one of the two, or set spec.tenantId on a new one',
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
    await fixture.create('thief', { tenantId: 'team-a-acme', ...image('b') });
    expect((await fixture.conditions('thief'))[0]).toBe('Ready=False/ProviderConflict');
    expect((await fixture.conditions('acme'))[0]).toBe('Ready=True/Running');
  });
});

describe('Secrets', () => {
  const spec = {
    containers: [
      {
        name: 'app',
        image: 'a',
        env: [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }],
      },
    ],
  };

  test('that come later start the tenant that waits for them, at once', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', spec);
    expect(await fixture.conditions('acme')).toEqual([
      'Ready=False/SecretNotFound',
      'Reconciling=True/SecretNotFound',
    ]);
    await fixture.putSecret('db', { password: 'one' });
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    expect(docker.workloads.get(key)?.specHash).toContain('PASSWORD:one');
  });

  test('that change roll their readers, and nobody else', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.putSecret('db', { password: 'one' });
    await fixture.putSecret('unread', { password: 'one' });
    await fixture.create('acme', spec);
    await fixture.create('other', image('a'));
    fixture.passes.length = 0;
    await fixture.putSecret('unread', { password: 'two' });
    expect(fixture.passes).toEqual([]);
    await fixture.putSecret('db', { password: 'two' });
    expect(new Set(fixture.passes)).toEqual(new Set(['team-a/acme']));
    expect(docker.workloads.get(key)?.specHash).toContain('PASSWORD:two');
  });

  test('are watched by their metadata alone, and only once a tenant reads one', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('other', image('a'));
    const watches = () =>
      fixture.apiserver.requests.filter(
        ({ method, path }) => method === 'WATCH' && path.endsWith('/secrets'),
      );
    expect(watches()).toEqual([]);
    await fixture.putSecret('db', { password: 'one' });
    await fixture.create('acme', spec);
    expect(watches().map(({ accept }) => accept)).toEqual([
      'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
    ]);
  });

  test('that can not be watched are AccessDenied after 10 s, and say what to grant', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.putSecret('db', { password: 'one' });
    fixture.apiserver.intercept = ({ method, path }) => {
      if (method === 'WATCH' && path.endsWith('/secrets'))
        throw new KubeApiError('secrets', 403, { reason: 'Forbidden' });
    };
    await fixture.create('acme', spec);
    await fixture.pass(9_999);
    expect(await fixture.conditions('acme')).toEqual([]);
    await fixture.pass(1);
    expect(await fixture.conditions('acme')).toEqual([
      'Ready=False/AccessDenied',
      'Reconciling=True/AccessDenied',
    ]);
    expect(await fixture.message('acme')).toContain('needs get, list and watch on secrets');
    expect(docker.calls).toEqual([]);
  });
});

describe('the controller', () => {
  test('watches the namespaces and labels it was told to, and no others', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker], { namespaces: ['team-a'], tenantSelector: 'tier=gold' });
    await fixture.create('acme', image('a'), { labels: { tier: 'gold' } });
    await fixture.create('other', image('a'), { labels: { tier: 'tin' } });
    const watches = fixture.apiserver.requests.filter(({ method }) => method === 'WATCH');
    expect(watches.map(({ path, query }) => [path, query['labelSelector']])).toEqual([
      ['/apis/landlord.dev/v1alpha1/namespaces/team-a/tenants', 'tier=gold'],
    ]);
    expect([...docker.workloads.keys()]).toEqual([key]);
  });

  test('starts afresh a moment after a conflict, without an error in the log', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    let conflicts = 1;
    fixture.apiserver.intercept = ({ user, method }) => {
      if (user !== 'operator' || method !== 'PATCH' || conflicts === 0) return;
      conflicts -= 1;
      throw new KubeApiError('tenants acme', 409, { reason: 'Conflict' });
    };
    await fixture.create('acme', image('a'));
    expect(await fixture.conditions('acme')).toEqual([]);
    await fixture.pass(249);
    expect(changesIn(docker.calls)).toEqual([]);
    await fixture.pass(1);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    expect(fixture.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('logs a write that fails otherwise, and tries again', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    fixture.apiserver.intercept = ({ user, method }) => {
      if (user === 'operator' && method === 'PATCH') throw new KubeApiError('tenants acme', 403, {});
    };
    await fixture.create('acme', image('a'));
    expect(
      fixture.lines.some(({ level, message }) => level === 'error' && message === 'processing failed'),
    ).toBe(true);
    fixture.apiserver.intercept = () => undefined;
    await fixture.pass(500);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
  });

  test('keeps half of each Tenant out of its memory', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{}', note: 'kept' };
    await fixture.create('acme', image('a'), { annotations, managedFields: [{}] } as object);
    const cached = fixture.controller.tenants.get('team-a', 'acme');
    expect(cached?.metadata.annotations).toEqual({ note: 'kept' });
    expect(cached?.metadata).not.toHaveProperty('managedFields');
    expect(cached?.spec).toEqual(image('a'));
  });

  test('looks again where somebody else wrote the status', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', image('a'));
    await fixture.tenants.mergePatch(
      'acme',
      'team-a',
      { status: { phase: 'Failed' } },
      { subresource: 'status' },
    );
    await fixture.pass();
    expect((await fixture.get('acme')).status?.phase).toBe('Ready');
  });

  test('lets a running pass end when it stops, and begins no other', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    const held = Promise.withResolvers<void>();
    fixture.apiserver.intercept = async ({ user, method }) => {
      if (user === 'operator' && method === 'PATCH') await held.promise;
    };
    await fixture.create('acme', image('a'));
    const stopped = fixture.stop();
    await fixture.tenants.create({ metadata: { name: 'late', namespace: 'team-a' }, spec: image('a') });
    held.resolve();
    await stopped;
    expect([...docker.workloads.keys()]).toEqual([key]);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
  });

  test('that is stopped before it knows the Tenants does nothing', async () => {
    const docker = scriptedProvider('docker');
    const first = await startController([docker]);
    first.apiserver.intercept = ({ method }) => {
      if (method === 'WATCH') throw new KubeApiError('tenants', 403, {});
    };
    const second = await startController([docker], { apiserver: first.apiserver });
    expect(second.controller.tenants.hasSynced()).toBe(false);
    await second.stop();
    expect(docker.calls).toEqual([]);
  });
});
