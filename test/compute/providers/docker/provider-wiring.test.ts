import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ComputeError } from '../../../../src/compute/errors.ts';
import type { Provider, TenantPlace } from '../../../../src/compute/provider.ts';
import type { DockerConfig } from '../../../../src/compute/providers/docker/config.ts';
import { dockerDefinition } from '../../../../src/compute/providers/docker/definition.ts';
import { EngineRefusal } from '../../../../src/compute/providers/docker/engine/engine.ts';
import { createDockerProvider, dockerProvider } from '../../../../src/compute/providers/docker/provider.ts';
import type { DesiredTenant } from '../../../../src/compute/providers/docker/state/desired-tenant.ts';
import { driven } from '../../driven-provider.ts';
import { containerSpec, context, drivenDocker, settings, tenantSpec } from './docker-fixture.ts';
import { standInEngine, turns, until } from './engine-stand-in.ts';
import { memoryEngine } from './memory-engine.ts';
import type { MemoryEngine } from './memory-engine.ts';

const signal = new AbortController().signal;
const images = ['app:1', 'app:2'];

function bench(engine: MemoryEngine = memoryEngine(images), block = {}, over = {}) {
  return { engine, provider: drivenDocker(engine, settings(block), over) };
}

const acme = { tenantId: 'acme', namespace: 'team-a', name: 'acme' };

describe('the provider', () => {
  it('keeps what it makes over a restart of the operator, and needs the values of secrets', () => {
    expect(bench().provider.name).toBe('docker');
    expect(dockerDefinition).toMatchObject({ name: 'docker', durable: true, secrets: 'values' });
  });

  it("is made of the operator's block and policy", async () => {
    const make = (policy?: Record<string, unknown>) =>
      createDockerProvider({ block: { image: 'app:1', label_prefix: 'll' }, policy }, context());
    const host = tenantSpec({ network_mode: 'host' });
    expect((await make({ allow_host_network: true })).desired(host).placement).toMatchObject({
      labelPrefix: 'll',
    });
    const strict = await make();
    expect(() => strict.desired(host)).toThrow(expect.objectContaining({ code: 'PolicyDenied' }));
  });

  it('gives a pull up that is silent for as long as the operator says', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const engine = await standInEngine((request, response) => {
      const { url = '' } = request;
      if (url.endsWith('/_ping')) response.end('OK');
      else if (url.includes('/containers/json')) response.end('[]');
      else if (!url.includes('/images/create')) response.writeHead(404).end();
    });
    const asked = (what: string) => engine.requests.some((request) => request.includes(what));
    const block = { image: 'app:1', host: engine.host, pull_silence: '10m' };
    const bare = (await createDockerProvider({ block, policy: {} }, context())) as Provider<DesiredTenant>;
    onTestFinished(() => bare.close());
    const provider = driven<DesiredTenant, DockerConfig>(bare);
    await provider.provision(tenantSpec(), signal);
    await until(() => asked('/images/create'));
    await vi.advanceTimersByTimeAsync(599_999);
    await turns();
    expect(asked('/_ping')).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await until(() => asked('/_ping'));
    await turns();
    await expect(provider.provision(tenantSpec(), signal)).rejects.toMatchObject({
      message: expect.stringContaining('sends nothing') as string,
    });
  });

  it('has a replacement prove itself for 3 s by default', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const { block, policy } = settings();
    const { settleMs: _none, ...rest } = context();
    const bare = dockerProvider(memoryEngine(images), block, policy, rest);
    const provider = driven<DesiredTenant, DockerConfig>(bare);
    await provider.provision(tenantSpec(), signal);
    const wait = { outcome: 'in_progress', message: 'Waiting until the new app is known to run well' };
    expect(await provider.update(tenantSpec({ image: 'app:2' }), signal)).toEqual({
      ...wait,
      lookAgainAfterMs: 3_000,
    });
    vi.setSystemTime(Date.now() + 2_000);
    expect(await provider.update(tenantSpec({ image: 'app:2' }), signal)).toMatchObject({
      ...wait,
      lookAgainAfterMs: expect.toSatisfy((ms: number) => ms > 0 && ms <= 1_100) as number,
    });
    vi.setSystemTime(Date.now() + 1_100);
    expect(await provider.update(tenantSpec({ image: 'app:2' }), signal)).toMatchObject({ outcome: 'done' });
  });
});

describe('a container whose network is to be joined', () => {
  const joining = tenantSpec({ network_mode: 'container:db' });

  it('must be there', async () => {
    const { engine, provider } = bench(undefined, { network_mode: 'container:db' });
    await expect(provider.validate(joining, signal)).rejects.toMatchObject({
      code: 'InvalidSpec',
      message: 'spec.computeConfig.docker.network_mode: there is no container db on the engine to join',
    });
    await engine.createContainer('db', { Image: 'app:1' }, signal);
    await expect(provider.validate(joining, signal)).resolves.toBeUndefined();
  });

  it('is asked for only where one is to be', async () => {
    const { engine, provider } = bench();
    for (const spec of [tenantSpec(), tenantSpec({ network_mode: 'none' })]) {
      await expect(provider.validate(spec, signal)).resolves.toBeUndefined();
    }
    expect(engine.calls).toEqual([]);
  });
});

describe('a look', () => {
  it('that is to be fresh asks the engine anew; another one takes what the watch knows', async () => {
    const { engine, provider } = bench();
    await provider.provision(tenantSpec(), signal);
    const [container] = engine.containers.values();
    if (container !== undefined) container.startedMs -= 3_600_000;
    const stop = new AbortController();
    const watching = provider.watch(() => undefined, stop.signal);
    onTestFinished(async () => {
      stop.abort();
      await watching;
    });
    const asks = async (fresh: boolean) => {
      engine.calls.length = 0;
      await provider.getStatus(tenantSpec(), { fresh, signal });
      return [...engine.calls];
    };
    await asks(false);
    expect([await asks(false), await asks(true)]).toEqual([[], ['inspectContainer']]);
  });

  it('at a place of an earlier configuration asks for this tenant alone', async () => {
    const { engine, provider } = bench();
    const list = engine.listContainers.bind(engine);
    const asked: (readonly string[])[] = [];
    engine.listContainers = async (labels, aborted) => {
      asked.push(labels);
      return list(labels, aborted);
    };
    const look = (placement: TenantPlace['placement'], fresh: boolean) =>
      provider.bare.getStatus({ ...acme, placement }, provider.desired(tenantSpec()), { fresh, signal });
    const earlier = await look({ provider: 'docker', labelPrefix: 'earlier' }, false);
    expect(earlier).toMatchObject({ exists: false, changes: [] });
    expect(asked).toEqual([['earlier.owner=default', 'earlier.tenant_id=acme']]);
    await look({ provider: 'docker' }, true);
    expect(asked[1]).toEqual(['landlord.owner=default', 'landlord.tenant_id=acme']);
  });
});

describe('whatever goes wrong', () => {
  it.each<[string, unknown, string]>([
    ['a refusal that nobody has understood', new EngineRefusal('other', 500, 'no way'), 'no way'],
    ['an error of the program', new Error('boom'), 'Docker: boom'],
    ['anything else that is thrown', 'boom', 'Docker: boom'],
  ])('comes out as a ComputeError: %s', async (_what, thrown, message) => {
    const { engine, provider } = bench();
    engine.listVolumes = async () => {
      throw thrown;
    };
    await expect(provider.list(signal)).rejects.toMatchObject({ code: 'ProviderUnavailable', message });
  });
});

it('a look that fails says for how long the engine has answered nothing', async () => {
  const { engine, provider } = bench();
  vi.spyOn(engine.time, 'silentForMs').mockReturnValue(12_000);
  engine.listContainers = () => Promise.reject(new ComputeError('ProviderUnavailable', 'no answer'));
  const desired = provider.desired(tenantSpec());
  const look = provider.bare.getStatus(desired, desired, { fresh: true, signal });
  await expect(look).rejects.toMatchObject({ code: 'ProviderUnavailable', silentForMs: 12_000 });
});

describe('the list of what is ours', () => {
  it('names containers, networks and volumes of tenants, with their tenant, and nothing else', async () => {
    const { engine, provider } = bench(undefined, { network_name: 'tenants' });
    const spec = tenantSpec(
      { volumes: ['data:/data'] },
      { containers: [containerSpec('a'), containerSpec('b')] },
    );
    await provider.provision(spec, signal);
    await provider.provision(
      tenantSpec({}, { tenantId: 'one', tenant: { ...spec.tenant, name: 'one' } }),
      signal,
    );
    const { provider: theirs } = bench(engine, {}, { clusterUid: 'cluster-0' });
    await theirs.provision(tenantSpec({}, { tenantId: 'theirs' }), signal);
    const marks = {
      'landlord.owner': 'default',
      'landlord.cluster': 'cluster-1',
      'landlord.tenant_id': 'half',
    };
    await engine.createVolume({ Name: 'half', Labels: marks }, signal);
    const at = (tenantId: string) => ({
      placement: {
        provider: 'docker',
        labelPrefix: 'landlord',
        tenantId,
        engineId: 'memory',
        host: 'unix:///memory.sock',
      },
    });
    const whose = { tenantId: 'acme', namespace: 'team-a', name: 'acme', isData: false, ...at('acme') };
    const one = { ...whose, tenantId: 'one', name: 'one', ...at('one') };
    const half = { tenantId: 'half', namespace: '', name: '', ...at('half') };
    expect(await provider.list(signal)).toEqual([
      { ...whose, resource: 'container landlord-tenant-acme.a' },
      { ...whose, resource: 'container landlord-tenant-acme.b' },
      { ...one, resource: 'container landlord-tenant-one' },
      { ...whose, resource: 'network landlord-acme' },
      { ...whose, resource: 'volume landlord-acme_data', isData: true },
      { ...half, resource: 'volume half', isData: true },
    ]);
  });

  it('tells along the way how much is left of the engine, of which others have some, too', async () => {
    const engine = memoryEngine(images);
    const { provider } = bench(engine, { network_name: 'tenants', network_pool: '10.0.0.0/24' });
    expect(provider.capacity?.()).toEqual([]);
    await engine.createNetwork({ Name: 'anybodys', IPAM: { Config: [{ Subnet: '10.0.0.0/25' }] } }, signal);
    await engine.createNetwork({ Name: 'tenants', Driver: 'bridge' }, signal);
    await provider.provision(tenantSpec(), signal);
    await provider.list(signal);
    expect(provider.capacity?.()).toEqual([
      { domain: '', of: 'networks', free: 8, total: 16 },
      { domain: '', of: 'addresses', free: 128, total: 256 },
      { domain: '', of: 'shared_network_ports', free: 1_022, total: 1_023 },
    ]);
  });
});
