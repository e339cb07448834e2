import { describe, expect, it } from 'vitest';
import { containerSpec, drivenDocker, settings, tenantSpec } from './docker-fixture.ts';
import { memoryEngine, resolve } from './memory-engine.ts';
import type { MemoryEngine } from './memory-engine.ts';
import { recordedChanges } from './recorded-changes.ts';

/** A tenant that grows beyond the network that was made for fewer containers. */

const signal = new AbortController().signal;
const network = 'landlord-acme';
const large = `${network}.large`;

const tenant = (count: number, image = 'app:1', alone = image) =>
  tenantSpec(
    {},
    {
      containers: Array.from({ length: count }, (_, index) =>
        containerSpec(`c${index}`, { image: index === 0 ? alone : image }),
      ),
    },
  );
const subnets = (engine: MemoryEngine) =>
  [...engine.networks.values()].map(({ Name, IPAM }) => [Name, IPAM?.Config?.[0]?.['Subnet']]);
const isIn = (engine: MemoryEngine, name: string) =>
  [...engine.containers.values()].flatMap((one) => (one.endpoints.has(name) ? [one.name] : []));

/** As many as a /28 holds, and not as many as it holds with a successor of each. */
async function grown(count = 8) {
  const engine = memoryEngine(['app:1', 'app:2', 'crash:1']);
  const docker = drivenDocker(engine);
  await docker.provision(tenant(1), signal);
  await docker.update(tenant(count), signal);
  expect(subnets(engine)).toEqual([[network, '10.210.0.0/28']]);
  return { engine, docker };
}

describe('a rollout for which the network has no room', () => {
  it('goes through a larger one, and the first one goes once nobody uses it', async () => {
    const { engine, docker } = await grown();
    expect(await docker.update(tenant(8, 'app:2'), signal)).toMatchObject({ outcome: 'done' });
    expect(subnets(engine)).toEqual([[large, '10.210.0.64/26']]);
    expect(isIn(engine, large)).toHaveLength(8);
    expect(resolve(engine, large, 'c7')).toEqual(['landlord-tenant-acme.c7']);
    const changes = recordedChanges(engine);
    expect(await docker.getStatus(tenant(8, 'app:2'), { fresh: true, signal })).toMatchObject({
      changes: [],
    });
    expect(await docker.update(tenant(16, 'app:1'), signal)).toMatchObject({ outcome: 'done' });
    expect(changes.filter((change) => change.includes('Network'))).toEqual([]);
    expect(subnets(engine)).toEqual([[large, '10.210.0.64/26']]);
  });

  it('shows the new ones and the old ones to each other by name, before and after they are proven', async () => {
    const { engine } = await grown();
    const slow = drivenDocker(engine, settings(), { settleMs: 3_600_000 });
    await slow.update(tenant(8, 'app:2'), signal);
    expect(isIn(engine, network)).toHaveLength(8);
    expect(isIn(engine, large)).toHaveLength(16);
    for (const where of [network, large]) {
      expect(resolve(engine, where, 'c3')).toEqual(['landlord-tenant-acme.c3']);
    }
    const next = [...engine.containers.values()].find(({ name }) => name === 'landlord-tenant-acme.c3_next');
    if (next === undefined) throw new Error('no successor');
    next.health = 'healthy';
    await slow.update(tenant(8, 'app:2'), signal);
    const both = ['landlord-tenant-acme.c3', 'landlord-tenant-acme.c3_next'];
    expect(resolve(engine, large, 'c3')).toEqual(both);
  });

  it('leaves what stays as it is where it is: in both, neither restarted nor made anew', async () => {
    const { engine, docker } = await grown(11);
    const ids = new Map([...engine.containers.values()].map(({ name, id }) => [name, id]));
    const changes = recordedChanges(engine);
    const twoNew = tenantSpec(
      {},
      {
        containers: tenant(11).containers.map((one, index) => (index < 3 ? { ...one, image: 'app:2' } : one)),
      },
    );
    expect(await docker.update(twoNew, signal)).toMatchObject({ outcome: 'done' });
    const kept = 'landlord-tenant-acme.c10';
    expect([...engine.containers.values()].find(({ name }) => name === kept)?.id).toBe(ids.get(kept));
    expect(
      changes.filter((change) => /stop|start/.test(change) && change.includes(ids.get(kept) ?? '')),
    ).toEqual([]);
    expect(isIn(engine, network)).toHaveLength(8);
    expect(resolve(engine, large, 'c10')).toEqual([kept]);
    expect(resolve(engine, large, 'c0')).toEqual(['landlord-tenant-acme.c0']);
    expect(subnets(engine).map(([name]) => name)).toEqual([network, large]);
    expect(await docker.getStatus(twoNew, { fresh: true, signal })).toMatchObject({ changes: [] });
  });

  it('leaves what runs alone where the new ones fail', async () => {
    const { engine, docker } = await grown();
    const before = isIn(engine, network);
    const { outcome } = await docker.update(tenant(8, 'crash:1'), signal);
    expect(outcome).toBe('rolled_back');
    expect(isIn(engine, network)).toEqual(before);
    expect(isIn(engine, large)).toEqual(before);
  });

  it('leaves nothing behind once the Tenant is deleted', async () => {
    const { engine, docker } = await grown();
    await docker.update(tenant(8, 'crash:1'), signal);
    await docker.destroy(tenant(8), signal);
    expect([engine.containers.size, engine.networks.size]).toEqual([0, 0]);
  });
});
