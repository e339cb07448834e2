import { expect, it } from 'vitest';
import { consentTo, permitUpTo } from '../../../../src/compute/permit.ts';
import { containerSpec, drivenDocker, settings, tenantSpec } from './docker-fixture.ts';
import { memoryEngine, resolve, writes } from './memory-engine.ts';
import type { MemoryEngine } from './memory-engine.ts';
import { recordedChanges } from './recorded-changes.ts';

/** By which names others find a container in a network of theirs. */

const signal = new AbortController().signal;
const consent = consentTo(permitUpTo('live'), 'live', 'taking it out');
const never = { settleMs: 3_600_000 };
const name = 'landlord-tenant-acme';
const containers = { app: { networks: ['proxy'], network_aliases: { proxy: ['www', 'api'] } } };
const open = settings({ containers });
const asking = (image: string, more: Parameters<typeof tenantSpec>[0] = {}) =>
  tenantSpec({ image, containers, ...more });

async function running(spec = asking('app:1')) {
  const engine = memoryEngine(['app:1', 'app:2', 'crash:1']);
  await engine.createNetwork({ Name: 'proxy' }, signal);
  const provider = drivenDocker(engine, open);
  expect((await provider.provision(spec, signal)).outcome).toBe('done');
  return { engine, provider, id: idOf(engine, name) };
}

function idOf(engine: MemoryEngine, called: string): string {
  return [...engine.containers.values()].find((container) => container.name === called)?.id ?? 'gone';
}

/** Who `www` leads to after each change, from now on, without repetitions. */
function answersOf(engine: MemoryEngine): (readonly string[])[] {
  const answers: (readonly string[])[] = [];
  const calls = engine as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  const look = (): void => {
    const ids = resolve(engine, 'proxy', 'www').map((found) => idOf(engine, found));
    if (answers.at(-1)?.join() !== ids.join()) answers.push(ids);
  };
  look();
  for (const write of writes) {
    const call = calls[write]?.bind(engine);
    calls[write] = async (...args) => {
      const result = await call?.(...args);
      look();
      return result;
    };
  }
  return answers;
}

it('a first container bears them as soon as it runs, and they are no drift', async () => {
  const { engine, provider } = await running();
  expect(resolve(engine, 'proxy', 'www')).toEqual([name]);
  expect(resolve(engine, 'proxy', 'api')).toEqual([name]);
  expect((await provider.getStatus(asking('app:1'), { fresh: true, signal })).changes).toEqual([]);
});

it('a successor bears them once it is proven, and at no moment they lead to nobody', async () => {
  const { engine, provider, id } = await running();
  const answers = answersOf(engine);
  expect((await provider.update(asking('app:2'), signal)).outcome).toBe('done');
  const next = idOf(engine, name);
  expect(answers).toEqual([[id], [id, next], [next]]);
  expect((await provider.getStatus(asking('app:2'), { fresh: true, signal })).changes).toEqual([]);
});

it('a successor that is not proven, or fails, never bears them', async () => {
  const { engine, id } = await running();
  const answers = answersOf(engine);
  const slow = drivenDocker(engine, open, never);
  for (let n = 0; n < 3; n += 1) await slow.update(asking('app:2'), signal);
  expect(engine.containers.get(idOf(engine, `${name}_next`))?.state).toBe('running');
  await drivenDocker(engine, open).update(asking('crash:1'), signal);
  expect(answers).toEqual([[id]]);
});

it('where the old one has to be stopped first, its successor bears them as soon as it runs', async () => {
  const ports = { ports: [{ container_port: 80, host_port: 8080, protocol: 'TCP' as const }] };
  const { engine, id } = await running(asking('app:1', ports));
  const answers = answersOf(engine);
  await drivenDocker(engine, open, never).update(asking('app:2', ports), signal);
  expect(answers).toEqual([[id], [], [idOf(engine, `${name}_next`)]]);
});

it('other names, and none, are a replacement', async () => {
  const { engine, provider, id } = await running();
  const others = { app: { networks: ['proxy'], network_aliases: { proxy: ['www'] } } };
  await provider.update(tenantSpec({ image: 'app:1', containers: others }), signal);
  expect(idOf(engine, name)).not.toBe(id);
  expect(resolve(engine, 'proxy', 'api')).toEqual([]);
  await drivenDocker(engine, settings({ containers: { app: { networks: ['proxy'] } } })).update(
    tenantSpec({
      image: 'app:1',
      containers: { app: { networks: ['proxy'], network_aliases: { proxy: [] } } },
    }),
    signal,
  );
  expect(resolve(engine, 'proxy', 'www')).toEqual([]);
  expect(engine.containers.get(idOf(engine, name))?.endpoints.has('proxy')).toBe(true);
});

it('one that somebody took out and put back without them gets them again, which cuts it off for a moment', async () => {
  const { engine, provider, id } = await running();
  await engine.disconnectContainer(id, 'proxy', consent, signal);
  await engine.connectContainer(id, 'proxy', { Aliases: ['www'] }, signal);
  expect((await provider.getStatus(asking('app:1'), { fresh: true, signal })).changes).toMatchObject([
    { path: 'containers.app.network_aliases', desired: 'proxy:api:www', cause: 'drift', effect: 'gap' },
  ]);
  const changes = recordedChanges(engine);
  await provider.update(asking('app:1'), signal);
  expect(changes).toEqual([`disconnect ${name} proxy`, `connect ${name} proxy`]);
  expect(resolve(engine, 'proxy', 'api')).toEqual([name]);
  expect((await provider.getStatus(asking('app:1'), { fresh: true, signal })).changes).toEqual([]);
});

it('all replicas bear them, and a release bears none', async () => {
  const engine = memoryEngine(['app:1']);
  await engine.createNetwork({ Name: 'proxy' }, signal);
  const spec = tenantSpec(
    { containers },
    { containers: [containerSpec('app')], replicas: 2, release: { container: 'app', args: ['migrate'] } },
  );
  const provider = drivenDocker(engine, open, never);
  await provider.provision(spec, signal);
  const release = [...engine.containers.values()].find((one) => one.name.endsWith('.release'));
  expect([...(release?.endpoints.keys() ?? [])]).not.toContain('proxy');
  Object.assign(release ?? {}, { state: 'exited', exitCode: 0 });
  await provider.provision(spec, signal);
  expect(resolve(engine, 'proxy', 'www').toSorted()).toEqual([name, `${name}.app_2`]);
});
