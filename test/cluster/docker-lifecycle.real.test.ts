import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { freePort } from '../../dev/free-port.ts';
import { pushImage } from '../../dev/images.ts';
import { findCondition } from '../../src/api/conditions.ts';
import { reconcileRequestedAt } from '../../src/api/names.ts';
import type { Tenant } from '../../src/api/tenant.ts';
import { dockerBlock, engineView } from './docker-tenants.ts';
import { createTestNamespace } from './test-namespace.ts';
import type { TestNamespace } from './test-namespace.ts';
import { recordingStream } from './recording-stream.ts';
import { startTestOperator } from './test-operator.ts';
import type { TestOperator } from './test-operator.ts';

const ready = (tenant: Tenant) => findCondition(tenant.status?.conditions, 'Ready');

describe('a Tenant on Docker', () => {
  const view = engineView();
  const log = recordingStream();
  let ns: TestNamespace;
  let operator: TestOperator;
  let images: Record<'v1' | 'v2' | 'crashing', string>;

  const start = (): void => {
    operator = startTestOperator({
      namespaces: [ns.name],
      compute: { docker: dockerBlock(images.v1), mock: {} },
      config: { instance: ns.name },
      logger: log.logger,
    });
  };
  const writesTo = async (name: string) =>
    (await ns.writes()).filter(
      ({ objectRef }) => objectRef?.name === name && objectRef.resource === 'tenants',
    );
  const onlyContainer = async (name: string) => {
    const found = await view.containers(ns.name, name);
    expect(found.map(({ Names, State }) => `${Names.join()} ${State}`)).toHaveLength(1);
    return view.docker.getContainer(found[0]?.Id ?? '');
  };
  const docker = (block: Record<string, unknown>) => ({
    computeProvider: 'docker',
    computeConfig: { docker: block },
  });

  beforeAll(async () => {
    ns = await createTestNamespace('docker');
    const registry = { address: inject('registryAddress') };
    const [v1, v2, crashing] = await Promise.all([
      pushImage(registry, { repository: ns.name, tag: '1' }),
      pushImage(registry, { repository: ns.name, tag: '2' }),
      pushImage(registry, { repository: ns.name, tag: 'crashing', command: ['crash', '7', '200ms'] }),
    ]);
    images = { v1, v2, crashing };
    start();
  });
  afterAll(async () => {
    await operator.stop();
    await ns.remove();
    for (const { Id } of await view.containers(ns.name))
      await view.docker.getContainer(Id).remove({ force: true });
  });

  test('costs three writes to create, answers at its endpoint, and leaves nothing when deleted', async () => {
    await ns.create('first', docker({ ports: [{ container_port: 8080 }] }));
    await ns.untilReady('first');
    await ns.delete('first');
    await ns.untilGone('first');
    // The image is there by now.
    await ns.create('plain', docker({ ports: [{ container_port: 8080 }] }));
    const plain = await ns.untilReady('plain');
    expect(await writesTo('plain')).toHaveLength(3);
    const [endpoint] = plain.status?.compute?.endpoints ?? [];
    const answer = await fetch(endpoint?.url ?? '');
    expect(await answer.text()).toContain('1');
    expect(plain.status?.compute).toMatchObject({ state: 'running', health: 'healthy', replicas: '1/1' });
    await ns.delete('plain');
    await ns.untilGone('plain');
    expect(await view.leftovers(ns.name, 'plain')).toEqual([]);
    expect((await ns.events('plain')).map(({ reason }) => reason).toSorted()).toEqual([
      'Destroyed',
      'Provisioned',
    ]);
  });

  test('that is ready costs no write and no further list when the operator restarts', async () => {
    await ns.create('settled', docker({}));
    await ns.untilReady('settled');
    const writes = (await writesTo('settled')).length;
    await operator.stop();
    start();
    await ns.create('witness', { computeProvider: 'mock' });
    await ns.untilReady('witness');
    await sleep(1000);
    expect(await writesTo('settled')).toHaveLength(writes);
  });

  test.each([
    ['killed', (container: { kill(): Promise<unknown> }) => container.kill()],
    ['stopped', (container: { stop(options: { t: number }): Promise<unknown> }) => container.stop({ t: 1 })],
    ['paused', (container: { pause(): Promise<unknown> }) => container.pause()],
    [
      'removed',
      (container: { remove(options: { force: true }): Promise<unknown> }) =>
        container.remove({ force: true }),
    ],
  ] as const)('whose container was %s by hand runs again', async (how, act) => {
    const name = `hurt-${how}`;
    await ns.create(name, docker({}));
    await ns.untilReady(name);
    await act(await onlyContainer(name));
    // A pause that is undone at once leaves no trace but its Events: nothing has started anew.
    await until(async () => (await ns.events(name)).some(({ reason }) => reason === 'Repaired'));
    await ns.untilReady(name);
    const { State } = await (await onlyContainer(name)).inspect();
    expect(State).toMatchObject({ Running: true, Paused: false });
    expect((await ns.events(name)).map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(['Drifted', 'Repaired']),
    );
  });

  test('whose limits were changed by docker update gets its own back, or shows it under Report', async () => {
    const resources = { memory: '64Mi' };
    await ns.create('limits', { ...docker({}), resources });
    await ns.create('reported', { ...docker({}), resources, driftPolicy: 'Report' });
    await Promise.all([ns.untilReady('limits'), ns.untilReady('reported')]);
    const other = { Memory: 2 ** 27, MemorySwap: 2 ** 27 };
    await (await onlyContainer('limits')).update(other);
    await (await onlyContainer('reported')).update(other);
    const reported = await ns.until('reported', 'Drifted', ({ status }) => (status?.drift ?? []).length > 0);
    expect(ready(reported)?.status).toBe('True');
    expect(findCondition(reported.status?.conditions, 'Drifted')?.status).toBe('True');
    const memoryOf = async (name: string) => (await (await onlyContainer(name)).inspect()).HostConfig.Memory;
    await until(async () => (await memoryOf('limits')) === 2 ** 26);
    expect(await memoryOf('reported')).toBe(2 ** 27);
    await ns.patch('reported', { spec: { driftPolicy: 'Correct' } });
    const mended = await ns.until('reported', 'mended', ({ status }) => status?.drift === undefined);
    expect(findCondition(mended.status?.conditions, 'Drifted')).toBeUndefined();
  });

  test('is rolled to a new image without its old container going before the new one is proven', async () => {
    await ns.create('rolling', docker({}));
    await ns.untilReady('rolling');
    const old = (await onlyContainer('rolling')).id;
    await ns.patch('rolling', { spec: { computeConfig: { docker: { image: images.v2 } } } });
    await ns.untilReason('rolling', 'Updating');
    expect((await view.containers(ns.name, 'rolling')).find(({ Id }) => Id === old)?.State).toBe('running');
    const rolled = await ns.untilReady('rolling');
    expect(rolled.status?.compute?.containers?.[0]?.image).toBe(images.v2);
    expect((await onlyContainer('rolling')).id).not.toBe(old);
  });

  test('keeps its old container while the new image can not be had, and says which', async () => {
    await ns.create('no-image', docker({}));
    await ns.untilReady('no-image');
    const old = (await onlyContainer('no-image')).id;
    const missing = `${inject('registryAddress')}/${ns.name}:missing`;
    await ns.patch('no-image', { spec: { computeConfig: { docker: { image: missing } } } });
    const refused = await ns.untilReason('no-image', 'ImageUnavailable');
    expect(ready(refused)?.message).toContain(missing);
    expect((await onlyContainer('no-image')).id).toBe(old);
    expect(refused.status?.compute).toMatchObject({ state: 'running', running: 1 });
  });

  test.each([
    ['beside the old one', false],
    ['in its place, for its port is fixed', true],
  ])(
    'whose new container crashes %s is rolled back, and not tried again after a restart',
    async (_how, fixed) => {
      const name = fixed ? 'fixed' : 'crashing';
      const ports = fixed ? [{ container_port: 8080, host_port: await freePort() }] : [];
      await ns.create(name, docker({ ports }));
      await ns.untilReady(name);
      const old = (await onlyContainer(name)).id;
      await ns.patch(name, { spec: { computeConfig: { docker: { image: images.crashing } } } });
      const rolled = await ns.untilReason(name, 'RolledBack', 60_000);
      expect(findCondition(rolled.status?.conditions, 'Stalled')?.status).toBe('True');
      expect(ready(rolled)?.message).toContain('exited with code 7');
      const container = await onlyContainer(name);
      expect(container.id).toBe(old);
      expect((await container.inspect()).State.Running).toBe(true);
      await operator.stop();
      const writes = (await writesTo(name)).length;
      start();
      await ns.create(`witness-${name}`, { computeProvider: 'mock' });
      await ns.untilReady(`witness-${name}`);
      await sleep(2000);
      expect((await onlyContainer(name)).id).toBe(old);
      expect(await writesTo(name)).toHaveLength(writes);
      // What still serves is still looked after.
      await container.kill();
      const deadline = Date.now() + 15_000;
      while (!(await container.inspect()).State.Running && Date.now() < deadline) await sleep(100);
      expect((await container.inspect()).State.Running).toBe(true);
      await ns.patch(name, { metadata: { annotations: { [reconcileRequestedAt]: 'again' } } });
      await ns.until(
        name,
        'tried again',
        ({ status }) => status?.rejected?.reconcileRequestedAt === 'again',
        60_000,
      );
      await ns.patch(name, { spec: { computeConfig: { docker: { image: images.v2 } } } });
      await ns.untilReady(name, 60_000);
    },
  );

  test('moves by an edit of its label alone: the new place is Ready before the old one goes', async () => {
    await ns.create(
      'mover',
      { computeConfig: { mock: {}, docker: {} } },
      { labels: { compute_provider: 'docker' } },
    );
    await ns.untilReady('mover');
    await ns.patch('mover', { metadata: { labels: { compute_provider: 'mock' } } });
    const moved = await ns.until('mover', 'on mock', (tenant) => {
      const { status } = tenant;
      return (
        status?.computeProvider === 'mock' &&
        ready(tenant)?.status === 'True' &&
        status.previousPlacements === undefined
      );
    });
    expect(moved.metadata.generation).toBe(1);
    expect(await view.leftovers(ns.name, 'mover')).toEqual([]);
    await ns.patch('mover', { metadata: { labels: { compute_provider: 'docker' } } });
    await ns.until('mover', 'back on docker', (tenant) => {
      return tenant.status?.computeProvider === 'docker' && ready(tenant)?.status === 'True';
    });
    await onlyContainer('mover');
  });

  test('is rolled by a rotated Secret, whose value is seen nowhere', async () => {
    const [first, second] = ['s3cr3t-first-value', 's3cr3t-second-value'];
    await ns.putSecret('db', { password: first });
    const env = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }];
    await ns.create('secretive', {
      computeProvider: 'docker',
      containers: [{ name: 'app', image: images.v1, env }],
    });
    await ns.untilReady('secretive');
    const old = (await onlyContainer('secretive')).id;
    await ns.putSecret('db', { password: second });
    await ns.until('secretive', 'rolled', ({ status }) => {
      const id = status?.compute?.resourceIds?.['container/app'];
      return id !== undefined && !old.startsWith(id) && status?.phase === 'Ready';
    });
    const { Config } = await (await onlyContainer('secretive')).inspect();
    expect(Config.Env).toContain(`PASSWORD=${second}`);
    const seen = JSON.stringify([
      await ns.get('secretive'),
      await ns.events('secretive'),
      Config.Labels,
      log.lines,
    ]);
    expect(seen).not.toContain(first);
    expect(seen).not.toContain(second);
    expect(log.lines.length).toBeGreaterThan(0);
  });

  test('whose name is taken by a container of somebody else never touches that', async () => {
    const tenantId = `${ns.name}-taken`;
    const foreign = await view.docker.createContainer({
      name: `landlord-tenant-${tenantId}`,
      Image: images.v1,
    });
    await foreign.start();
    await ns.create('taken', { ...docker({}), tenantId });
    const conflict = await ns.untilReason('taken', 'ProviderConflict');
    expect(ready(conflict)?.message).toContain(`landlord-tenant-${tenantId}`);
    await ns.delete('taken');
    await ns.untilGone('taken');
    expect((await foreign.inspect()).State.Running).toBe(true);
    await foreign.remove({ force: true });
  });

  test('that is retained stays, and is taken back by the Tenant applied again', async () => {
    await ns.create('kept', { ...docker({}), deletionPolicy: 'Retain' });
    await ns.untilReady('kept');
    const { id } = await onlyContainer('kept');
    await ns.delete('kept');
    await ns.untilGone('kept');
    await ns.create('kept', docker({}));
    await ns.untilReady('kept');
    expect((await onlyContainer('kept')).id).toBe(id);
  });

  test('that is suspended is not repaired, is still observed, and is repaired afterwards', async () => {
    await ns.create('paused', docker({}));
    await ns.untilReady('paused');
    await ns.patch('paused', { spec: { suspend: true } });
    await ns.untilReason('paused', 'Suspended');
    const container = await onlyContainer('paused');
    await container.stop({ t: 1 });
    await ns.until('paused', 'seen stopped', ({ status }) => status?.compute?.running === 0);
    await sleep(1000);
    expect((await container.inspect()).State.Running).toBe(false);
    await ns.patch('paused', { spec: { suspend: false } });
    await ns.untilReady('paused');
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    ['a host mount', { volumes: ['/etc:/host'] }, /allowed_host_paths/],
    ['a host mount by ..', { volumes: ['/tmp/../etc:/host'] }, /allowed_host_paths/],
    ['the host network', { network_mode: 'host' }, /allow_host_network/],
    ["another container's network", { network_mode: 'container:other' }, /allow_join_network/],
    ["the owner's labels", { labels: { 'landlord.owner': 'me' } }, /landlord/],
  ])('that asks for %s is refused, naming the rule', async (what, block, rule) => {
    const name = `denied-${what.replaceAll(/\W+/g, '-').replace(/-$/, '')}`;
    await ns.create(name, docker(block));
    const denied = await ns.untilReason(name, 'PolicyDenied');
    expect(ready(denied)?.message).toMatch(rule);
    expect(findCondition(denied.status?.conditions, 'Stalled')?.status).toBe('True');
    expect(await view.leftovers(ns.name, name)).toEqual([]);
  });
});

/** Polls; fails after 20 s. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  await expect.poll(holds, { timeout: 20_000, interval: 100 }).toBe(true);
}
