import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createBody } from '../../../../src/compute/providers/docker/converge/create-body.ts';
import { desiredTenant } from '../../../../src/compute/providers/docker/state/desired-tenant.ts';
import type { DockerConfig } from '../../../../src/compute/providers/docker/config.ts';
import type { ContainerSpec, TenantComputeSpec } from '../../../../src/compute/spec/tenant-compute-spec.ts';
import { deaths, dyingProcess, onlyDeath } from '../../dying-process.ts';
import { containerSpec, drivenDocker, openPolicy, settings, tenantSpec } from './docker-fixture.ts';
import { memoryEngine, writeOf } from './memory-engine.ts';
import type { MemoryEngine } from './memory-engine.ts';

/** A host port that a proxy keeps, so that what is behind it is replaced without a gap. */

const { signal } = new AbortController();
const look = { fresh: true, signal };
const base = 'landlord-tenant-acme';
const proxy = `${base}.edge.proxy`;

type Port = NonNullable<ContainerSpec['ports']>[number];
const http: Port = { name: 'http', containerPort: 80, hostPort: 18_080, protocol: 'TCP' };
const kept: Port = { ...http, edge: {} };

const spec = (port: Port, image = 'app:1', ...others: ContainerSpec[]): TenantComputeSpec<DockerConfig> =>
  tenantSpec({}, { containers: [containerSpec('app', { image, ports: [port] }), ...others] });
const desire = (wanted: TenantComputeSpec<DockerConfig>, block = {}, policy = {}) =>
  desiredTenant(wanted, settings(block, policy)).containers;
const states = ({ containers }: MemoryEngine): Readonly<Record<string, string>> =>
  Object.fromEntries([...containers.values()].map(({ name, state }) => [name.replace(base, ''), state]));
const named = ({ containers }: MemoryEngine, name: string) =>
  [...containers.values()].find((one) => one.name === name);

async function running(wanted: TenantComputeSpec<DockerConfig>) {
  const engine = memoryEngine(['app:1', 'app:2', 'haproxy:3.2.21-alpine3.24', 'haproxy:3.4']);
  const provider = drivenDocker(engine);
  expect(await provider.provision(wanted, signal)).toMatchObject({ outcome: 'done' });
  return { engine, provider };
}

// The time that connections have is that of a clock which nobody sets.
beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

describe('a port with an edge', () => {
  it('is published by the proxy alone, which finds the container by its name on the engine', () => {
    const [app, edge, ...rest] = desire(spec(kept));
    expect(rest).toEqual([]);
    expect(app && createBody(app)).toMatchObject({ ExposedPorts: {}, HostConfig: { PortBindings: {} } });
    expect(app?.labels['landlord.drain']).toBe('10');
    expect(edge && createBody(edge)).toMatchObject({
      Image: 'haproxy:3.2.21-alpine3.24',
      Entrypoint: ['haproxy', '-db', '-f', '/landlord-edge/haproxy.cfg'],
      StopSignal: 'SIGTERM',
      HostConfig: {
        NetworkMode: 'landlord-acme',
        PortBindings: { '18080/tcp': [{ HostIp: '127.0.0.1', HostPort: '18080' }] },
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        CapAdd: ['NET_BIND_SERVICE'],
        // A name that the engine does not know is nobody's: it is asked for nowhere else.
        Dns: ['127.0.0.1'],
        RestartPolicy: { Name: 'unless-stopped' },
      },
    });
    expect(edge?.engineName).toBe(proxy);
    const [file] = edge?.files[0]?.files ?? [];
    const config = Buffer.from(String(file?.content), 'base64').toString();
    expect(config).toContain('  bind *:18080\n');
    expect(config).toContain(
      `  server serving ${base}:80 resolvers engine resolve-prefer ipv4 init-addr none\n`,
    );
  });

  it('takes nothing of the block along to the proxy', () => {
    const config = {
      volumes: ['data:/data'],
      labels: { team: 'a' },
      restart_policy: 'no',
      cap_add: ['CHOWN'],
    };
    const wanted = { ...spec(kept), config: tenantSpec(config).config };
    const edge = desire(wanted, {}, { allow_capabilities: ['CHOWN'] }).at(-1);
    expect(edge?.volumes).toEqual([]);
    expect(edge?.labels).not.toHaveProperty('team');
    expect(edge?.live.restartPolicy).toBe('unless-stopped');
  });

  it('gives a single container a network of its own where others share one', () => {
    const [app] = desire(spec(kept), { network_name: 'tenants' });
    expect(app?.network).toEqual({ kind: 'private', name: 'landlord-acme' });
  });

  it('keeps the longest time that one of its ports asks for', () => {
    const ports = [kept, { ...http, containerPort: 81, hostPort: 18_081, edge: { drainSeconds: 60 } }];
    const [app] = desire(tenantSpec({}, { containers: [containerSpec('app', { ports })] }));
    expect(app?.labels['landlord.drain']).toBe('60');
  });

  it('is shown by its name, as the endpoint that it is', async () => {
    const { provider } = await running(spec(kept));
    const { compute, changes } = await provider.getStatus(spec(kept), look);
    expect(changes).toEqual([]);
    expect(compute).toMatchObject({ running: 2, desired: 2 });
    expect(compute.containers?.map(({ name }) => name)).toEqual(['app', 'edge.proxy']);
    expect(compute.endpoints).toMatchObject([{ name: 'http', port: 18_080, url: 'http://127.0.0.1:18080' }]);
  });

  it.each([
    ['with the network of the host', { network_mode: 'host' }, {}, /container app: edge: its proxy is in/],
    ['of several replicas', {}, { replicas: 2 }, /spec.replicas: 2 of container app can't share the host/],
    [
      'of a tenant whose name is too long for DNS',
      {},
      { tenantId: 'a'.repeat(48) },
      /container app: edge: its proxy finds it by the name landlord-tenant-a{48}, of which DNS takes 63/,
    ],
  ])('is refused with words %s', (_what, config, over, message) => {
    const wanted = { ...spec(kept), config: tenantSpec(config).config, ...over };
    expect(() => desire(wanted, {}, { allow_host_network: true })).toThrow(
      expect.objectContaining({ code: 'InvalidSpec', message: expect.stringMatching(message) as string }),
    );
  });

  it('is refused with words at two addresses', () => {
    const db = containerSpec('db', { ports: [{ ...kept, hostPort: 18_081 }] });
    const config = { containers: { db: { port_bind_address: '127.0.0.2' } } };
    const wanted = { ...spec(kept, 'app:1', db), config: tenantSpec(config).config };
    expect(() => desire(wanted, {}, { allow_bind_addresses: ['127.0.0.2'] })).toThrow(
      /container db: edge: its proxy is that of container app, at 127.0.0.1, and can't be at 127.0.0.2, too/,
    );
  });
});

describe('a rollout behind an edge', () => {
  it('stops the old one once connections had their time, and leaves the proxy as it is', async () => {
    const { engine, provider } = await running(spec(kept));
    const [edge, old] = [named(engine, proxy)?.id, named(engine, base)?.id];
    const next = spec(kept, 'app:2');
    const waits = {
      outcome: 'in_progress',
      message: 'Waiting for the connections to the old app to end',
    };
    expect(await provider.update(next, signal)).toMatchObject({ ...waits, lookAgainAfterMs: 10_000 });
    expect(states(engine)).toEqual({ '': 'running', _old: 'running', '.edge.proxy': 'running' });
    expect(named(engine, `${base}_old`)?.id).toBe(old);
    vi.advanceTimersByTime(9_000);
    expect(await provider.update(next, signal)).toMatchObject({ ...waits, lookAgainAfterMs: 1_000 });
    vi.advanceTimersByTime(1_000);
    expect(await provider.update(next, signal)).toMatchObject({ outcome: 'done' });
    expect(states(engine)).toEqual({ '': 'running', '.edge.proxy': 'running' });
    expect(named(engine, proxy)?.id).toBe(edge);
  });

  it('gives them their time anew where the operator was started anew, and where the old is only kept', async () => {
    const { engine, provider } = await running(spec(kept));
    const next = spec(kept, 'app:2');
    await provider.update(next, signal);
    vi.advanceTimersByTime(9_000);
    const other = drivenDocker(engine);
    expect(await other.hold(next, signal)).toMatchObject({ lookAgainAfterMs: 10_000 });
    expect(await other.update(next, signal)).toMatchObject({ lookAgainAfterMs: 10_000 });
    expect(states(engine)).toHaveProperty('_old', 'running');
  });

  it('keeps the old one while its successor does not run, for the proxy leads to nobody else', async () => {
    const { engine, provider } = await running(spec(kept));
    const next = spec(kept, 'app:2');
    await provider.update(next, signal);
    const heir = named(engine, base);
    vi.advanceTimersByTime(5_000);
    Object.assign(heir ?? {}, { state: 'restarting' });
    for (let looks = 0; looks < 3; looks += 1) {
      vi.advanceTimersByTime(10_000);
      expect(await provider.update(next, signal)).toMatchObject({
        outcome: 'in_progress',
        message: 'The old app keeps running until its successor runs again',
        lookAgainAfterMs: 10_000,
      });
    }
    Object.assign(heir ?? {}, { state: 'running' });
    expect(await provider.update(next, signal)).toMatchObject({
      message: 'Waiting for the connections to the old app to end',
      lookAgainAfterMs: 10_000,
    });
    vi.advanceTimersByTime(10_000);
    expect(await provider.update(next, signal)).toMatchObject({ outcome: 'done' });
    expect(states(engine)).toEqual({ '': 'running', '.edge.proxy': 'running' });
  });

  it('counts from when the successor has the name, however long the old one has been without', async () => {
    const { engine, provider } = await running(spec(kept));
    const rename = engine.renameContainer.bind(engine);
    let fails = true;
    Object.assign(engine, {
      renameContainer: async (id: string, name: string, ...rest: [AbortSignal]) => {
        if (fails && name === base) throw new Error('the engine is out of reach');
        return rename(id, name, ...rest);
      },
    });
    const next = spec(kept, 'app:2');
    await expect(provider.update(next, signal)).rejects.toThrow('out of reach');
    expect(states(engine)).toMatchObject({ _old: 'running', _next: 'running' });
    // Somebody looks, and time goes by.
    await provider.getStatus(next, look);
    vi.advanceTimersByTime(60_000);
    fails = false;
    expect(await provider.update(next, signal)).toMatchObject({ lookAgainAfterMs: 10_000 });
  });

  it('killed at any write is ended by the next process, and the proxy is the same one throughout', async () => {
    const next = spec(kept, 'app:2');
    const update = async (engine: MemoryEngine): Promise<void> => {
      const provider = drivenDocker(engine);
      for (let calls = 0; calls < 5; calls += 1) {
        if ((await provider.update(next, signal)).outcome === 'done') return;
        vi.advanceTimersByTime(10_000);
      }
      throw new Error('no end after 5 calls');
    };
    for (const death of deaths()) {
      const { engine } = await running(spec(kept));
      const edge = named(engine, proxy)?.id;
      const mortal = dyingProcess(death);
      await update(mortal.seeing(engine, writeOf)).catch(onlyDeath);
      await update(engine);
      expect(states(engine)).toEqual({ '': 'running', '.edge.proxy': 'running' });
      expect(named(engine, base)?.body.Image).toBe('app:2');
      expect(named(engine, proxy)?.id).toBe(edge);
      if (!mortal.hasDied()) break;
    }
  });

  it('that fails has nobody wait, and nobody was led to what failed', async () => {
    const { engine, provider } = await running(spec(kept));
    const old = named(engine, base)?.id;
    engine.images.add('crash:1');
    await provider.update(spec(kept, 'crash:1'), signal);
    expect(named(engine, base)?.id).toBe(old);
    expect(engine.calls).not.toContain('renameContainer');
  });

  it.each<[what: string, from: Port, to: Port, effects: Readonly<Record<string, string>>]>([
    ['another image', kept, kept, { 'containers.app.image': 'replace' }],
    ['an edge that is new', http, kept, { 'containers.app.image': 'gap', 'containers.edge.proxy': 'live' }],
    [
      'an edge that is gone',
      kept,
      http,
      { 'containers.app.image': 'replace', [`containers.${proxy}`]: 'gap' },
    ],
    [
      'another host port',
      kept,
      { ...kept, hostPort: 18_081 },
      { 'containers.app.image': 'replace', 'containers.edge.proxy.spec': 'replace' },
    ],
  ])('has the effect that is announced: %s', async (_what, from, to, effects) => {
    const { engine, provider } = await running(spec(from));
    const next = spec(to, 'app:2');
    const { changes } = await provider.getStatus(next, look);
    expect(Object.fromEntries(changes.map(({ path, effect }) => [path, effect]))).toEqual(effects);
    await provider.update(next, signal);
    vi.advanceTimersByTime(10_000);
    expect(await provider.update(next, signal)).toMatchObject({ outcome: 'done' });
    expect((await provider.getStatus(next, look)).changes).toEqual([]);
    expect(Object.keys(states(engine)).toSorted()).toEqual(to.edge ? ['', '.edge.proxy'] : ['']);
  });

  it('of the proxy itself, for another image of the operator, is a gap and leaves the others as they are', async () => {
    const { engine, provider } = await running(spec(kept));
    const app = named(engine, base)?.id;
    const other = drivenDocker(engine, settings({ edge_image: 'haproxy:3.4' }));
    const { changes } = await other.getStatus(spec(kept), look);
    expect(changes).toMatchObject([{ path: 'containers.edge.proxy.image', effect: 'gap' }]);
    expect(await other.update(spec(kept), signal)).toMatchObject({ outcome: 'done' });
    expect(named(engine, proxy)?.body.Image).toBe('haproxy:3.4');
    expect(named(engine, base)?.id).toBe(app);
    await provider.close();
  });
});

it('what is taken over, has the port that the proxy is to hold, and is gone once it stops, is announced as an outage', async () => {
  const engine = memoryEngine(['app:1', 'haproxy:3.2.21-alpine3.24']);
  const policy = { ...openPolicy, allow_adopt: true };
  const provider = drivenDocker(engine, settings({}, { foreign_containers: ['web-1'] }), { policy });
  const PortBindings = { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '18080' }] };
  const body = { Image: 'app:1', HostConfig: { AutoRemove: true, PortBindings } };
  const made = await engine.createContainer('web-1', body, signal);
  await engine.startContainer(made === 'name-taken' ? '' : made.id, signal);
  const { config } = tenantSpec({ containers: { app: { container_name: 'web-1' } } });
  const { changes } = await provider.getStatus({ ...spec(kept), config, adopt: true }, look);
  expect(changes[0]).toMatchObject({ path: 'containers.app.owner', effect: 'outage' });
});

it('the image of the proxy is the operator’s to choose: no registry is asked whether the tenant may have it', async () => {
  const engine = memoryEngine(['app:1', 'haproxy:local']);
  const block = settings(
    { edge_image: 'haproxy:local' },
    { allow_local_images: false, unverified_images: ['app:1'] },
  );
  const provider = drivenDocker(engine, block);
  expect(await provider.provision(spec(kept), signal)).toMatchObject({ outcome: 'done' });
  const own = spec(kept, 'haproxy:local');
  await expect(drivenDocker(memoryEngine(['haproxy:local']), block).provision(own, signal)).rejects.toThrow(
    'allow_local_images',
  );
});

it('all of it goes with the tenant', async () => {
  const { engine, provider } = await running(spec(kept));
  expect(await provider.destroy(spec(kept), signal)).toMatchObject({ outcome: 'gone' });
  expect([...engine.containers, ...engine.networks, ...engine.volumes]).toEqual([]);
});
