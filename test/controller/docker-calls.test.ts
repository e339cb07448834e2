import { apiVersion, kind } from '../../src/api/names.ts';
import { describe, expect, test } from 'vitest';
import { namespace } from './controller-fixture.ts';
import { operator, sweepMs } from './docker-operator.ts';

/**
 * What the operator asks of an engine, call by call: the real controller over the real provider, with its watch. The
 * numbers are the promise; a call more is a change of it.
 */

const image = (name: string, more: Record<string, unknown> = {}) => ({
  spec: { computeConfig: { docker: { image: name, ...more } } },
});

const onPort = (index: number, name = 'app:1') =>
  image(name, { ports: [{ container_port: 80, host_port: 8000 + index }] });

async function fleet(
  count: number,
  specOf: (index: number) => ReturnType<typeof image> = () => image('app:1'),
) {
  const one = await operator();
  const tenant = (index: number) => ({
    apiVersion,
    kind,
    metadata: { name: `t${index}`, namespace },
    ...specOf(index),
  });
  for (let index = 0; index < count; index += 1) await one.tenants.create(tenant(index));
  // Until the engine calls all of them old.
  await one.pass(600_000);
  expect(await one.conditions(`t${count - 1}`)).toEqual(['Ready=True/Running']);
  one.take();
  return one;
}

/** Of these counts, how many in all. */
const total = (counts: Record<string, number>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

describe('the calls to a Docker Engine', () => {
  test('to create a tenant with a network of its own, until it is Ready', async () => {
    const one = await fleet(1);
    await one.create('acme', image('app:1').spec);
    await one.pass(10_000);
    expect(await one.conditions('acme')).toEqual(['Ready=True/Running']);
    const calls = one.take();
    expect(calls).toEqual({
      inspectImage: 1,
      listNetworks: 1,
      createNetwork: 1,
      createContainer: 1,
      startContainer: 1,
      inspectContainer: 1,
    });
    expect(total(calls)).toBe(6);
  });

  test('to replace a container, until its successor is Ready', async () => {
    const one = await fleet(1);
    await one.patch('t0', image('app:2'));
    await one.pass(10_000);
    expect(await one.conditions('t0')).toEqual(['Ready=True/Running']);
    const calls = one.take();
    expect(calls).toEqual({
      inspectImage: 1,
      createContainer: 1,
      startContainer: 1,
      renameContainer: 2,
      stopContainer: 1,
      removeContainer: 1,
      // The old one first; its successor after the start; both before the names change; the old one after it was stopped.
      inspectContainer: 5,
    });
    expect(total(calls)).toBe(12);
  });

  test.each([1, 60])('are the same for a fixed host port, beside %i tenants with others', async (count) => {
    const one = await fleet(count, onPort);
    // Each container is inspected once per sweep besides.
    const taken = () => ({ ...one.take(), inspectContainer: undefined });
    await one.create('acme', onPort(count).spec);
    await one.pass(10_000);
    expect(await one.conditions('acme')).toEqual(['Ready=True/Running']);
    expect(taken()).toEqual({
      inspectImage: 1,
      listNetworks: 1,
      createNetwork: 1,
      createContainer: 1,
      startContainer: 1,
    });
    await one.patch('t0', onPort(0, 'app:2'));
    await one.pass(10_000);
    expect(await one.conditions('t0')).toEqual(['Ready=True/Running']);
    expect(taken()).toEqual({
      inspectImage: 1,
      createContainer: 1,
      stopContainer: 1,
      startContainer: 1,
      renameContainer: 2,
      removeContainer: 1,
    });
  });

  test('of a sweep over 100 settled tenants: one list, and each container is inspected once in between', async () => {
    const one = await fleet(100);
    await one.pass(sweepMs);
    expect(one.take()).toEqual({ listContainers: 1, inspectContainer: 100 });
  });

  test('of a restart over 100 settled tenants: one list before all is known', async () => {
    const one = await fleet(100);
    await one.stop();
    const next = await operator(one.memory, { apiserver: one.apiserver });
    expect(next.started).toEqual({ identify: 1, events: 1, listContainers: 1, inspectContainer: 51 });
    expect(await next.conditions('t99')).toEqual(['Ready=True/Running']);
  });

  test('to delete a tenant', async () => {
    const one = await fleet(1);
    await one.tenants.delete('t0', namespace);
    await one.pass(10_000);
    expect(await one.tenants.get('t0', namespace)).toBeUndefined();
    const calls = one.take();
    expect(calls).toEqual({
      stopContainer: 1,
      removeContainer: 1,
      removeNetwork: 1,
      listContainers: 1,
      listNetworks: 1,
      listVolumes: 1,
    });
    expect(total(calls)).toBe(6);
  });
});
