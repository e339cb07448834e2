import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { pushImage } from '../../dev/images.ts';
import type { Tenant } from '../../src/api/tenant.ts';
import { dockerBlock, engineView } from './docker-tenants.ts';
import { startKillingProxy } from './killing-proxy.ts';
import type { KillingProxy, KillPlan, ProxiedRequest } from './killing-proxy.ts';
import { buildOperatorProcess } from './operator-process.ts';
import type { OperatorProcess } from './operator-process.ts';
import { startApiserverProxy } from './proxied-kubeconfig.ts';
import { runningContainers } from './running-containers.ts';
import type { RunningContainer } from './running-containers.ts';
import { createTestNamespace } from './test-namespace.ts';
import type { TestNamespace } from './test-namespace.ts';
import { untilPassed } from './until-passed.ts';

/** Single ones, and some with a network or a volume of their own, so that every kind of call occurs beside them. */
const residents = Array.from({ length: 20 }, (_, index) => `resident-${index}`);
const secretValue = 'v3ry-s3cr3t/value';

type Spec = Record<string, unknown>;
type When = KillPlan['when'];
type Strike = readonly ['engine' | 'api', (request: ProxiedRequest) => boolean];

describe('a kill -9 of the operator, with 20 tenants present', () => {
  const view = engineView();
  let ns: TestNamespace;
  let folder: string;
  let proxies: { engine: KillingProxy; api: KillingProxy };
  let operator: OperatorProcess;
  let start: () => void;
  /** What is to run: the containers of each tenant, in the order of their names. */
  const fleet = new Map<string, readonly RunningContainer[]>();

  const imageOf = (tag: string): string => `${inject('registryAddress')}/${ns.name}:${tag}`;
  const pushed = (tag: string) =>
    pushImage({ address: inject('registryAddress') }, { repository: ns.name, tag });
  const docker = (block: Spec): Spec => ({ computeConfig: { docker: block } });
  const pair = (): Spec => ({ containers: ['a', 'b'].map((name) => ({ name, image: imageOf('1') })) });
  const withVolume = { ...docker({ volumes: ['data:/data'] }), volumePolicy: 'Delete' };
  const container = (over: Partial<RunningContainer> = {}): RunningContainer => ({
    state: 'running',
    image: imageOf('1'),
    env: [],
    memory: 0,
    volumes: [],
    ...over,
  });

  /** Creates a tenant whose containers are to be as given. */
  const create = async (name: string, spec: Spec, ...containers: Partial<RunningContainer>[]) => {
    fleet.set(name, containers.map(container));
    await ns.create(name, spec);
  };
  const createResident = (name: string, index: number): Promise<void> => {
    if (index === 0) return create(name, pair(), {}, {});
    if (index === 1) return create(name, withVolume, { volumes: ['/data'] });
    return create(name, docker({ env: { INDEX: `${index}` } }), { env: [`INDEX=${index}`] });
  };

  beforeAll(async () => {
    ns = await createTestNamespace('kill');
    folder = await mkdtemp(join(tmpdir(), 'landlord-kill-'));
    const [run] = await Promise.all([buildOperatorProcess(join(folder, 'dist')), pushed('1'), pushed('2')]);
    const kubeconfigPath = join(folder, 'kubeconfig');
    const engineSocket = join(folder, 'engine.sock');
    const socketPath = inject('dockerHost').replace('unix://', '');
    proxies = {
      engine: await startKillingProxy({ path: engineSocket }, { secure: false, options: { socketPath } }),
      api: await startApiserverProxy(inject('operatorKubeconfigPath'), kubeconfigPath),
    };
    const configFile = join(folder, 'landlord.yaml');
    const block = { ...dockerBlock(imageOf('1')), host: `unix://${engineSocket}` };
    const config = {
      instance: ns.name,
      compute: { docker: block },
      controller: { namespaces: [ns.name] },
      server: { address: '127.0.0.1:0' },
    };
    await writeFile(configFile, stringify(config));
    start = () => (operator = run({ configFile, kubeconfigPath }));
    start();
    // There from the start, so that each death of a deletion finds one Ready.
    const goers = deletions.map(([when, what]) => create(goerOf(when, what), { ...withVolume, ...pair() }));
    await Promise.all([...residents.map(createResident), ...goers]);
    await untilPassed(operator, ns);
  }, 180_000);

  afterEach(({ task }) => {
    proxies.engine.disarm();
    proxies.api.disarm();
    if (task.result?.state === 'fail') console.error(operator.output().split('\n').slice(-30).join('\n'));
  });
  afterAll(async () => {
    await operator?.stop();
    await proxies?.engine.close();
    await proxies?.api.close();
    await ns.remove();
    await view.clear(ns.name);
    await rm(folder, { recursive: true, force: true });
  });

  const containerIds = async (): Promise<Map<string, readonly string[]>> => {
    const ids = new Map<string, readonly string[]>();
    for (const { Labels, Id } of await view.containers(ns.name)) {
      const name = Labels['landlord.tenant_name'] ?? '';
      ids.set(name, [...(ids.get(name) ?? []), Id].toSorted());
    }
    return ids;
  };

  /** The tenant runs as its spec says now and its status says so; whatever else was there is untouched, and alone. */
  const expectWhole = async (
    struck: string,
    before: ReadonlyMap<string, readonly string[]>,
  ): Promise<void> => {
    const tenants = await untilPassed(operator, ns);
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
    const after = await containerIds();
    expect(new Map([...after].filter(others))).toEqual(new Map([...before].filter(others)));
  };

  /** The operator dies at the call, and another one goes on. Returns the call. */
  const strike = async (
    [where, matches]: Strike,
    when: When,
    provoke: () => Promise<unknown>,
  ): Promise<ProxiedRequest> => {
    const struck = proxies[where].arm({ matches, when, kill: () => operator.kill() });
    await provoke();
    const request = await struck;
    await operator.exited;
    start();
    return request;
  };
  const engine = (pattern: RegExp): Strike => [
    'engine',
    ({ method, url }) => pattern.test(`${method} ${url}`),
  ];
  const api = (pattern: RegExp, isIt: (body: string) => boolean): Strike => [
    'api',
    ({ method, url, body }) => pattern.test(`${method} ${url}`) && isIt(body),
  ];
  const readyOf = (body: string): string | undefined => {
    const { status } = JSON.parse(body) as { status?: Pick<NonNullable<Tenant['status']>, 'conditions'> };
    return status?.conditions?.find(({ type }) => type === 'Ready')?.status;
  };
  const removal = engine(/^DELETE \S*\/containers\//);
  const removesFinalizer = (body: string): boolean => body.includes('"finalizers":[]');

  const remove = async (name: string): Promise<void> => {
    fleet.delete(name);
    await ns.delete(name);
    await ns.untilGone(name);
    expect(await view.leftovers(ns.name, name)).toEqual([]);
  };

  test('a restart over ready tenants makes no write and one list call to the engine', async () => {
    await operator.stop();
    const writesBefore = (await ns.writes()).length;
    const callsBefore = proxies.engine.requests.length;
    start();
    await untilPassed(operator, ns);
    expect((await ns.writes()).length).toBe(writesBefore);
    // Whatever else a pass leads to has had the time that a whole creation takes.
    await create('late', {}, {});
    await untilPassed(operator, ns);
    const itsOwn = ['late', ...((await containerIds()).get('late') ?? [])];
    const isResidents = (text: string): boolean => !itsOwn.some((word) => text.includes(word));
    const calls = proxies.engine.requests.slice(callsBefore).filter(isResidents);
    // `late` leads to one more: nobody knows yet whether an earlier version gave it another id.
    expect(calls.filter((call) => /^GET \S*\/containers\/json/.test(call))).toHaveLength(2);
    // For whom a network is made, the body says: `late` needs one, too.
    const changes = calls.filter((call) => !/^GET |\/networks\/create$/.test(call));
    expect(changes).toEqual([]);
    const written = (await ns.writes()).slice(writesBefore).map(({ objectRef }) => objectRef?.name ?? '');
    expect(written.filter((name) => residents.includes(name))).toEqual([]);
    await remove('late');
  });

  test('no URL sent to the engine holds the value of a secret', async () => {
    await ns.putSecret('db', { password: secretValue });
    const env = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }];
    await ns.create('secretive', { containers: [{ name: 'app', image: imageOf('1'), env }] });
    await ns.untilReady('secretive');
    const urls = proxies.engine.requests.map(decodeURIComponent).join('\n');
    expect(urls).toContain('/containers/create');
    expect(urls).not.toContain(secretValue);
    expect(operator.output()).not.toContain(secretValue);
    await remove('secretive');
  });

  const deletions: readonly (readonly [When, string, Strike])[] = [
    ['before', 'a stop', engine(/^POST \S*\/containers\/\w+\/stop/)],
    ['before', 'a removal', removal],
    ['after', 'a removal', removal],
    ['before', "a network's removal", engine(/^DELETE \S*\/networks\//)],
    ['after', "a network's removal", engine(/^DELETE \S*\/networks\//)],
    ['after', "a volume's removal", engine(/^DELETE \S*\/volumes\//)],
    ['after', "the finalizer's removal", api(/^PATCH \S*\/tenants\//, removesFinalizer)],
  ];
  const goerOf = (when: When, what: string): string => `goer-${when}-${what.replaceAll(/\W+/g, '-')}`;

  const createSingle = (name: string) =>
    create(name, docker({ env: { NEW: name } }), { env: [`NEW=${name}`] });
  const createFresh = async (name: string) => {
    await pushed(name);
    await create(name, docker({ image: imageOf(name) }), { image: imageOf(name) });
  };
  const createPair = (name: string) => create(name, pair(), {}, {});
  const createWithVolume = (name: string) => create(name, withVolume, { volumes: ['/data'] });

  // Before a write all is as after the one before it: each is struck once, but the first of its kind.
  test.each<[When, string, Strike, (name: string) => Promise<void>]>([
    [
      'before',
      'the finalizer',
      api(/^PATCH \S*\/tenants\//, (body) => /finalizers":\["/.test(body)),
      createSingle,
    ],
    [
      'after',
      'the finalizer',
      api(/^PATCH \S*\/tenants\//, (body) => /finalizers":\["/.test(body)),
      createSingle,
    ],
    [
      'after',
      'the placement',
      api(/^PATCH \S*\/status/, (body) => body.includes('"placement"')),
      createSingle,
    ],
    ['after', 'a network', engine(/^POST \S*\/networks\/create/), createPair],
    ['after', 'a volume', engine(/^POST \S*\/volumes\/create/), createWithVolume],
    ['after', 'a pull', engine(/^POST \S*\/images\/create/), createFresh],
    ['after', 'a create', engine(/^POST \S*\/containers\/create/), createSingle],
    ['after', 'a start', engine(/^POST \S*\/containers\/\w+\/start/), createSingle],
    ['after', 'an Event', api(/^POST \S*\/events/, () => true), createSingle],
  ])('%s %s of a new tenant leaves it whole', async (when, what, at, provoke) => {
    const name = `new-${when}-${what.toLowerCase().replaceAll(/\W+/g, '-')}`;
    const before = await containerIds();
    await strike(at, when, () => provoke(name));
    await expectWhole(name, before);
  });

  test.each<When>(['before', 'after'])(
    '%s the status that calls a new tenant Ready leaves it whole',
    async (when) => {
      const name = `new-${when}-ready`;
      const before = await containerIds();
      const isIt = (body: string): boolean => readyOf(body) === 'True';
      const { url, body } = await strike(api(/^PATCH \S*\/status/, isIt), when, () => createSingle(name));
      expect(url).toContain(`/tenants/${name}/status`);
      expect(readyOf(body)).toBe('True');
      await expectWhole(name, before);
    },
  );

  test.each<[When, string, Strike]>([
    ['after', 'a create', engine(/^POST \S*\/containers\/create/)],
    ['after', 'a stop', engine(/^POST \S*\/containers\/\w+\/stop/)],
    ['before', 'a rename', engine(/^POST \S*\/containers\/\w+\/rename/)],
    ['after', 'a rename', engine(/^POST \S*\/containers\/\w+\/rename/)],
    ['before', 'a removal', removal],
    ['after', 'a removal', removal],
  ])('%s %s of a replacement leaves it whole', async (when, what, at) => {
    const name = 'resident-5';
    const before = await containerIds();
    const image = imageOf(fleet.get(name)?.[0]?.image === imageOf('1') ? '2' : '1');
    const rolled = `${what} ${when}`;
    fleet.set(name, [container({ image, env: ['INDEX=5', `ROLLED=${rolled}`] })]);
    await strike(at, when, () => ns.patch(name, { spec: docker({ image, env: { ROLLED: rolled } }) }));
    await expectWhole(name, before);
  });

  test.each<[When, number]>([
    ['before', 64],
    ['after', 96],
  ])('%s a live update leaves it whole, in the same container', async (when, mebibytes) => {
    const name = 'resident-6';
    const before = await containerIds();
    fleet.set(name, [container({ env: ['INDEX=6'], memory: mebibytes * 1024 * 1024 })]);
    const update = engine(/^POST \S*\/containers\/\w+\/update/);
    await strike(update, when, () => ns.patch(name, { spec: { resources: { memory: `${mebibytes}Mi` } } }));
    await expectWhole(name, before);
    expect(await containerIds()).toEqual(before);
  });

  test.each(deletions)('%s %s of a deletion leaves nothing', async (when, what, at) => {
    const name = goerOf(when, what);
    const before = await containerIds();
    fleet.delete(name);
    await strike(at, when, () => ns.delete(name));
    await ns.untilGone(name);
    expect(await view.leftovers(ns.name, name)).toEqual([]);
    await expectWhole(name, before);
  });

  test('after all of it every tenant runs as its spec says, and goes without a trace', async () => {
    const names = [...fleet.keys()];
    for (const name of names) {
      expect(await runningContainers(view, ns.name, name), name).toEqual(fleet.get(name));
    }
    await Promise.all(names.map((name) => ns.delete(name)));
    await Promise.all(names.map((name) => ns.untilGone(name, 90_000)));
    expect(await view.leftovers(ns.name)).toEqual([]);
  });
});
