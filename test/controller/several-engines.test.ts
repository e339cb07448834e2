import { describe, expect, test } from 'vitest';
import { tenantSpecSchema } from '../../src/api/tenant.ts';
import { unsettable } from '../../src/api/unsettable.ts';
import type { Provider } from '../../src/compute/provider.ts';
import { dockerTenantBlock } from '../../src/compute/providers/docker/config.ts';
import { dockerDefinition } from '../../src/compute/providers/docker/definition.ts';
import { dockerOn } from '../../src/compute/providers/docker/provider.ts';
import { reportOrphans } from '../../src/controller/orphans.ts';
import { context, settings } from '../compute/providers/docker/docker-fixture.ts';
import { memoryEngine } from '../compute/providers/docker/memory-engine.ts';
import type { MemoryEngine } from '../compute/providers/docker/memory-engine.ts';
import { startController } from './controller-fixture.ts';
import type { ControllerFixture, FixtureOptions } from './controller-fixture.ts';
import { clientAt, statesOn } from './engine-routes.ts';

/** The real controller over the real provider with an engine of its own, and two that have names. */

const specSchema = tenantSpecSchema({ docker: unsettable(dockerTenantBlock) });

const addresses = { '': 'unix:///own', 'edge-1': 'unix:///1', 'edge-2': 'unix:///2' };
type Name = keyof typeof addresses;

/** The names in the config, and where each leads. */
type Named = Readonly<Record<string, string>>;
const bothEdges: Named = { 'edge-1': addresses['edge-1'], 'edge-2': addresses['edge-2'] };

interface Fleet {
  readonly engines: Readonly<Record<Name, MemoryEngine>>;
  readonly goDown: (name: Name) => void;
  readonly comeBack: (name: Name) => void;
  readonly provider: (named?: Named, config?: FleetConfig) => Provider;
  readonly operator: (named?: Named, options?: FixtureOptions & FleetConfig) => Promise<ControllerFixture>;
}

interface FleetConfig {
  readonly block?: object;
  readonly policy?: Readonly<Record<string, unknown>>;
}

function fleet(): Fleet {
  const engines = {
    '': memoryEngine(['app:1', 'app:2'], 0, 'O'),
    'edge-1': memoryEngine(['app:1', 'app:2'], 0, 'A'),
    'edge-2': memoryEngine(['app:1', 'app:2'], 0, 'B'),
  };
  const routes = new Map<string, MemoryEngine | undefined>();
  const comeBack = (name: Name): void => void routes.set(addresses[name], engines[name]);
  for (const name of Object.keys(engines)) comeBack(name as Name);
  const connect = (address: string) => clientAt({ address, routes, stem: engines[''] });
  const make = (named: Named, { block = {}, policy = {} }: FleetConfig) => {
    const hosts = Object.entries(named).map(([name, host]) => [name, { host }]);
    const config = settings({ host: addresses[''], engines: Object.fromEntries(hosts), ...block }, policy);
    const provider = dockerOn(config.block, config.policy, context({ connect })) as unknown as Provider;
    return { definition: dockerDefinition, provider, block: config.block };
  };
  return {
    engines,
    goDown(name) {
      routes.set(addresses[name], undefined);
      engines[name].breakStreams();
    },
    comeBack,
    provider: (named = bothEdges, config = {}) => make(named, config).provider,
    operator: async (named = bothEdges, { block = {}, policy = {}, ...options } = {}) =>
      startController([], {
        specSchema,
        providers: new Map([['docker', make(named, { block, policy })]]),
        ...options,
      }),
  };
}

const app = (docker: object = {}) => ({ computeConfig: { docker: { image: 'app:1', ...docker } } });
const label = (engine: string) => ({ labels: { 'landlord.dev/engine': engine } });
const running = ['landlord-tenant-team-a-acme-9201d5e7 running'];
const changesOf = (engine: MemoryEngine) =>
  engine.calls.filter((call) => /^(create|start|stop|remove)/.test(call));

describe('the engine', () => {
  test.each<[what: string, docker: object, metadata: object, block: object, on: Name]>([
    ['that the spec names', { engine: 'edge-1' }, {}, {}, 'edge-1'],
    ['that the spec names, before the label', { engine: 'edge-1' }, label('edge-2'), {}, 'edge-1'],
    ['of the label', {}, label('edge-2'), {}, 'edge-2'],
    ['of the annotation', {}, { annotations: { 'landlord.dev/engine': 'edge-2' } }, {}, 'edge-2'],
    ["of the label, before the operator's default", {}, label('edge-2'), { engine: 'edge-1' }, 'edge-2'],
    ["of the operator's default", {}, {}, { engine: 'edge-1' }, 'edge-1'],
    [
      "of `host`, where the spec unsets the operator's default",
      { engine: null },
      {},
      { engine: 'edge-1' },
      '',
    ],
    ['of `host`, where nobody names one', {}, {}, {}, ''],
  ])('%s is the one that a Tenant runs on', async (_what, docker, metadata, block, on) => {
    const { engines, operator } = fleet();
    const fixture = await operator(bothEdges, { block });
    await fixture.create('acme', app(docker), metadata);
    await fixture.pass(5_000);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    for (const [name, engine] of Object.entries(engines))
      expect(statesOn(engine)).toEqual(name === on ? running : []);
    const { placement } = (await fixture.get('acme')).status ?? {};
    expect(placement).toEqual({
      provider: 'docker',
      labelPrefix: 'landlord',
      tenantId: 'team-a-acme-9201d5e7',
      engineId: { '': 'O', 'edge-1': 'A', 'edge-2': 'B' }[on],
      host: addresses[on],
      ...(on === '' ? {} : { engine: on }),
    });
  });

  test('that there is not stalls a Tenant with the names of those that there are, and leaves what runs', async () => {
    const { engines, operator } = fleet();
    const fixture = await operator();
    await fixture.create('acme', app(), label('edge-1'));
    await fixture.pass(5_000);
    await fixture.patch('acme', { metadata: label('edge-9') });
    await fixture.pass(5_000);
    expect(await fixture.conditions('acme')).toContain('Stalled=True/InvalidSpec');
    expect(await fixture.message('acme')).toContain('no engine "edge-9"; it has edge-1, edge-2');
    expect(statesOn(engines['edge-1'])).toEqual(running);
  });

  test('that the policy withholds stalls it, too', async () => {
    const { engines, operator } = fleet();
    const fixture = await operator(bothEdges, { policy: { allowed_engines: ['edge-1'] } });
    await fixture.create('acme', app(), label('edge-2'));
    await fixture.pass(5_000);
    expect(await fixture.conditions('acme')).toContain('Stalled=True/PolicyDenied');
    expect(statesOn(engines['edge-2'])).toEqual([]);
  });
});

describe('what runs already', () => {
  test('stays where and as it is once the operator knows more engines, without a write or a word', async () => {
    const { engines, operator } = fleet();
    const before = await operator({});
    await before.create('acme', app());
    await before.pass(5_000);
    const { status } = await before.get('acme');
    await before.stop();
    for (const engine of Object.values(engines)) engine.calls.length = 0;
    const fixture = await operator(bothEdges, { apiserver: before.apiserver });
    await fixture.pass(60_000);
    expect((await fixture.get('acme')).status).toEqual(status);
    expect(fixture.writes()).toEqual([]);
    expect(Object.values(engines).flatMap(changesOf)).toEqual([]);
  });

  test('stays where its engine gets another name, or becomes the own one', async () => {
    const { engines, operator } = fleet();
    const before = await operator();
    await before.create('acme', app(), label('edge-1'));
    await before.pass(5_000);
    await before.stop();
    engines['edge-1'].calls.length = 0;
    const renamed = await operator({ north: addresses['edge-1'] }, { apiserver: before.apiserver });
    await renamed.patch('acme', { metadata: label('north') });
    await renamed.pass(60_000);
    expect(await renamed.conditions('acme')).toEqual(['Ready=True/Running']);
    expect((await renamed.get('acme')).status?.placement).toMatchObject({ engine: 'north', engineId: 'A' });
    await renamed.stop();
    const block = { host: addresses['edge-1'] };
    const own = await operator({}, { apiserver: before.apiserver, block });
    await own.patch('acme', { metadata: label('') });
    await own.pass(60_000);
    const { placement, previousPlacements } = (await own.get('acme')).status ?? {};
    expect(placement).toMatchObject({ engineId: 'A' });
    expect(placement).not.toHaveProperty('engine');
    expect(previousPlacements).toBeUndefined();
    expect(changesOf(engines['edge-1'])).toEqual([]);
  });
});

describe('another label', () => {
  test('is a move: what runs stays until the new one is proven, and only its volume is left', async () => {
    const { engines, operator } = fleet();
    const [one, two] = [engines['edge-1'], engines['edge-2']];
    const fixture = await operator();
    await fixture.create('acme', app({ volumes: ['data:/data'] }), label('edge-1'));
    await fixture.pass(5_000);
    const { promise: pulled, resolve: pull } = Promise.withResolvers<void>();
    const fetchImage = two.pullImage.bind(two);
    two.images.clear();
    two.pullImage = async (...args) => pulled.then(() => fetchImage(...args));
    await fixture.patch('acme', { metadata: label('edge-2') });
    await fixture.pass(60_000);
    expect([statesOn(one), statesOn(two)]).toEqual([running, []]);
    expect((await fixture.get('acme')).status).toMatchObject({
      placement: { engine: 'edge-2', engineId: 'B' },
      previousPlacements: [{ engine: 'edge-1', engineId: 'A' }],
    });
    pull();
    await fixture.pass(60_000);
    expect([statesOn(one), statesOn(two)]).toEqual([[], running]);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    expect([...one.volumes.keys()]).toEqual(['landlord-team-a-acme-9201d5e7_data']);
    const { status } = await fixture.get('acme');
    expect(status?.previousPlacements).toBeUndefined();
    expect(status?.retained).toMatchObject([{ placement: { engine: 'edge-1', engineId: 'A' } }]);
  });

  test('waits for consent under approval Always', async () => {
    const { engines, operator } = fleet();
    const fixture = await operator();
    await fixture.create('acme', { ...app(), approval: 'Always' }, label('edge-1'));
    await fixture.pass(5_000);
    await fixture.patch('acme', { metadata: label('edge-2') });
    await fixture.pass(60_000);
    expect(await fixture.conditions('acme')).toContain('Ready=False/ApprovalRequired');
    expect([statesOn(engines['edge-1']), statesOn(engines['edge-2'])]).toEqual([running, []]);
  });

  test('that is taken back in the middle of the move leaves nothing on the engine that was not to be', async () => {
    const { engines, operator } = fleet();
    const fixture = await operator();
    await fixture.create('acme', app(), label('edge-1'));
    await fixture.pass(5_000);
    engines['edge-2'].images.clear();
    engines['edge-2'].pullImage = async () => new Promise(() => undefined);
    await fixture.patch('acme', { metadata: label('edge-2') });
    await fixture.pass(5_000);
    await fixture.patch('acme', { metadata: label('edge-1') });
    await fixture.pass(60_000);
    expect([statesOn(engines['edge-1']), statesOn(engines['edge-2'])]).toEqual([running, []]);
    expect(engines['edge-2'].networks.size).toBe(0);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
  });
});

describe('an engine that is down', () => {
  test('is the trouble of its own Tenants alone: others stay Ready, change and are made', async () => {
    const { engines, operator, goDown, comeBack } = fleet();
    const fixture = await operator();
    for (const name of ['edge-1', 'edge-2']) await fixture.create(name, app(), label(name));
    await fixture.pass(5_000);
    goDown('edge-1');
    await fixture.pass(120_000);
    expect((await fixture.conditions('edge-1'))[0]).toBe('Ready=Unknown/ProviderUnavailable');
    expect(await fixture.conditions('edge-2')).toEqual(['Ready=True/Running']);
    await fixture.patch('edge-2', { spec: app({ image: 'app:2' }) });
    await fixture.create('fresh', app(), label('edge-2'));
    await fixture.pass(10_000);
    expect(await fixture.conditions('edge-2')).toEqual(['Ready=True/Running']);
    expect(await fixture.conditions('fresh')).toEqual(['Ready=True/Running']);
    expect([...engines['edge-2'].containers.values()].map(({ body }) => body.Image)).toHaveLength(2);
    await fixture.tenants.delete('edge-2', 'team-a');
    await fixture.pass(10_000);
    expect(await fixture.tenants.get('edge-2', 'team-a')).toBeUndefined();
    comeBack('edge-1');
    await fixture.pass(60_000);
    expect(await fixture.conditions('edge-1')).toEqual(['Ready=True/Running']);
  });

  test('at the start keeps no Tenant of another one from being made', async () => {
    const { operator, goDown } = fleet();
    goDown('edge-1');
    goDown('');
    const fixture = await operator();
    await fixture.create('acme', app(), label('edge-2'));
    await fixture.create('waits', app(), label('edge-1'));
    await fixture.pass(10_000);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
    expect((await fixture.conditions('waits'))[0]).toBe('Ready=False/ProviderUnavailable');
    expect(await fixture.message('waits')).toContain(addresses['edge-1']);
  });

  test('that is back has nobody looked at but its own Tenants', async () => {
    const { operator, goDown, comeBack } = fleet();
    const fixture = await operator();
    for (const name of ['edge-1', 'edge-2']) await fixture.create(name, app(), label(name));
    await fixture.pass(5_000);
    goDown('edge-1');
    await fixture.pass(10_000);
    fixture.passes.length = 0;
    comeBack('edge-1');
    await fixture.pass(60_000);
    expect(fixture.passes).toContain('team-a/edge-1');
    expect(fixture.passes).not.toContain('team-a/edge-2');
  });

  test('hides no orphan of the others from the report, and is itself reported of once it answers', async () => {
    const { operator, provider, goDown, comeBack } = fleet();
    const fixture = await operator();
    for (const name of ['edge-1', 'edge-2']) await fixture.create(name, app(), label(name));
    await fixture.pass(5_000);
    const counts: number[] = [];
    const stop = new AbortController();
    const reporting = reportOrphans(
      {
        providers: new Map([['docker', { definition: dockerDefinition, provider: provider(), block: {} }]]),
        known: { hasSynced: () => true, get: () => undefined },
        tenants: { get: async () => undefined },
        intervalMs: 60_000,
        logger: context().logger,
        onCount: (_provider, count) => void counts.push(count),
      },
      stop.signal,
    );
    goDown('edge-1');
    await fixture.pass(61_000);
    // A container and a network.
    expect(counts.at(-1)).toBe(2);
    comeBack('edge-1');
    await fixture.pass(61_000);
    expect(counts.at(-1)).toBe(4);
    goDown('edge-1');
    await fixture.pass(61_000);
    expect(counts.at(-1)).toBe(4);
    stop.abort();
    await reporting;
  });
});

describe('an engine that is no longer in the config', () => {
  const onEdge1 = async () => {
    const there = fleet();
    const before = await there.operator();
    await before.create('acme', app(), label('edge-1'));
    await before.pass(5_000);
    await before.stop();
    const without = async (block: object = {}) =>
      there.operator({ 'edge-2': addresses['edge-2'] }, { apiserver: before.apiserver, block: { ...block } });
    return { ...there, apiserver: before.apiserver, without };
  };

  test('is named to the Tenant that asks for it, and holds up its deletion with words, until it is back', async () => {
    const { engines, apiserver, operator, without } = await onEdge1();
    const fixture = await without();
    await fixture.pass(60_000);
    expect(await fixture.message('acme')).toContain('no engine "edge-1"; it has edge-2');
    await fixture.tenants.delete('acme', 'team-a');
    await fixture.pass(60_000);
    const message = await fixture.message('acme');
    expect(message).toContain('Docker Engine A (edge-1) at unix:///1');
    expect(message).toContain('compute.docker.engines');
    expect(message).toContain('landlord.dev/abandon=docker/A/landlord/team-a-acme-9201d5e7');
    expect(statesOn(engines['edge-1'])).toEqual(running);
    await fixture.stop();
    const again = await operator(bothEdges, { apiserver });
    await again.pass(60_000);
    expect(await again.tenants.get('acme', 'team-a')).toBeUndefined();
    expect(statesOn(engines['edge-1'])).toEqual([]);
  });

  test.each<[what: string, block: object]>([
    ["the block's own list", { former_hosts: [addresses['edge-1']] }],
    [
      "another engine's list",
      { engines: { 'edge-2': { host: addresses['edge-2'], former_hosts: [addresses['edge-1']] } } },
    ],
  ])('is emptied as a former host of %s, once the Tenant has moved', async (_what, block) => {
    const { engines, without } = await onEdge1();
    const fixture = await without(block);
    await fixture.patch('acme', { metadata: label('edge-2') });
    await fixture.pass(60_000);
    expect([statesOn(engines['edge-1']), statesOn(engines['edge-2'])]).toEqual([[], running]);
    expect(await fixture.conditions('acme')).toEqual(['Ready=True/Running']);
  });

  test('is not emptied by the one that has its name now', async () => {
    const { engines, apiserver, operator } = await onEdge1();
    const fixture = await operator({ 'edge-1': addresses['edge-2'] }, { apiserver });
    await fixture.pass(60_000);
    expect([statesOn(engines['edge-1']), statesOn(engines['edge-2'])]).toEqual([running, running]);
    const { status } = await fixture.get('acme');
    expect(status).toMatchObject({ placement: { engineId: 'B' }, previousPlacements: [{ engineId: 'A' }] });
    await fixture.tenants.delete('acme', 'team-a');
    await fixture.pass(60_000);
    expect(await fixture.message('acme')).toContain('Docker Engine A');
    expect([statesOn(engines['edge-1']), statesOn(engines['edge-2'])]).toEqual([running, []]);
  });
});

describe('the lane', () => {
  test('is one for each engine, whoever names it, and for a place, where it is', async () => {
    const { operator, provider } = fleet();
    const docker = provider();
    const fixture = await operator();
    await fixture.create('acme', app(), label('edge-1'));
    await fixture.pass(5_000);
    const { placement = { provider: 'docker' } } = (await fixture.get('acme')).status ?? {};
    const { engineId: _id, host: _host, engine: _name, ...ofBefore } = placement;
    expect(docker.domains).toEqual(['', 'edge-1', 'edge-2']);
    const asked = [{}, { engine: 'edge-2' }, { engine: 'edge-9' }, { engine: 7 }];
    expect(asked.map((config) => docker.domainOf?.({ config }))).toEqual([
      '',
      'edge-2',
      undefined,
      undefined,
    ]);
    const places = [placement, { ...placement, host: 'unix:///other' }, ofBefore];
    expect(places.map((place) => docker.domainOf?.({ placement: place }))).toEqual(['edge-1', 'edge-1', '']);
    const removed = { ...placement, host: 'unix:///other', engine: 'edge-9' };
    expect(docker.domainOf?.({ placement: removed })).toBeUndefined();
  });
});

test('what is left is told of each engine by itself, as far as it has answered', async () => {
  const { engines, goDown, provider } = fleet();
  const several = provider(bothEdges, { block: { network_pool: '10.0.0.0/24' } });
  const config = [{ Subnet: '10.0.0.0/25' }];
  await engines['edge-1'].createNetwork(
    { Name: 'x', IPAM: { Config: config } },
    new AbortController().signal,
  );
  goDown('edge-2');
  for (const name of Object.keys(engines))
    await several.list(new AbortController().signal, name).catch(() => undefined);
  const networks = several.capacity?.().filter(({ of }) => of === 'networks');
  expect(networks).toEqual([
    { domain: '', of: 'networks', free: 16, total: 16 },
    { domain: 'edge-1', of: 'networks', free: 8, total: 16 },
  ]);
});
