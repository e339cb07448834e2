import type Dockerode from 'dockerode';
import { describe, expect, it } from 'vitest';
import { createSubnetPool } from '../../../../../src/compute/providers/docker/converge/subnet-pool.ts';
import { EngineRefusal } from '../../../../../src/compute/providers/docker/engine/engine.ts';

const signal = new AbortController().signal;

/** An engine that holds these subnets, and refuses them. */
function bench(pool: string, held: readonly string[] = []) {
  const taken = new Set(held);
  let lists = 0;
  const subnets = createSubnetPool(
    {
      listNetworks: async () => {
        lists += 1;
        return [...taken].map(
          (Subnet) => ({ IPAM: { Config: [{ Subnet }] } }) as Dockerode.NetworkInspectInfo,
        );
      },
    },
    pool,
  );
  const made: string[] = [];
  const make = async (subnet: string): Promise<void> => {
    if (taken.has(subnet)) throw new EngineRefusal('overlap', 403, 'Pool overlaps');
    taken.add(subnet);
    made.push(subnet);
  };
  return { taken, made, lists: () => lists, take: () => subnets.take(28, make, signal) };
}

describe('a pool of subnets', () => {
  it('lists the networks for the first of them, and for none that follows', async () => {
    const { made, lists, take } = bench('10.0.0.0/24', ['10.0.0.0/28']);
    for (let n = 0; n < 15; n += 1) expect(await take()).toBe(true);
    expect(made.slice(0, 2)).toEqual(['10.0.0.16/28', '10.0.0.32/28']);
    expect(new Set(made).size).toBe(15);
    expect(lists()).toBe(1);
  });

  it('lists them anew once where others have taken the next ones meanwhile', async () => {
    const { taken, made, lists, take } = bench('10.0.0.0/24');
    await take();
    for (const subnet of ['10.0.0.16/28', '10.0.0.32/28', '10.0.0.48/28']) taken.add(subnet);
    expect(await take()).toBe(true);
    expect(made.at(-1)).toBe('10.0.0.64/28');
    expect(lists()).toBe(2);
  });

  it('gives out what has become free once nothing else is left', async () => {
    const { taken, made, lists, take } = bench('10.0.0.0/27');
    expect([await take(), await take(), await take()]).toEqual([true, true, false]);
    taken.delete('10.0.0.0/28');
    expect(await take()).toBe(true);
    expect(made.at(-1)).toBe('10.0.0.0/28');
    expect(lists()).toBe(3);
  });
});
