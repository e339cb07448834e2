import { describe, expect, it } from 'vitest';
import { desiredTenant } from '../../../../src/compute/providers/docker/state/desired-tenant.ts';
import { observe } from '../../../../src/compute/providers/docker/state/observed.ts';
import type { TenantComputeSpec } from '../../../../src/compute/spec/tenant-compute-spec.ts';
import type { DockerConfig } from '../../../../src/compute/providers/docker/config.ts';
import { anyConsent } from '../../permits.ts';
import { containerSpec, drivenDocker, openPolicy, settings, tenantSpec } from './docker-fixture.ts';
import { memoryEngine, resolve, writes } from './memory-engine.ts';
import type { MemoryEngine } from './memory-engine.ts';
import { asDesired, clock } from './observed-fixture.ts';
import { recordedChanges } from './recorded-changes.ts';

/** Several sets of a tenant's containers, of which the first is called as if it were the only one. */

type Spec = TenantComputeSpec<DockerConfig>;
const { signal } = new AbortController();
const look = { fresh: true, signal };
const base = 'landlord-tenant-acme';

const app = containerSpec('app', { ports: [{ name: 'http', containerPort: 80, protocol: 'TCP' }] });
const db = containerSpec('db');
const several = (replicas: number | undefined, image = 'app:1'): Spec =>
  tenantSpec(
    {},
    {
      containers: [{ ...app, image, dependsOn: [{ container: 'db', condition: 'Started' }] }, db],
      ...(replicas !== undefined && { replicas }),
    },
  );
const alone = (replicas?: number): Spec =>
  tenantSpec({}, { containers: [app], ...(replicas !== undefined && { replicas }) });
const names = ({ containers }: MemoryEngine): readonly string[] =>
  [...containers.values()].map(({ name }) => name.replace(base, '')).toSorted();
const networks = (engine: MemoryEngine): readonly string[] =>
  [...engine.networks.values()].map(({ Name }) => Name).toSorted();
const desire = (spec: Spec, block = {}, policy = {}) => desiredTenant(spec, settings(block, policy));
const refused = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) as string });

async function running(spec: Spec) {
  const engine = memoryEngine(['app:1', 'app:2']);
  const provider = drivenDocker(engine);
  expect(await provider.provision(spec, signal)).toMatchObject({ outcome: 'done' });
  return { engine, provider };
}

describe('the first replica', () => {
  it.each([
    ['one container', alone],
    ['several', several],
  ])('of %s is what there was before anybody spoke of replicas: nothing differs', async (_what, spec) => {
    const { engine, provider } = await running(spec(undefined));
    const before = [...engine.containers.keys()];
    expect((await provider.getStatus(spec(1), look)).changes).toEqual([]);
    await provider.update(spec(3), signal);
    await provider.update(spec(undefined), signal);
    expect([...engine.containers.keys()]).toEqual(before);
    expect(networks(engine)).toEqual(['landlord-acme']);
  });
});

describe('scaling', () => {
  it('up makes the further ones beside what runs, which nothing happens to', async () => {
    const { engine, provider } = await running(several(1));
    const before = new Set(engine.containers.keys());
    const changes = recordedChanges(engine);
    await provider.update(several(2), signal);
    expect(names(engine)).toEqual(['.app', '.app_2', '.db', '.db_2']);
    expect(changes.filter((change) => [...before].some((id) => change.includes(id)))).toEqual([]);
    const seen = await provider.getStatus(several(2), look);
    expect(seen).toMatchObject({
      changes: [],
      replicas: 2,
      compute: { running: 4, desired: 4, state: 'running', health: 'healthy' },
    });
    expect(seen.compute.containers?.map(({ name }) => name)).toEqual(['app', 'db', 'app_2', 'db_2']);
  });

  it('down removes the highest, with their networks', async () => {
    const { engine, provider } = await running(several(3));
    expect(networks(engine)).toEqual(['landlord-acme', 'landlord-acme_2', 'landlord-acme_3']);
    const { changes } = await provider.getStatus(several(1), look);
    const removed = changes.map(({ path, desired, effect }) => [path, desired, effect].join(' '));
    expect(removed.toSorted()).toEqual(
      ['app_2', 'app_3', 'db_2', 'db_3'].map((name) => `containers.${base}.${name} absent replace`),
    );
    expect(await provider.update(several(1), signal)).toMatchObject({ outcome: 'done' });
    expect(names(engine)).toEqual(['.app', '.db']);
    expect(networks(engine)).toEqual(['landlord-acme']);
  });

  it('down from many comes to its end in one go', async () => {
    const many = (replicas: number) => tenantSpec({}, { containers: [db], replicas });
    const { engine, provider } = await running(many(64));
    expect(await provider.update(many(1), signal)).toMatchObject({ outcome: 'done' });
    expect(names(engine)).toEqual(['']);
  });

  it('to 0 leaves nothing that runs and no difference, and up again begins with the first', async () => {
    const { engine, provider } = await running(several(2));
    await provider.update(several(0), signal);
    expect([names(engine), networks(engine)]).toEqual([[], []]);
    expect(await provider.getStatus(several(0), look)).toMatchObject({
      exists: true,
      changes: [],
      compute: { running: 0, desired: 0, state: 'stopped' },
    });
    await provider.update(several(1), signal);
    expect(names(engine)).toEqual(['.app', '.db']);
  });

  it('tells, without the spec too, how many are whole', async () => {
    const { engine, provider } = await running(several(3));
    const [, second] = [...engine.containers.values()].filter(({ name }) => name.includes('.db'));
    Object.assign(second ?? {}, { state: 'exited', exitCode: 1 });
    const against = await provider.getStatus(several(3), look);
    expect([against.replicas, against.compute.running]).toEqual([2, 5]);
    const at = {
      tenantId: 'acme',
      namespace: 'team-a',
      name: 'acme',
      placement: desire(several(3)).placement,
    };
    expect((await provider.bare.getStatus(at, undefined, look)).replicas).toBe(2);
  });
});

describe('a rollout of several replicas', () => {
  it('makes a successor of each, and stops none before all are proven', async () => {
    const { engine, provider } = await running(several(2));
    const serving: number[] = [];
    const calls = engine as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
    for (const write of writes) {
      const call = calls[write]?.bind(engine);
      calls[write] = async (...args) => {
        const result = await call?.(...args);
        const up = [...engine.containers.values()].filter(({ state }) => state === 'running');
        serving.push(up.filter(({ name }) => name.includes('.app')).length);
        return result;
      };
    }
    expect(await provider.update(several(2, 'app:2'), signal)).toMatchObject({ outcome: 'done' });
    expect(Math.min(...serving)).toBe(2);
    expect(Math.max(...serving)).toBe(4);
    expect(await provider.getStatus(several(2, 'app:2'), look)).toMatchObject({ changes: [], replicas: 2 });
  });

  it('goes along with another count', async () => {
    const { engine, provider } = await running(several(2));
    expect(await provider.update(several(3, 'app:2'), signal)).toMatchObject({ outcome: 'done' });
    expect(names(engine)).toEqual(['.app', '.app_2', '.app_3', '.db', '.db_2', '.db_3']);
    expect(await provider.update(several(1, 'app:1'), signal)).toMatchObject({ outcome: 'done' });
    expect(names(engine)).toEqual(['.app', '.db']);
  });
});

describe('a replica', () => {
  it('is for itself: its containers find each other by name, and wait for each other', async () => {
    const { engine } = await running(several(2));
    expect(resolve(engine, 'landlord-acme', 'db')).toEqual([`${base}.db`]);
    expect(resolve(engine, 'landlord-acme_2', 'db')).toEqual([`${base}.db_2`]);
    expect(resolve(engine, 'landlord-acme_2', 'app')).toEqual([`${base}.app_2`]);
    const second = desire(several(2)).containers.find(({ spec }) => spec.name === 'app_2');
    expect(second?.spec.dependsOn).toEqual([{ container: 'db_2', condition: 'Started' }]);
  });

  it('comes back into its own network by its name', async () => {
    const { engine, provider } = await running(several(2));
    const outside = [...engine.containers.values()].find(({ name }) => name === `${base}.db_2`);
    await provider.update(several(2), signal);
    await engine.disconnectContainer(outside?.id ?? '', 'landlord-acme_2', anyConsent, signal);
    expect((await provider.getStatus(several(2), look)).changes).toMatchObject([
      { path: 'containers.db_2.network', desired: 'landlord-acme_2' },
    ]);
    await provider.update(several(2), signal);
    expect(resolve(engine, 'landlord-acme_2', 'db')).toEqual([`${base}.db_2`]);
  });

  it('has what the block says of the container by its name in the spec, and volumes of its image for itself', () => {
    const spec = {
      ...several(2),
      config: { ...several(2).config, containers: { app: { labels: { of: 'app' } } } },
    };
    const { containers } = desire(spec);
    expect(containers.map(({ labels }) => labels['of'])).toEqual(['app', undefined, 'app', undefined]);
    const prefixes = containers.map(({ imageVolumePrefix }) => imageVolumePrefix);
    expect(
      prefixes.filter((one) => prefixes.some((other) => one !== other && one.startsWith(other))),
    ).toEqual([]);
  });

  it('has endpoints of the same name as the others', () => {
    const desired = desire(alone(2));
    const there = desired.containers.map((container, index) =>
      asDesired(container, {
        ports: [{ address: '127.0.0.1', hostPort: 32_768 + index, containerPort: 80, protocol: 'tcp' }],
      }),
    );
    const { endpoints } = observe(desired, there, clock).compute;
    expect(endpoints?.map(({ name, port }) => [name, port])).toEqual([
      ['http', 32_768],
      ['http', 32_769],
    ]);
    const seen = observe(undefined, there, clock).compute.endpoints;
    expect(seen?.map(({ name }) => name)).toEqual(['app-80', 'app-80']);
  });
});

describe('what replicas can not share is refused, in words', () => {
  const port = { containerPort: 80, hostPort: 8080, protocol: 'TCP' as const };
  const data = [{ name: 'data', kind: 'persistent' as const }];
  const mount = (readOnly: boolean) => ({
    containers: [containerSpec('app', { volumeMounts: [{ name: 'data', mountPath: '/data', readOnly }] })],
    volumes: data,
  });

  it.each<[what: string, config: Record<string, unknown>, over: Partial<Spec>, message: RegExp]>([
    [
      'a host port',
      {},
      { containers: [containerSpec('app', { ports: [port] })] },
      /^spec\.replicas: 2 of container app can't share the host port 8080\/tcp\. Leave the host port out, .*, or run 1$/,
    ],
    [
      "a host port of the block's",
      { image: 'app:1', ports: [{ container_port: 80, host_port: 8080 }] },
      {},
      /can't share the host port 8080\/tcp/,
    ],
    ["the host's network", { network_mode: 'host' }, { containers: [app] }, /can't share the host's network/],
    [
      'a volume that they write to',
      {},
      mount(false),
      /would write to one volume at \/data\. Mount it to be read/,
    ],
    ["a volume of the block's", { volumes: ['data:/data'] }, { containers: [app] }, /one volume at \/data/],
    [
      'a path of the host',
      { volumes: ['/srv/x:/x'] },
      { containers: [app] },
      /would write to one path of the host at \/x/,
    ],
  ])('%s', (_what, config, over, message) => {
    const policy = {
      allow_host_network: true,
      allowed_host_paths: [{ path: '/srv/x', writable: true }],
    };
    const spec = (replicas: number) => tenantSpec(config, { ...over, replicas });
    expect(() => desire(spec(2), {}, policy)).toThrow(refused('InvalidSpec', message));
    expect(desire(spec(1), {}, policy).containers).toHaveLength(1);
    expect(desire(spec(0), {}, policy).containers).toEqual([]);
  });

  it('but not a volume that they only read', () => {
    expect(desire(tenantSpec({}, { ...mount(true), replicas: 2 })).containers).toHaveLength(2);
  });

  it('more containers than a status tells of', () => {
    const spec = (replicas: number) => tenantSpec({}, { containers: [db, containerSpec('cache')], replicas });
    expect(() => desire(spec(33))).toThrow(
      refused('InvalidSpec', /^spec\.replicas: 33 of 2 containers are 66, and may be at most 64/),
    );
    expect(desire(spec(32)).containers).toHaveLength(64);
  });

  it('more than a tenant may use, all of them together', () => {
    const resources = { cpu: '500m' };
    const spec = (replicas: number) =>
      tenantSpec({}, { containers: [containerSpec('app', { resources })], replicas });
    const bounded = {
      ...settings(),
      commonPolicy: { ...openPolicy, max_resources: { cpu: '1', memory: '' } },
    };
    expect(desiredTenant(spec(2), bounded).containers).toHaveLength(2);
    expect(() => desiredTenant(spec(3), bounded)).toThrow(refused('PolicyDenied', /max_resources\.cpu/));
  });
});
