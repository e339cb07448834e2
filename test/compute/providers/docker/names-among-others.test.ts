import { expect, it } from 'vitest';
import { consentTo, permitUpTo } from '../../../../src/compute/permit.ts';
import { containerSpec, drivenDocker, settings, tenantSpec } from './docker-fixture.ts';
import { memoryEngine, resolve } from './memory-engine.ts';
import { answersOf, idOf } from './name-answers.ts';
import { recordedChanges } from './recorded-changes.ts';

/** By which names others find a container in a network of theirs. */

const signal = new AbortController().signal;
const consent = consentTo(permitUpTo('live'), 'live', 'taking it out');
const never = { settleMs: 3_600_000 };
const name = 'landlord-tenant-acme';
const asked = { network: 'proxy', name: 'www' };
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

it('a first container bears them as soon as it runs, and they are no drift', async () => {
  const { engine, provider } = await running();
  expect(resolve(engine, 'proxy', 'www')).toEqual([name]);
  expect(resolve(engine, 'proxy', 'api')).toEqual([name]);
  expect((await provider.getStatus(asking('app:1'), { fresh: true, signal })).changes).toEqual([]);
});

it('a successor bears them once it is proven, and at no moment they lead to nobody', async () => {
  const { engine, provider, id } = await running();
  const answers = answersOf(engine, asked);
  expect((await provider.update(asking('app:2'), signal)).outcome).toBe('done');
  const next = idOf(engine, name);
  expect(answers).toEqual([[id], [id, next], [next]]);
  expect((await provider.getStatus(asking('app:2'), { fresh: true, signal })).changes).toEqual([]);
});

it('a successor that is not proven, or fails, never bears them', async () => {
  const { engine, id } = await running();
  const answers = answersOf(engine, asked);
  const slow = drivenDocker(engine, open, never);
  for (let n = 0; n < 3; n += 1) await slow.update(asking('app:2'), signal);
  expect(engine.containers.get(idOf(engine, `${name}_next`))?.state).toBe('running');
  await drivenDocker(engine, open).update(asking('crash:1'), signal);
  expect(answers).toEqual([[id]]);
});

it('where the old one has to be stopped first, its successor bears them as soon as it runs', async () => {
  const ports = { ports: [{ container_port: 80, host_port: 8080, protocol: 'TCP' as const }] };
  const { engine, id } = await running(asking('app:1', ports));
  const answers = answersOf(engine, asked);
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
