import { describe, expect, it } from 'vitest';
import { ComputeError } from '../../../../../src/compute/errors.ts';
import type { StepResult } from '../../../../../src/compute/provider.ts';
import { EngineRefusal } from '../../../../../src/compute/providers/docker/engine/engine.ts';
import type { Engine } from '../../../../../src/compute/providers/docker/engine/engine.ts';
import { SecretValue } from '../../../../../src/compute/spec/secret-value.ts';
import { containerSpec, drivenDocker, settings, tenantSpec } from '../docker-fixture.ts';
import { memoryEngine } from '../memory-engine.ts';
import type { MemoryContainer, MemoryEngine } from '../memory-engine.ts';
import { recordedChanges } from '../recorded-changes.ts';

const signal = new AbortController().signal;
const name = 'landlord-tenant-acme';
const turn = () => new Promise((resolve) => setImmediate(resolve));

function bench(block = {}) {
  const engine = memoryEngine(['app:1', 'app:2', 'crash:1', 'bad-command:1']);
  const provider = drivenDocker(engine, settings(block));
  return { engine, provider, changes: recordedChanges(engine) };
}

/** A tenant that runs, on an engine whose record begins after that. */
async function running(spec = tenantSpec(), block = {}) {
  const { engine, provider, changes } = bench(block);
  await provider.provision(spec, signal);
  changes.length = 0;
  const [container] = engine.containers.values();
  if (container === undefined) throw new Error('no container');
  return { engine, provider, changes, container };
}

function end(container: MemoryContainer): void {
  Object.assign(container, { state: 'exited', exitCode: 1, finishedMs: container.startedMs });
}

/** Another's container that holds a host port. */
async function portHolder(engine: Engine, port: string): Promise<void> {
  const PortBindings = { '80/tcp': [{ HostPort: port }] };
  const answer = await engine.createContainer(
    'foreign',
    { Image: 'app:1', HostConfig: { PortBindings } },
    signal,
  );
  if (answer === 'name-taken') throw new Error('taken');
  await engine.startContainer(answer.id, signal);
}

const failure = (call: Promise<StepResult>): Promise<ComputeError> =>
  call.then(
    ({ message }) => {
      throw new Error(`no failure: ${message}`);
    },
    (error: ComputeError) => error,
  );

/** The next call of this name is refused, the later ones are not. */
function refuseOnce(engine: MemoryEngine, call: 'startContainer' | 'renameContainer', refusal: Error): void {
  const real = engine[call].bind(engine) as (...args: unknown[]) => Promise<never>;
  engine[call] = async () => {
    engine[call] = real;
    throw refusal;
  };
}

describe('the changes that are made, and no others', () => {
  it('from nothing: what the container needs, then the container', async () => {
    const { provider, changes } = bench({ network_name: 'tenants', volumes: ['/srv:/srv'] });
    const spec = tenantSpec({ volumes: ['data:/data', '/srv:/srv'] });
    expect(await provider.provision(spec, signal)).toEqual({
      outcome: 'done',
      message: 'Every container is as desired',
    });
    expect(changes).toEqual([
      'createVolume landlord-acme_data',
      'createNetwork tenants',
      `create ${name}`,
      `start ${name}`,
    ]);
  });

  it('limits and restart policy while it runs', async () => {
    const { provider, changes } = await running();
    const resources = { cpu: '500m', memory: '64Mi' };
    await provider.update(tenantSpec({ resources, restart_policy: 'always' }), signal);
    const body = {
      PidsLimit: 1024,
      NanoCpus: 5e8,
      Memory: 2 ** 26,
      MemorySwap: 2 ** 26,
      RestartPolicy: { Name: 'always', MaximumRetryCount: 0 },
    };
    expect(changes).toEqual([`update ${name} ${JSON.stringify(body)}`]);
  });

  it('a paused one is unpaused, a stopped one started', async () => {
    const { provider, changes, container } = await running();
    container.state = 'paused';
    await provider.update(tenantSpec(), signal);
    end(container);
    await provider.update(tenantSpec(), signal);
    expect(changes).toEqual([`unpause ${name}`, `start ${name}`]);
  });

  it('a dead one is removed and made anew', async () => {
    const { provider, changes, container } = await running();
    container.state = 'dead';
    await provider.update(tenantSpec(), signal);
    expect(changes).toEqual([`remove ${name}`, `create ${name}`, `start ${name}`]);
  });

  it('a replacement on a fixed port stops the old one first, with its time to end', async () => {
    const ports = [{ container_port: 80, host_port: 8080 }];
    const { provider, changes } = await running(tenantSpec({ ports }));
    await provider.update(tenantSpec({ ports, image: 'app:2' }), signal);
    expect(changes).toEqual([
      `create ${name}_next`,
      `stop ${name} 10`,
      `start ${name}_next`,
      `rename ${name} ${name}_old`,
      `rename ${name}_next ${name}`,
      `remove ${name}_old`,
    ]);
  });

  it('a replacement on a fixed port that fails has the old one started again before it is removed', async () => {
    const ports = [{ container_port: 80, host_port: 8080 }];
    const { provider, changes } = await running(tenantSpec({ ports }));
    const result = await provider.update(tenantSpec({ ports, image: 'crash:1' }), signal);
    expect(result).toEqual({
      outcome: 'rolled_back',
      reason: 'RolledBack',
      message:
        'The new container app exited with code 3 each time that the engine started it. It was removed',
    });
    expect(changes).toEqual([
      `create ${name}_next`,
      `stop ${name} 10`,
      `start ${name}_next`,
      `stop ${name}_next 10`,
      `start ${name}`,
      `remove ${name}_next`,
    ]);
  });

  it('a replacement of several has all proven before the first old one goes', async () => {
    const several = (image: string) =>
      tenantSpec({}, { containers: ['a', 'b'].map((one) => containerSpec(one, { image })) });
    const { provider, changes } = await running(several('app:1'));
    await provider.update(several('app:2'), signal);
    expect(changes).toEqual([
      `create ${name}.a_next`,
      `create ${name}.b_next`,
      `start ${name}.a_next`,
      `start ${name}.b_next`,
      `disconnect ${name}.a_next landlord-acme`,
      `connect ${name}.a_next landlord-acme`,
      `disconnect ${name}.b_next landlord-acme`,
      `connect ${name}.b_next landlord-acme`,
      `rename ${name}.a ${name}.a_old`,
      `rename ${name}.a_next ${name}.a`,
      `rename ${name}.b ${name}.b_old`,
      `rename ${name}.b_next ${name}.b`,
      `stop ${name}.a_old 10`,
      `stop ${name}.b_old 10`,
      `remove ${name}.a_old`,
      `remove ${name}.b_old`,
    ]);
  });

  it('as many containers as a tenant may have find room beside their successors', async () => {
    const names = Array.from({ length: 16 }, (_, index) => `c${index}`);
    const many = (image: string) =>
      tenantSpec({}, { containers: names.map((one) => containerSpec(one, { image })) });
    const { engine, provider } = await running(many('app:1'));
    expect((await provider.update(many('app:2'), signal)).outcome).toBe('done');
    const seen = [...engine.containers.values()].map(({ body, state }) => `${body.Image} ${state}`);
    expect(seen).toEqual(names.map(() => 'app:2 running'));
  });

  it('a replacement of one that has ended does not start that one first', async () => {
    const { provider, changes, container } = await running();
    end(container);
    await provider.update(tenantSpec({ image: 'app:2' }), signal);
    expect(changes).toEqual([
      `create ${name}_next`,
      `start ${name}_next`,
      `rename ${name} ${name}_old`,
      `rename ${name}_next ${name}`,
      `remove ${name}_old`,
    ]);
  });

  it('told to keep what there was, it drops the successor and starts what had stopped', async () => {
    const { engine, provider, changes, container } = await running();
    await provider.update(tenantSpec({ image: 'missing:1' }), signal);
    await engine.createContainer(`${name}_next`, { ...container.body, Image: 'app:2' }, signal);
    end(container);
    changes.length = 0;
    expect(await provider.hold(tenantSpec({ image: 'app:2' }), signal)).toEqual({
      outcome: 'done',
      message: 'What ran before is kept running',
    });
    expect(changes).toEqual([`rename ${name}_next ${name}_drop`, `remove ${name}_drop`, `start ${name}`]);
  });
});

describe('a replacement on fixed ports', () => {
  const on = (...hostPorts: number[]) =>
    tenantSpec({ ports: hostPorts.map((host_port) => ({ container_port: host_port, host_port })) });

  it('stops nothing while another container has one of them, and goes on once that is free', async () => {
    const { engine, provider, changes, container } = await running(on(8080));
    await portHolder(engine, '9090');
    changes.length = 0;
    for (let tries = 0; tries < 2; tries += 1) {
      expect(await failure(provider.update(on(8080, 9090), signal))).toMatchObject({
        code: 'UpdateFailed',
        message:
          "container app can't be replaced: host port 9090/tcp is held by something that is not Landlord's. " +
          'Choose another, or have it freed; nothing was stopped',
      });
    }
    expect(changes).toEqual([`create ${name}_next`]);
    expect(container.state).toBe('running');
    for (const { id, name: one } of engine.containers.values())
      if (one === 'foreign') engine.containers.delete(id);
    expect((await provider.update(on(8080, 9090), signal)).outcome).toBe('done');
  });

  it('waits long where the host has one of them, for each try stops what serves', async () => {
    const { engine, provider, container } = await running(on(8080));
    refuseOnce(engine, 'startContainer', new EngineRefusal('port-busy', 500, 'no way'));
    const { retryAfterMs } = await failure(provider.update(on(8080, 9090), signal));
    expect(engine.calls).toContain('stopContainer');
    expect(container.state).toBe('running');
    expect(retryAfterMs).toBeGreaterThanOrEqual(16_000);
  });

  it('waits no longer than ever where nothing has to be stopped for a try, or the fault may pass', async () => {
    const { engine, provider } = await running(on(8080));
    refuseOnce(engine, 'startContainer', new EngineRefusal('port-busy', 500, 'no way'));
    expect((await failure(provider.update(on(9090), signal))).retryAfterMs).toBeLessThanOrEqual(1_000);
    const other = await running(on(8080));
    refuseOnce(other.engine, 'startContainer', new EngineRefusal('other', 500, 'no way'));
    const { retryAfterMs } = await failure(other.provider.update(on(8080, 9090), signal));
    expect(retryAfterMs).toBeLessThanOrEqual(1_000);
  });

  it('is not held up by the same port on another address, or of another protocol', async () => {
    const { engine, provider } = await running(on(8080));
    const PortBindings = {
      '1/tcp': [{ HostIp: '192.0.2.1', HostPort: '9090' }],
      '2/udp': [{ HostIp: '127.0.0.1', HostPort: '9090' }],
    };
    const answer = await engine.createContainer(
      'foreign',
      { Image: 'app:1', HostConfig: { PortBindings } },
      signal,
    );
    for (const made of engine.containers.values()) if (made.name === 'foreign') made.state = 'running';
    expect(answer).not.toBe('name-taken');
    // This engine knows no addresses: what it says of the start itself is not the subject.
    const refused = await provider.update(on(8080, 9090), signal).catch((error: Error) => error);
    expect(JSON.stringify(refused)).not.toContain('nothing was stopped');
    expect(engine.calls).toContain('stopContainer');
  });
});

describe('a start that is refused', () => {
  const ports = [
    { container_port: 80, host_port: 8080 },
    { container_port: 53, host_port: 5353, protocol: 'UDP' },
    { container_port: 81 },
  ];
  const busy = 'container app could not be started: Bind failed: port is already allocated';

  it('for a host port names the ports that it asks for, and what to do', async () => {
    const { engine, provider } = bench();
    await portHolder(engine, '8080');
    expect(await failure(provider.provision(tenantSpec({ ports }), signal))).toMatchObject({
      code: 'ProvisionFailed',
      message: `${busy}: host port 8080/tcp is held by something that is not Landlord's. Choose another, or have it freed`,
    });
    expect(await failure(provider.update(tenantSpec({ ports }), signal))).toMatchObject({
      code: 'UpdateFailed',
    });
  });

  it('for a host port that no container has says that it is something else on the host', async () => {
    const { engine, provider } = bench();
    refuseOnce(
      engine,
      'startContainer',
      new EngineRefusal('port-busy', 500, 'Bind failed: port is already allocated'),
    );
    expect((await failure(provider.provision(tenantSpec({ ports }), signal))).message).toBe(
      `${busy}. Something else on the host holds its host port (8080/tcp, 5353/udp): free it, or choose another`,
    );
  });

  it('for a host port that it did not ask for names none', async () => {
    const { engine, provider } = bench();
    refuseOnce(
      engine,
      'startContainer',
      new EngineRefusal('port-busy', 500, 'Bind failed: port is already allocated'),
    );
    const spec = tenantSpec({ ports: [{ container_port: 80 }] });
    expect((await failure(provider.provision(spec, signal))).message).toBe(busy);
  });

  it('for another reason says nothing of ports', async () => {
    const { provider } = bench();
    expect(
      (await failure(provider.provision(tenantSpec({ image: 'bad-command:1', ports }), signal))).message,
    ).toBe('container app could not be started: exec: "/nope": executable file not found');
  });

  it('because the container has just gone is no failure: it is made anew', async () => {
    const { engine, provider, changes, container } = await running();
    end(container);
    const start = engine.startContainer.bind(engine);
    engine.startContainer = async (id, aborted) => {
      engine.containers.delete(container.id);
      await start(id, aborted);
    };
    expect((await provider.update(tenantSpec(), signal)).outcome).toBe('done');
    expect(changes).toEqual([`start ${container.id}`, `create ${name}`, `start ${name}`]);
  });

  it('because its network has gone makes a serving one anew', async () => {
    const { engine, provider, changes, container } = await running(tenantSpec(), { network_name: 'tenants' });
    end(container);
    engine.networks.clear();
    expect((await provider.update(tenantSpec(), signal)).outcome).toBe('done');
    expect(changes).toEqual([
      `start ${name}`,
      `remove ${name}`,
      'createNetwork tenants',
      `create ${name}`,
      `start ${name}`,
    ]);
  });

  it('because the container whose network it joins has gone does not', async () => {
    const spec = tenantSpec({ network_mode: 'container:db' });
    const { engine, provider, changes, container } = await running(spec, { network_mode: 'container:db' });
    end(container);
    refuseOnce(engine, 'startContainer', new EngineRefusal('missing-network', 404, 'No such container: db'));
    expect(await failure(provider.update(spec, signal))).toMatchObject({
      code: 'UpdateFailed',
      message: 'container app could not be started: No such container: db',
    });
    expect(changes).toEqual([]);
  });

  it.each([
    new EngineRefusal('bad-command', 500, 'no such program'),
    new EngineRefusal('invalid', 400, 'no such value'),
  ])('of a successor by its own fault is rolled back: $message', async (refusal) => {
    const { engine, provider, changes } = await running();
    refuseOnce(engine, 'startContainer', refusal);
    expect(await provider.update(tenantSpec({ image: 'app:2' }), signal)).toEqual({
      outcome: 'rolled_back',
      reason: 'RolledBack',
      message: `The new container app could not be started: ${refusal.message}. It was removed`,
    });
    expect(changes).toEqual([`create ${name}_next`, `remove ${name}_next`]);
  });

  it('of a container for which the bridge has no port says what mends that', async () => {
    const { engine, provider } = await running(tenantSpec(), { network_name: 'tenants' });
    const refusal = new EngineRefusal(
      'other',
      500,
      'adding interface veth… to bridge br failed: exchange full',
    );
    refuseOnce(engine, 'startContainer', refusal);
    const error = await failure(provider.update(tenantSpec({ image: 'app:2' }), signal));
    expect(error).toMatchObject({
      code: 'UpdateFailed',
      message: expect.stringMatching(
        /exchange full\. A bridge takes 1,023 containers: .* compute\.docker\.network_name out, .* tried again$/,
      ) as string,
    });
  });

  it.each([
    new EngineRefusal('port-busy', 500, 'port is already allocated'),
    new EngineRefusal('missing-network', 404, 'network x not found'),
    new EngineRefusal('broken', 500, 'failed to update store'),
    new EngineRefusal('other', 500, 'iptables failed'),
    new EngineRefusal('other', 500, 'no available IPv4 addresses on this network'),
    new EngineRefusal('invalid', 500, 'invalid argument'),
  ])('of a successor for a reason of the engine or the host is tried again: $message', async (refusal) => {
    const { engine, provider, changes, container } = await running();
    refuseOnce(engine, 'startContainer', refusal);
    const next = tenantSpec({ image: 'app:2' });
    const error = await failure(provider.update(next, signal));
    expect(error).toMatchObject({
      code: 'UpdateFailed',
      message: `The new container app could not be started: ${refusal.message}. It was removed, and is tried again`,
    });
    expect(changes).toEqual([`create ${name}_next`, `remove ${name}_next`]);
    expect(container.state).toBe('running');
    // By another process, which does not know when it was tried last.
    expect((await drivenDocker(engine).update(next, signal)).outcome).toBe('done');
  });

  it('of a successor has what was stopped for it started again, and is told with what became of that', async () => {
    const ports = [{ container_port: 80, host_port: 8080 }];
    const { engine, provider, changes } = await running(tenantSpec({ ports }));
    const refusal = new EngineRefusal('broken', 500, 'failed to update store');
    engine.startContainer = async () => {
      throw refusal;
    };
    expect(await failure(provider.update(tenantSpec({ ports, image: 'app:2' }), signal))).toMatchObject({
      code: 'UpdateFailed',
      message: expect.stringMatching(
        /^The new container app could not be started: .* It was removed, and is tried again; container landlord-tenant-acme could not be started: failed to update store$/,
      ) as string,
    });
    expect(changes).toEqual([`create ${name}_next`, `stop ${name} 10`, `remove ${name}_next`]);
  });

  it('of a successor is not tried again before its time, and what ran before is kept running meanwhile', async () => {
    const { engine, provider, changes, container } = await running();
    refuseOnce(engine, 'startContainer', new EngineRefusal('other', 500, 'no way'));
    const next = tenantSpec({ image: 'app:2' });
    const first = await failure(provider.update(next, signal));
    changes.length = 0;
    end(container);
    const second = await failure(provider.update(next, signal));
    expect(second).toMatchObject({ code: 'UpdateFailed', message: first.message });
    expect(second.retryAfterMs).toBeLessThanOrEqual(first.retryAfterMs ?? 0);
    expect(changes).toEqual([`start ${name}`]);
    // Another desired state is another matter.
    expect((await provider.update(tenantSpec({ image: 'app:2', env: { A: '1' } }), signal)).outcome).toBe(
      'done',
    );
  });

  it('because the engine has lost track of a serving one makes that anew, once', async () => {
    const { engine, provider, changes, container } = await running();
    end(container);
    const refusal = new EngineRefusal('broken', 500, 'task: already exists');
    refuseOnce(engine, 'startContainer', refusal);
    expect((await provider.update(tenantSpec(), signal)).outcome).toBe('done');
    expect(changes).toEqual([`remove ${name}`, `create ${name}`, `start ${name}`]);
    const [anew] = engine.containers.values();
    if (anew !== undefined) end(anew);
    engine.startContainer = async () => {
      throw refusal;
    };
    changes.length = 0;
    expect(await failure(provider.update(tenantSpec(), signal))).toMatchObject({
      code: 'UpdateFailed',
      message: 'container app could not be started: task: already exists',
    });
    expect(changes).toEqual([`remove ${name}`, `create ${name}`]);
    // Until it is due again, nothing is made: what the engine tells of it would wake the tenant without end.
    await failure(provider.update(tenantSpec(), signal));
    expect(changes).toEqual([`remove ${name}`, `create ${name}`]);
  });

  it('of one of several keeps none of the others down', async () => {
    const several = tenantSpec({}, { containers: ['a', 'b', 'c'].map((one) => containerSpec(one)) });
    const { engine, provider } = await running(several);
    for (const container of engine.containers.values()) end(container);
    const start = engine.startContainer.bind(engine);
    engine.startContainer = async (id, aborted) => {
      if (engine.containers.get(id)?.name === `${name}.a`) throw new EngineRefusal('other', 500, 'no way');
      return start(id, aborted);
    };
    expect(await failure(provider.update(several, signal))).toMatchObject({
      code: 'UpdateFailed',
      message: 'container a could not be started: no way',
    });
    expect([...engine.containers.values()].map(({ state }) => state)).toEqual([
      'exited',
      'running',
      'running',
    ]);
  });

  it('is not asked for while the engine goes down', async () => {
    const { engine, provider, changes, container } = await running();
    end(container);
    engine.ping = async () => {
      throw new ComputeError('ProviderUnavailable', 'the engine takes no connections');
    };
    expect(await failure(provider.update(tenantSpec(), signal))).toMatchObject({
      code: 'ProviderUnavailable',
    });
    expect(changes).toEqual([]);
  });

  it('of an old one that is to be kept is a failure', async () => {
    const { engine, provider, container } = await running();
    end(container);
    refuseOnce(engine, 'startContainer', new EngineRefusal('port-busy', 500, 'no way'));
    expect(await failure(provider.hold(tenantSpec({ image: 'app:2' }), signal))).toMatchObject({
      code: 'UpdateFailed',
      message: `container ${name} could not be started: no way`,
    });
  });

  it('by nothing that the engine says of the container is told as it is', async () => {
    const { engine, provider, container } = await running();
    end(container);
    const unreachable = new ComputeError('ProviderUnavailable', 'the engine is out of reach');
    refuseOnce(engine, 'startContainer', unreachable);
    expect(await failure(provider.update(tenantSpec(), signal))).toBe(unreachable);
  });
});

describe('a rename', () => {
  it('of what has gone meanwhile is followed by another look', async () => {
    const { engine, provider } = await running();
    refuseOnce(engine, 'renameContainer', new EngineRefusal('gone', 404, 'No such container'));
    expect((await provider.update(tenantSpec({ image: 'app:2' }), signal)).outcome).toBe('done');
  });

  it('to a name that someone else has is a conflict', async () => {
    const { engine, provider } = await running();
    await engine.createContainer(`${name}_old`, { Image: 'app:1' }, signal);
    expect(await failure(provider.update(tenantSpec({ image: 'app:2' }), signal))).toMatchObject({
      code: 'ProviderConflict',
      message: `container ${name}_old exists and was not made by Landlord. Remove it, or give the tenant another tenantId`,
    });
  });

  it('that is refused for another reason fails the update', async () => {
    const { engine, provider } = await running();
    refuseOnce(engine, 'renameContainer', new EngineRefusal('other', 500, 'no way'));
    expect(await failure(provider.update(tenantSpec({ image: 'app:2' }), signal))).toMatchObject({
      code: 'UpdateFailed',
      message: 'no way',
    });
  });
});

describe('a network of the time when the tenant had one of its own', () => {
  const apart = tenantSpec({ network_mode: 'none' });
  const several = tenantSpec({}, { containers: [containerSpec('a'), containerSpec('b')] });

  it('goes with them, and stays while they are there', async () => {
    const { engine, provider } = await running(several);
    await provider.update(several, signal);
    expect(engine.networks.size).toBe(1);
    await provider.hold(apart, signal);
    expect(engine.networks.size).toBe(1);
    await provider.update(apart, signal);
    expect(engine.networks.size).toBe(0);
  });

  it('that others use is left, any other refusal is told', async () => {
    const { engine, provider } = await running(several);
    engine.removeNetwork = async () => {
      throw new EngineRefusal('in-use', 403, 'has active endpoints');
    };
    expect((await provider.update(apart, signal)).outcome).toBe('done');
    engine.removeNetwork = async () => {
      throw new EngineRefusal('other', 500, 'no way');
    };
    expect((await failure(provider.update(apart, signal))).message).toBe('no way');
  });
});

/** A network is asked for once more where nothing of the tenant is there yet, and the engine says that it is. */
const withoutRepeats = (changes: readonly string[]) => [...new Set(changes)];

describe('creating', () => {
  it('something that the engine refuses outright is the failure of the operation, without its secrets', async () => {
    const { engine, provider } = bench();
    const env = [{ name: 'P', secretKeyRef: { name: 's', key: 'k' }, secret: new SecretValue('hunter2') }];
    engine.createContainer = async () => {
      throw new EngineRefusal('invalid', 400, 'invalid value hunter2');
    };
    const spec = tenantSpec({}, { containers: [containerSpec('app', { env })] });
    expect(await failure(provider.provision(spec, signal))).toMatchObject({
      code: 'ProvisionFailed',
      message: 'invalid value [redacted]',
    });
  });

  it('one of several that the engine refuses keeps none of the others down', async () => {
    const { engine, provider } = bench();
    const create = engine.createContainer.bind(engine);
    engine.createContainer = async (made, ...rest) => {
      if (made === `${name}.a`) throw new EngineRefusal('invalid', 400, 'bad value');
      return create(made, ...rest);
    };
    const several = tenantSpec({}, { containers: ['a', 'b'].map((one) => containerSpec(one)) });
    expect(await failure(provider.provision(several, signal))).toMatchObject({
      code: 'ProvisionFailed',
      message: 'bad value',
    });
    expect([...engine.containers.values()].map((made) => `${made.name} ${made.state}`)).toEqual([
      `${name}.b running`,
    ]);
  });

  it.each([
    new EngineRefusal('other', 500, 'no space left'),
    new EngineRefusal('invalid', 400, 'network n1 is ambiguous (2 matches found based on name)'),
    new EngineRefusal('invalid', 500, 'error creating overlay mount: invalid argument'),
  ])('a successor that the engine refuses for now is no fault of the spec: $message', async (refusal) => {
    const { engine, provider } = await running();
    engine.createContainer = async () => {
      throw refusal;
    };
    expect(await failure(provider.update(tenantSpec({ image: 'app:2' }), signal))).toMatchObject({
      code: 'UpdateFailed',
      message: refusal.message,
    });
  });

  it('a successor that the engine will never take starts what had stopped', async () => {
    const { engine, provider, changes, container } = await running();
    end(container);
    engine.createContainer = async () => {
      throw new EngineRefusal('invalid', 400, 'bad value');
    };
    expect(await provider.update(tenantSpec({ image: 'app:2' }), signal)).toEqual({
      outcome: 'rolled_back',
      reason: 'RolledBack',
      message: "The new containers can't be created: bad value",
    });
    expect(changes).toEqual([`start ${name}`]);
  });

  it.each(['missing-image', 'missing-network'] as const)(
    'looks again where something went away in between: %s',
    async (kind) => {
      const { engine, provider, changes } = bench();
      const create = engine.createContainer.bind(engine);
      engine.createContainer = async () => {
        engine.createContainer = create;
        throw new EngineRefusal(kind, 404, 'not there');
      };
      expect((await provider.provision(tenantSpec(), signal)).outcome).toBe('done');
      expect(withoutRepeats(changes)).toEqual([
        'createNetwork landlord-acme',
        `create ${name}`,
        `start ${name}`,
      ]);
    },
  );

  it('takes up what an earlier call has made whose answer was lost', async () => {
    const { engine, provider, changes } = bench();
    const create = engine.createContainer.bind(engine);
    engine.createContainer = async (...args) => {
      await create(...args);
      return 'name-taken';
    };
    expect((await provider.provision(tenantSpec(), signal)).outcome).toBe('done');
    expect(changes).toEqual(['createNetwork landlord-acme', `create ${name}`, `start ${name}`]);
  });

  it('looks again where who had the name is gone', async () => {
    const { engine, provider, changes } = bench();
    const create = engine.createContainer.bind(engine);
    engine.createContainer = async () => {
      engine.createContainer = create;
      return 'name-taken';
    };
    expect((await provider.provision(tenantSpec(), signal)).outcome).toBe('done');
    expect(withoutRepeats(changes)).toEqual([
      'createNetwork landlord-acme',
      `create ${name}`,
      `start ${name}`,
    ]);
  });

  it("is a conflict where the name is someone else's", async () => {
    const { engine, provider } = bench();
    await engine.createContainer(name, { Image: 'app:1' }, signal);
    expect(await failure(provider.provision(tenantSpec(), signal))).toMatchObject({
      code: 'ProviderConflict',
      message: `container ${name} exists and was not made by Landlord. Remove it, or give the tenant another tenantId`,
    });
  });
});

describe('images', () => {
  const pair = (first: string, second: string) =>
    tenantSpec(
      {},
      { containers: [containerSpec('a', { image: first }), containerSpec('b', { image: second })] },
    );

  it('are pulled before anything is made, each once, and the next look is due at the latest in half a minute', async () => {
    const { engine, provider, changes } = bench();
    expect(await provider.provision(pair('new:1', 'new:1'), signal)).toEqual({
      outcome: 'in_progress',
      message: 'Pulling new:1',
      lookAgainAfterMs: 30_000,
    });
    await turn();
    expect(engine.calls.filter((call) => call === 'inspectImage' || call === 'pullImage')).toEqual([
      'inspectImage',
      'pullImage',
    ]);
    expect(changes).toEqual([]);
    expect((await provider.provision(pair('new:1', 'new:1'), signal)).outcome).toBe('done');
  });

  it('are pulled all, and of several that fail the first is told', async () => {
    const { engine, provider, changes } = bench();
    expect((await provider.provision(pair('missing:1', 'missing:2'), signal)).message).toBe(
      'Pulling missing:1, missing:2',
    );
    await turn();
    expect(await failure(provider.provision(pair('missing:1', 'missing:2'), signal))).toMatchObject({
      code: 'ImageUnavailable',
      message: expect.stringContaining('missing:1') as string,
    });
    expect(await failure(provider.provision(pair('app:1', 'missing:2'), signal))).toMatchObject({
      message: expect.stringContaining('missing:2') as string,
    });
    expect(engine.calls.filter((call) => call === 'pullImage')).toHaveLength(2);
    expect(changes).toEqual([]);
  });

  it('of a replacement are pulled while what ran before is kept running, and what can not be is no news', async () => {
    const { engine, provider, container } = await running();
    end(container);
    refuseOnce(engine, 'startContainer', new EngineRefusal('port-busy', 500, 'no way'));
    expect((await provider.update(tenantSpec({ image: 'new:1' }), signal)).message).toBe('Pulling new:1');
    expect(container.state).toBe('exited');
    const unreachable = new ComputeError('ProviderUnavailable', 'the engine is out of reach');
    engine.images.delete('new:1');
    refuseOnce(engine, 'startContainer', unreachable);
    expect(await failure(provider.update(tenantSpec({ image: 'missing:1' }), signal))).toBe(unreachable);
    await turn();
    expect((await failure(provider.update(tenantSpec({ image: 'missing:1' }), signal))).code).toBe(
      'ImageUnavailable',
    );
    expect(container.state).toBe('running');
  });

  it('of a repair are pulled once what else has stopped runs again', async () => {
    const { engine, provider, changes, container } = await running(pair('app:1', 'app:2'));
    engine.containers.delete(container.id);
    engine.images.delete('app:1');
    const [other] = engine.containers.values();
    if (other !== undefined) end(other);
    expect((await provider.update(pair('app:1', 'app:2'), signal)).message).toBe('Pulling app:1');
    expect(changes).toEqual([`start ${other?.name}`]);
  });
});

it('what does not come to rest is given up after a number of steps that grows with the containers', async () => {
  const steps = async (containers: number): Promise<number> => {
    const names = Array.from({ length: containers }, (_, index) => `c${index}`);
    const spec = tenantSpec({}, { containers: names.map((one) => containerSpec(one)) });
    const { engine, provider, container } = await running(spec);
    end(container);
    let starts = 0;
    engine.startContainer = async () => void (starts += 1);
    expect(await failure(provider.update(spec, signal))).toMatchObject({
      code: 'UpdateFailed',
      message: 'The containers of acme do not come to rest',
    });
    return starts;
  };
  expect(await steps(1)).toBe(48);
  expect(await steps(3)).toBe(64);
});

describe('a successor that somebody else removes before it serves', () => {
  const wanted = tenantSpec({ image: 'app:2' });
  const madeIn = (changes: readonly string[]) => changes.filter((change) => change.startsWith('create'));

  /** So long a successor has to run first. */
  const slowly = { settleMs: 3_600_000 };

  /** A rollout to app:2 whose successor is under way. */
  async function rollingOut() {
    const { engine, changes, container } = await running();
    const provider = drivenDocker(engine, settings(), slowly);
    await provider.update(wanted, signal);
    const successor = [...engine.containers.values()].find((one) => one.name === `${name}_next`);
    if (successor === undefined) throw new Error('no successor');
    changes.length = 0;
    return { engine, provider, changes, container, successor };
  }

  it('is not made again at once, which is told, while the old one serves', async () => {
    const { engine, provider, changes, successor, container } = await rollingOut();
    engine.containers.delete(successor.id);
    for (let n = 0; n < 3; n += 1) {
      const { code, message, retryAfterMs } = await failure(provider.update(wanted, signal));
      expect(code).toBe('UpdateFailed');
      expect(message).toMatch(/^The new container app was removed by somebody else .*ever more slowly$/);
      expect(retryAfterMs).toBeGreaterThan(0);
    }
    expect(madeIn(changes)).toEqual([]);
    expect(container.state).toBe('running');
  });

  it('and one that was taken back is made again at once', async () => {
    const { provider, changes } = await rollingOut();
    await provider.update(tenantSpec(), signal);
    expect(await provider.update(wanted, signal)).toMatchObject({ outcome: 'in_progress' });
    expect(madeIn(changes)).toHaveLength(1);
  });

  it('is made no more by either of two operators that drop each other’s', async () => {
    const { engine, provider, changes } = await rollingOut();
    const rival = drivenDocker(engine, settings({ env: { DEFAULT: 'rival' } }), slowly);
    const other = tenantSpec({ image: 'app:2', env: { DEFAULT: 'rival' } });
    for (let n = 0; n < 20; n += 1) {
      await provider.update(wanted, signal).catch(() => undefined);
      await rival.update(other, signal).catch(() => undefined);
    }
    expect(madeIn(changes).length).toBeLessThanOrEqual(3);
    expect([...engine.containers.values()].filter(({ state }) => state === 'running')).not.toEqual([]);
  });

  it('the same goes for a first container that never runs', async () => {
    const engine = memoryEngine(['bad-command:1']);
    const changes = recordedChanges(engine);
    const operators = [{}, { env: { DEFAULT: 'rival' } }].map((block) => ({
      provider: drivenDocker(engine, settings(block), slowly),
      spec: tenantSpec({ image: 'bad-command:1', ...block }),
    }));
    for (let n = 0; n < 20; n += 1)
      for (const { provider, spec } of operators)
        await provider.provision(spec, signal).catch(() => undefined);
    expect(madeIn(changes).length).toBeLessThanOrEqual(4);
  });

  it('but a first container that has run is made again at once, whatever its siblings do', async () => {
    const engine = memoryEngine(['app:1', 'bad-command:1']);
    const changes = recordedChanges(engine);
    const provider = drivenDocker(engine, settings());
    const spec = tenantSpec(
      {},
      { containers: [containerSpec('app'), containerSpec('bad', { image: 'bad-command:1' })] },
    );
    expect(await failure(provider.provision(spec, signal))).toMatchObject({ code: 'ProvisionFailed' });
    for (const [id, { state }] of engine.containers) if (state === 'running') engine.containers.delete(id);
    changes.length = 0;
    await failure(provider.provision(spec, signal));
    expect(madeIn(changes)).toEqual([`create ${name}.app`]);
  });
});
