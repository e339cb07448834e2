import type Dockerode from 'dockerode';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ComputeError } from '../../../../src/compute/errors.ts';
import { anyConsent, anyPermit } from '../../permits.ts';
import type { Observation, StepResult } from '../../../../src/compute/provider.ts';
import { EngineRefusal } from '../../../../src/compute/providers/docker/engine/engine.ts';
import { SecretValue } from '../../../../src/compute/spec/secret-value.ts';
import { containerSpec, drivenDocker, settings, tenantSpec } from './docker-fixture.ts';
import type { DrivenDocker } from './docker-fixture.ts';
import { memoryEngine, writes } from './memory-engine.ts';
import type { MemoryEngine } from './memory-engine.ts';

const signal = new AbortController().signal;
const images = ['app:1', 'app:2', 'crash:1', 'bad-command:1'];

function bench(engine: MemoryEngine = memoryEngine(images), block = {}, over = {}) {
  return { engine, provider: drivenDocker(engine, settings(block), over) };
}

const several = tenantSpec({}, { containers: [containerSpec('a'), containerSpec('b')] });
const failure = (call: Promise<StepResult>): Promise<ComputeError> =>
  call.then(
    (result) => {
      throw new Error(`no failure: ${result.message}`);
    },
    (error: ComputeError) => error,
  );

describe('a container of another cluster', () => {
  it('is a conflict, and stays untouched by destroy', async () => {
    const { engine, provider: theirs } = bench(memoryEngine(images), {}, { clusterUid: 'cluster-0' });
    await theirs.provision(tenantSpec(), signal);
    const { provider: ours } = bench(engine);
    const conflict = {
      code: 'ProviderConflict',
      message: expect.stringContaining('belongs to another Kubernetes cluster') as string,
    };
    await expect(ours.provision(tenantSpec(), signal)).rejects.toMatchObject(conflict);
    const at = ours.desired(tenantSpec());
    await expect(ours.bare.getStatus(at, undefined, { fresh: false, signal })).rejects.toMatchObject(
      conflict,
    );
    expect(await ours.list(signal)).toEqual([]);
    expect((await ours.destroy(tenantSpec(), signal)).outcome).toBe('gone');
    expect(engine.containers.size).toBe(1);
  });

  it('that is adopted is taken over as it is, without a write, and can be destroyed', async () => {
    const { engine, provider: theirs } = bench(memoryEngine(images), {}, { clusterUid: 'cluster-0' });
    await theirs.provision(tenantSpec(), signal);
    const { provider: ours } = bench(engine, { adopt_clusters: ['cluster-0'] });
    engine.calls.length = 0;
    expect(await ours.update(tenantSpec(), signal)).toMatchObject({ outcome: 'done' });
    expect(engine.calls.filter((call) => writes.includes(call))).toEqual([]);
    await ours.destroy(tenantSpec(), signal);
    expect(engine.containers.size).toBe(0);
  });
});

describe('a name that is taken by another', () => {
  it('volume is a conflict: what another tenant has is not shared', async () => {
    const { engine, provider } = bench();
    const theirs = { tenantId: 'other', tenant: { namespace: 'x', name: 'y', uid: '' } };
    await engine.createVolume(
      { Name: 'landlord-acme_data', Labels: { ...provider.desired(tenantSpec({}, theirs)).marks } },
      signal,
    );
    const error = await failure(provider.provision(tenantSpec({ volumes: ['data:/data'] }), signal));
    expect(error).toMatchObject({ code: 'ProviderConflict' });
    expect(error.message).toContain(
      'volume landlord-acme_data exists and belongs to a tenant of another namespace',
    );
  });

  it('volume is none where ids and volume names only run together', async () => {
    const { engine, provider } = bench();
    const second = { tenantId: 'a-b', tenant: { namespace: 'x', name: 'y', uid: '' } };
    await provider.provision(tenantSpec({ volumes: ['b-c:/data'] }, { tenantId: 'a' }), signal);
    await provider.provision(tenantSpec({ volumes: ['c:/data'] }, second), signal);
    expect([...engine.volumes.keys()]).toEqual(['landlord-a_b-c', 'landlord-a-b_c']);
  });

  it('network is a conflict: no tenant joins a network that is not its own', async () => {
    const { engine, provider } = bench();
    await engine.createNetwork({ Name: 'landlord-acme' }, signal);
    const error = await failure(provider.provision(several, signal));
    expect(error.code).toBe('ProviderConflict');
    expect(error.message).toContain('network landlord-acme was not made by Landlord');
  });
});

describe('networks', () => {
  it('of two operators that made one at once, the one with the lowest id stays', async () => {
    const { engine, provider } = bench(memoryEngine(images), { network_name: 'tenants' });
    const create = engine.createNetwork.bind(engine);
    engine.createNetwork = async (body, aborted) => {
      await create(body, aborted);
      return create({ ...body, CheckDuplicate: false }, aborted);
    };
    await provider.provision(tenantSpec(), signal);
    const left = [...engine.networks.values()].filter(({ Name }) => Name === 'tenants');
    expect(left.map(({ Id }) => Id)).toEqual(['1'.padStart(64, '0')]);
  });

  it('a subnet that the engine refuses is passed over', async () => {
    const { engine, provider } = bench();
    const create = engine.createNetwork.bind(engine);
    const tried: unknown[] = [];
    engine.createNetwork = async (body, aborted) => {
      tried.push(body.IPAM?.Config?.[0]?.['Subnet']);
      if (tried.length < 3) throw new EngineRefusal('overlap', 403, 'Pool overlaps');
      return create(body, aborted);
    };
    expect(await provider.provision(several, signal)).toMatchObject({ outcome: 'done' });
    expect(tried).toEqual(['10.210.0.0/28', '10.210.0.16/28', '10.210.0.32/28']);
  });

  it('one that went away while its containers stood still is made again, and they with it', async () => {
    const { engine, provider } = bench();
    await provider.provision(several, signal);
    for (const { id } of engine.containers.values()) await engine.stopContainer(id, 0, anyConsent, signal);
    engine.networks.clear();
    expect(await provider.update(several, signal)).toMatchObject({ outcome: 'done' });
    expect([...engine.containers.values()].map(({ state }) => state)).toEqual(['running', 'running']);
    expect(engine.networks.size).toBe(1);
  });
});

describe('destroy', () => {
  it('needs nothing but the placement: the prefix in the config may have changed since', async () => {
    const { engine, provider: before } = bench();
    const spec = tenantSpec({ volumes: ['data:/data'] });
    await before.provision(spec, signal);
    const at = before.desired(spec);
    const { provider: after } = bench(engine, { label_prefix: 'renamed' });
    expect(await after.bare.getStatus(at, undefined, { fresh: false, signal })).toMatchObject({
      exists: true,
      compute: { running: 1 },
    });
    expect((await after.bare.destroy(at, anyPermit, signal)).outcome).toBe('gone');
    expect(engine.containers.size + engine.volumes.size).toBe(0);
  });

  it('that is held up names what is in use', async () => {
    const { engine, provider } = bench();
    const spec = tenantSpec({ volumes: ['data:/data'] });
    await provider.provision(spec, signal);
    engine.removeVolume = async () => {
      throw new EngineRefusal('in-use', 409, 'volume is in use');
    };
    await expect(provider.destroy(spec, signal)).rejects.toMatchObject({
      code: 'DestroyFailed',
      message: expect.stringContaining('volume landlord-acme_data') as string,
    });
  });
});

describe('messages', () => {
  it('of the same failure are the same', async () => {
    const { provider } = bench();
    const spec = tenantSpec({ image: 'bad-command:1' });
    const first = await failure(provider.provision(spec, signal));
    expect(first.code).toBe('ProvisionFailed');
    expect(first.message).toContain('container app could not be started');
    expect((await failure(provider.provision(spec, signal))).message).toBe(first.message);
  });

  it('show no secret, even where the engine or a health check repeats one', async () => {
    const { engine, provider } = bench();
    const env = [{ name: 'P', secretKeyRef: { name: 's', key: 'k' }, secret: new SecretValue('hunter2') }];
    const spec = tenantSpec({}, { containers: [containerSpec('app', { env })] });
    const start = engine.startContainer.bind(engine);
    engine.startContainer = async () => {
      throw new EngineRefusal('other', 500, 'OCI runtime: bad value hunter2');
    };
    expect((await failure(provider.provision(spec, signal))).message).toContain('bad value [redacted]');
    engine.startContainer = start;
    await provider.provision(spec, signal);
    engine.inspectContainer = unhealthy(engine, 'password hunter2 is wrong');
    const next = { ...spec, containers: [containerSpec('app', { env, args: ['x'] })] };
    const result = await provider.update(next, signal);
    expect(result).toMatchObject({ outcome: 'rolled_back' });
    expect(result.message).toContain('fails its health check: password [redacted] is wrong');
  });

  it('of a successor that was killed for want of memory say so', async () => {
    const { engine, provider } = bench();
    await provider.provision(tenantSpec(), signal);
    const inspect = engine.inspectContainer.bind(engine);
    engine.inspectContainer = async (id, aborted) => {
      const found = await inspect(id, aborted);
      if (found?.State.Status === 'restarting') found.State.OOMKilled = true;
      return found;
    };
    const resources = { memory: '64Mi' };
    const { message } = await provider.update(tenantSpec({ image: 'crash:1', resources }), signal);
    expect(message).toContain('exited with code 3, killed because it ran out of memory');
  });
});

/** Every successor that runs fails its health check, which says `output`. */
function unhealthy(engine: MemoryEngine, output: string): MemoryEngine['inspectContainer'] {
  const inspect = engine.inspectContainer.bind(engine);
  return async (id, aborted) => {
    const found = await inspect(id, aborted);
    if (found?.State.Status === 'running' && found.Name.endsWith('_next')) {
      const Log = [{ Start: '', End: '', ExitCode: 1, Output: output }];
      found.State.Health = { Status: 'unhealthy', FailingStreak: 1, Log } satisfies NonNullable<
        Dockerode.ContainerInspectInfo['State']['Health']
      >;
    }
    return found;
  };
}

describe('a replacement', () => {
  it('stops nothing while the new image can not be had, and mends what stopped meanwhile', async () => {
    const { engine, provider } = bench();
    await provider.provision(tenantSpec(), signal);
    const [old] = engine.containers.values();
    if (old === undefined) throw new Error('no container');
    Object.assign(old, { state: 'exited', exitCode: 1, finishedMs: old.startedMs });
    const missing = tenantSpec({ image: 'missing:1' });
    expect((await provider.update(missing, signal)).message).toBe('Pulling missing:1');
    expect(old.state).toBe('running');
    await new Promise((resolve) => setImmediate(resolve));
    await expect(provider.update(missing, signal)).rejects.toMatchObject({ code: 'ImageUnavailable' });
    expect([...engine.containers.values()]).toEqual([
      expect.objectContaining({ id: old.id, state: 'running' }),
    ]);
  });

  it('of one that writes to a volume waits until the old one has let go of it', async () => {
    const volumes = ['data:/data'];
    const { engine, provider } = bench();
    await provider.provision(tenantSpec({ volumes }), signal);
    engine.calls.length = 0;
    await provider.update(tenantSpec({ volumes, image: 'app:2' }), signal);
    const order = engine.calls.filter((call) => /^(create|stop|start|remove|rename)Container$/.test(call));
    expect(order).toEqual([
      'createContainer',
      'stopContainer',
      'startContainer',
      'renameContainer',
      'renameContainer',
      'removeContainer',
    ]);
  });

  it('of one that shares nothing has the new one started before the old one is stopped', async () => {
    const { engine, provider } = bench();
    await provider.provision(tenantSpec(), signal);
    engine.calls.length = 0;
    await provider.update(tenantSpec({ image: 'app:2' }), signal);
    const order = engine.calls.filter((call) => /^(create|stop|start|remove|rename)Container$/.test(call));
    expect(order).toEqual([
      'createContainer',
      'startContainer',
      'renameContainer',
      'renameContainer',
      'stopContainer',
      'removeContainer',
    ]);
  });

  it('that the engine refuses to make leaves everything as it was', async () => {
    const { engine, provider } = bench();
    await provider.provision(tenantSpec(), signal);
    engine.createContainer = async () => {
      throw new EngineRefusal('invalid', 400, 'Range of CPUs is from 0.01 to 2.00');
    };
    const result = await provider.update(tenantSpec({ image: 'app:2' }), signal);
    expect(result).toMatchObject({
      outcome: 'rolled_back',
      message: expect.stringContaining('Range of CPUs') as string,
    });
    expect([...engine.containers.values()].map(({ name, state }) => `${name} ${state}`)).toEqual([
      'landlord-tenant-acme running',
    ]);
  });

  it('rolled back under restart_policy no starts what it stopped, and not what had ended by itself', async () => {
    const job = { restart_policy: 'no', ports: [{ container_port: 80, host_port: 8080 }] };
    const { engine, provider } = bench();
    await provider.provision(tenantSpec(job), signal);
    expect(await provider.update(tenantSpec({ ...job, image: 'crash:1' }), signal)).toMatchObject({
      outcome: 'rolled_back',
    });
    const [old] = engine.containers.values();
    expect(old?.state).toBe('running');
    if (old !== undefined) Object.assign(old, { state: 'exited', exitCode: 0, finishedMs: old.startedMs });
    await provider.update(tenantSpec({ ...job, image: 'crash:1' }), signal);
    expect(old?.state).toBe('exited');
  });
});

describe.each([600_000, -600_000])('on an engine whose clock is %i ms ahead of ours', (aheadMs) => {
  const settleMs = 3_000;

  function frozen() {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    return bench(memoryEngine(images, aheadMs), {}, { settleMs });
  }

  const healthOf = async (provider: DrivenDocker) =>
    (await provider.getStatus(tenantSpec(), { fresh: true, signal })).compute.health;

  it('a container is healthy once it has run for the settling time, and not before', async () => {
    const { provider } = frozen();
    await provider.provision(tenantSpec(), signal);
    vi.setSystemTime(Date.now() + settleMs - 100);
    expect(await healthOf(provider)).toBe('unknown');
    vi.setSystemTime(Date.now() + 200);
    expect(await healthOf(provider)).toBe('healthy');
  });

  it('a successor takes over once it has run for the settling time, and not before', async () => {
    const { provider } = frozen();
    await provider.provision(tenantSpec(), signal);
    const next = tenantSpec({ image: 'app:2' });
    expect((await provider.update(next, signal)).outcome).toBe('in_progress');
    vi.setSystemTime(Date.now() + settleMs - 100);
    expect((await provider.update(next, signal)).outcome).toBe('in_progress');
    vi.setSystemTime(Date.now() + 200);
    expect((await provider.update(next, signal)).outcome).toBe('done');
  });

  it('a health check has the time that its figures give it', async () => {
    const { engine, provider } = frozen();
    await provider.provision(tenantSpec(), signal);
    const healthCheck = {
      command: ['/ok'],
      intervalSeconds: 2,
      retries: 1,
      timeoutSeconds: 1,
      startPeriodSeconds: 0,
    };
    const next = tenantSpec({}, { containers: [containerSpec('app', { healthCheck })] });
    await provider.update(next, signal);
    for (const container of engine.containers.values()) container.health = 'starting';
    // (1 + 1) × (2 s + 1 s), and 10 s of grace.
    vi.setSystemTime(Date.now() + 15_900);
    expect((await provider.update(next, signal)).outcome).toBe('in_progress');
    vi.setSystemTime(Date.now() + 200);
    expect(await provider.update(next, signal)).toMatchObject({
      outcome: 'rolled_back',
      message: 'The new container app did not become healthy in time. It was removed',
    });
  });
});

describe('a restart of the engine', () => {
  const slow = { settleMs: 3_000 };

  it.each<[number, 'in order' | 'killed', string]>([
    [0, 'in order', 'unless-stopped'],
    [1, 'in order', 'unless-stopped'],
    [0, 'killed', 'unless-stopped'],
    [1, 'killed', 'on-failure'],
    [0, 'in order', 'no'],
    [1, 'in order', 'no'],
    [255, 'killed', 'no'],
  ])('in the midst of a rollout, code %i, %s, policy %s, rejects nothing', async (code, how, policy) => {
    const { engine, provider } = bench(memoryEngine(images), {}, slow);
    const spec = { restart_policy: policy };
    await provider.provision(tenantSpec(spec), signal);
    const next = tenantSpec({ ...spec, image: 'app:2' });
    expect((await provider.update(next, signal)).outcome).toBe('in_progress');
    engine.restart(code, how);
    const after = await provider.update(next, signal).catch((error: ComputeError) => error.code);
    expect(after).not.toMatchObject({ outcome: 'rolled_back' });
    const { provider: later } = bench(engine);
    expect((await later.update(next, signal)).outcome).toBe('done');
    expect([...engine.containers.values()].map(({ body, state }) => [body.Image, state])).toEqual([
      ['app:2', 'running'],
    ]);
  });
});

describe('a job', () => {
  const job = (over: Record<string, unknown> = {}) => tenantSpec({ restart_policy: 'no', ...over });
  const look = async (provider: DrivenDocker, spec: ReturnType<typeof job>) =>
    provider.getStatus(spec, { fresh: true, signal });

  /** As the controller hands over what the status remembers. */
  const remembered = (spec: ReturnType<typeof job>, { compute }: Observation) => ({
    ...spec,
    before: compute,
  });

  async function done() {
    const { engine, provider } = bench();
    await provider.provision(job(), signal);
    for (const container of engine.containers.values()) {
      Object.assign(container, { state: 'exited', exitCode: 0, finishedMs: container.startedMs });
    }
    return { engine, provider, seen: await look(provider, job()) };
  }

  it('that is done is well, and is no longer counted among what is to run', async () => {
    const { seen } = await done();
    expect(seen).toMatchObject({
      changes: [],
      compute: { state: 'stopped', health: 'healthy', running: 0, desired: 0 },
    });
    expect(seen.message).toBeUndefined();
    expect(seen.compute.containers).toMatchObject([{ name: 'app', state: 'stopped', message: 'completed' }]);
    expect(seen.compute.containers?.[0]?.completed).toMatch(/^v2:/);
  });

  it('that is done and pruned is not run again, and shown as before', async () => {
    const { engine, provider, seen } = await done();
    engine.containers.clear();
    const spec = remembered(job(), seen);
    const after = await look(provider, spec);
    expect(after).toMatchObject({ exists: true, changes: [], compute: { health: 'healthy', desired: 0 } });
    expect(after.compute.containers?.[0]).toMatchObject({
      name: 'app',
      message: 'completed',
      completed: seen.compute.containers?.[0]?.completed,
    });
    expect((await provider.update(spec, signal)).outcome).toBe('done');
    expect(engine.containers.size).toBe(0);
  });

  it('that is done stays so while it is being removed, and is not run again after that', async () => {
    const { engine, provider, seen } = await done();
    for (const container of engine.containers.values()) container.state = 'removing';
    const going = await look(provider, remembered(job(), seen));
    const { completed } = seen.compute.containers?.[0] ?? {};
    expect(going.compute.containers?.[0]).toMatchObject({ completed });
    engine.containers.clear();
    const spec = remembered(job(), going);
    expect(await look(provider, spec)).toMatchObject({ exists: true, changes: [] });
    expect((await provider.update(spec, signal)).outcome).toBe('done');
    expect(engine.containers.size).toBe(0);
  });

  it('is run again for another spec', async () => {
    const { engine, provider, seen } = await done();
    engine.containers.clear();
    const spec = remembered(job({ image: 'app:2' }), seen);
    expect((await look(provider, spec)).exists).toBe(false);
    expect((await provider.update(spec, signal)).outcome).toBe('done');
    expect([...engine.containers.values()].map(({ body }) => body.Image)).toEqual(['app:2']);
  });

  it('that failed is not done', async () => {
    const { engine, provider } = await done();
    for (const container of engine.containers.values()) container.exitCode = 1;
    const { compute } = await look(provider, job());
    expect(compute).toMatchObject({ state: 'failed', health: 'unhealthy', desired: 1 });
    expect(compute.containers?.[0]).not.toHaveProperty('completed');
  });

  it('beside a service leaves its state to the service', async () => {
    const spec = tenantSpec(
      { restart_policy: 'on-failure' },
      { containers: [containerSpec('a'), containerSpec('b')] },
    );
    const { engine, provider } = bench();
    await provider.provision(spec, signal);
    const [first] = engine.containers.values();
    if (first !== undefined) Object.assign(first, { state: 'exited', exitCode: 0 });
    expect((await look(provider, spec)).compute).toMatchObject({
      state: 'running',
      health: 'healthy',
      running: 1,
      desired: 1,
    });
  });
});
