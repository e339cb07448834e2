import { describe, expect, test } from 'vitest';
import { finalizer } from '../../src/api/names.ts';
import { tenantStatus } from '../../src/api/status.ts';
import type { TenantStatus } from '../../src/api/status.ts';
import { keptStatus } from '../../src/controller/status/kept-status.ts';
import { startController } from './controller-fixture.ts';
import { scriptedProvider } from './scripted-provider.ts';
import { image, key, statusOf } from './tenant-fixture.ts';

const faults: [what: string, status: Record<string, unknown>][] = [
  ['a placement without a provider', { placement: { provider: null, place: 'here' } }],
  ['an old place without a provider', { previousPlacements: [{ place: 'here' }] }],
  ['a compute block of another shape', { compute: { state: 'humming', running: 'one' } }],
  ['conditions that are none', { conditions: [{ type: 'Happy', status: 'Yes' }] }],
  ['a text in place of a list', { previousPlacements: 'docker', drift: 'none', conditions: 'Ready' }],
  ['a rejection without its hash', { rejected: { reason: 'RolledBack' } }],
  ['a number in place of a text', { lastHandledReconcileAt: 7, tenantId: 7, computeProvider: 7, phase: 7 }],
  ['a text in place of its generation', { observedGeneration: 'two' }],
  ['a key that nobody knows', { mood: 'good' }],
];

/** A Ready tenant into whose status this was written while nobody checked it. */
async function withStored(status: Record<string, unknown>, spec: Record<string, unknown> = {}) {
  const docker = scriptedProvider('docker');
  const first = await startController([docker]);
  await first.create('acme', { ...image('a'), ...spec });
  await first.stop();
  await first.tenants.mergePatch('acme', 'team-a', { status }, { subresource: 'status' });
  first.apiserver.checksStatus = true;
  const fixture = await startController([docker], { apiserver: first.apiserver });
  await fixture.pass(1000);
  return { docker, fixture };
}

describe.each(faults)('a stored status with %s', (_what, status) => {
  test('is mended, and the tenant goes on', async () => {
    const { docker, fixture } = await withStored(status);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    expect(tenantStatus.safeParse((await fixture.get('acme')).status).success).toBe(true);
    await fixture.patch('acme', { spec: image('b') });
    expect(docker.workloads.get(key)?.specHash).toBe('image=b');
  });

  test('does not hold up deletion', async () => {
    const { fixture } = await withStored(status);
    await fixture.tenants.delete('acme', 'team-a');
    await fixture.pass(1000);
    expect(await fixture.tenants.get('acme', 'team-a')).toBeUndefined();
  });

  test('does not hold up a deletion that it was there before', async () => {
    const docker = scriptedProvider('docker');
    const first = await startController([docker]);
    await first.create('acme', { ...image('a'), deletionPolicy: 'Retain' });
    await first.stop();
    await first.tenants.mergePatch('acme', 'team-a', { status }, { subresource: 'status' });
    await first.tenants.delete('acme', 'team-a');
    first.apiserver.checksStatus = true;
    const fixture = await startController([docker], { apiserver: first.apiserver });
    await fixture.pass(1000);
    expect(await fixture.tenants.get('acme', 'team-a')).toBeUndefined();
  });
});

test.each(faults)(
  'a stored status that a hand gives %s is mended by the operator that is at work',
  async (_what, status) => {
    const { fixture } = await withStored({});
    const { placement } = (await fixture.get('acme')).status as TenantStatus;
    fixture.apiserver.checksStatus = false;
    await fixture.tenants.mergePatch('acme', 'team-a', { status }, { subresource: 'status' });
    await fixture.pass(1000);
    const mended = (await fixture.get('acme')).status as TenantStatus;
    expect(tenantStatus.safeParse(mended).success).toBe(true);
    expect(mended.placement).toEqual(placement);
  },
);

test('of a status that somebody wiped, nothing is said anew before a look that was made for it', async () => {
  const { docker, fixture } = await withStored({});
  const { calls } = docker;
  calls.length = 0;
  const { status: wiped } = (await fixture.get('acme')) as { status: TenantStatus };
  const nothing = Object.fromEntries(Object.keys(wiped).map((name) => [name, null]));
  await fixture.tenants.mergePatch('acme', 'team-a', { status: nothing }, { subresource: 'status' });
  await fixture.pass(1000);
  expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
  const looks = calls.filter(({ operation }) => operation === 'getStatus').map(({ what }) => what);
  expect(looks[0]).toBe(`${key} fresh`);
});

test('a stored status that is wrong does not keep the finalizer from a Tenant', async () => {
  const docker = scriptedProvider('docker');
  const first = await startController([docker]);
  await first.create('acme', { ...image('a'), suspend: true });
  await first.stop();
  const user = first.tenants;
  await user.mergePatch('acme', 'team-a', { status: { placement: {} } }, { subresource: 'status' });
  await user.mergePatch('acme', 'team-a', { spec: { suspend: false } });
  first.apiserver.checksStatus = true;
  const fixture = await startController([docker], { apiserver: first.apiserver });
  await fixture.pass(1000);
  expect((await fixture.get('acme')).metadata.finalizers).toEqual([finalizer]);
  expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
});

describe('what is kept of a stored status', () => {
  const good = statusOf('True', 'Running', { previousPlacements: [{ provider: 'ecs' }] });

  test('is all of it where it is right', () => {
    expect(keptStatus(good)).toBe(good);
  });

  test('is what is right beside what is wrong, in a list, too', () => {
    const stored = {
      ...good,
      compute: { state: 'humming' },
      previousPlacements: [{ provider: 'ecs' }, { place: 'nowhere' }],
      mood: 'good',
    } as unknown as TenantStatus;
    const { compute: _compute, ...rest } = good;
    expect(keptStatus(stored)).toEqual(rest);
  });
});
