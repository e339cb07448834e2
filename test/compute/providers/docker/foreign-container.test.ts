import type Dockerode from 'dockerode';
import { describe, expect, test } from 'vitest';
import { permitUpTo } from '../../../../src/compute/permit.ts';
import type { Observation, StepResult } from '../../../../src/compute/provider.ts';
import type { DockerConfig } from '../../../../src/compute/providers/docker/config.ts';
import { SecretValue } from '../../../../src/compute/spec/secret-value.ts';
import type { TenantComputeSpec } from '../../../../src/compute/spec/tenant-compute-spec.ts';
import { containerSpec, drivenDocker, openPolicy, settings, tenantSpec } from './docker-fixture.ts';
import type { DrivenDocker } from './docker-fixture.ts';
import { memoryEngine, writes } from './memory-engine.ts';
import type { MemoryEngine } from './memory-engine.ts';

const signal = new AbortController().signal;
type Spec = TenantComputeSpec<DockerConfig>;
const web = { containers: { app: { container_name: 'web-1' } } };
const own = 'landlord-tenant-acme';

const observed = (config: Record<string, unknown> = {}, over: Partial<Spec> = {}): Spec =>
  tenantSpec({ ...web, ...config }, { mode: 'Observe', ...over });
const adopting = (config: Record<string, unknown> = {}, over: Partial<Spec> = {}): Spec =>
  tenantSpec({ ...web, ...config }, { adopt: true, ...over });

interface Rules {
  readonly foreign_containers?: readonly string[];
  readonly allow_adopt?: boolean;
}

function bench({ foreign_containers = ['web-*'], allow_adopt = true }: Rules = {}) {
  const engine = memoryEngine(['app:1', 'app:2', 'crash:1']);
  const policy = { ...openPolicy, allow_adopt };
  const provider = drivenDocker(engine, settings({}, { foreign_containers }), { policy });
  return { engine, provider };
}

type Body = Omit<Dockerode.ContainerCreateOptions, 'name'>;

/** As somebody runs it by hand. */
async function run(engine: MemoryEngine, name = 'web-1', body: Body = {}): Promise<string> {
  const made = await engine.createContainer(name, { Image: 'app:1', ...body }, signal);
  if (made === 'name-taken') throw new Error('name taken');
  await engine.startContainer(made.id, signal);
  engine.calls.length = 0;
  return made.id;
}

const written = ({ calls }: MemoryEngine): string[] => calls.filter((call) => writes.includes(call));
const look = (provider: DrivenDocker, spec: Spec): Promise<Observation> =>
  provider.getStatus(spec, { fresh: true, signal });
const paths = ({ changes }: Observation): string[] => changes.map(({ path }) => path);
const names = (engine: MemoryEngine): string[] =>
  [...engine.containers.values()].map(({ name, state }) => `${name} ${state}`);

/** Steps until nothing is under way. */
async function settle(provider: DrivenDocker, spec: Spec): Promise<StepResult> {
  for (let steps = 0; ; steps += 1) {
    const result = await provider.update(spec, signal);
    if (result.outcome !== 'in_progress' || steps > 10) return result;
  }
}

describe('a container of somebody else that is observed', () => {
  test('is shown as it runs, without its id and its volumes, and nothing is written', async () => {
    const { engine, provider } = bench();
    await run(engine, 'web-1', { HostConfig: { Binds: ['things:/data:rw'] } });
    const seen = await look(provider, observed());
    expect(seen).toMatchObject({
      exists: true,
      lookAgainAfterMs: 15_000,
      compute: { state: 'running', running: 1, desired: 1, containers: [{ name: 'app', image: 'app:1' }] },
    });
    expect(seen.compute).not.toHaveProperty('resourceIds');
    expect(seen).not.toHaveProperty('data');
    expect(written(engine)).toEqual([]);
  });

  test('is compared with the spec field by field, and nothing of its environment is told', async () => {
    const { engine, provider } = bench();
    await run(engine, 'web-1', {
      Image: 'app:2',
      Cmd: ['serve'],
      User: '7',
      Env: ['LEVEL=info', 'MORE=hush', 'TOKEN=theirs'],
      HostConfig: {
        Memory: 64 * 1024 * 1024,
        Binds: ['things:/data:rw'],
        PortBindings: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }] },
      },
    });
    const token = new SecretValue('ours-is-secret');
    const app = containerSpec('app', {
      args: ['serve', '--fast'],
      user: '1000',
      env: [
        { name: 'LEVEL', value: 'info' },
        { name: 'TOKEN', secretKeyRef: { name: 's', key: 'k' }, secret: token },
      ],
      ports: [{ containerPort: 80, hostPort: 8080, protocol: 'TCP' }],
      resources: { memory: '128Mi' },
      healthCheck: { command: ['/bin/ok'] },
    });
    const seen = await look(provider, observed({}, { containers: [app] }));
    const told = Object.fromEntries(seen.changes.map(({ path, actual }) => [path, actual]));
    expect(told).toMatchObject({
      'containers.app.image': 'app:2',
      'containers.app.args': '["serve"]',
      'containers.app.User': '7',
      'containers.app.env.TOKEN': 'another value',
      'containers.app.env.MORE': 'set',
      'containers.app.ports.80/tcp': '0.0.0.0:8080',
      'containers.app.mounts./data': 'things',
      'containers.app.resources.memory': `${64 * 1024 * 1024}`,
      'containers.app.healthCheck': 'none',
      'containers.app.noNewPrivileges': 'false',
    });
    expect(paths(seen)).not.toContain('containers.app.env.LEVEL');
    expect(JSON.stringify(seen)).not.toMatch(/hush|theirs|ours-is-secret/);
  });

  test('that is as Landlord would make it does not differ', async () => {
    const { engine, provider } = bench();
    const config = { network_mode: 'none', ports: [], env: { LEVEL: 'info' } };
    const made = drivenDocker(engine, settings());
    await made.provision(tenantSpec(config), signal);
    const [container] = engine.containers.values();
    if (container !== undefined) Object.assign(container, { name: 'web-1' });
    for (const key of Object.keys(container?.body.Labels ?? {})) delete container?.body.Labels?.[key];
    expect((await look(provider, observed(config))).changes).toEqual([]);
  });

  test('that is not there, or does not run, is told as such', async () => {
    const { engine, provider } = bench();
    expect(await look(provider, observed())).toMatchObject({ exists: false });
    const id = await run(engine);
    Object.assign(engine.containers.get(id) ?? {}, { state: 'exited', exitCode: 3 });
    const seen = await look(provider, observed());
    expect(seen).toMatchObject({ exists: true, compute: { running: 0 } });
    expect(paths(seen)).toContain('containers.app.state');
    expect(written(engine)).toEqual([]);
  });

  test("is nobody's to see that the policy does not list, that another owner has, or by its id", async () => {
    const { engine, provider } = bench();
    const id = await run(engine, 'web-1', { Labels: { 'landlord.owner': 'another' } });
    await expect(look(provider, observed())).rejects.toMatchObject({
      code: 'ProviderConflict',
      message: /web-1 belongs to another instance/,
    });
    const unlisted = bench({ foreign_containers: [] });
    await expect(look(unlisted.provider, observed())).rejects.toMatchObject({
      code: 'PolicyDenied',
      message: /policy.docker.foreign_containers/,
    });
    const byId = bench({ foreign_containers: ['*'] });
    await run(byId.engine, 'other');
    const spec = observed({ containers: { app: { container_name: id } } });
    expect(await look(byId.provider, spec)).toMatchObject({ exists: false });
  });

  test('is not named by who neither observes nor takes over', async () => {
    const { provider } = bench();
    await expect(look(provider, tenantSpec(web))).rejects.toMatchObject({
      code: 'InvalidSpec',
      message: /container_name web-1 is of a container that is observed or taken over/,
    });
  });
});

describe('a container of somebody else that is to be taken over', () => {
  test('is announced with what its replacement does to it', async () => {
    const { engine, provider } = bench();
    await run(engine);
    const { changes } = await look(provider, adopting());
    expect(changes[0]).toEqual({
      path: 'containers.app.owner',
      desired: `this Tenant, which replaces it by ${own} and removes it`,
      actual: 'nobody that Landlord knows, as web-1',
      cause: 'spec',
      effect: 'gap',
    });
    expect(new Set(changes.map(({ effect }) => effect))).toEqual(new Set(['gap']));
    expect(written(engine)).toEqual([]);
  });

  test('has no way back where the engine removes it once it stops: that is an outage', async () => {
    const { engine, provider } = bench();
    const PortBindings = { '80/tcp': [{ HostPort: '8080' }] };
    await run(engine, 'web-1', { HostConfig: { AutoRemove: true, PortBindings } });
    const spec = adopting({ ports: [{ container_port: 80, host_port: 8080 }] });
    expect((await look(provider, spec)).changes[0]).toMatchObject({ effect: 'outage' });
    const desired = provider.bare.desired(spec);
    await expect(provider.bare.update(desired, permitUpTo('live'), signal)).rejects.toMatchObject({
      code: 'ApprovalRequired',
    });
    expect(engine.calls).not.toContain('stopContainer');
  });

  test('serves until its successor is proven, and is removed then', async () => {
    const { engine, provider } = bench();
    const id = await run(engine);
    expect(await settle(provider, adopting())).toMatchObject({ outcome: 'done' });
    expect(names(engine)).toEqual([`${own} running`]);
    expect(engine.containers.has(id)).toBe(false);
    expect(engine.calls.indexOf('startContainer')).toBeLessThan(engine.calls.indexOf('stopContainer'));
    expect((await look(provider, adopting())).changes).toEqual([]);
    expect((await look(provider, tenantSpec())).changes).toEqual([]);
  });

  test('gives its host port to its successor, and gets it back, with its name, where that fails', async () => {
    const { engine, provider } = bench();
    const PortBindings = { '80/tcp': [{ HostPort: '8080' }] };
    const id = await run(engine, 'web-1', { HostConfig: { PortBindings } });
    const ports = { ports: [{ container_port: 80, host_port: 8080 }] };
    const failed = await settle(provider, adopting({ ...ports, image: 'crash:1', restart_policy: 'no' }));
    expect(failed).toMatchObject({ outcome: 'rolled_back' });
    expect(names(engine)).toEqual(['web-1 running']);
    expect(engine.containers.has(id)).toBe(true);
    await settle(provider, adopting(ports));
    expect(names(engine)).toEqual([`${own} running`]);
  });

  test('leaves what it keeps in a volume of its image to its successor', async () => {
    const { engine, provider } = bench();
    engine.imageVolumes.set('app:1', ['/var/lib/data']);
    const id = await run(engine);
    const kept = engine.containers.get(id)?.anonymous[0]?.name ?? '';
    await settle(provider, adopting());
    const [successor] = engine.containers.values();
    expect(successor?.hostConfig.Binds).toEqual([`${kept}:/var/lib/data:rw`]);
    expect(engine.volumes.has(kept)).toBe(true);
  });

  test('is removed by the next process, where one died once it was succeeded', async () => {
    const { engine } = bench();
    await run(engine);
    const dying = { ...engine, removeContainer: () => Promise.reject(new Error('killed')) };
    const rules = settings({}, { foreign_containers: ['web-*'] });
    const policy = { ...openPolicy, allow_adopt: true };
    await expect(settle(drivenDocker(dying, rules, { policy }), adopting())).rejects.toThrow(/./);
    expect(names(engine)).toContain(`${own}_old exited`);
    const next = drivenDocker(engine, rules, { policy });
    expect(paths(await next.getStatus(adopting(), { fresh: false, signal }))).toEqual([
      `containers.${own}_old`,
    ]);
    await settle(next, adopting());
    expect(names(engine)).toEqual([`${own} running`]);
  });

  test('is left as it is while that waits for consent, and by a deletion before', async () => {
    const { engine, provider } = bench();
    const id = await run(engine);
    Object.assign(engine.containers.get(id) ?? {}, { state: 'exited', exitCode: 0 });
    await provider.hold(adopting(), signal);
    await provider.destroy(adopting(), signal);
    expect(written(engine)).toEqual([]);
    expect(names(engine)).toEqual(['web-1 exited']);
  });

  test('is taken over by nobody who may not', async () => {
    const { engine, provider } = bench({ allow_adopt: false });
    await run(engine);
    await expect(provider.update(adopting(), signal)).rejects.toMatchObject({
      code: 'PolicyDenied',
      message: /policy.allow_adopt/,
    });
    expect(written(engine)).toEqual([]);
  });
});

describe('what Landlord makes, once it is only observed', () => {
  test('is pulled no further', async () => {
    const { engine } = bench();
    const ended: string[] = [];
    const pulling: MemoryEngine = {
      ...engine,
      pullImage: (reference, _terms, _onProgress, signal) =>
        new Promise((_done, reject) => {
          signal.addEventListener('abort', () => {
            ended.push(reference);
            reject(signal.reason as Error);
          });
        }),
    };
    const slow = drivenDocker(pulling);
    const spec = { image: 'registry.example/slow:1' };
    expect(await slow.provision(tenantSpec(spec), signal)).toMatchObject({ outcome: 'in_progress' });
    await slow.getStatus(tenantSpec(spec), { fresh: true, signal });
    expect(ended).toEqual([]);
    await slow.getStatus(tenantSpec(spec, { mode: 'Observe' }), { fresh: true, signal });
    expect(ended).toEqual(['registry.example/slow:1']);
  });

  test('is no other state by that, nor by what is taken over', () => {
    const { provider } = bench();
    const hashOf = (spec: Spec): string => provider.desired(spec).specHash;
    expect(hashOf(observed())).toBe(hashOf(tenantSpec()));
    expect(hashOf(adopting())).toBe(hashOf(tenantSpec()));
  });
});
