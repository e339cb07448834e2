import { describe, expect, test } from 'vitest';
import { reconcileRequestedAt } from '../../src/api/names.ts';
import { ComputeError } from '../../src/compute/errors.ts';
import type { ErrorCode } from '../../src/compute/errors.ts';
import { startController } from './controller-fixture.ts';
import { scriptedProvider } from './scripted-provider.ts';
import { image, key, running } from './tenant-fixture.ts';

const gone = { path: 'state', desired: 'running', actual: 'exited', cause: 'drift', effect: 'live' } as const;

describe('"Provisioned"', () => {
  test.each<ErrorCode>(['UpdateFailed', 'Throttled', 'AccessDenied', 'ImageUnavailable', 'ProvisionFailed'])(
    'is not told of one that recovers from %s',
    async (code) => {
      const docker = scriptedProvider('docker');
      const fixture = await startController([docker]);
      await fixture.create('acme', image('a'));
      expect(fixture.news()).toEqual(['Normal Provisioned']);
      docker.failures.set('update', new ComputeError(code, 'no'));
      docker.workloads.get(key)?.drift.push(gone);
      docker.hint('team-a-acme-9201d5e7');
      await fixture.pass();
      expect(fixture.news()).toEqual([`Warning ${code}`]);
      docker.failures.clear();
      await fixture.pass(60_000);
      expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
      expect(fixture.news()).not.toContain('Normal Provisioned');
    },
  );

  test('is not told of one that recovers from a refused spec', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('acme', image('a'));
    await fixture.patch('acme', { spec: { nonsense: [] } });
    await fixture.patch('acme', { spec: { nonsense: null } });
    expect(fixture.news()).toEqual(['Normal Provisioned', 'Warning InvalidSpec', 'Normal Updated']);
  });

  test('is told once, however long the first start takes and fails', async () => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    docker.failures.set('provision', new ComputeError('ImageUnavailable', 'no'));
    await fixture.create('acme', image('a'));
    docker.failures.clear();
    docker.showsAfterStep = { compute: { ...running, health: 'unhealthy' } };
    await fixture.pass(1000);
    const workload = docker.workloads.get(key);
    if (workload !== undefined) workload.shows = {};
    docker.hint('team-a-acme-9201d5e7');
    await fixture.pass();
    expect(fixture.news()).toEqual(['Warning ImageUnavailable', 'Warning Unhealthy', 'Normal Provisioned']);
  });

  test('is not told again after a restart of the operator', async () => {
    const docker = scriptedProvider('docker');
    const first = await startController([docker]);
    await first.create('acme', image('a'));
    docker.failures.set('update', new ComputeError('UpdateFailed', 'no'));
    await first.patch('acme', { spec: image('b') });
    await first.stop();
    docker.failures.clear();
    const second = await startController([docker], { apiserver: first.apiserver });
    await second.pass(1000);
    expect(second.news()).toEqual(['Normal Updated']);
  });
});

describe('a requested reconcile', () => {
  const request = { metadata: { annotations: { [reconcileRequestedAt]: 'noon' } } };

  test.each<[what: string, spec: Record<string, unknown>, reason: string]>([
    ['that is invalid', { nonsense: [] }, 'InvalidSpec'],
    ['that is suspended', { suspend: true }, 'Suspended'],
    ['of an unknown provider', { computeProvider: 'nobody' }, 'ProviderNotFound'],
    ['of a Secret that is not there', { imagePullSecrets: [{ name: 'none' }] }, 'SecretNotFound'],
    ['whose id is another’s', { tenantId: 'team-a-elder-bbbd296f' }, 'ProviderConflict'],
  ])('of a spec %s is echoed', async (_what, spec, reason) => {
    const docker = scriptedProvider('docker');
    const fixture = await startController([docker]);
    await fixture.create('elder', image('a'));
    await fixture.pass(1000);
    await fixture.create('acme', { ...image('a'), ...spec });
    await fixture.patch('acme', request);
    expect((await fixture.conditions('acme'))[0]).toContain(reason);
    expect((await fixture.get('acme')).status?.lastHandledReconcileAt).toBe('noon');
  });

  test.each<ErrorCode>(['ProvisionFailed', 'ImageUnavailable', 'ProviderConflict', 'PolicyDenied'])(
    'that ends in %s is echoed',
    async (code) => {
      const docker = scriptedProvider('docker');
      const fixture = await startController([docker]);
      docker.failures.set('provision', new ComputeError(code, 'no'));
      await fixture.create('acme', image('a'));
      await fixture.patch('acme', request);
      expect((await fixture.get('acme')).status?.lastHandledReconcileAt).toBe('noon');
    },
  );
});
