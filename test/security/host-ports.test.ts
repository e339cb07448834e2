import { describe, expect, it } from 'vitest';
import { dockerPolicyBlock } from '../../src/compute/providers/docker/config.ts';
import { TooLargeAnswer } from '../../src/compute/providers/docker/engine/answers/answer.ts';
import { memoryEngine } from '../compute/providers/docker/memory-engine.ts';
import type { MemoryContainer, MemoryEngine } from '../compute/providers/docker/memory-engine.ts';
import { sharedEngine, withBlock } from './shared-engine.ts';
import type { Config } from './shared-engine.ts';

/** Which ports of the host a tenant may have, and that what it has stays its own. */

const signal = new AbortController().signal;
const engineOf = (): MemoryEngine => memoryEngine(['app:1', 'app:2']);

const onPort = (hostPort: number, protocol = 'TCP', image = 'app:1') => ({
  containers: [{ name: 'app', image, ports: [{ containerPort: 8080, hostPort, protocol }] }],
});
const blockPort = (host_port: number) => withBlock({ ports: [{ container_port: 8080, host_port }] });
const picked = (...counts: readonly number[]) => ({
  containers: counts.map((count, index) => ({
    name: `c${index}`,
    image: 'app:1',
    ports: Array.from({ length: count }, (_, port) => ({ containerPort: port + 1 })),
  })),
});
const rules = (docker: Record<string, unknown>): Config => ({ policy: { docker } });

describe('policy', () => {
  it.each<[string, Config, Record<string, unknown>, RegExp]>([
    [
      'a well-known port',
      {},
      onPort(80),
      /policy\.docker\.host_ports: container app: host port 80\/TCP is none of 1024-65535/,
    ],
    ['the last of them', {}, onPort(1023), /policy\.docker\.host_ports/],
    ['one of UDP', {}, onPort(53, 'UDP'), /host port 53\/UDP/],
    ['one of the block', {}, blockPort(443), /policy\.docker\.host_ports/],
    ['any, where the engine picks all', rules({ host_ports: [] }), onPort(8080), /none may be asked for/],
    [
      'one beside the ranges',
      rules({ host_ports: ['8000-8099', '9000'] }),
      onPort(8100),
      /none of 8000-8099, 9000/,
    ],
    ['more than 16', {}, picked(17), /policy\.docker\.max_ports: .* publish 17 ports together.* at most 16/],
    ['more than 16 in all', {}, picked(8, 8, 1), /policy\.docker\.max_ports/],
    ['more than the admin says', rules({ max_ports: 0 }), picked(1), /at most 0/],
    [
      'what other namespaces may',
      { policy: { namespaces: [{ names: ['of-dns'], docker: { host_ports: ['53'] } }] } },
      onPort(53),
      /policy\.docker\.host_ports/,
    ],
  ])('refuses %s', async (_what, config, spec, message) => {
    await expect(sharedEngine(engineOf(), config).apply('acme', spec)).rejects.toMatchObject({
      code: 'PolicyDenied',
      message: expect.stringMatching(message) as string,
    });
  });

  it.each<[string, Config, Record<string, unknown>]>([
    ['the first unprivileged port', {}, onPort(1024)],
    ['the last port', {}, onPort(65_535)],
    ['one that is listed', rules({ host_ports: ['443'] }), onPort(443)],
    ['the first and the last of a range', rules({ host_ports: ['80-81'] }), onPort(81)],
    ['16 that the engine picks, where it picks all', rules({ host_ports: [] }), picked(16)],
    [
      'what the operator publishes by default',
      { docker: { ports: [{ container_port: 80, host_port: 80 }] } },
      {},
    ],
    [
      'ports that are not published',
      rules({ host_ports: [], allow_host_network: true }),
      {
        ...onPort(80),
        ...withBlock({ network_mode: 'host' }),
      },
    ],
    [
      'what its namespace may besides',
      { policy: { namespaces: [{ names: ['of-acme'], docker: { host_ports: ['53'], max_ports: 1 } }] } },
      onPort(53),
    ],
  ])('allows %s', async (_what, config, spec) => {
    expect(await sharedEngine(engineOf(), config).apply('acme', spec)).toMatchObject({ outcome: 'done' });
  });

  it.each(['0-80', '80-70', '1-70000', '70000', '', '-', '80-', '8080/tcp', '1-2-3'])(
    'can not be read from the range "%s"',
    (range) => {
      expect(dockerPolicyBlock.safeParse({ host_ports: [range] }).success).toBe(false);
    },
  );
});

const containerOf = (engine: MemoryEngine, name: string): MemoryContainer => {
  const found = [...engine.containers.values()].find((container) => container.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
};

/** A container that is none of this operator's. */
async function runForeign(engine: MemoryEngine, Labels: Record<string, string>): Promise<void> {
  const PortBindings = { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }] };
  const made = await engine.createContainer(
    'secret-project',
    { Image: 'app:1', Labels, HostConfig: { PortBindings } },
    signal,
  );
  if (made !== 'name-taken') await engine.startContainer(made.id, signal);
}

describe('who comes second reads whose kind of thing has the port, not whose', () => {
  it.each<[string, (engine: MemoryEngine) => Promise<unknown>, string]>([
    [
      'another tenant',
      (engine) => sharedEngine(engine).apply('secret-project', onPort(8080)),
      'another tenant of this operator',
    ],
    [
      'what another operator runs',
      (engine) => runForeign(engine, { 'landlord.owner': 'other', 'landlord.tenant_name': 'secret-project' }),
      'a tenant of another operator',
    ],
    ['what somebody runs', (engine) => runForeign(engine, {}), "something that is not Landlord's"],
  ])('%s', async (_what, act, kind) => {
    const engine = engineOf();
    await act(engine);
    const { apply } = sharedEngine(engine);
    const first = await apply('late', onPort(8080)).catch((error: Error) => error.message);
    expect(first).toContain(`host port 8080/tcp is held by ${kind}`);
    expect(first).not.toContain('secret-project');
    await apply('moves', onPort(8081));
    const wanted = onPort(8080);
    wanted.containers[0]?.ports.push({ containerPort: 8081, hostPort: 8081, protocol: 'TCP' });
    const replaced = await apply('moves', wanted).catch((error: Error) => error.message);
    expect(replaced).toContain(`host port 8080/tcp is held by ${kind}`);
    expect(replaced).toContain('nothing was stopped');
    expect(replaced).not.toContain('secret-project');
    expect(containerOf(engine, 'landlord-tenant-moves').state).toBe('running');
  });
});

describe("a tenant's port stays its own", () => {
  const stealing = async () => {
    const engine = engineOf();
    const shared = sharedEngine(engine);
    await shared.apply('victim', onPort(8080));
    const steal = () => shared.apply('evil', onPort(8080)).catch((error: Error) => error.message);
    await steal();
    return { engine, shared, steal };
  };

  it('in the gap of its rollout, whoever waits for that', async () => {
    const { engine, shared, steal } = await stealing();
    const told: unknown[] = [];
    const stop = engine.stopContainer.bind(engine);
    engine.stopContainer = async (...args) => {
      await stop(...args);
      told.push(await steal());
    };
    expect(await shared.apply('victim', onPort(8080, 'TCP', 'app:2'))).toMatchObject({ outcome: 'done' });
    expect(told).toContainEqual(
      expect.stringContaining('host port 8080/tcp is held by another tenant of this operator'),
    );
    expect(containerOf(engine, 'landlord-tenant-victim')).toMatchObject({
      state: 'running',
      body: { Image: 'app:2' },
    });
    expect(containerOf(engine, 'landlord-tenant-evil').state).toBe('created');
  });

  it('while its container is down, and is free once that is gone', async () => {
    const { engine, shared, steal } = await stealing();
    const victim = containerOf(engine, 'landlord-tenant-victim');
    Object.assign(victim, { state: 'exited', exitCode: 1 });
    expect(await steal()).toContain('is held by another tenant of this operator');
    expect(await shared.apply('victim', onPort(8080))).toMatchObject({ outcome: 'done' });
    engine.containers.delete(victim.id);
    expect(await steal()).toMatchObject({ outcome: 'done' });
  });

  /** A tenant whose image has the label by which Landlord knows the ports of its own. */
  const claiming = async () => {
    const engine = engineOf();
    const shared = sharedEngine(engine);
    await shared.apply('evil');
    const evil = containerOf(engine, 'landlord-tenant-evil');
    evil.body.Labels = { ...evil.body.Labels, 'landlord.host_ports': '8080/tcp,8081/tcp' };
    Object.assign(evil, { state: 'exited', exitCode: 0 });
    return { engine, shared, evil };
  };

  it('whatever labels an image of another one has', async () => {
    const { shared } = await claiming();
    expect(await shared.apply('victim', onPort(8080))).toMatchObject({ outcome: 'done' });
  });

  it('also where the image makes that nobody can read what its container was made with', async () => {
    const { engine, shared, evil } = await claiming();
    const inspect = engine.inspectContainer.bind(engine);
    engine.inspectContainer = async (id, ...rest) => {
      if (id === evil.id) throw new TooLargeAnswer('more than 8 MiB');
      return inspect(id, ...rest);
    };
    expect(await shared.apply('victim', onPort(8080))).toMatchObject({ outcome: 'done' });
  });
});
