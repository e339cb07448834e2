import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { pushImage } from '../../../../dev/images.ts';
import type { DestroyResult, Provider, StepResult } from '../../../../src/compute/provider.ts';
import type { DockerConfig } from '../../../../src/compute/providers/docker/config.ts';
import type { TenantComputeSpec } from '../../../../src/compute/tenant-compute-spec.ts';
import { dockerTestBench, isReady, placedTenant, settled, statusWhere } from './docker-bench.ts';
import type { DockerTestBench } from './docker-bench.ts';
import { containerSpec } from './docker-fixture.ts';
import { dyingAt } from './dying-engine.ts';
import type { When } from './dying-engine.ts';

/** The walks of crash-walk.test.ts, where it matters that it is a real engine that was left half-way. */

const signal = new AbortController().signal;
const images = { one: '', two: '', crash: '' };
let bench: DockerTestBench;

beforeAll(async () => {
  const registry = { address: inject('registryAddress') };
  images.one = await pushImage(registry, { repository: 'app', tag: '1' });
  images.two = await pushImage(registry, { repository: 'app', tag: '2' });
  images.crash = await pushImage(registry, { repository: 'app', tag: 'crash', command: ['crash', '3'] });
  const networkPool = inject('networkPool');
  bench = dockerTestBench(networkPool === '' ? {} : { network_pool: networkPool });
  for (const image of Object.values(images)) await bench.pull(image);
});
afterAll(() => bench.close());

type Spec = TenantComputeSpec<DockerConfig>;
type Act = (provider: Provider<DockerConfig>, spec: Spec) => Promise<StepResult | DestroyResult>;

const converge: Act = (provider, spec) => settled(() => provider.update(spec, signal));
const destroy: Act = (provider, spec) => provider.destroy(placedTenant(provider, spec), signal);

interface Case {
  readonly from: ((tenantId: string) => Promise<Spec>) | undefined;
  readonly to: (from: Spec | undefined, tenantId: string) => Spec;
  readonly act: Act;
  /** `NAME image` of what runs in the end, without the tenant's part of the name. */
  readonly left: readonly string[];
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const one = async (tenantId: string): Promise<Spec> =>
  bench.spec(tenantId, { image: images.one, volumes: ['data:/tmp'] });
const onFixedPort = async (tenantId: string): Promise<Spec> => {
  const ports = [{ container_port: 8080, host_port: await freePort(), protocol: 'TCP' }];
  return bench.spec(tenantId, { image: images.one, ports });
};
const withImage =
  (image: string) =>
  (from: Spec | undefined, tenantId: string): Spec => {
    if (from === undefined) throw new Error(`${tenantId} starts from nothing`);
    return { ...from, config: { ...from.config, image } };
  };
const several = (_from: Spec | undefined, tenantId: string): Spec =>
  bench.spec(
    tenantId,
    {},
    {
      containers: ['a', 'b'].map((name) => containerSpec(name, { image: images.one })),
    },
  );

const cases: Readonly<Record<string, Case>> = {
  'provisioning several': { from: undefined, to: several, act: converge, left: ['.a 1', '.b 1'] },
  'replacing on a fixed port': {
    from: onFixedPort,
    to: (...args) => withImage(images.two)(...args),
    act: converge,
    left: [' 2'],
  },
  'rolling back on a fixed port': {
    from: onFixedPort,
    to: (...args) => withImage(images.crash)(...args),
    act: converge,
    left: [' 1'],
  },
  'one becoming several': { from: one, to: several, act: converge, left: ['.a 1', '.b 1'] },
  'destroying several': {
    from: async (tenantId) => several(undefined, tenantId),
    to: several,
    act: destroy,
    left: [],
  },
};

/** Dies at the `nth` write, goes on with a new provider. Returns whether there was such a write. */
async function dieAndGoOn(name: string, { from, to, act, left }: Case, nth: number, when: When) {
  const tenantId = `${name.replaceAll(' ', '-')}-${nth}-${when}`.slice(0, 40);
  const before = await from?.(tenantId);
  const settings = { settleMs: 100 };
  if (before !== undefined) await converge(bench.provider(settings), before);
  const wanted = to(before, tenantId);
  let died = (): boolean => false;
  const mortal = bench.provider(settings, (engine) => {
    const dying = dyingAt(engine, nth, when);
    died = dying.died;
    return dying.engine;
  });
  await act(mortal, wanted).catch((error: unknown) => {
    if (!died()) throw error;
  });
  const next = bench.provider(settings);
  await act(next, wanted);
  const containers = await bench.engine.listContainers([`${bench.prefix}.tenant_id=${tenantId}`], signal);
  const base = `/${bench.prefix}-tenant-${tenantId}`;
  const found = containers.map(({ Names, State, Image }) => {
    expect(State).toBe('running');
    return `${Names[0]?.slice(base.length)} ${Image.split(':').at(-1)}`;
  });
  expect(found.toSorted()).toEqual(left);
  if (left.length > 0 && !left.includes(' 1')) {
    const look = () => next.getStatus(placedTenant(next, wanted), wanted, signal);
    await statusWhere(look, isReady);
  }
  await next.destroy(placedTenant(next, wanted), signal);
  expect((await next.list(signal)).filter((owned) => owned.tenantId === tenantId)).toEqual([]);
  return died();
}

describe.concurrent('an operator that is killed at any of its calls', () => {
  it.each(
    Object.keys(cases).flatMap((name) => (['before', 'after'] as const).map((when) => ({ name, when }))),
  )(
    '$name, $when the engine acted, is continued by the next one: nothing double, nothing left over',
    async ({ name, when }) => {
      const step = cases[name];
      if (step === undefined) throw new Error(name);
      let nth = 1;
      while (await dieAndGoOn(name, step, nth, when)) nth += 1;
      expect(nth).toBeGreaterThan(4);
    },
  );
});
