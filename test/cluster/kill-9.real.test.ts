import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { pushImage } from '../../dev/images.ts';
import { dockerBlock, engineView } from './docker-tenants.ts';
import { startKillingProxy } from './killing-proxy.ts';
import type { KillingProxy } from './killing-proxy.ts';
import { startOperatorProcess } from './operator-process.ts';
import type { OperatorProcess } from './operator-process.ts';
import { createTestNamespace } from './test-namespace.ts';
import type { TestNamespace } from './test-namespace.ts';

/** Single ones, and some with a network or a volume of their own, so that every kind of call occurs beside them. */
const residents = 20;
const secretValue = 'v3ry-s3cr3t/value';

describe('a kill -9 of the operator, with 20 tenants present', () => {
  const view = engineView();
  let ns: TestNamespace;
  let folder: string;
  let engineProxy: KillingProxy;
  let apiProxy: KillingProxy;
  let operator: OperatorProcess;
  let start: () => void;
  let image: (tag: string) => Promise<string>;

  beforeAll(async () => {
    ns = await createTestNamespace('kill');
    folder = await mkdtemp(join(tmpdir(), 'landlord-kill-'));
    image = (tag) => pushImage({ address: inject('registryAddress') }, { repository: ns.name, tag });
    const engineSocket = join(folder, 'engine.sock');
    const socketPath = inject('dockerHost').replace('unix://', '');
    engineProxy = await startKillingProxy({ path: engineSocket }, { secure: false, options: { socketPath } });
    const kubeconfig = parse(await readFile(inject('operatorKubeconfigPath'), 'utf8')) as KubeconfigFile;
    const { cluster } = kubeconfig.clusters[0];
    const { hostname, port } = new URL(cluster.server);
    apiProxy = await startKillingProxy(
      { port: 0 },
      {
        secure: true,
        options: { host: hostname, port, ca: await authority(cluster) },
        headers: { host: `${hostname}:${port}`, authorization: `Bearer ${kubeconfig.users[0].user.token}` },
      },
    );
    const proxied = {
      ...kubeconfig,
      clusters: [{ ...kubeconfig.clusters[0], cluster: { server: `http://127.0.0.1:${apiProxy.port}` } }],
    };
    await writeFile(join(folder, 'kubeconfig'), stringify(proxied));
    const docker = { ...dockerBlock(await image('1')), host: `unix://${engineSocket}` };
    await writeFile(
      join(folder, 'landlord.yaml'),
      stringify({
        instance: ns.name,
        compute: { docker },
        controller: { namespaces: [ns.name] },
        server: { address: '127.0.0.1:0' },
      }),
    );
    start = () =>
      (operator = startOperatorProcess(join(folder, 'landlord.yaml'), join(folder, 'kubeconfig')));
    start();
    await Promise.all(
      Array.from({ length: residents }, (_, index) => ns.create(`resident-${index}`, residentSpec(index))),
    );
    await Promise.all(
      Array.from({ length: residents }, (_, index) => ns.untilReady(`resident-${index}`, 90_000)),
    );
  }, 180_000);

  afterEach(({ task }) => {
    engineProxy.disarm();
    apiProxy.disarm();
    if (task.result?.state === 'fail') console.error(operator.output().split('\n').slice(-30).join('\n'));
  });
  afterAll(async () => {
    await operator?.stop();
    await engineProxy?.close();
    await apiProxy?.close();
    await ns.remove();
    for (const container of await view.containers(ns.name))
      await view.docker.getContainer(container.Id).remove({ force: true });
    await rm(folder, { recursive: true, force: true });
  });

  const residentSpec = (index: number): Record<string, unknown> => {
    if (index === 0)
      return {
        containers: [
          { name: 'a', image: imageOf(1) },
          { name: 'b', image: imageOf(1) },
        ],
      };
    if (index === 1) return { computeConfig: { docker: { volumes: ['data:/data'] } } };
    return { computeConfig: { docker: { env: { INDEX: String(index) } } } };
  };
  const imageOf = (tag: number): string => `${inject('registryAddress')}/${ns.name}:${tag}`;
  const expectedContainers = (index: number): number => (index === 0 ? 2 : 1);

  /** Every resident and `extra` runs exactly once; nothing else is there. */
  const expectWholeFleet = async (extra: Readonly<Record<string, number>>): Promise<void> => {
    const names = Array.from({ length: residents }, (_, index) => `resident-${index}`);
    await Promise.all([...names, ...Object.keys(extra)].map((name) => ns.untilReady(name, 60_000)));
    const counted: Record<string, number> = {};
    for (const { Labels, State } of await view.containers(ns.name)) {
      const name = Labels['landlord.tenant_name'] ?? '';
      counted[name] = (counted[name] ?? 0) + 1;
      expect(State, name).toBe('running');
    }
    const wanted = Object.fromEntries(names.map((name, index) => [name, expectedContainers(index)]));
    expect(counted).toEqual({ ...wanted, ...extra });
  };

  const strike = async (
    proxy: KillingProxy,
    pattern: RegExp,
    when: 'before' | 'after',
    provoke: () => Promise<unknown>,
  ) => {
    const struck = proxy.arm({
      matches: (method, path, body) => pattern.test(`${method} ${path} ${body.slice(0, 2000)}`),
      when,
      kill: () => operator.kill(),
    });
    await provoke();
    await struck;
    await operator.exited;
    start();
  };

  const cases: readonly [
    string,
    'engine' | 'api',
    RegExp,
    (name: string) => Promise<Record<string, number>>,
  ][] = [
    ['the finalizer', 'api', /^PATCH \S*\/tenants\/\S* .*finalizers":\["/, (name) => createSingle(name)],
    ['the placement', 'api', /^PATCH \S*\/status .*"placement"/, (name) => createSingle(name)],
    ['the final status', 'api', /^PATCH \S*\/status .*"status":"True"/, (name) => createSingle(name)],
    ['an Event', 'api', /^POST \S*\/events/, (name) => createSingle(name)],
    ['a pull', 'engine', /^POST \S*\/images\/create/, (name) => createSingle(name, 'fresh')],
    ['a create', 'engine', /^POST \S*\/containers\/create/, (name) => createSingle(name)],
    ['a start', 'engine', /^POST \S*\/containers\/\w+\/start/, (name) => createSingle(name)],
    ['a network', 'engine', /^POST \S*\/networks\/create/, (name) => createPair(name)],
    ['a volume', 'engine', /^POST \S*\/volumes\/create/, (name) => createWithVolume(name)],
  ];

  const createSingle = async (name: string, tag = '1'): Promise<Record<string, number>> => {
    await ns.create(name, { computeConfig: { docker: { image: await image(tag === '1' ? '1' : name) } } });
    return { [name]: 1 };
  };
  const createPair = async (name: string): Promise<Record<string, number>> => {
    await ns.create(name, {
      containers: [
        { name: 'a', image: imageOf(1) },
        { name: 'b', image: imageOf(1) },
      ],
    });
    return { [name]: 2 };
  };
  const createWithVolume = async (name: string): Promise<Record<string, number>> => {
    await ns.create(name, { computeConfig: { docker: { volumes: ['data:/data'] } } });
    return { [name]: 1 };
  };
  const remove = async (name: string): Promise<void> => {
    await ns.delete(name);
    await ns.untilGone(name);
    expect(await view.leftovers(ns.name, name)).toEqual([]);
  };

  test('a restart over ready tenants makes no write and one list call to the engine', async () => {
    await operator.stop();
    const writesBefore = (await ns.writes()).length;
    const callsBefore = engineProxy.requests.length;
    start();
    // Long enough for every pass, and for the inspects that trail a start.
    await sleep(8000);
    const calls = engineProxy.requests.slice(callsBefore);
    expect(calls.filter((call) => /^GET \S*\/containers\/json/.test(call))).toHaveLength(1);
    expect(calls.filter((call) => !call.startsWith('GET '))).toEqual([]);
    expect((await ns.writes()).length).toBe(writesBefore);
  });

  test('no URL sent to the engine holds the value of a secret', async () => {
    await ns.putSecret('db', { password: secretValue });
    const env = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }];
    await ns.create('secretive', { containers: [{ name: 'app', image: imageOf(1), env }] });
    await ns.untilReady('secretive');
    const urls = engineProxy.requests.map(decodeURIComponent).join('\n');
    expect(urls).toContain('/containers/create');
    expect(urls).not.toContain(secretValue);
    expect(operator.output()).not.toContain(secretValue);
    await remove('secretive');
  });

  describe.each(['before', 'after'] as const)('%s', (when) => {
    test.each(cases)('%s of a new tenant leaves it whole', async (what, where, pattern, create) => {
      const name = `new-${when}-${what.toLowerCase().replaceAll(/\W+/g, '-')}`;
      let extra: Record<string, number> = {};
      await strike(
        where === 'api' ? apiProxy : engineProxy,
        pattern,
        when,
        async () => (extra = await create(name)),
      );
      await expectWholeFleet(extra);
      await remove(name);
    });

    test.each([
      ['a rename', /^POST \S*\/containers\/\w+\/rename/],
      ['a stop', /^POST \S*\/containers\/\w+\/stop/],
      ['a removal', /^DELETE \S*\/containers\//],
    ] as const)('%s of a replacement leaves it whole', async (_what, pattern) => {
      const env = { ROLLED: `${_what} ${when}` };
      await strike(engineProxy, pattern, when, () =>
        ns.patch('resident-5', { spec: { computeConfig: { docker: { env } } } }),
      );
      await expectWholeFleet({});
    });

    test('a live update leaves it whole', async () => {
      const memory = when === 'before' ? '64Mi' : '96Mi';
      await strike(engineProxy, /^POST \S*\/containers\/\w+\/update/, when, () =>
        ns.patch('resident-6', { spec: { resources: { memory } } }),
      );
      await expectWholeFleet({});
    });

    test.each([
      ['a removal', 'engine', /^DELETE \S*\/containers\//],
      ["a network's removal", 'engine', /^DELETE \S*\/networks\//],
      ["a volume's removal", 'engine', /^DELETE \S*\/volumes\//],
      ["the finalizer's removal", 'api', /^PATCH \S*\/tenants\/\S* .*"finalizers":\[\]/],
    ] as const)('%s of a deletion leaves nothing', async (_what, where, pattern) => {
      await ns.create('goner', {
        computeConfig: { docker: { volumes: ['data:/data'] } },
        containers: [
          { name: 'a', image: imageOf(1) },
          { name: 'b', image: imageOf(1) },
        ],
      });
      await ns.untilReady('goner');
      await strike(where === 'api' ? apiProxy : engineProxy, pattern, when, () => ns.delete('goner'));
      await ns.untilGone('goner');
      expect(await view.leftovers(ns.name, 'goner')).toEqual([]);
      await expectWholeFleet({});
    });
  });
});

interface KubeconfigFile {
  readonly clusters: readonly [{ readonly cluster: ClusterEntry }];
  readonly users: readonly [{ readonly user: { readonly token: string } }];
}

interface ClusterEntry {
  readonly server: string;
  readonly 'certificate-authority'?: string;
  readonly 'certificate-authority-data'?: string;
}

async function authority(cluster: ClusterEntry): Promise<string> {
  const data = cluster['certificate-authority-data'];
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
  return readFile(cluster['certificate-authority'] ?? '', 'utf8');
}
