import { describe, expect, test } from 'vitest';
import type { TenantStatus } from '../../src/api/status.ts';
import type { OwnedResource } from '../../src/compute/provider.ts';
import { defaultTenantId } from '../../src/compute/spec/tenant-id.ts';
import { startController } from '../controller/controller-fixture.ts';
import type { ControllerFixture, FixtureOptions } from '../controller/controller-fixture.ts';
import { scriptedProvider } from '../controller/scripted-provider.ts';
import { image, statusOf } from '../controller/tenant-fixture.ts';

/** Nobody takes the id, and with it the names on the engine, of another namespace's Tenant; nobody loses theirs. */

async function begin(options: FixtureOptions = {}) {
  const docker = scriptedProvider('docker');
  const fixture = await startController([docker], { freeTenantIds: () => false, ...options });
  return { docker, fixture };
}

const kind = { apiVersion: 'landlord.dev/v1alpha1', kind: 'Tenant' };

async function createIn(
  fixture: ControllerFixture,
  key: string,
  spec: Record<string, unknown>,
): Promise<void> {
  const [namespace = '', name = ''] = key.split('/');
  await fixture.tenants.create({ ...kind, metadata: { name, namespace }, spec });
  await fixture.pass(1_000);
}

async function readyOf(fixture: ControllerFixture, key: string): Promise<string> {
  const [namespace, name = ''] = key.split('/');
  const { status } = (await fixture.tenants.get(name, namespace)) ?? {};
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return `${ready?.status}/${ready?.reason}: ${ready?.message}`;
}

describe('a tenantId that is refused', () => {
  test.each([
    ['of no namespace', 'payroll', 'does not begin with evil-'],
    ["of another namespace's default", defaultTenantId('team-a', 'prod'), 'does not begin with evil-'],
    ["of another namespace's own", 'team-a-prod', 'does not begin with evil-'],
    ['of a longer namespace that begins alike', 'evilprod', 'does not begin with evil-'],
    ['that could be made of names', 'evil-x-0123abcd', 'ends in 8 or 16 hex digits'],
    ['that could be made of long names', 'evil-x-0123456789abcdef', 'ends in 8 or 16 hex digits'],
  ])('is one %s', async (_what, tenantId, why) => {
    const { docker, fixture } = await begin();
    await createIn(fixture, 'evil/squat', { tenantId, ...image('a') });
    expect(await readyOf(fixture, 'evil/squat')).toContain(`False/PolicyDenied: policy.free_tenant_ids: `);
    expect(await readyOf(fixture, 'evil/squat')).toContain(why);
    expect([...docker.workloads.keys()]).toEqual([]);
  });

  test('keeps nobody from having it, though it was there first', async () => {
    const { docker, fixture } = await begin();
    await createIn(fixture, 'evil/squat', { tenantId: 'team-a-prod', ...image('evil') });
    await createIn(fixture, 'team-a/own', { tenantId: 'team-a-prod', ...image('own') });
    expect(await readyOf(fixture, 'team-a/own')).toContain('True/Running');
    expect(docker.workloads.get('team-a-prod@docker')?.specHash).toBe('image=own');
  });
});

describe('names that run together are two tenants', () => {
  test.each([
    ['team/a-prod', 'team-a/prod'],
    ['a/b.c', 'a/b-c'],
  ])('%s and %s', async (one, other) => {
    const { docker, fixture } = await begin();
    for (const key of [one, other]) await createIn(fixture, key, image(key));
    for (const key of [one, other]) expect(await readyOf(fixture, key)).toContain('True/Running');
    expect(docker.workloads.size).toBe(2);
  });

  test('also where the name of the one is chosen to be the id of the other', async () => {
    const { docker, fixture } = await begin();
    const victim = defaultTenantId('team-a', 'prod');
    await createIn(fixture, `team/${victim.slice('team-'.length)}`, image('evil'));
    await createIn(fixture, 'team-a/prod', image('own'));
    expect(await readyOf(fixture, 'team-a/prod')).toContain('True/Running');
    expect(docker.workloads.get(`${victim}@docker`)?.specHash).toBe('image=own');
  });
});

test('the policy may leave the choice to the Tenants of a namespace', async () => {
  const { fixture } = await begin({ freeTenantIds: (namespace) => namespace === 'trusted' });
  await createIn(fixture, 'trusted/a', { tenantId: 'payroll', ...image('a') });
  await createIn(fixture, 'evil/b', { tenantId: 'hr', ...image('a') });
  expect(await readyOf(fixture, 'trusted/a')).toContain('True/Running');
  expect(await readyOf(fixture, 'evil/b')).toContain('PolicyDenied');
});

describe('what has a place from before there were these rules', () => {
  const before = 'team-a-acme';
  const owned = (tenantId: string): OwnedResource => ({
    tenantId,
    namespace: 'team-a',
    name: 'acme',
    resource: `container landlord-tenant-${tenantId}`,
    isData: false,
    placement: { provider: 'docker' },
  });

  /** A Tenant, and what a version before has made for it. */
  async function madeBefore(
    spec: Record<string, unknown>,
    tenantId: string,
    status: Partial<TenantStatus> = {},
  ) {
    const old = await begin({ freeTenantIds: () => true });
    const { docker, fixture } = old;
    docker.owned = [owned(tenantId)];
    docker.workloads.set(`${tenantId}@docker`, { specHash: 'image=a', drift: [], shows: {} });
    await fixture.create('acme', { ...spec, suspend: true });
    await fixture.stop();
    fixture.apiserver.putStatusUnchecked('team-a', 'acme', {
      ...statusOf('True', 'Running', { tenantId, ...status }),
      observedGeneration: 1,
    });
    return old;
  }

  async function after({ docker, fixture }: Awaited<ReturnType<typeof begin>>) {
    const next = await startController([docker], {
      apiserver: fixture.apiserver,
      freeTenantIds: () => false,
    });
    const from = docker.calls.length;
    await next.patch('acme', { spec: { suspend: false } });
    await next.pass(10_000);
    const changes = docker.calls
      .slice(from)
      .filter(({ operation }) => ['provision', 'update', 'destroy'].includes(operation))
      .map(({ operation, what }) => `${operation} ${what}`);
    return { next, changes };
  }

  test.each([
    ['an id of its own choice', { tenantId: 'payroll' }, 'payroll'],
    ['the id that its names made', {}, before],
  ])('keeps %s', async (_what, spec, id) => {
    const { next, changes } = await after(await madeBefore({ ...spec, ...image('a') }, id));
    expect((await next.get('acme')).status).toMatchObject({ tenantId: id, phase: 'Ready' });
    expect(changes).toEqual([]);
  });

  test.each([
    ['an id of its own choice', { tenantId: 'payroll' }, 'payroll'],
    ['the id that its names made', {}, before],
  ])('keeps %s where its status was wiped', async (_what, spec, id) => {
    const old = await madeBefore({ ...spec, ...image('a') }, id);
    old.fixture.apiserver.putStatusUnchecked('team-a', 'acme', undefined);
    const { next, changes } = await after(old);
    expect((await next.get('acme')).status).toMatchObject({ tenantId: id, phase: 'Ready' });
    expect(changes.filter((change) => !change.includes(`${id}@docker`))).toEqual([]);
    expect([...old.docker.workloads.keys()]).toEqual([`${id}@docker`]);
  });

  test('is taken back by a Tenant of that name that is applied again', async () => {
    const old = await madeBefore(image('a'), before);
    await old.fixture.tenants.delete('acme', 'team-a');
    await old.fixture.tenants
      .mergePatch('acme', 'team-a', { metadata: { finalizers: [] } })
      .catch(() => undefined);
    const next = await startController([old.docker], {
      apiserver: old.fixture.apiserver,
      freeTenantIds: () => false,
    });
    await next.create('acme', image('a'));
    await next.pass(10_000);
    expect((await next.get('acme')).status).toMatchObject({ tenantId: before, phase: 'Ready' });
    expect([...old.docker.workloads.keys()]).toEqual([`${before}@docker`]);
  });

  test('is asked for once an engine, however many Tenants are new', async () => {
    const { docker, fixture } = await begin();
    for (let n = 0; n < 20; n += 1) await fixture.create(`new-${n}`, image('a'));
    await fixture.pass(5_000);
    expect(docker.workloads.size).toBe(20);
    expect(docker.calls.filter(({ operation }) => operation === 'list')).toHaveLength(1);
  });

  test('is destroyed under that id, also where the status was wiped', async () => {
    const old = await madeBefore(image('a'), before);
    old.fixture.apiserver.putStatusUnchecked('team-a', 'acme', undefined);
    const next = await startController([old.docker], {
      apiserver: old.fixture.apiserver,
      freeTenantIds: () => false,
    });
    await next.pass(10_000);
    await next.tenants.delete('acme', 'team-a');
    await next.pass(10_000);
    expect([...old.docker.workloads.keys()]).toEqual([]);
    expect(await next.tenants.get('acme', 'team-a')).toBeUndefined();
  });
});
