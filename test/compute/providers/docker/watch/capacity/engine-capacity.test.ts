import type Dockerode from 'dockerode';
import { describe, expect, it } from 'vitest';
import { createEngineCapacity } from '../../../../../../src/compute/providers/docker/watch/capacity/engine-capacity.ts';
import { recordingLogger } from '../../../../../kube/recording-logger.ts';
import { settings } from '../../docker-fixture.ts';

const signal = new AbortController().signal;

/** On an engine whose networks have so many containers in them, by their ids. */
function bench(block = {}, inside: Readonly<Record<string, number>> = {}, engineName = '') {
  const { logger, lines } = recordingLogger();
  const asked: string[] = [];
  const engine = {
    inspectNetwork: async (id: string) => {
      asked.push(id);
      const ids = Array.from({ length: inside[id] ?? 0 }, (_none, at) => [`c${at}`, {}]);
      return { Containers: Object.fromEntries(ids) as unknown } as Dockerode.NetworkInspectInfo;
    },
  };
  const capacity = createEngineCapacity(engine, { ...settings(block), engineName }, logger);
  const of = (kind: string) => capacity.known().find((one) => one.of === kind);
  return { capacity, asked, of, told: () => lines.map(({ level, message }) => `${level}: ${message}`) };
}

const network = (Name: string, Driver = 'bridge', Subnet?: string) =>
  ({ Id: `id-${Name}`, Name, Driver, IPAM: { Config: Subnet === undefined ? null : [{ Subnet }] } }) as never;
const taken = (networks: number) =>
  Array.from({ length: networks }, (_none, at) => `10.0.${at >> 4}.${(at % 16) * 16}/28`);

it('nothing is said before the networks were listed', () => {
  expect(bench().capacity.known()).toEqual([]);
});

describe('what is left of the pool', () => {
  it('is what no network of the engine takes, whosever it is, and costs no call', async () => {
    const { capacity, asked, told } = bench({ network_pool: '10.0.0.0/24' });
    await capacity.look([network('anybodys', 'bridge', '10.0.0.0/26'), network('host', 'host')], signal);
    expect(capacity.known()).toEqual([
      { domain: '', of: 'networks', free: 12, total: 16 },
      { domain: '', of: 'addresses', free: 192, total: 256 },
    ]);
    expect([asked, told()]).toEqual([[], []]);
  });

  it('is little under a tenth: told once, with what widens it, and told once when a fifth is left again', () => {
    const { capacity, of, told } = bench({ network_pool: '10.0.0.0/20' });
    const words =
      'network_pool 10.0.0.0/20 has 25 of 256 networks (/28) left: ' +
      'widen compute.docker.network_pool, or remove networks that are no longer used';
    capacity.noteTaken(taken(230));
    expect(of('networks')?.warning).toBeUndefined();
    capacity.noteTaken(taken(231));
    expect(of('networks')?.warning).toBe(words);
    capacity.noteTaken(taken(240));
    capacity.noteTaken(taken(220));
    expect(of('networks')?.warning).toContain('has 36 of 256');
    expect(told()).toEqual([`warn: ${words}`]);
    capacity.noteTaken(taken(204));
    expect(of('networks')?.warning).toBeUndefined();
    expect(told()).toEqual([`warn: ${words}`, 'info: enough networks are left again']);
    capacity.noteTaken(taken(220));
    expect(told()).toHaveLength(2);
  });

  it('names the key of the engine that it is of', () => {
    const { capacity, of } = bench({ network_pool: '10.0.0.0/28' }, {}, 'edge-1');
    capacity.noteTaken(['10.0.0.0/28']);
    expect(of('networks')).toMatchObject({ domain: 'edge-1', free: 0, total: 1 });
    expect(of('networks')?.warning).toContain('widen compute.docker.engines.edge-1.network_pool');
  });
});

describe('what the network takes that tenants share', () => {
  const shared = { network_name: 'tenants' };

  it('is the 1,023 ports of a bridge, less who is in it', async () => {
    const { capacity, of, told } = bench(shared, { 'id-tenants': 921 });
    await capacity.look([network('tenants', 'bridge', '172.18.0.0/16')], signal);
    expect(of('shared_network_ports')).toMatchObject({ free: 102, total: 1_023 });
    expect(told()).toEqual([
      'warn: network tenants (compute.docker.network_name) has room for 102 more containers of 1023: ' +
        'leave network_name out, and each Tenant has a network of its own, or use further engines',
    ]);
  });

  it('is what its subnet has addresses for, where those are fewer or it is no bridge', async () => {
    const { capacity, of } = bench(shared, { 'id-tenants': 3 });
    await capacity.look([network('tenants', 'bridge', '172.18.0.0/24')], signal);
    expect(of('shared_network_ports')).toMatchObject({ free: 250, total: 253 });
    await capacity.look([network('tenants', 'macvlan', '172.18.0.0/20')], signal);
    expect(of('shared_network_ports')).toMatchObject({ free: 4_090, total: 4_093 });
  });

  it('is not told of where there is no such network, or no bound', async () => {
    const { capacity, of, asked } = bench(shared);
    await capacity.look([network('tenants-2', 'bridge', '172.18.0.0/24')], signal);
    await capacity.look([network('tenants', 'overlay')], signal);
    expect(of('shared_network_ports')).toBeUndefined();
    expect(asked).toEqual([]);
  });
});
