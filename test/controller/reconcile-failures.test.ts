import { describe, expect, test } from 'vitest';
import { reconcileRequestedAt } from '../../src/api/names.ts';
import { ComputeError } from '../../src/compute/errors.ts';
import { KubeApiError } from '../../src/kube/client/kube-api-error.ts';
import { startController } from './controller-fixture.ts';
import { changesIn, scriptedProvider } from './scripted-provider.ts';
import { image, key, running } from './tenant-fixture.ts';

const unreachable = new ComputeError('ProviderUnavailable', 'the engine does not answer');

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

  test('is not tried again where the write that tells it is refused, nor where somebody overwrites it', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', image('good'));
    let conflicts = 1;
    fixture.apiserver.intercept = ({ user, method, path }) => {
      if (user !== 'operator' || method !== 'PATCH' || !path.endsWith('/status') || conflicts === 0) return;
      conflicts -= 1;
      throw new KubeApiError('tenants acme', 409, { reason: 'Conflict' });
    };
    docker.steps.push({ outcome: 'rolled_back', reason: 'RolledBack', message: 'exited with code 1' });
    await fixture.patch('acme', { spec: image('bad') });
    expect(conflicts).toBe(0);
    await fixture.pass(1_000);
    const rejected = { specHash: 'image=bad', reason: 'RolledBack', message: 'exited with code 1' };
    expect((await fixture.get('acme')).status).toMatchObject({ rejected });
    const others = { rejected: { ...rejected, specHash: 'image=bad,default=theirs' } };
    await fixture.tenants.mergePatch('acme', 'team-a', { status: others }, { subresource: 'status' });
    await fixture.pass(1_000);
    expect((await fixture.get('acme')).status).toMatchObject({ rejected });
    expect(changesIn(docker.calls)).toEqual([`provision ${key}`, `update ${key}`]);
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
    await fixture.create('acme', { nonsense: [] });
    expect(await fixture.conditions('acme')).toEqual(['Ready=False/InvalidSpec', 'Stalled=True/InvalidSpec']);
    expect(fixture.news()).toEqual(['Warning InvalidSpec']);
    expect((await fixture.get('acme')).metadata.finalizers ?? []).toEqual([]);
    const passes = fixture.passes.length;
    await fixture.pass(299_999);
    expect(fixture.passes.length - passes).toBe(0);
    await fixture.pass(1);
    expect(fixture.passes.length - passes).toBe(1);
    expect(fixture.news()).toEqual([]);
    expect(docker.calls).toEqual([{ operation: 'list', what: 'docker' }]);
  });

  test('still shows what runs', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', image('a'));
    const workload = docker.workloads.get(key);
    if (workload !== undefined) workload.shows = { compute: { ...running, health: 'unhealthy' } };
    await fixture.patch('acme', { spec: { nonsense: [] } });
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
    await fixture.patch('acme', { spec: { nonsense: [] } });
    expect(await fixture.conditions('acme')).toEqual(['Ready=False/InvalidSpec', 'Stalled=True/InvalidSpec']);
  });

  test.each(['desired', 'validate'] as const)(
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
    await fixture.create('acme', { nonsense: [] });
    await fixture.patch('acme', { spec: { nonsense: null, ...image('a') } });
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
    docker.hint('team-a-acme-9201d5e7');
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
