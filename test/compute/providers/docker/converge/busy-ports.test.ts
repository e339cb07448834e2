import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { drivenDocker, settings, tenantSpec } from '../docker-fixture.ts';
import { memoryEngine } from '../memory-engine.ts';
import type { MemoryContainer, MemoryEngine } from '../memory-engine.ts';
import { anyConsent } from '../../../permits.ts';

/** Who has a host port, while a watch hears of every change: what it knows is not asked for, and what it says is looked at. */

const signal = new AbortController().signal;

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

const onPort = (name: string, host_port: number, config: Record<string, unknown> = {}) =>
  tenantSpec(
    { ports: [{ container_port: 80, host_port }], ...config },
    { tenantId: name, tenant: { namespace: 'team-a', name, uid: name } },
  );

const containerOf = (engine: MemoryEngine, tenantId: string): MemoryContainer => {
  const found = [...engine.containers.values()].find(({ name }) => name === `landlord-tenant-${tenantId}`);
  if (found === undefined) throw new Error(`no ${tenantId}`);
  return found;
};

/** An engine on which `victim` runs with the port 8080. */
async function watched() {
  const engine = memoryEngine(['app:1', 'app:2']);
  const provider = drivenDocker(engine, settings());
  const stop = new AbortController();
  const watching = provider.bare.watch(() => undefined, stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await watching;
  });
  await vi.advanceTimersByTimeAsync(0);
  await provider.provision(onPort('victim', 8080), signal);
  await vi.advanceTimersByTimeAsync(0);
  engine.calls.length = 0;
  const lists = () => engine.calls.filter((call) => call === 'listContainers').length;
  return { engine, provider, lists, victim: containerOf(engine, 'victim') };
}

test('one that stands still keeps its port, and nobody lists for that', async () => {
  const { engine, provider, lists, victim } = await watched();
  await engine.stopContainer(victim.id, 0, anyConsent, signal);
  await vi.advanceTimersByTimeAsync(0);
  await expect(provider.provision(onPort('late', 8080), signal)).rejects.toMatchObject({
    message: expect.stringContaining(
      'host port 8080/tcp is held by another tenant of this operator',
    ) as string,
  });
  expect(containerOf(engine, 'late').state).toBe('created');
  expect(lists()).toBe(0);
  await provider.provision(onPort('victim', 8080), signal);
  expect(victim.state).toBe('running');
});

test('what was heard of it and is so no more holds up nobody', async () => {
  const { engine, provider, victim } = await watched();
  // No event tells of it.
  engine.containers.delete(victim.id);
  expect(await provider.provision(onPort('late', 8080), signal)).toMatchObject({ outcome: 'done' });
});

test('what is stopped for a successor with the same port shows that nobody else has it: nobody lists', async () => {
  const { engine, provider, lists } = await watched();
  const update = provider.update(onPort('victim', 8080, { image: 'app:2' }), signal);
  expect(await update).toMatchObject({ outcome: 'done' });
  expect(containerOf(engine, 'victim')).toMatchObject({ state: 'running', body: { Image: 'app:2' } });
  expect(lists()).toBe(0);
});

test('for one with another port, the engine says before anything is stopped whether that is free', async () => {
  const { engine, provider, lists } = await watched();
  const volumes = ['data:/data'];
  await provider.provision(onPort('acme', 8081, { volumes }), signal);
  const PortBindings = { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8082' }] };
  const made = await engine.createContainer(
    'somebodys',
    { Image: 'app:1', HostConfig: { PortBindings } },
    signal,
  );
  if (made !== 'name-taken') await engine.startContainer(made.id, signal);
  engine.calls.length = 0;
  await expect(provider.update(onPort('acme', 8082, { volumes }), signal)).rejects.toMatchObject({
    message: expect.stringContaining("is held by something that is not Landlord's") as string,
  });
  expect(containerOf(engine, 'acme').state).toBe('running');
  expect(lists()).toBe(1);
});
