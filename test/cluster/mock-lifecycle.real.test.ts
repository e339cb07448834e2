import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findCondition } from '../../src/api/conditions.ts';
import { finalizer, providerKeys, reconcileRequestedAt } from '../../src/api/names.ts';
import { startTestOperator } from './test-operator.ts';
import type { TestOperator } from './test-operator.ts';
import { createTestNamespace } from './test-namespace.ts';
import type { TestNamespace } from './test-namespace.ts';
import { until } from '../until.ts';

const mock = (block: Record<string, unknown>) => ({
  computeProvider: 'mock',
  computeConfig: { mock: block },
});

describe('a Tenant on the mock provider', () => {
  let ns: TestNamespace;
  let operator: TestOperator;

  const restart = async (): Promise<void> => {
    await operator.stop();
    operator = startTestOperator({ namespaces: [ns.name], compute: { mock: {} } });
  };
  const writesTo = async (name: string) =>
    (await ns.writes()).filter(({ objectRef }) => objectRef?.name === name);

  /** A write is in the audit log a moment after its effect can be seen. */
  const expectWrites = async (name: string, count: number): Promise<void> => {
    await until(`${count} writes to ${name}`, async () => (await writesTo(name)).length >= count);
    expect(await writesTo(name)).toHaveLength(count);
  };

  beforeAll(async () => {
    ns = await createTestNamespace('mock');
    operator = startTestOperator({ namespaces: [ns.name], compute: { mock: {} } });
  });
  afterAll(async () => {
    await operator?.stop();
    await ns?.remove();
  });

  test.concurrent('is Ready only once it runs and is healthy', async () => {
    await ns.create('slow', mock({ ready_after_ms: 3000 }));
    const before = await ns.untilReason('slow', 'Provisioning');
    expect(findCondition(before.status?.conditions, 'Reconciling')?.status).toBe('True');
    expect(before.metadata.finalizers).toEqual([finalizer]);
    await ns.untilReady('slow');
    await ns.create('ill', mock({ health: 'unhealthy' }));
    const ill = await ns.untilReason('ill', 'Unhealthy');
    expect(ill.status?.compute).toMatchObject({ state: 'running', health: 'unhealthy', replicas: '1/1' });
    expect(ill.status?.phase).toBe('Degraded');
  });

  test.concurrent('that fails says why, tries on after ever longer pauses, and delays nobody', async () => {
    await ns.putSecret('tries', { at: 'it' });
    const containers = [ns.reading('tries', 'at')];
    await ns.create('failing', {
      ...mock({ fail_on: ['provision'], fail_code: 'ProvisionFailed' }),
      containers,
    });
    const failing = await ns.untilReason('failing', 'ProvisionFailed');
    expect(failing.status?.retry?.since).toBeDefined();
    expect(failing.status?.observedGeneration).toBe(failing.metadata.generation);
    expect(findCondition(failing.status?.conditions, 'Reconciling')?.reason).toBe('ProvisionFailed');
    await expectWrites('failing', 2);
    await ns.create('beside', mock({}));
    await ns.untilReady('beside');
    const tries = await ns.untilPasses('tries', 4);
    const pauses = tries.slice(1).map((at, index) => at - (tries[index] ?? 0));
    // Each is between half and the whole of 2^n seconds; the watch of Secrets may cut the first one short.
    expect(pauses[1]).toBeGreaterThanOrEqual(990);
    expect(pauses[2]).toBeGreaterThanOrEqual(1990);
    await expectWrites('failing', 2);
    await ns.patch('failing', { spec: { computeConfig: { mock: { fail_on: null } } } });
    const mended = await ns.untilReady('failing');
    expect(mended.status?.retry).toBeUndefined();
  });

  test.concurrent('that fails a few times becomes Ready by itself', async () => {
    await ns.create('flaky', mock({ fail_on: ['provision'], fail_times: 2 }));
    await ns.untilReady('flaky');
  });

  test.concurrent(
    'with two claimants of one id belongs to the older; the younger gets it when that is gone',
    async () => {
      await ns.create('elder', { ...mock({}), tenantId: `${ns.name}-shared` });
      await ns.untilReady('elder');
      await ns.create('younger', { ...mock({}), tenantId: `${ns.name}-shared` });
      const younger = await ns.untilReason('younger', 'ProviderConflict');
      expect(findCondition(younger.status?.conditions, 'Stalled')?.message).toContain('Tenant elder');
      await ns.delete('elder');
      await ns.untilReady('younger');
    },
  );

  test.concurrent('that is suspended is left alone and still deleted', async () => {
    await ns.create('sleeper', mock({ a: 1 }));
    await ns.untilReady('sleeper');
    await ns.patch('sleeper', { spec: { suspend: true, computeConfig: { mock: { a: 2 } } } });
    const suspended = await ns.untilReason('sleeper', 'Suspended');
    expect(findCondition(suspended.status?.conditions, 'Ready')?.status).toBe('True');
    expect(suspended.status?.observedGeneration).toBe(suspended.metadata.generation);
    await ns.patch('sleeper', { spec: { suspend: false } });
    await ns.untilReady('sleeper');
    await ns.create('never-ran', { ...mock({}), suspend: true });
    const never = await ns.untilReason('never-ran', 'Suspended');
    expect(findCondition(never.status?.conditions, 'Ready')?.status).toBe('Unknown');
    await ns.delete('never-ran');
    await ns.untilGone('never-ran');
  });

  test.concurrent('that was rolled back is tried again when it or the annotation changes', async () => {
    await ns.create('rolled', mock({ a: 1 }));
    await ns.untilReady('rolled');
    await ns.patch('rolled', { spec: { computeConfig: { mock: { roll_back: true } } } });
    const rolled = await ns.untilReason('rolled', 'RolledBack');
    expect(findCondition(rolled.status?.conditions, 'Stalled')?.status).toBe('True');
    expect(rolled.status?.rejected).toMatchObject({ reason: 'RolledBack' });
    await ns.patch('rolled', { metadata: { annotations: { [reconcileRequestedAt]: 'now' } } });
    await ns.until('rolled', 'tried again', ({ status }) => status?.rejected?.reconcileRequestedAt === 'now');
    await ns.patch('rolled', { spec: { computeConfig: { mock: { roll_back: false } } } });
    const mended = await ns.untilReady('rolled');
    expect(mended.status?.rejected).toBeUndefined();
  });

  test.concurrent('that is refused says what would mend it, and is mended by that', async () => {
    await ns.create('unknown-provider', { computeProvider: 'nomad' });
    const refused = await ns.untilReason('unknown-provider', 'ProviderNotFound');
    expect(findCondition(refused.status?.conditions, 'Ready')?.message).toContain('enabled: mock');
    expect(refused.status?.phase).toBe('Failed');
    await ns.patch('unknown-provider', { spec: { computeProvider: 'mock' } });
    await ns.untilReady('unknown-provider');
  });

  test.concurrent('reads its Secrets, and waits for missing ones', async () => {
    const container = {
      name: 'app',
      image: 'app:1',
      env: [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }],
    };
    await ns.create('reader', { ...mock({}), containers: [container] });
    const waiting = await ns.untilReason('reader', 'SecretNotFound');
    expect(findCondition(waiting.status?.conditions, 'Ready')?.message).toContain('Secret db does not exist');
    await ns.putSecret('db', { other: 'x' });
    await ns.until('reader', 'told of the missing key', ({ status }) =>
      (findCondition(status?.conditions, 'Ready')?.message ?? '').includes('has no key password'),
    );
    await ns.putSecret('db', { password: 'one' });
    await ns.untilReady('reader');
  });

  test.concurrent.each(providerKeys)(
    'is chosen by the label and the annotation %s, and follows an edit of it alone',
    async (key) => {
      const name = `by-${key.replaceAll(/[^a-z]/g, '-')}`;
      await ns.create(name, {}, { labels: { [key]: 'nomad' }, annotations: { [key]: 'mock' } });
      const refused = await ns.untilReason(name, 'ProviderNotFound');
      expect(findCondition(refused.status?.conditions, 'Ready')?.message).toContain(`label ${key}`);
      await ns.patch(name, { metadata: { labels: { [key]: null } } });
      const ready = await ns.untilReady(name);
      expect(ready.metadata.generation).toBe(refused.metadata.generation);
    },
  );

  test.concurrent('raises Events on failures, once', async () => {
    await ns.create(
      'eventful',
      mock({ fail_on: ['provision'], fail_code: 'ProvisionFailed', fail_times: 3 }),
    );
    await ns.untilReady('eventful');
    // Events are sent in their order: when a later one is there, so are all before it.
    await ns.create('told-later', mock({ fail_on: ['provision'], fail_code: 'ProvisionFailed' }));
    await ns.untilEvent('told-later', 'ProvisionFailed');
    expect(await ns.events('eventful')).toMatchObject([{ reason: 'ProvisionFailed', type: 'Warning' }]);
    expect((await ns.events('eventful'))[0]?.series).toBeUndefined();
  });

  // From here on the operator is started anew, so one after the other.

  test('costs two writes to create, one to change, one to delete, none when idle or after a restart', async () => {
    await ns.putSecret('frugal', { at: 'it' });
    const containers = [ns.reading('frugal', 'at')];
    await ns.create('frugal', { ...mock({ a: 1 }), containers });
    await ns.untilReady('frugal');
    await expectWrites('frugal', 2);
    await ns.patch('frugal', { spec: { computeConfig: { mock: { a: 2 } } } });
    await ns.untilReady('frugal');
    await expectWrites('frugal', 3);
    await ns.wholePass('frugal');
    await restart();
    await ns.wholePass('frugal');
    await expectWrites('frugal', 3);
    await ns.delete('frugal');
    await ns.untilGone('frugal');
    await expectWrites('frugal', 4);
  });

  test('whose provider is disabled waits with its deletion and says what would end it', async () => {
    await ns.create('stranded', mock({}));
    await ns.untilReady('stranded');
    await operator.stop();
    const ecs = {
      cluster_arn: 'arn:aws:ecs:us-west-2:123456789012:cluster/landlord',
      task_definition_arn: 'arn:aws:ecs:us-west-2:123456789012:task-definition/tenant-app:12',
      service_name_prefix: 'landlord-tenant-',
    };
    operator = startTestOperator({ namespaces: [ns.name], compute: { ecs } });
    await ns.delete('stranded');
    // Before the deletion, too, it may have been told that nobody has its provider.
    const stranded = await ns.until('stranded', 'Deleting', ({ status }) => status?.phase === 'Deleting');
    const ready = findCondition(stranded.status?.conditions, 'Ready');
    expect(ready?.reason).toBe('ProviderNotFound');
    expect(ready?.message).toMatch(/compute\.mock.*Retain/);
    await ns.patch('stranded', { spec: { deletionPolicy: 'Retain' } });
    await ns.untilGone('stranded');
    await restart();
  });
});
