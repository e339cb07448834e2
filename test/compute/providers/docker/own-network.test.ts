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
