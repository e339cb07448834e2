import { describe, expect, test } from 'vitest';
import { finalizer } from '../../src/api/names.ts';
import { KubeApiError } from '../../src/kube/client/kube-api-error.ts';
import { namespace, startController } from './controller-fixture.ts';
import { changesIn, scriptedProvider } from './scripted-provider.ts';
import { image, key } from './tenant-fixture.ts';

const gold = { labels: { tier: 'gold' } };
const tin = { metadata: { labels: { tier: 'tin' } } };

/** A Ready Tenant of an operator that looks after those of gold. */
async function withSelected() {
  const docker = scriptedProvider('docker');
  const fixture = await startController([docker], { tenantSelector: 'tier=gold', instance: 'east' });
  await fixture.create('acme', image('a'), gold);
  fixture.writes();
  fixture.news();
  docker.calls.length = 0;
  return { docker, fixture };
}

describe('a Tenant that leaves the selector', () => {
  test('is let go with a last word: nobody knows how it fares, and who says so and why', async () => {
    const { docker, fixture } = await withSelected();
    await fixture.patch('acme', tin);
    expect(await fixture.conditions('acme')).toEqual(['Ready=Unknown/Released']);
    const message = await fixture.message('acme');
    expect(message).toContain('instance "east"');
    expect(message).toContain('"tier=gold"');
    const { status, metadata } = await fixture.get('acme');
    expect(status).toMatchObject({
      placement: { provider: 'docker' },
      compute: { state: 'unknown', health: 'unknown', running: 1 },
    });
    expect(status).not.toHaveProperty('phase');
    expect(metadata.finalizers).toEqual([finalizer]);
    expect(docker.calls).toEqual([]);
    expect(docker.workloads.size).toBe(1);
    expect(fixture.writes()).toEqual(['PATCH tenants/acme/status']);
  });

  test('is looked after no more, whatever happens to it', async () => {
    const { docker, fixture } = await withSelected();
    await fixture.patch('acme', tin);
    await fixture.patch('acme', { spec: image('b') });
    docker.hint();
    await fixture.pass(600_000);
    expect(docker.calls).toEqual([]);
    expect((await fixture.conditions('acme'))[0]).toBe('Ready=Unknown/Released');
  });

  test('is let go, though somebody annotates it in that moment, and not where another operator writes its status', async () => {
    for (const [patch, words] of [
      [{ metadata: { annotations: { note: 'x' } } }, 'Ready=Unknown/Released'],
      [{ status: { observedGeneration: 1, computeProvider: 'ecs' } }, 'Ready=True/Running'],
    ] as const) {
      const { fixture } = await withSelected();
      let isFirst = true;
      fixture.apiserver.intercept = async ({ user, method, path }) => {
        if (user === 'user' || method !== 'PATCH' || !path.endsWith('/acme/status') || !isFirst) return;
        isFirst = false;
        const options = 'status' in patch ? { subresource: 'status' as const } : {};
        await fixture.tenants.mergePatch('acme', namespace, patch, options);
      };
      await fixture.patch('acme', tin);
      expect(isFirst).toBe(false);
      expect((await fixture.conditions('acme'))[0]).toBe(words);
    }
  });

  test('is let go in the middle of a pass, too', async () => {
    const { docker, fixture } = await withSelected();
    const held = Promise.withResolvers<void>();
    docker.held.set('update', held.promise);
    await fixture.patch('acme', { spec: image('b') });
    await fixture.patch('acme', tin);
    held.resolve();
    await fixture.pass();
    expect((await fixture.conditions('acme'))[0]).toBe('Ready=Unknown/Released');
  });

  test('and is being deleted is none of our business', async () => {
    const { docker, fixture } = await withSelected();
    await fixture.tenants.mergePatch('acme', 'team-a', tin);
    await fixture.tenants.delete('acme', 'team-a');
    await fixture.pass(60_000);
    expect((await fixture.get('acme')).metadata.finalizers).toEqual([finalizer]);
    expect(docker.workloads.size).toBe(1);
    expect(docker.calls).toEqual([]);
    expect(fixture.news()).toEqual([]);
  });

  test('comes back as it was', async () => {
    const { docker, fixture } = await withSelected();
    await fixture.patch('acme', tin);
    await fixture.patch('acme', { metadata: gold });
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    expect(changesIn(docker.calls)).toEqual([]);
    expect(fixture.news()).toEqual([]);
  });

  test('is handed over to the operator whose selector takes it', async () => {
    const { docker, fixture } = await withSelected();
    const other = await startController([docker], {
      apiserver: fixture.apiserver,
      tenantSelector: 'tier=tin',
    });
    await fixture.patch('acme', { ...tin, spec: image('b') });
    await fixture.pass(10_000);
    expect(await other.conditions('acme')).toEqual(['Ready=True/Running']);
    expect(docker.workloads.get(key)?.specHash).toBe('image=b');
  });

  test('and has a status of somebody else’s by then keeps that', async () => {
    const { fixture } = await withSelected();
    fixture.apiserver.intercept = async ({ user, method, path }) => {
      if (user !== 'operator' || method !== 'GET' || !path.endsWith('/acme')) return;
      const theirs = { status: { phase: 'Updating' } };
      await fixture.tenants.mergePatch('acme', 'team-a', theirs, { subresource: 'status' });
    };
    await fixture.patch('acme', tin);
    expect((await fixture.get('acme')).status?.phase).toBe('Updating');
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
  });

  test('while the apiserver does not answer is let go once it does', async () => {
    const { fixture } = await withSelected();
    let refused = 2;
    fixture.apiserver.intercept = ({ user, method, path }) => {
      if (user !== 'operator' || method !== 'GET' || !path.endsWith('/acme') || refused === 0) return;
      refused -= 1;
      throw new KubeApiError('GET tenants/acme', 503, {});
    };
    await fixture.patch('acme', tin);
    expect((await fixture.conditions('acme'))[0]).toBe('Ready=True/Running');
    await fixture.pass(5000);
    expect((await fixture.conditions('acme'))[0]).toBe('Ready=Unknown/Released');
  });

  test('leaves nothing in the memory of the process', async () => {
    const { docker, fixture } = await withSelected();
    await fixture.patch('acme', tin);
    await fixture.tenants.mergePatch('acme', 'team-a', { metadata: { finalizers: null } });
    await fixture.tenants.delete('acme', 'team-a');
    docker.workloads.clear();
    await fixture.create('acme', image('a'), gold);
    expect(fixture.news()).toEqual(['Normal Provisioned']);
  });
});

describe('a Tenant of this selector that is really deleted', () => {
  test('is told as that, once', async () => {
    const { docker, fixture } = await withSelected();
    await fixture.tenants.delete('acme', 'team-a');
    await fixture.pass(60_000);
    expect(await fixture.tenants.get('acme', 'team-a')).toBeUndefined();
    expect(docker.workloads.size).toBe(0);
    expect(fixture.news()).toEqual(['Normal Destroyed']);
  });
});

describe('what a provider keeps in this process alone', () => {
  async function withMock() {
    const mock = scriptedProvider('mock', { durable: false });
    const fixture = await startController([mock]);
    const removeByForce = async (name: string): Promise<void> => {
      await fixture.tenants.mergePatch(name, 'team-a', { metadata: { finalizers: null } });
      await fixture.tenants.delete(name, 'team-a');
      await fixture.pass();
    };
    return { mock, fixture, removeByForce };
  }

  test('goes with a Tenant that goes during its first pass, its finalizer notwithstanding', async () => {
    const { mock, fixture, removeByForce } = await withMock();
    const held = Promise.withResolvers<void>();
    mock.held.set('provision', held.promise);
    await fixture.create('acme');
    await removeByForce('acme');
    held.resolve();
    await fixture.pass(1000);
    expect(mock.workloads.size).toBe(0);
    expect(fixture.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('goes with a Tenant whose finalizer somebody took away', async () => {
    const { mock, fixture, removeByForce } = await withMock();
    await fixture.create('acme');
    await removeByForce('acme');
    await fixture.pass(1000);
    expect(mock.workloads.size).toBe(0);
  });

  test('stays where another Tenant has that id', async () => {
    const { mock, fixture, removeByForce } = await withMock();
    await fixture.create('acme');
    await fixture.pass(1000);
    await fixture.create('thief', { tenantId: 'team-a-acme-9201d5e7' });
    await removeByForce('thief');
    expect([...mock.workloads.keys()]).toEqual(['team-a-acme-9201d5e7@mock']);
  });

  test('stays under Retain', async () => {
    const { mock, fixture, removeByForce } = await withMock();
    await fixture.create('acme', { deletionPolicy: 'Retain' });
    await removeByForce('acme');
    expect(mock.workloads.size).toBe(1);
  });
});
