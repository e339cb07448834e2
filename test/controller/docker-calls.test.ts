import { apiVersion, kind } from '../../src/api/names.ts';
import { tenantSpecSchema } from '../../src/api/tenant.ts';
import { describe, expect, test } from 'vitest';
import type { EnabledProviders } from '../../src/compute/selection/enabled-providers.ts';
import type { Provider } from '../../src/compute/provider.ts';
import type { Engine } from '../../src/compute/providers/docker/engine/engine.ts';
import { dockerTenantBlock } from '../../src/compute/providers/docker/config.ts';
import { dockerDefinition } from '../../src/compute/providers/docker/definition.ts';
import { drivenDocker, settings } from '../compute/providers/docker/docker-fixture.ts';
import { memoryEngine } from '../compute/providers/docker/memory-engine.ts';
import { namespace, startController } from './controller-fixture.ts';
import type { FixtureOptions } from './controller-fixture.ts';

/**
 * What the operator asks of an engine, call by call: the real controller over the real provider, with its watch. The
 * numbers are the promise; a call more is a change of it.
 */

const specSchema = tenantSpecSchema({ docker: dockerTenantBlock });
const sweepMs = 300_000;

const image = (name: string, more: Record<string, unknown> = {}) => ({
  spec: { computeConfig: { docker: { image: name, ...more } } },
});

/** How often each call was made since the last time that this was asked. */
function counted(engine: Engine): { readonly engine: Engine; take(this: void): Record<string, number> } {
  let counts: Record<string, number> = {};
  const proxy = new Proxy(engine, {
    get(target, key) {
      const member = Reflect.get(target, key) as unknown;
      if (typeof member !== 'function' || typeof key !== 'string') return member;
      return (...args: unknown[]) => {
        counts[key] = (counts[key] ?? 0) + 1;
        return (member as (...args: unknown[]) => unknown).apply(target, args);
      };
    },
  });
  return {
    engine: proxy,
    take() {
      const taken = counts;
      counts = {};
      return taken;
    },
  };
}

async function operator(memory = memoryEngine(['app:1', 'app:2']), over: FixtureOptions = {}) {
  const { engine, take } = counted(memory);
  const { block: operators } = settings();
  const provider = drivenDocker(engine, settings(), { settleMs: 3_000, sweepIntervalMs: sweepMs }).bare;
  const enabled = {
    definition: dockerDefinition,
    provider: provider as unknown as Provider,
    block: operators,
  };
  const providers: EnabledProviders = new Map([['docker', enabled]]);
  const fixture = await startController([], { specSchema, providers, ...over });
  await fixture.pass(1_000);
  return { ...fixture, memory, take, started: take() };
}

async function fleet(count: number) {
  const one = await operator();
  const tenant = (name: string) => ({ apiVersion, kind, metadata: { name, namespace }, ...image('app:1') });
  for (let index = 0; index < count; index += 1) await one.tenants.create(tenant(`t${index}`));
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
      listContainers: 4,
      inspectContainer: 3,
    });
    expect(total(calls)).toBe(12);
  });

  test('to replace a container, until its successor is Ready', async () => {
    const one = await fleet(1);
    await one.patch('t0', image('app:2'));
    await one.pass(10_000);
    expect(await one.conditions('t0')).toEqual(['Ready=True/Running']);
    const calls = one.take();
    expect(calls).toEqual({
      inspectImage: 1,
      listNetworks: 1,
      createContainer: 1,
      startContainer: 1,
      renameContainer: 2,
      stopContainer: 1,
      removeContainer: 1,
      listContainers: 18,
      inspectContainer: 32,
    });
    expect(total(calls)).toBe(58);
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
    expect(one.take()).toEqual({
      identify: 1,
      stopContainer: 1,
      removeContainer: 1,
      removeNetwork: 1,
      listContainers: 2,
      listNetworks: 2,
      listVolumes: 1,
    });
  });
});
