import { tenantSpecSchema } from '../../src/api/tenant.ts';
import { describe, expect, test } from 'vitest';
import type { Provider } from '../../src/compute/provider.ts';
import { dockerTenantBlock } from '../../src/compute/providers/docker/config.ts';
import { dockerDefinition } from '../../src/compute/providers/docker/definition.ts';
import { drivenDocker, settings } from '../compute/providers/docker/docker-fixture.ts';
import { memoryEngine } from '../compute/providers/docker/memory-engine.ts';
import type { MemoryEngine } from '../compute/providers/docker/memory-engine.ts';
import { startController } from './controller-fixture.ts';
import { clientAt, statesOn } from './engine-routes.ts';
import type { ControllerFixture, FixtureOptions } from './controller-fixture.ts';

const specSchema = tenantSpecSchema({ docker: dockerTenantBlock });

/** The real controller over the real provider, and two engines in memory, each behind an address or more. */

const withData = { computeConfig: { docker: { image: 'app:1', volumes: ['data:/data'] } } };

interface Network {
  readonly a: MemoryEngine;
  readonly b: MemoryEngine;
  /** By address; undefined: nothing answers there. */
  readonly routes: Map<string, MemoryEngine | undefined>;
  /** An operator whose `host` is that address. */
  readonly operator: (address: string, over?: FixtureOptions) => Promise<ControllerFixture>;
}

function network(): Network {
  const [a, b] = [memoryEngine(['app:1'], 0, 'A'), memoryEngine(['app:1'], 0, 'B')];
  const routes = new Map<string, MemoryEngine | undefined>([
    ['unix:///a', a],
    ['tcp://a:2375', a],
    ['unix:///b', b],
  ]);
  const connect = (address: string) => clientAt({ address, routes, stem: a });
  return {
    a,
    b,
    routes,
    async operator(address, over = {}) {
      const { block, policy } = settings({ former_hosts: [...routes.keys()] });
      const { bare } = drivenDocker(connect(address), { ...settings(), block, policy }, { connect });
      const enabled = { definition: dockerDefinition, provider: bare as unknown as Provider, block };
      return startController([], {
        specSchema,
        providers: new Map([['docker', enabled]]),
        ...over,
      });
    },
  };
}

const running = ['landlord-tenant-team-a-acme-9201d5e7 running'];
const volume = 'landlord-team-a-acme-9201d5e7_data';

/** `acme` runs on the engine A; then the operator begins again, with `host` at another address. */
async function moved(to: string, { a = 'unix:///a', ...over }: { a?: string; spec?: object } = {}) {
  const there = network();
  const before = await there.operator(a);
  await before.create('acme', { ...withData, ...over.spec });
  await before.pass(5_000);
  expect(await before.conditions('acme')).toEqual(['Ready=True/Running']);
  await before.stop();
  const { apiserver } = before;
  return { ...there, apiserver, before, begin: () => there.operator(to, { apiserver }) };
}

describe('the placement', () => {
  test('names the engine by its id, and beside it the address that led there', async () => {
    const { operator } = network();
    const fixture = await operator('unix:///a');
    await fixture.create('acme', withData);
    await fixture.pass(5_000);
    expect((await fixture.get('acme')).status?.placement).toEqual({
      provider: 'docker',
      labelPrefix: 'landlord',
      tenantId: 'team-a-acme-9201d5e7',
      engineId: 'A',
      host: 'unix:///a',
    });
  });

  test('is not written, and nothing made, until the engine tells who it is', async () => {
    const { routes, operator, a } = network();
    routes.set('unix:///a', undefined);
    const fixture = await operator('unix:///a');
    await fixture.create('acme', withData);
    await fixture.pass(5_000);
    expect(await fixture.conditions('acme')).toContain('Ready=False/ProviderUnavailable');
    expect((await fixture.get('acme')).status?.placement).toBeUndefined();
    routes.set('unix:///a', a);
    await fixture.pass(60_000);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    expect((await fixture.get('acme')).status?.placement).toMatchObject({ engineId: 'A' });
  });

  test('of an earlier version is completed without a move, a restart or a word', async () => {
    const there = await moved('unix:///a');
    const { a, apiserver } = there;
    const earlier = await there.begin();
    await earlier.stop();
    const { placement } = (await earlier.get('acme')).status ?? {};
    const { engineId: _id, host: _host, ...without } = placement ?? { provider: 'docker' };
    const gone = { ...without, tenantId: 'team-a-acme-9201d5e7', labelPrefix: 'earlier' };
    const since = '2026-01-01T00:00:00Z';
    const retained = [{ provider: 'docker', resource: 'volume v', since, placement: gone }];
    await earlier.tenants.mergePatch(
      'acme',
      'team-a',
      { status: { placement: { engineId: null, host: null }, retained } },
      { subresource: 'status' },
    );
    a.calls.length = 0;
    const fixture = await there.operator('unix:///a', { apiserver });
    await fixture.pass(60_000);
    const { status } = await fixture.get('acme');
    expect(status?.placement).toEqual(placement);
    expect(status?.retained).toEqual([
      { ...retained[0], placement: { ...gone, engineId: 'A', host: 'unix:///a' } },
    ]);
    expect(status?.previousPlacements).toBeUndefined();
    expect(fixture.writes()).toEqual(['PATCH tenants/acme/status']);
    expect(fixture.news()).toEqual([]);
    expect(a.calls.filter((call) => /^(create|start|stop|remove)/.test(call))).toEqual([]);
  });

  test('is the same at another address of the same engine: nothing moves', async () => {
    const { a, begin } = await moved('tcp://a:2375');
    a.calls.length = 0;
    const fixture = await begin();
    await fixture.pass(60_000);
    const { status } = await fixture.get('acme');
    expect(status?.placement).toMatchObject({ engineId: 'A', host: 'tcp://a:2375' });
    expect(status?.previousPlacements).toBeUndefined();
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    expect(fixture.news()).toEqual([]);
    expect(a.calls.filter((call) => /^(create|start|stop|remove)/.test(call))).toEqual([]);
  });
});

describe('a host that leads to another engine', () => {
  test('is a move: the Tenant runs there, nothing but its volume is left on the old engine, and the status says so', async () => {
    const { a, b, begin } = await moved('unix:///b');
    const fixture = await begin();
    await fixture.pass(60_000);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    expect([statesOn(a), statesOn(b)]).toEqual([[], running]);
    expect([...a.volumes.keys()]).toEqual([volume]);
    const { status } = await fixture.get('acme');
    expect(status?.placement).toMatchObject({ engineId: 'B', host: 'unix:///b' });
    expect(status?.previousPlacements).toBeUndefined();
    expect(status?.retained).toMatchObject([
      { resource: `volume ${volume}`, placement: { engineId: 'A', host: 'unix:///a' } },
    ]);
  });

  test('leaves what runs alone until the new one is proven', async () => {
    const { a, b, begin } = await moved('unix:///b');
    const { promise: pulled, resolve: pull } = Promise.withResolvers<void>();
    const fetchImage = b.pullImage.bind(b);
    b.images.clear();
    b.pullImage = async (...args) => pulled.then(() => fetchImage(...args));
    const fixture = await begin();
    await fixture.pass(60_000);
    expect([statesOn(a), statesOn(b)]).toEqual([running, []]);
    expect(await fixture.conditions('acme')).toContain('Ready=False/Updating');
    pull();
    await fixture.pass(60_000);
    expect([statesOn(a), statesOn(b)]).toEqual([[], running]);
  });

  test('waits for consent under approval Always', async () => {
    const { a, b, begin } = await moved('unix:///b', { spec: { approval: 'Always' } });
    const fixture = await begin();
    await fixture.pass(60_000);
    expect(await fixture.conditions('acme')).toContain('Ready=False/ApprovalRequired');
    expect([statesOn(a), statesOn(b)]).toEqual([running, []]);
    const { plan } = (await fixture.get('acme')).status ?? {};
    await fixture.patch('acme', { metadata: { annotations: { 'landlord.dev/approve': plan?.digest } } });
    await fixture.pass(60_000);
    expect([statesOn(a), statesOn(b)]).toEqual([[], running]);
  });

  test('shows of a suspended Tenant what runs on the engine where it is', async () => {
    const { a, b, before, begin } = await moved('unix:///b');
    await before.patch('acme', { spec: { suspend: true } });
    const fixture = await begin();
    await fixture.pass(60_000);
    expect([statesOn(a), statesOn(b)]).toEqual([running, []]);
    expect((await fixture.get('acme')).status).toMatchObject({
      placement: { engineId: 'A' },
      compute: { running: 1 },
    });
  });

  test('runs a job there that had come to its end here, and once', async () => {
    const there = network();
    const begin = async (address: string, apiserver?: ControllerFixture['apiserver']) =>
      there.operator(address, apiserver === undefined ? {} : { apiserver });
    const end = (engine: MemoryEngine): void => {
      for (const one of engine.containers.values())
        Object.assign(one, { state: 'exited', exitCode: 0, finishedMs: one.startedMs });
    };
    const first = await begin('unix:///a');
    await first.create('acme', {
      computeConfig: { docker: { ...withData.computeConfig.docker, restart_policy: 'no' } },
    });
    await first.pass(5_000);
    await first.stop();
    end(there.a);
    const second = await begin('unix:///a', first.apiserver);
    await second.pass(5_000);
    const ran = (await second.get('acme')).status?.compute?.containers?.[0]?.completed;
    expect(ran).toMatch(/^v2:/);
    await second.stop();
    // As with `docker container prune`: only the status remembers it.
    there.a.containers.clear();
    const third = await begin('unix:///b', first.apiserver);
    await third.pass(5_000);
    expect(statesOn(there.b)).toEqual(running);
    await third.stop();
    end(there.b);
    const fourth = await begin('unix:///b', first.apiserver);
    await fourth.pass(60_000);
    expect(await fourth.conditions('acme')).toEqual(['Ready=True/Running']);
    expect((await fourth.get('acme')).status?.compute?.containers?.[0]?.completed).toBe(ran);
    await fourth.stop();
    there.b.containers.clear();
    const fifth = await begin('unix:///b', first.apiserver);
    await fifth.pass(60_000);
    expect(statesOn(there.b)).toEqual([]);
  });

  test('takes the volume of the old engine away with a deletion that asks for it', async () => {
    const { a, b, begin } = await moved('unix:///b', { spec: { volumePolicy: 'Delete' } });
    const fixture = await begin();
    await fixture.pass(60_000);
    expect([[...a.volumes.keys()], [...b.volumes.keys()]]).toEqual([[volume], [volume]]);
    await fixture.tenants.delete('acme', 'team-a');
    await fixture.pass(60_000);
    expect(await fixture.tenants.get('acme', 'team-a')).toBeUndefined();
    expect([[...a.volumes.keys()], [...b.volumes.keys()]]).toEqual([[], []]);
  });
});

describe('an old engine that is gone', () => {
  const abandoned = {
    metadata: { annotations: { 'landlord.dev/abandon': 'docker/A/landlord/team-a-acme-9201d5e7' } },
  };

  test('holds up a deletion, with words that name it, its address and how to give it up', async () => {
    const { b, routes, begin } = await moved('unix:///b');
    routes.set('unix:///a', undefined);
    const fixture = await begin();
    await fixture.pass(60_000);
    expect(statesOn(b)).toEqual(running);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running', 'Reconciling=True/Updating']);

    await fixture.tenants.delete('acme', 'team-a');
    await fixture.pass(60_000);
    expect(statesOn(b)).toEqual([]);
    const message = await fixture.message('acme');
    expect(message).toContain('Docker Engine A');
    expect(message).toContain('unix:///a');
    expect(message).toContain('landlord.dev/abandon=docker/A/landlord/team-a-acme-9201d5e7');
    expect(await fixture.conditions('acme')).toContain('Ready=False/ProviderUnavailable');

    await fixture.patch('acme', abandoned);
    await fixture.pass(60_000);
    expect(await fixture.tenants.get('acme', 'team-a')).toBeUndefined();
    const told = fixture.events.map(({ note }) => note).at(-1);
    expect(told).toContain('given up');
    expect(told).not.toContain('nothing of it is left');
  });

  test('is asked again ever more slowly while the Tenant runs elsewhere, and emptied when it is back', async () => {
    const { a, routes, begin } = await moved('unix:///b');
    routes.set('unix:///a', undefined);
    const fixture = await begin();
    await fixture.pass(600_000);
    const before = fixture.passes.length;
    await fixture.pass(600_000);
    expect(fixture.passes.length - before).toBeLessThan(6);
    routes.set('unix:///a', a);
    await fixture.pass(400_000);
    expect(statesOn(a)).toEqual([]);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
  });

  test('is not taken for the one that answers at its address now', async () => {
    const { a, b, routes, begin } = await moved('unix:///b');
    routes.set('unix:///a', b);
    const fixture = await begin();
    await fixture.pass(60_000);
    await fixture.tenants.delete('acme', 'team-a');
    await fixture.pass(60_000);
    expect(await fixture.message('acme')).toContain('at unix:///a another one answers now (B)');
    expect([statesOn(a), statesOn(b)]).toEqual([running, []]);
  });

  test('does not hold up the deletion of what it never had', async () => {
    const { routes, operator } = network();
    routes.set('unix:///a', undefined);
    const fixture = await operator('unix:///b');
    await fixture.create('acme', withData);
    await fixture.pass(5_000);
    await fixture.tenants.delete('acme', 'team-a');
    await fixture.pass(5_000);
    expect(await fixture.tenants.get('acme', 'team-a')).toBeUndefined();
  });

  test('that is the one of now does not keep the other from being emptied', async () => {
    const { a, routes, begin } = await moved('unix:///b');
    routes.set('unix:///b', undefined);
    const fixture = await begin();
    await fixture.tenants.delete('acme', 'team-a');
    await fixture.pass(60_000);
    expect(statesOn(a)).toEqual([]);
    expect(await fixture.tenants.get('acme', 'team-a')).toBeUndefined();
  });
});

describe('another engine behind the address of before', () => {
  test('is noticed while the operator runs: what ran before is brought up there, and the engine of before is waited for', async () => {
    const { a, b, routes, operator } = network();
    const fixture = await operator('unix:///a');
    await fixture.create('acme', withData);
    await fixture.pass(5_000);
    routes.set('unix:///a', b);
    a.breakStreams();
    await fixture.pass(60_000);
    expect(statesOn(b)).toEqual(running);
    const { status } = await fixture.get('acme');
    expect(status).toMatchObject({ placement: { engineId: 'B' }, previousPlacements: [{ engineId: 'A' }] });
    await fixture.tenants.delete('acme', 'team-a');
    await fixture.pass(60_000);
    expect(await fixture.message('acme')).toContain('Docker Engine A');
  });

  test('does not end a deletion that it knows nothing of', async () => {
    const { a, b, routes, operator } = network();
    const fixture = await operator('unix:///a');
    await fixture.create('acme', withData);
    await fixture.pass(5_000);
    // The watch has not noticed yet.
    routes.set('unix:///a', b);
    await fixture.tenants.delete('acme', 'team-a');
    await fixture.pass(5_000);
    expect(await fixture.message('acme')).toContain('another one answers now (B)');
    expect(statesOn(a)).toEqual(running);
  });

  test('loses nothing to a deletion of what it is a copy of', async () => {
    const { a, b, routes, operator } = network();
    const fixture = await operator('unix:///a');
    await fixture.create('acme', withData);
    await fixture.pass(5_000);
    for (const container of a.containers.values()) b.containers.set('copy', { ...container, id: 'copy' });
    routes.set('unix:///a', b);
    await fixture.tenants.delete('acme', 'team-a');
    await fixture.pass(5_000);
    expect(await fixture.message('acme')).toContain('another one answers now (B)');
    expect([statesOn(a), statesOn(b)]).toEqual([running, running]);
  });
});
