import { defaultTenantId } from '../../src/compute/spec/tenant-id.ts';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { freePort } from '../../dev/free-port.ts';
import { pushImage } from '../../dev/images.ts';
import { findCondition } from '../../src/api/conditions.ts';
import { reconcileRequestedAt } from '../../src/api/names.ts';
import type { Tenant } from '../../src/api/tenant.ts';
import { dockerBlock, engineView } from './docker-tenants.ts';
import { startKillingProxy } from './killing-proxy.ts';
import type { KillingProxy } from './killing-proxy.ts';
import { createTestNamespace } from './test-namespace.ts';
import type { TestNamespace } from './test-namespace.ts';
import { recordingStream } from './recording-stream.ts';
import { startTestOperator } from './test-operator.ts';
import type { TestOperator } from './test-operator.ts';
import { until } from '../until.ts';

const ready = (tenant: Tenant) => findCondition(tenant.status?.conditions, 'Ready');

describe('a Tenant on Docker', () => {
  const view = engineView();
  const log = recordingStream();
  let ns: TestNamespace;
  let operator: TestOperator;
  let images: Record<'v1' | 'v2' | 'crashing', string>;
  let folder: string;
  /** All that the operator asks of the engine passes here; what the tests do themselves does not. */
  let engine: KillingProxy;

  const start = (): void => {
    operator = startTestOperator({
      namespaces: [ns.name],
      compute: {
        docker: { ...dockerBlock(images.v1), host: `unix://${join(folder, 'engine.sock')}` },
        mock: {},
      },
      config: { instance: ns.name, hash_key_file: join(folder, 'hash-key') },
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
    folder = await mkdtemp(join(tmpdir(), 'landlord-lifecycle-'));
    // As an installed operator has it: the same over restarts.
    await writeFile(join(folder, 'hash-key'), randomBytes(32));
    const socketPath = inject('dockerHost').replace(/^unix:\/\//, '');
    engine = await startKillingProxy(
      { path: join(folder, 'engine.sock') },
      { secure: false, options: { socketPath } },
    );
    const registry = { address: inject('registryAddress') };
    const [v1, v2, crashing] = await Promise.all([
      pushImage(registry, { repository: ns.name, tag: '1' }),
      pushImage(registry, { repository: ns.name, tag: '2' }),
      pushImage(registry, { repository: ns.name, tag: 'crashing', command: ['crash', '7', '200ms'] }),
    ]);
    images = { v1, v2, crashing };
    await view.pull(v1);
    start();
  });
  afterAll(async () => {
    await operator?.stop();
    await ns?.remove();
    await engine?.close();
    if (ns !== undefined) await view.clear(ns.name);
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });
  /** The operator's requests to the engine since there were `from`. */
  const asked = (from: number, pattern: RegExp) =>
    engine.requests
      .slice(from)
      .map((request) => decodeURIComponent(request))
      .filter((request) => pattern.test(request));

  test.concurrent(
    'costs three writes to create, answers at its endpoint, and leaves nothing when deleted',
    async () => {
      await ns.create('plain', docker({ ports: [{ container_port: 8080 }] }));
      const plain = await ns.untilReady('plain');
      await until('its writes in the audit log', async () => (await writesTo('plain')).length >= 3);
      const writes = (await writesTo('plain')).map(({ requestReceivedTimestamp: at }) => Date.parse(at));
      // One that takes long is told about, every 5 s at most.
      const tookMs = (writes.at(-1) ?? 0) - (writes[0] ?? 0);
      expect(writes.length).toBeLessThanOrEqual(3 + Math.floor(tookMs / 5000));
      const [endpoint] = plain.status?.compute?.endpoints ?? [];
      const answer = await fetch(endpoint?.url ?? '');
      expect(await answer.text()).toContain('1');
      expect(plain.status?.compute).toMatchObject({ state: 'running', health: 'healthy', replicas: '1/1' });
      await ns.delete('plain');
      await ns.untilGone('plain');
      expect(await view.leftovers(ns.name, 'plain')).toEqual([]);
      await ns.untilEvent('plain', 'Destroyed');
      expect((await ns.events('plain')).map(({ reason }) => reason).toSorted()).toEqual([
        'Destroyed',
        'Provisioned',
      ]);
    },
  );

  test.concurrent.each([
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
    await ns.untilEvent(name, 'Repaired');
    await ns.untilReady(name);
    const { State } = await (await onlyContainer(name)).inspect();
    expect(State).toMatchObject({ Running: true, Paused: false });
    expect((await ns.events(name)).map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(['Drifted', 'Repaired']),
    );
  });

  test.concurrent(
    'whose limits were changed by docker update gets its own back, or shows it under Report',
    async () => {
      const resources = { memory: '64Mi' };
      await ns.create('limits', { ...docker({}), resources });
      await ns.create('reported', { ...docker({}), resources, driftPolicy: 'Report' });
      await Promise.all([ns.untilReady('limits'), ns.untilReady('reported')]);
      const other = { Memory: 2 ** 27, MemorySwap: 2 ** 27 };
      await (await onlyContainer('limits')).update(other);
      await (await onlyContainer('reported')).update(other);
      const reported = await ns.until(
        'reported',
        'Drifted',
        ({ status }) => (status?.drift ?? []).length > 0,
      );
      expect(ready(reported)?.status).toBe('True');
      expect(findCondition(reported.status?.conditions, 'Drifted')?.status).toBe('True');
      const memoryOf = async (name: string) =>
        (await (await onlyContainer(name)).inspect()).HostConfig.Memory;
      await until('its own memory again', async () => (await memoryOf('limits')) === 2 ** 26);
      expect(await memoryOf('reported')).toBe(2 ** 27);
      await ns.patch('reported', { spec: { driftPolicy: 'Correct' } });
      const mended = await ns.until('reported', 'mended', ({ status }) => status?.drift === undefined);
      expect(findCondition(mended.status?.conditions, 'Drifted')).toBeUndefined();
    },
  );

  test.concurrent.each([
    ['the settling time', undefined],
    ['its health check', { command: ['/bin/ok'], intervalSeconds: 1, retries: 3, startPeriodSeconds: 1 }],
  ])(
    'is rolled to a new image, and the old container stays until the new one is proven by %s',
    async (by, check) => {
      const name = `rolling-${by.replaceAll(' ', '-')}`;
      const container = (image: string) => ({ name: 'app', image, ...(check && { healthCheck: check }) });
      await ns.create(name, { computeProvider: 'docker', containers: [container(images.v1)] });
      await ns.untilReady(name);
      const old = (await onlyContainer(name)).id;
      const followed = await view.follow(ns.name, name);
      const { events } = followed;
      try {
        await ns.patch(name, { spec: { containers: [container(images.v2)] } });
        await ns.untilReady(name);
        await until('the old one destroyed', () =>
          events.some(({ id, action }) => id === old && action === 'destroy'),
        );
      } finally {
        followed.stop();
      }
      const rolled = await ns.untilReady(name);
      expect(rolled.status?.compute?.containers?.[0]?.image).toBe(images.v2);
      const fresh = await (await onlyContainer(name)).inspect();
      expect(fresh.Id).not.toBe(old);
      const leaving = events.findIndex(
        ({ id, action }) => id === old && /^(kill|stop|die|pause)$/.test(action),
      );
      const before = events.slice(0, leaving).filter(({ id }) => id === fresh.Id);
      const actions = before.map(({ action }) => action);
      const settledMs = (events[leaving]?.at ?? 0) - Date.parse(fresh.State.StartedAt);
      const isProven = check === undefined ? settledMs >= 3000 : actions.includes('health_status: healthy');
      expect({ isProven, actions, settledMs }).toMatchObject({ isProven: true });
      expect(actions).toContain('start');
    },
  );

  test.concurrent('keeps its old container while the new image can not be had, and says which', async () => {
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

  const places = [
    ['beside the old one', 'crashing', false],
    ['in its place, for its port is fixed', 'fixed', true],
  ] as const;
  /** Runs, and reads a Secret, which shows the passes over it. */
  const runReading = async (name: string, fixed: boolean) => {
    await ns.putSecret(name, { at: 'it' });
    const ports = fixed ? [{ containerPort: 8080, hostPort: await freePort() }] : [];
    const containers = (image: string) => [ns.reading(name, 'at', { image, ports })];
    await ns.create(name, { computeProvider: 'docker', containers: containers(images.v1) });
    await ns.untilReady(name);
    return { containers, old: (await onlyContainer(name)).id };
  };
  const rollBack = async (name: string, containers: readonly unknown[]) => {
    await ns.patch(name, { spec: { containers } });
    return ns.untilReason(name, 'RolledBack');
  };
  const creations = (from: number, name: string) =>
    asked(
      from,
      new RegExp(`^POST .*/containers/create\\?name=\\S*${defaultTenantId(ns.name, name)}(?![a-z0-9-])`),
    );

  test.concurrent.each(places)(
    'whose new container crashes %s is rolled back, and tried again when that is asked for',
    async (_how, name, fixed) => {
      const { containers, old } = await runReading(name, fixed);
      const rolled = await rollBack(name, containers(images.crashing));
      expect(findCondition(rolled.status?.conditions, 'Stalled')?.status).toBe('True');
      expect(ready(rolled)?.message).toContain('exited with code 7');
      const container = await onlyContainer(name);
      expect(container.id).toBe(old);
      expect((await container.inspect()).State.Running).toBe(true);
      const tried = engine.requests.length;
      await ns.wholePass(name);
      expect(creations(tried, name)).toEqual([]);
      // What still serves is still looked after.
      await container.kill();
      await until('running again', async () => (await container.inspect()).State.Running);
      await ns.patch(name, { metadata: { annotations: { [reconcileRequestedAt]: 'again' } } });
      await ns.until(name, 'tried again', ({ status }) => status?.rejected?.reconcileRequestedAt === 'again');
      expect(creations(tried, name)).not.toEqual([]);
      await ns.patch(name, { spec: { containers: containers(images.v2) } });
      await ns.untilReady(name);
    },
  );

  test.concurrent(
    'moves by an edit of its label alone: the new place is Ready before the old one goes',
    async () => {
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
    },
  );

  test.concurrent('is rolled by a rotated Secret, whose value is seen nowhere', async () => {
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

  test.concurrent(
    'whose name is taken by a container of somebody else never touches that',
    async ({ onTestFinished }) => {
      const tenantId = `${ns.name}-taken`;
      const foreign = await view.docker.createContainer({
        name: `landlord-tenant-${tenantId}`,
        Image: images.v1,
      });
      onTestFinished(() => foreign.remove({ force: true }));
      await foreign.start();
      await ns.create('taken', { ...docker({}), tenantId });
      const conflict = await ns.untilReason('taken', 'ProviderConflict');
      expect(ready(conflict)?.message).toContain(`landlord-tenant-${tenantId}`);
      await ns.delete('taken');
      await ns.untilGone('taken');
      expect((await foreign.inspect()).State.Running).toBe(true);
    },
  );

  test.concurrent('that is retained stays, and is taken back by the Tenant applied again', async () => {
    await ns.create('kept', { ...docker({}), deletionPolicy: 'Retain' });
    await ns.untilReady('kept');
    const { id } = await onlyContainer('kept');
    await ns.delete('kept');
    await ns.untilGone('kept');
    await ns.create('kept', docker({}));
    await ns.untilReady('kept');
    expect((await onlyContainer('kept')).id).toBe(id);
  });

  test.concurrent(
    'that is suspended is not repaired, is still observed, and is repaired afterwards',
    async () => {
      await ns.create('paused', docker({}));
      await ns.untilReady('paused');
      await ns.patch('paused', { spec: { suspend: true } });
      await ns.untilReason('paused', 'Suspended');
      const container = await onlyContainer('paused');
      await container.stop({ t: 1 });
      const starts = () => asked(0, new RegExp(`^POST .*/containers/${container.id}/start`)).length;
      const before = starts();
      const seen = (running: number) =>
        ns.until(
          'paused',
          `seen with ${running} running`,
          ({ status }) => status?.compute?.running === running,
        );
      await seen(0);
      await container.start();
      await seen(1);
      await container.stop({ t: 1 });
      await seen(0);
      expect(starts()).toBe(before);
      await ns.patch('paused', { spec: { suspend: false } });
      await ns.untilReady('paused');
      expect(starts()).toBe(before + 1);
    },
  );

  test.concurrent.each<[string, Record<string, unknown>, RegExp]>([
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

  // From here on the operator is started anew, so nothing runs beside it.

  test('over a restart what is ready costs no write and no further list, and what was rolled back is not tried again', async () => {
    const settled = await runReading('settled', false);
    const rejected = await Promise.all(
      places.map(async ([, place, fixed]) => {
        const name = `${place}-before`;
        const { containers, old } = await runReading(name, fixed);
        await rollBack(name, containers(images.crashing));
        // What was stopped for the new one settles anew, which is news.
        await ns.until(name, 'seen to serve', ({ status }) => status?.compute?.state === 'running');
        // A process that has just started knows the engine's clock to a second, and calls nothing older than it is.
        await until('settled by any clock', async () => {
          const { State } = await (await onlyContainer(name)).inspect();
          return Date.now() - Date.parse(State.StartedAt) > 6_000;
        });
        return { name, old };
      }),
    );
    const all = [{ name: 'settled', old: settled.old }, ...rejected];
    await operator.stop();
    const writes = await Promise.all(all.map(async ({ name }) => (await writesTo(name)).length));
    const from = engine.requests.length;
    start();
    await Promise.all(all.map(({ name }) => ns.wholePass(name)));
    expect(await Promise.all(all.map(async ({ name }) => (await writesTo(name)).length))).toEqual(writes);
    for (const { name, old } of all) {
      expect((await onlyContainer(name)).id).toBe(old);
      expect(creations(from, name)).toEqual([]);
    }
    const lists = asked(from, /^GET .*\/containers\/json/);
    expect(lists).not.toEqual([]);
    expect(lists.filter((list) => list.includes(`${ns.name}-settled`))).toEqual([]);
  });
});
