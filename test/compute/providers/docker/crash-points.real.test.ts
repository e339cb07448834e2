import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { freePort } from '../../../../dev/free-port.ts';
import { pushImage } from '../../../../dev/images.ts';
import type { DestroyResult, StepResult } from '../../../../src/compute/provider.ts';
import { ComputeError } from '../../../../src/compute/errors.ts';
import type { DockerConfig } from '../../../../src/compute/providers/docker/config.ts';
import type { TenantComputeSpec } from '../../../../src/compute/spec/tenant-compute-spec.ts';
import { driven } from '../../driven-provider.ts';
import type { DrivenProvider } from '../../driven-provider.ts';
import { chosenDeaths, dyingProcess, onlyDeath } from '../../dying-process.ts';
import type { Death, DyingProcess } from '../../dying-process.ts';
import { dockerTestBench, isReady, settled, statusWhere } from './docker-bench.ts';
import type { DockerTestBench } from './docker-bench.ts';
import { containerSpec } from './docker-fixture.ts';
import { writeOf } from './memory-engine.ts';

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
type Act = (provider: DrivenProvider<Spec>, spec: Spec) => Promise<StepResult | DestroyResult>;

const converge: Act = (provider, spec) => settled(() => provider.update(spec, signal));
const destroy: Act = (provider, spec) => settled(() => provider.destroy(spec, signal));

interface Case {
  readonly from: ((tenantId: string) => Promise<Spec>) | undefined;
  readonly to: (from: Spec | undefined, tenantId: string) => Spec;
  readonly act: Act;
  /** How long a container must run to pass for proven, in milliseconds; default 100. */
  readonly settleMs?: number;
  /** `NAME image` of what runs in the end, without the tenant's part of the name. */
  readonly left: readonly string[];
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

const oneOfSeveral = (from: Spec | undefined, tenantId: string): Spec => {
  const { containers, ...rest } = several(from, tenantId);
  return {
    ...rest,
    containers: containers.map((one) => (one.name === 'a' ? { ...one, image: images.two } : one)),
  };
};

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
    // On a busy machine its process may take a while until it has crashed, and would pass for one that runs.
    settleMs: 5_000,
    left: [' 1'],
  },
  'replacing one of several': {
    from: async (tenantId) => several(undefined, tenantId),
    to: oneOfSeveral,
    act: converge,
    left: ['.a 2', '.b 1'],
  },
  'one becoming several': { from: one, to: several, act: converge, left: ['.a 1', '.b 1'] },
  'destroying several': {
    from: async (tenantId) => several(undefined, tenantId),
    to: several,
    act: destroy,
    left: [],
  },
};

/** Dies, goes on with a new provider. Returns the writes of the life that was to end. */
async function dieAndGoOn(
  name: string,
  { from, to, act, left, settleMs = 100 }: Case,
  death: Death,
): Promise<DyingProcess> {
  const tenantId = `${name.replaceAll(' ', '-')}-${death.write}-${death.when}`.slice(0, 40);
  const before = await from?.(tenantId);
  const settings = { settleMs };
  if (before !== undefined) await converge(driven(bench.provider(settings)), before);
  const wanted = to(before, tenantId);
  const mortal = dyingProcess(death);
  await act(driven(bench.provider(settings, (engine) => mortal.seeing(engine, writeOf))), wanted).catch(
    onlyDeath,
  );
  const next = driven(bench.provider(settings));
  await act(next, wanted).catch((error: unknown) => {
    // What the dead one stopped ended by no fault of its own: a rollout is made again, by a process that need not wait.
    if (!(error instanceof ComputeError) || error.code !== 'UpdateFailed') throw error;
    return act(driven(bench.provider(settings)), wanted);
  });
  const containers = await bench.engine.listContainers([`${bench.prefix}.tenant_id=${tenantId}`], signal);
  const base = `/${bench.prefix}-tenant-${tenantId}`;
  const found = containers.map(({ Names, State, Labels }) => {
    expect(State).toBe('running');
    return `${Names[0]?.slice(base.length)} ${Labels[`${bench.prefix}.image`]?.split(':').at(-1)}`;
  });
  const unnamed = await Promise.all(containers.map(({ Id }) => lacksName(Id)));
  expect(unnamed.filter((lacks) => lacks !== undefined)).toEqual([]);
  const diedIn = `death ${death.when} write ${death.write} of ${mortal.writes.join(', ')}`;
  expect(found.toSorted(), diedIn).toEqual(left);
  if (left.length > 0 && !left.includes(' 1')) {
    await statusWhere(() => next.getStatus(wanted, { fresh: true, signal }), isReady);
  }
  await destroy(next, wanted);
  expect(await leftovers(tenantId), diedIn).toEqual([]);
  return mortal;
}

/** The container of several that its siblings don't find by its name. */
async function lacksName(id: string): Promise<string | undefined> {
  const found = await bench.engine.inspectContainer(id, signal);
  const part = found?.Name.split('.')[1];
  const [network] = Object.values(found?.NetworkSettings.Networks ?? {});
  return part === undefined || network?.Aliases?.includes(part) ? undefined : found?.Name;
}

/** Whatever is the tenant's, in whatever state. */
async function leftovers(tenantId: string): Promise<readonly string[]> {
  const label = [`${bench.prefix}.tenant_id=${tenantId}`];
  return [
    ...(await bench.engine.listContainers(label, signal)).map(({ Names }) => `container ${Names[0]}`),
    ...(await bench.engine.listNetworks({ label }, signal)).map(({ Name }) => `network ${Name}`),
    ...(await bench.engine.listVolumes(label, signal)).map(({ Name }) => `volume ${Name}`),
  ];
}

describe.concurrent('an operator that is killed at any of its calls', () => {
  it.each(Object.entries(cases).map(([name, step], index) => [name, step, index] as const))(
    '%s is continued by the next one: nothing double, nothing left over',
    async (name, step, index) => {
      for (const death of chosenDeaths(index)) {
        const mortal = await dieAndGoOn(name, step, death);
        if (mortal.hasDied()) continue;
        expect(mortal.writes.length).toBeGreaterThan(3);
        return;
      }
    },
  );
});
