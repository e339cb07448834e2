import type Dockerode from 'dockerode';
import { describe, expect, it } from 'vitest';
import type { DesiredNetwork } from '../../../../../src/compute/providers/docker/state/network/choose-network.ts';
import { EngineRefusal } from '../../../../../src/compute/providers/docker/engine/engine.ts';
import { createNetworks } from '../../../../../src/compute/providers/docker/converge/networks.ts';
import { settings } from '../docker-fixture.ts';
import { memoryEngine } from '../memory-engine.ts';
import type { MemoryEngine } from '../memory-engine.ts';
import { anyConsent } from '../../../permits.ts';

const signal = new AbortController().signal;
const whose = (name: string, room = { containers: 2, joining: 2 }) => {
  const tenant = { namespace: 'team-a', name, uid: 'uid-1' };
  return {
    ...tenant,
    ...room,
    tenantId: name,
    consent: anyConsent,
    marks: settings().ownership.of({ tenantId: name, tenant }),
  };
};
const ensureOn = (engine: MemoryEngine, block = {}) => {
  const networks = createNetworks(engine, settings(block));
  return (network: DesiredNetwork, tenant = 'acme') => networks.ensure(network, whose(tenant), signal);
};
const own = (tenant: string): DesiredNetwork => ({ kind: 'private', name: `landlord-${tenant}` });
const shared: DesiredNetwork = { kind: 'shared', name: 'tenants' };
const owner = { 'landlord.owner': 'default', 'landlord.cluster': 'cluster-1', 'landlord.provider': 'docker' };
const names = (engine: MemoryEngine) => [...engine.networks.values()].map(({ Name }) => Name);
const subnets = (engine: MemoryEngine) =>
  [...engine.networks.values()].map(({ IPAM }) => IPAM?.Config?.[0]?.['Subnet']);

/** Like the engine's, a filter by name finds what contains it. */
function findsParts(engine: MemoryEngine): void {
  const list = engine.listNetworks.bind(engine);
  engine.listNetworks = async ({ name, ...filters }, aborted) =>
    (await list(filters, aborted)).filter(
      ({ Name }) => name === undefined || name.some((part) => Name.includes(part)),
    );
}

describe('no network is made', () => {
  it.each<DesiredNetwork>([
    { kind: 'shared', name: 'bridge' },
    { kind: 'shared', name: 'host' },
    { kind: 'shared', name: 'none' },
    { kind: 'mode', name: 'container:db' },
  ])('for $kind $name, nor asked for', async (network) => {
    const engine = memoryEngine();
    await ensureOn(engine)(network);
    expect(engine.calls).toEqual([]);
  });

  it('where it is there', async () => {
    const engine = memoryEngine();
    for (const network of [shared, own('acme')]) {
      await ensureOn(engine)(network);
      await ensureOn(engine)(network);
    }
    expect(names(engine)).toEqual(['tenants', 'landlord-acme']);
  });
});

it("the operator's network bears its marks and its driver; one whose name merely contains it is another", async () => {
  const engine = memoryEngine();
  findsParts(engine);
  await engine.createNetwork({ Name: 'tenants-of-others' }, signal);
  await ensureOn(engine, { network_driver: 'macvlan' })(shared);
  expect([...engine.networks.values()][1]).toEqual({
    Id: expect.any(String) as string,
    Name: 'tenants',
    Driver: 'macvlan',
    CheckDuplicate: true,
    Options: {},
    Labels: owner,
  });
});

it("a tenant's own network bears its marks, and a /28 of the pool that nobody else has", async () => {
  const engine = memoryEngine();
  const config = (Config: unknown) =>
    engine.createNetwork(
      { Name: 'x', IPAM: { Config } } as unknown as Dockerode.NetworkCreateOptions,
      signal,
    );
  await config([{ Subnet: '10.210.0.0/28' }, { Subnet: '10.210.0.16/28' }]);
  await config([{}]);
  await config(null);
  await engine.createNetwork({ Name: 'y' }, signal);
  await ensureOn(engine)(own('acme'));
  expect([...engine.networks.values()].at(-1)).toEqual({
    Id: expect.any(String) as string,
    Name: 'landlord-acme',
    Driver: 'bridge',
    CheckDuplicate: true,
    IPAM: { Driver: 'default', Config: [{ Subnet: '10.210.0.32/28' }] },
    Labels: {
      ...owner,
      'landlord.tenant_id': 'acme',
      'landlord.tenant_namespace': 'team-a',
      'landlord.tenant_name': 'acme',
      'landlord.tenant_uid': 'uid-1',
    },
  });
});

it('tenants that ask at once get a network each, one after the other, and share the shared one', async () => {
  const engine = memoryEngine();
  const ensure = ensureOn(engine);
  const list = engine.listNetworks.bind(engine);
  engine.listNetworks = async (...args) => {
    await new Promise((resolve) => setImmediate(resolve));
    return list(...args);
  };
  await Promise.all(
    ['a', 'b', 'c'].flatMap((tenant) => [ensure(own(tenant), tenant), ensure(shared, tenant)]),
  );
  expect(names(engine).toSorted()).toEqual(['landlord-a', 'landlord-b', 'landlord-c', 'tenants']);
  expect(new Set(subnets(engine)).size).toBe(4);
});

describe('of several networks of one name', () => {
  it('only those that are ours go, and of ours the first stays', async () => {
    const engine = memoryEngine();
    const create = engine.createNetwork.bind(engine);
    engine.createNetwork = async (body, aborted) => {
      const blind = { ...body, CheckDuplicate: false };
      const made = await create(blind, aborted);
      await create({ ...blind, Labels: {} }, aborted);
      await create(blind, aborted);
      return made;
    };
    await ensureOn(engine)(shared);
    expect([...engine.networks.values()].map(({ Labels }) => Labels)).toEqual([owner, {}]);
  });

  it("a private one that is another tenant's is a conflict", async () => {
    const engine = memoryEngine();
    await ensureOn(engine)(own('acme'));
    await expect(ensureOn(engine)(own('acme'), 'other')).rejects.toMatchObject({
      code: 'ProviderConflict',
      message:
        'network landlord-acme belongs to the tenant acme of this namespace. ' +
        'Remove it, or give the tenant another tenantId',
    });
  });
});

describe('the network of a tenant of which nothing is there', () => {
  const ensureNew = (engine: MemoryEngine) => {
    const networks = createNetworks(engine, settings());
    return (tenant: string) =>
      networks.ensure(own(tenant), { ...whose(tenant), isNew: true }, signal).then(({ name }) => name);
  };

  it('is made before anybody asks whether it is there, and for many, the networks of others are listed once', async () => {
    const engine = memoryEngine();
    const ensure = ensureNew(engine);
    for (const tenant of ['a', 'b', 'c']) await ensure(tenant);
    expect(engine.calls).toEqual([
      'listNetworks',
      ...['a', 'b', 'c'].flatMap(() => ['createNetwork', 'listNetworks']),
    ]);
    expect(subnets(engine)).toEqual(['10.210.0.0/28', '10.210.0.16/28', '10.210.0.32/28']);
  });

  it('is the one that is there all the same', async () => {
    const engine = memoryEngine();
    await ensureOn(engine)(own('acme'));
    expect(await ensureNew(engine)('acme')).toBe('landlord-acme');
    expect(names(engine)).toEqual(['landlord-acme']);
  });

  it("is a conflict where it is somebody else's", async () => {
    const engine = memoryEngine();
    await engine.createNetwork({ Name: 'landlord-acme' }, signal);
    await expect(ensureNew(engine)('acme')).rejects.toMatchObject({ code: 'ProviderConflict' });
  });

  it('is the larger one where that is there', async () => {
    const engine = memoryEngine();
    const large = { Name: 'landlord-acme.large', Labels: { ...whose('acme').marks } };
    await engine.createNetwork(large, signal);
    expect(await ensureNew(engine)('acme')).toBe(large.Name);
  });

  it('is one, where another operator makes it at the same moment: both keep the same', async () => {
    const engine = memoryEngine();
    const create = engine.createNetwork.bind(engine);
    engine.createNetwork = async (body, aborted) => {
      const made = await create(body, aborted);
      await create({ ...body, CheckDuplicate: false, IPAM: { Driver: 'default', Config: [] } }, aborted);
      return made;
    };
    expect(await ensureNew(engine)('acme')).toBe('landlord-acme');
    expect(subnets(engine)).toEqual(['10.210.0.0/28']);
  });

  it('gets a subnet that others have taken and freed since the networks were listed', async () => {
    const engine = memoryEngine();
    const networks = createNetworks(engine, settings({ network_pool: '10.0.0.0/27' }));
    const ensure = (tenant: string) =>
      networks.ensure(own(tenant), { ...whose(tenant), isNew: true }, signal);
    await ensure('a');
    const other = { Name: 'x', IPAM: { Driver: 'default', Config: [{ Subnet: '10.0.0.16/28' }] } };
    const { id } = await engine.createNetwork(other, signal);
    await expect(ensure('b')).rejects.toMatchObject({ code: 'ProvisionFailed' });
    await engine.removeNetwork(id, anyConsent, signal);
    await ensure('b');
    expect(subnets(engine)).toEqual(['10.0.0.0/28', '10.0.0.16/28']);
  });
});

describe('the size of a private network', () => {
  it.each([
    [2, 28],
    [6, 28],
    [7, 27],
    [14, 27],
    [15, 26],
    [16, 26],
  ])('with %i containers has room for a successor of each: /%i', async (containers, prefix) => {
    const engine = memoryEngine();
    const room = { containers, joining: containers };
    await createNetworks(engine, settings()).ensure(own('acme'), whose('acme', room), signal);
    expect(subnets(engine)).toEqual([`10.210.0.0/${prefix}`]);
  });

  it('is made for more where nothing of the tenant is in it', async () => {
    const engine = memoryEngine();
    await ensureOn(engine)(own('acme'));
    const room = { containers: 16, joining: 16 };
    await createNetworks(engine, settings()).ensure(own('acme'), whose('acme', room), signal);
    expect(subnets(engine)).toEqual(['10.210.0.0/26']);
  });

  it.each([
    [8, 5, 'landlord-acme', ['10.210.0.0/28']],
    [8, 6, 'landlord-acme.large', ['10.210.0.0/28', '10.210.0.64/26']],
  ])('made for fewer, %i that join %i go to it where it has room', async (joining, used, name, made) => {
    const engine = memoryEngine(['app:1']);
    await ensureOn(engine)(own('acme'));
    const Labels = { ...whose('acme').marks };
    await engine.createContainer('landlord-tenant-acme.a', { Image: 'app:1', Labels }, signal);
    const [network] = engine.networks.values();
    const Containers = Object.fromEntries(Array.from({ length: used }, (_, id) => [`${id}`, {}]));
    engine.inspectNetwork = async () => ({ ...network, Containers }) as Dockerode.NetworkInspectInfo;
    const networks = createNetworks(engine, settings());
    const grown = whose('acme', { containers: 8, joining });
    expect(await networks.ensure(own('acme'), grown, signal)).toEqual({ kind: 'private', name });
    expect(await networks.ensure(own('acme'), grown, signal)).toEqual({ kind: 'private', name });
    expect(subnets(engine)).toEqual(made);
  });
});

describe('a larger network', () => {
  const large = { Name: 'landlord-acme.large' };

  it("of somebody else's is a conflict", async () => {
    const engine = memoryEngine();
    await engine.createNetwork(large, signal);
    await expect(ensureOn(engine)(own('acme'))).rejects.toMatchObject({ code: 'ProviderConflict' });
  });

  it('is what new containers go to, also where the first one is gone', async () => {
    const engine = memoryEngine();
    await engine.createNetwork({ ...large, Labels: { ...whose('acme').marks } }, signal);
    expect(await ensureOn(engine)(own('acme'))).toEqual({ kind: 'private', name: large.Name });
    expect(names(engine)).toEqual([large.Name]);
  });

  it('that somebody removed is made anew, under its own name', async () => {
    const engine = memoryEngine();
    const missing: DesiredNetwork = { kind: 'private', name: large.Name };
    await createNetworks(engine, settings()).restore(missing, whose('acme'), signal);
    expect(names(engine)).toEqual([large.Name]);
  });
});

describe('a pool', () => {
  it('whose subnets are all refused is given up after 64 of them', async () => {
    const engine = memoryEngine();
    let tried = 0;
    engine.createNetwork = async () => {
      tried += 1;
      throw new EngineRefusal('overlap', 403, 'Pool overlaps');
    };
    await expect(ensureOn(engine)(own('acme'))).rejects.toMatchObject({
      code: 'ProvisionFailed',
      message: expect.stringContaining('network_pool 10.210.0.0/16 has no free /28 left') as string,
    });
    expect(tried).toBe(64);
  });

  it('that is full says how to mend that', async () => {
    const ensure = ensureOn(memoryEngine(), { network_pool: '10.0.0.0/28' });
    await ensure(own('a'), 'a');
    await expect(ensure(own('b'), 'b')).rejects.toMatchObject({
      code: 'ProvisionFailed',
      message:
        'network_pool 10.0.0.0/28 has no free /28 left for the network landlord-b: it has room for 1 of that size. ' +
        'Widen compute.docker.network_pool, or remove networks that are no longer used',
    });
  });

  it('of an engine that is one of several is widened by its own key', async () => {
    const here = { ...settings({ network_pool: '10.0.0.0/24' }), engineName: 'edge-1' };
    const engine = memoryEngine();
    await engine.createNetwork({ Name: 'x', IPAM: { Config: [{ Subnet: '10.0.0.0/8' }] } }, signal);
    const { name } = own('b');
    await expect(
      createNetworks(engine, here).ensure({ kind: 'private', name }, whose('b'), signal),
    ).rejects.toMatchObject({
      message: expect.stringMatching(
        /room for 16 of that size\. Widen compute\.docker\.engines\.edge-1\.network_pool,/,
      ) as string,
    });
  });

  it('is told of with what a new network takes of it, and when it is full', async () => {
    const told: (readonly string[])[] = [];
    const networks = createNetworks(memoryEngine(), settings({ network_pool: '10.0.0.0/28' }), (subnets) =>
      told.push(subnets),
    );
    await networks.ensure(own('a'), whose('a'), signal);
    await networks.ensure(own('b'), whose('b'), signal).catch(() => undefined);
    expect(told).toEqual([['10.0.0.0/28'], ['10.0.0.0/28']]);
  });

  it('is not searched on where the engine refuses for another reason', async () => {
    const engine = memoryEngine();
    let tried = 0;
    engine.createNetwork = async () => {
      tried += 1;
      throw new EngineRefusal('other', 500, 'no way');
    };
    await expect(ensureOn(engine)(own('acme'))).rejects.toMatchObject({ message: 'no way' });
    expect(tried).toBe(1);
  });
});
