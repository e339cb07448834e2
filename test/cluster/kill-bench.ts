import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { expect, inject } from 'vitest';
import { pushImage } from '../../dev/images.ts';
import type { Tenant } from '../../src/api/tenant.ts';
import { dockerBlock, engineView } from './docker-tenants.ts';
import { startKillingProxy } from './killing-proxy.ts';
import type { KillingProxy, KillPlan, ProxiedRequest } from './killing-proxy.ts';
import { startOperatorProcess } from './operator-process.ts';
import type { OperatorProcess } from './operator-process.ts';
import { startApiserverProxy } from './proxied-kubeconfig.ts';
import { runningContainers } from './running-containers.ts';
import type { RunningContainer } from './running-containers.ts';
import { createTestNamespace } from './test-namespace.ts';
import type { TestNamespace } from './test-namespace.ts';
import { untilPassed } from './until-passed.ts';

/** Single ones, and some with a network or a volume of their own, so that every kind of call occurs beside them. */
export const residents = Array.from({ length: 20 }, (_, index) => `resident-${index}`);

export type Spec = Record<string, unknown>;
export type When = KillPlan['when'];
export type Strike = readonly ['engine' | 'api', (request: ProxiedRequest) => boolean];
/** Of each tenant, by its name. */
export type ContainerIds = ReadonlyMap<string, readonly string[]>;

export const docker = (block: Spec): Spec => ({ computeConfig: { docker: block } });
export const withVolume: Spec = { ...docker({ volumes: ['data:/data'] }), volumePolicy: 'Delete' };

export const engineCall = (pattern: RegExp): Strike => [
  'engine',
  ({ method, url }) => pattern.test(`${method} ${url}`),
];
export const apiCall = (pattern: RegExp, isIt: (body: string) => boolean): Strike => [
  'api',
  ({ method, url, body }) => pattern.test(`${method} ${url}`) && isIt(body),
];

/** An operator as a process, with 20 tenants present, behind proxies that kill it at a call. */
export interface KillBench {
  readonly ns: TestNamespace;
  readonly view: ReturnType<typeof engineView>;
  /** The one that runs now. */
  operator(): OperatorProcess;
  /** Starts another one, where the one before has ended. */
  start(): void;
  /** `METHOD URL` of every request to the engine so far. */
  readonly engineRequests: readonly string[];
  /** What is to run: the containers of each tenant, in the order of their names. */
  readonly fleet: Map<string, readonly RunningContainer[]>;
  imageOf(tag: string): string;
  pushed(tag: string): Promise<unknown>;
  /** Of two containers, `a` and `b`. */
  pair(): Spec;
  container(over?: Partial<RunningContainer>): RunningContainer;
  /** Creates a tenant whose containers are to be as given. */
  create(name: string, spec: Spec, ...containers: Partial<RunningContainer>[]): Promise<void>;
  remove(name: string): Promise<void>;
  containerIds(): Promise<ContainerIds>;
  untilPassed(): Promise<ReadonlyMap<string, Tenant>>;
  /** The operator dies at the call, and another one goes on. Returns the call. */
  strike(at: Strike, when: When, provoke: () => Promise<unknown>): Promise<ProxiedRequest>;
  /** After each test, with whether it failed. */
  disarm(hasFailed: boolean): void;
  close(): Promise<void>;
}

interface Site {
  readonly ns: TestNamespace;
  readonly proxies: { readonly engine: KillingProxy; readonly api: KillingProxy };
  readonly run: () => OperatorProcess;
  readonly imageOf: (tag: string) => string;
  readonly pushed: (tag: string) => Promise<unknown>;
  readonly close: () => Promise<void>;
}

/** The namespace is called after the prefix; `populate` creates who is there from the start besides the residents. */
export async function startKillBench(
  prefix: string,
  populate: (bench: KillBench) => Promise<unknown> = () => Promise.resolve(),
): Promise<KillBench> {
  const bench = benchAt(await prepareSite(prefix));
  try {
    bench.start();
    const createResident = (name: string, index: number): Promise<void> => {
      if (index === 0) return bench.create(name, bench.pair(), {}, {});
      if (index === 1) return bench.create(name, withVolume, { volumes: ['/data'] });
      return bench.create(name, docker({ env: { INDEX: `${index}` } }), { env: [`INDEX=${index}`] });
    };
    await Promise.all([...residents.map(createResident), populate(bench)]);
    await bench.untilPassed();
    return bench;
  } catch (error) {
    await bench.close();
    throw error;
  }
}

async function prepareSite(prefix: string): Promise<Site> {
  await using stack = new AsyncDisposableStack();
  const ns = await createTestNamespace(prefix);
  stack.defer(() => ns.remove());
  const imageOf: Site['imageOf'] = (tag) => `${inject('registryAddress')}/${ns.name}:${tag}`;
  const pushed: Site['pushed'] = (tag) =>
    pushImage({ address: inject('registryAddress') }, { repository: ns.name, tag });
  const folder = await mkdtemp(join(tmpdir(), 'landlord-kill-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  await Promise.all([pushed('1'), pushed('2')]);
  const kubeconfigPath = join(folder, 'kubeconfig');
  const engineSocket = join(folder, 'engine.sock');
  const socketPath = inject('dockerHost').replace('unix://', '');
  const api = await startApiserverProxy(inject('operatorKubeconfigPath'), kubeconfigPath);
  stack.defer(() => api.close());
  const engine = await startKillingProxy({ path: engineSocket }, { secure: false, options: { socketPath } });
  stack.defer(() => engine.close());
  const configFile = join(folder, 'landlord.yaml');
  const config = {
    instance: ns.name,
    compute: { docker: { ...dockerBlock(imageOf('1')), host: `unix://${engineSocket}` } },
    controller: { namespaces: [ns.name] },
    server: { address: '127.0.0.1:0' },
  };
  await writeFile(configFile, stringify(config));
  const parts = stack.move();
  const start = (): OperatorProcess => startOperatorProcess({ configFile, kubeconfigPath });
  return { ns, proxies: { engine, api }, run: start, imageOf, pushed, close: () => parts.disposeAsync() };
}

function benchAt({ ns, proxies, run, imageOf, pushed, close }: Site): KillBench {
  const view = engineView();
  const fleet: KillBench['fleet'] = new Map();
  let operator: OperatorProcess | undefined;
  const current = (): OperatorProcess => operator ?? expect.fail('no operator was started');
  const start = (): void => void (operator = run());
  const container: KillBench['container'] = (over = {}) => ({
    state: 'running',
    image: imageOf('1'),
    env: [],
    memory: 0,
    volumes: [],
    ...over,
  });
  return {
    ns,
    view,
    operator: current,
    start,
    engineRequests: proxies.engine.requests,
    fleet,
    imageOf,
    pushed,
    pair: () => ({ containers: ['a', 'b'].map((name) => ({ name, image: imageOf('1') })) }),
    container,
    async create(name, spec, ...containers) {
      fleet.set(name, containers.map(container));
      await ns.create(name, spec);
    },
    async remove(name) {
      fleet.delete(name);
      await ns.delete(name);
      await ns.untilGone(name);
      expect(await view.leftovers(ns.name, name)).toEqual([]);
    },
    async containerIds() {
      const ids = new Map<string, readonly string[]>();
      for (const { Labels, Id } of await view.containers(ns.name)) {
        const name = Labels['landlord.tenant_name'] ?? '';
        ids.set(name, [...(ids.get(name) ?? []), Id].toSorted());
      }
      return ids;
    },
    untilPassed: () => untilPassed(current(), ns),
    async strike([where, matches], when, provoke) {
      const struck = proxies[where].arm({ matches, when, kill: () => current().kill() });
      await provoke();
      const request = await struck;
      await current().exited;
      start();
      return request;
    },
    disarm(hasFailed) {
      proxies.engine.disarm();
      proxies.api.disarm();
      if (hasFailed) console.error(current().output().split('\n').slice(-30).join('\n'));
    },
    async close() {
      await operator?.stop();
      await close();
      await view.clear(ns.name);
    },
  };
}

/** The tenant runs as its spec says now and its status says so; whatever else was there is untouched, and alone. */
export async function expectWhole(bench: KillBench, struck: string, before: ContainerIds): Promise<void> {
  const { ns, view, fleet } = bench;
  const tenants = await bench.untilPassed();
  expect([...tenants.keys()].toSorted()).toEqual([...fleet.keys()].toSorted());
  const wanted = fleet.get(struck) ?? [];
  expect(await runningContainers(view, ns.name, struck)).toEqual(wanted);
  const status = tenants.get(struck)?.status;
  if (fleet.has(struck)) {
    expect(status).toMatchObject({
      phase: 'Ready',
      computeProvider: 'docker',
      compute: { running: wanted.length, desired: wanted.length },
    });
  }
  const others = ([name]: [string, readonly string[]]): boolean => name !== struck;
  const after = await bench.containerIds();
  expect(new Map([...after].filter(others))).toEqual(new Map([...before].filter(others)));
}

/** Every tenant runs as its spec says, and goes without a trace. */
export async function expectAllWholeAndGone({ ns, view, fleet }: KillBench): Promise<void> {
  const names = [...fleet.keys()];
  for (const name of names) {
    expect(await runningContainers(view, ns.name, name), name).toEqual(fleet.get(name));
  }
  await Promise.all(names.map((name) => ns.delete(name)));
  await Promise.all(names.map((name) => ns.untilGone(name)));
  expect(await view.leftovers(ns.name)).toEqual([]);
}
