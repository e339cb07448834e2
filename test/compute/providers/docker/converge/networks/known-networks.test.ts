import { expect, test } from 'vitest';
import {
  createKnownNetworks,
  networksInUse,
} from '../../../../../../src/compute/providers/docker/converge/networks/known-networks.ts';
import type { ObservedContainer } from '../../../../../../src/compute/providers/docker/state/observed-container.ts';
import { observedContainer } from '../../observed-fixture.ts';

const name = 'landlord-acme';
const network = (Id: string, Subnet = '10.0.0.0/28') => ({
  Id,
  Name: name,
  IPAM: { Config: [{ Subnet }] },
});

test('a network is known by its id: of one that was made since under its name, nothing is', () => {
  const known = createKnownNetworks();
  expect(known.roomIn(name, 'n1')).toBe(0);
  known.note(network('n1'));
  expect(known.roomIn(name, 'n1')).toBe(13);
  expect([known.roomIn(name, 'n2'), known.roomIn(name, undefined), known.roomIn('other', 'n1')]).toEqual([
    0, 0, 0,
  ]);
  known.note(network('n2', '10.0.0.0/26'));
  expect([known.roomIn(name, 'n1'), known.roomIn(name, 'n2')]).toEqual([0, 61]);
});

test('one is in use where a container of the tenant runs in it, and it was not outgrown', () => {
  const container = (over: Partial<ObservedContainer> = {}) => {
    const one = observedContainer({
      name: 'landlord-tenant-acme',
      networkMode: name,
      networks: [name],
      networkId: 'n1',
      ...over,
    });
    return { ...one, made: { ...one.made, tenantId: 'acme', container: 'app' } };
  };
  const inUse = (...all: readonly ObservedContainer[]) => [...networksInUse(all)];
  expect(inUse(container())).toEqual([[name, 'n1']]);
  expect(inUse(container({ state: 'exited' }))).toEqual([]);
  expect(inUse(container({ networks: [] }))).toEqual([]);
  expect(inUse(container({ networkId: undefined }))).toEqual([]);
  expect(inUse(container({ networkMode: 'bridge', networks: ['bridge'] }))).toEqual([]);
  const larger = `${name}.large`;
  expect(inUse(container(), container({ networkMode: larger, networks: [larger], networkId: 'n2' }))).toEqual(
    [[larger, 'n2']],
  );
});
