import { describe, expect, it } from 'vitest';
import { consentTo, permitUpTo } from '../../../../src/compute/permit.ts';
import { containerSpec, drivenDocker, settings, tenantSpec } from './docker-fixture.ts';
import { memoryEngine, resolve } from './memory-engine.ts';
import type { MemoryEngine } from './memory-engine.ts';
import { recordedChanges } from './recorded-changes.ts';

/** The network of a tenant with one container: how it comes into one, and out of it. */

const signal = new AbortController().signal;
const name = 'landlord-tenant-acme';
const network = 'landlord-acme';
const consent = consentTo(permitUpTo('live'), 'live', 'taking it out');

async function running(block = {}, config = {}) {
  const engine = memoryEngine(['app:1', 'app:2']);
  await drivenDocker(engine, settings(block)).provision(tenantSpec(config), signal);
  return { engine, changes: recordedChanges(engine) };
}

const placesOf = ({ containers }: MemoryEngine) =>
  [...containers.values()].map(({ name: container, endpoints }) => [container, ...endpoints.keys()]);
const networkNames = ({ networks }: MemoryEngine) => [...networks.values()].map(({ Name }) => Name);

describe('a container that an earlier version made on a network that all share', () => {
  const before = { network_name: 'bridge' };

  it.each([
    ['takes over from', {}, 'replace'],
    ['is made way for by', { ports: [{ container_port: 80, host_port: 8080 }] }, 'gap'],
  ])('%s one in a network of its own, and the difference says so', async (_what, config, effect) => {
    const { engine } = await running(before, config);
    const provider = drivenDocker(engine);
    const { changes } = await provider.getStatus(tenantSpec(config), { fresh: true, signal });
    expect(changes).toMatchObject([{ path: 'containers.app.spec', cause: 'spec', effect }]);
    expect((await provider.update(tenantSpec(config), signal)).outcome).toBe('done');
    expect(placesOf(engine)).toEqual([[name, network]]);
    expect((await provider.getStatus(tenantSpec(config), { fresh: true, signal })).changes).toEqual([]);
  });

  it('stays where it is as long as the operator names that network', async () => {
    const { engine, changes } = await running(before);
    const provider = drivenDocker(engine, settings(before));
    await provider.update(tenantSpec(), signal);
    expect(changes).toEqual([]);
  });
});

it('a network of its own goes once the operator names one for all', async () => {
  const { engine } = await running();
  await drivenDocker(engine, settings({ network_name: 'tenants' })).update(tenantSpec(), signal);
  expect(placesOf(engine)).toEqual([[name, 'tenants']]);
  expect(networkNames(engine)).toEqual(['tenants']);
});

it('a successor needs no name there, and so does not leave the network to get one', async () => {
  const { engine, changes } = await running();
  await drivenDocker(engine).update(tenantSpec({ image: 'app:2' }), signal);
  expect(changes.filter((change) => change.includes('connect'))).toEqual([]);
  expect(resolve(engine, network, 'app')).toEqual([]);
  expect(placesOf(engine)).toEqual([[name, network]]);
});

it('a container that somebody took out of it is drift, and comes back', async () => {
  const { engine, changes } = await running();
  const [id = ''] = engine.containers.keys();
  await engine.disconnectContainer(id, network, consent, signal);
  changes.length = 0;
  const provider = drivenDocker(engine);
  const seen = await provider.getStatus(tenantSpec(), { fresh: true, signal });
  expect(seen.changes).toMatchObject([{ path: 'containers.app.network', desired: network, effect: 'live' }]);
  await provider.update(tenantSpec(), signal);
  expect(changes).toEqual([`connect ${name} ${network}`]);
  expect(placesOf(engine)).toEqual([[name, network]]);
});

it('a network that was removed under a container that stopped is made anew, and the container with it', async () => {
  const { engine } = await running();
  const [one] = engine.containers.values();
  Object.assign(one ?? {}, { state: 'exited', exitCode: 137 });
  engine.networks.clear();
  expect((await drivenDocker(engine).update(tenantSpec(), signal)).outcome).toBe('done');
  expect(networkNames(engine)).toEqual([network]);
  expect([...engine.containers.values()].map(({ state }) => state)).toEqual(['running']);
});

it('siblings that take over from a container alone are found by their names from the start, in its network', async () => {
  const { engine } = await running();
  const several = tenantSpec({}, { containers: [containerSpec('app'), containerSpec('db')] });
  const changes = recordedChanges(engine);
  await drivenDocker(engine).update(several, signal);
  expect(changes.filter((change) => /connect|Network/.test(change))).toEqual([]);
  expect(resolve(engine, network, 'app')).toEqual([`${name}.app`]);
  await drivenDocker(engine).update(tenantSpec(), signal);
  expect(placesOf(engine)).toEqual([[name, network]]);
});

describe('a network of somebody else', () => {
  const open = settings({ containers: { app: { networks: ['proxy'] } } });
  const asking = (image: string) => tenantSpec({ image, containers: { app: { networks: ['proxy'] } } });

  async function withProxy(labels: Readonly<Record<string, string>> = {}) {
    const engine = memoryEngine(['app:1', 'app:2']);
    await engine.createNetwork({ Name: 'proxy', Labels: labels }, signal);
    return { engine, provider: drivenDocker(engine, open), changes: recordedChanges(engine) };
  }

  it('has the container before it begins, beside its own, and also over a rollout', async () => {
    const { engine, provider, changes } = await withProxy();
    expect((await provider.provision(asking('app:1'), signal)).outcome).toBe('done');
    expect(changes.filter((change) => /^(create|connect|start) /.test(change))).toEqual([
      `create ${name}`,
      `connect ${name} proxy`,
      `start ${name}`,
    ]);
    expect(placesOf(engine)).toEqual([[name, network, 'proxy']]);
    expect((await provider.update(asking('app:2'), signal)).outcome).toBe('done');
    expect(placesOf(engine)).toEqual([[name, network, 'proxy']]);
    expect((await provider.getStatus(asking('app:2'), { fresh: true, signal })).changes).toEqual([]);
  });

  it('has it again where somebody took it out', async () => {
    const { engine, provider, changes } = await withProxy();
    await provider.provision(asking('app:1'), signal);
    const [id = ''] = engine.containers.keys();
    await engine.disconnectContainer(id, 'proxy', consent, signal);
    changes.length = 0;
    expect((await provider.getStatus(asking('app:1'), { fresh: true, signal })).changes).toMatchObject([
      { path: 'containers.app.network', desired: 'proxy', actual: 'others', cause: 'drift', effect: 'live' },
    ]);
    await provider.update(asking('app:1'), signal);
    expect(changes).toEqual([`connect ${name} proxy`]);
  });

  it('that it is not in can lead nobody to it', () => {
    const spec = tenantSpec({ containers: { app: { network_aliases: { proxy: ['www'] } } } });
    expect(() => drivenDocker(memoryEngine([]), open).bare.desired(spec)).toThrow(
      'container app: network_aliases: it is not in the network proxy. Name that in networks',
    );
  });

  it('is left by a replacement, and stays', async () => {
    const { engine, provider } = await withProxy();
    await provider.provision(asking('app:1'), signal);
    const left = tenantSpec({ image: 'app:1', containers: {} });
    await drivenDocker(engine).update(left, signal);
    expect(placesOf(engine)).toEqual([[name, network]]);
    const place = provider.bare.desired(left);
    expect((await provider.bare.destroy(place, permitUpTo('outage'), signal)).outcome).toBe('gone');
    expect(networkNames(engine)).toEqual(['proxy']);
  });

  it('that is not there is missed in words, nothing is started without it, and what ran before serves on', async () => {
    const { engine, provider } = await withProxy();
    await provider.provision(tenantSpec({ image: 'app:1' }), signal);
    engine.networks.forEach(({ Name }, id) => void (Name === 'proxy' && engine.networks.delete(id)));
    await expect(provider.update(asking('app:2'), signal)).rejects.toMatchObject({
      message: expect.stringContaining(
        'there is no network proxy. Create it, or leave it out of networks',
      ) as string,
    });
    expect([...engine.containers.values()].map(({ name: one, state }) => [one, state])).toEqual([
      [name, 'running'],
    ]);
  });

  it("is never a tenant's, of whatever operator, though a pattern of the policy has its name", async () => {
    const { engine, provider } = await withProxy({ 'landlord.owner': 'another' });
    await expect(provider.provision(asking('app:1'), signal)).rejects.toMatchObject({
      code: 'PolicyDenied',
      message: expect.stringMatching(
        /^policy\.docker\.allow_networks: network proxy is a tenant's own/,
      ) as string,
    });
    expect(engine.containers.size).toBe(0);
  });

  it('is no place for a container in the network of the host', () => {
    const spec = tenantSpec({ containers: { app: { networks: ['proxy'], network_mode: 'none' } } });
    expect(() => drivenDocker(memoryEngine([]), open).bare.desired(spec)).toThrow(
      "container app: networks can't be joined with network_mode none. Leave one of them out",
    );
  });
});
