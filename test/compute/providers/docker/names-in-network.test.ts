import { describe, expect, it } from 'vitest';
import { consentTo, permitUpTo } from '../../../../src/compute/permit.ts';
import { containerSpec, drivenDocker, settings, tenantSpec } from './docker-fixture.ts';
import { memoryEngine, resolve } from './memory-engine.ts';
import { answersOf, idOf } from './name-answers.ts';
import { recordedChanges } from './recorded-changes.ts';

/** How a tenant's containers find each other while one takes over from another. */

const signal = new AbortController().signal;
const network = 'landlord-acme';
const asked = { network, name: 'app' };
const old = 'landlord-tenant-acme.app';
const consent = consentTo(permitUpTo('live'), 'live', 'taking it out');
const never = { settleMs: 3_600_000 };

const appAndDb = (image: string, over: Parameters<typeof containerSpec>[1] = {}) =>
  tenantSpec({}, { containers: [containerSpec('app', { image, ...over }), containerSpec('db')] });

async function running(spec = appAndDb('app:1')) {
  const engine = memoryEngine(['app:1', 'app:2', 'crash:1']);
  await drivenDocker(engine).provision(spec, signal);
  return { engine, oldId: idOf(engine, old) };
}

it('a first container is found by its name as soon as it runs, and by no other', async () => {
  const { engine } = await running();
  expect(resolve(engine, network, 'app')).toEqual([old]);
  expect(resolve(engine, network, 'db')).toEqual(['landlord-tenant-acme.db']);
});

it('a successor that is not proven is not found by the name, however long that takes', async () => {
  const { engine, oldId } = await running();
  const answers = answersOf(engine, asked);
  const provider = drivenDocker(engine, settings(), never);
  for (let n = 0; n < 3; n += 1) await provider.update(appAndDb('app:2'), signal);
  expect(engine.containers.get(idOf(engine, `${old}_next`))?.state).toBe('running');
  expect(answers).toEqual([[oldId]]);
});

it('a successor that fails was never found by the name', async () => {
  const { engine, oldId } = await running();
  const answers = answersOf(engine, asked);
  const spec = tenantSpec(
    {},
    { containers: [containerSpec('app', { image: 'crash:1' }), containerSpec('db')] },
  );
  await drivenDocker(engine).update(spec, signal);
  expect(answers).toEqual([[oldId]]);
});

it('the name leads to the old one, then to both, then to the proven one: at no moment to none', async () => {
  const { engine, oldId } = await running();
  const answers = answersOf(engine, asked);
  expect(await drivenDocker(engine).update(appAndDb('app:2'), signal)).toMatchObject({ outcome: 'done' });
  const newId = idOf(engine, old);
  expect(newId).not.toBe(oldId);
  expect(answers).toEqual([[oldId], [oldId, newId], [newId]]);
});

it('one that is proven and that somebody pauses, to copy it, gets the name once it runs again', async () => {
  const { engine } = await running();
  const provider = drivenDocker(engine, settings(), { ...never, pauseMs: 60_000 });
  await provider.update(appAndDb('app:2'), signal);
  const next = engine.containers.get(idOf(engine, `${old}_next`));
  Object.assign(next ?? {}, { state: 'paused', health: 'healthy' });
  const changes = recordedChanges(engine);
  expect(await provider.update(appAndDb('app:2'), signal)).toMatchObject({ outcome: 'in_progress' });
  expect(changes).toEqual([]);
  Object.assign(next ?? {}, { state: 'running' });
  expect(await provider.update(appAndDb('app:2'), signal)).toMatchObject({ outcome: 'done' });
  expect(resolve(engine, network, 'app')).toEqual([old]);
});

it('one that is proven is found by siblings that are not yet', async () => {
  const { engine } = await running();
  const both = tenantSpec(
    {},
    { containers: [containerSpec('app', { image: 'app:2' }), containerSpec('db', { image: 'app:2' })] },
  );
  const slow = drivenDocker(engine, settings(), never);
  await slow.update(both, signal);
  const db = engine.containers.get(idOf(engine, 'landlord-tenant-acme.db_next'));
  if (db === undefined) throw new Error('no successor');
  db.health = 'healthy';
  await slow.update(both, signal);
  expect(resolve(engine, network, 'db')).toEqual(['landlord-tenant-acme.db', 'landlord-tenant-acme.db_next']);
  expect(resolve(engine, network, 'app')).toEqual([old]);
});

it('where the old one has to be stopped first, its successor bears the name as soon as it runs', async () => {
  const port = { containerPort: 80, hostPort: 8080, protocol: 'TCP' as const };
  const { engine, oldId } = await running(appAndDb('app:1', { ports: [port] }));
  const answers = answersOf(engine, asked);
  const changes = recordedChanges(engine);
  await drivenDocker(engine, settings(), never).update(appAndDb('app:2', { ports: [port] }), signal);
  expect(answers).toEqual([[oldId], [], [idOf(engine, `${old}_next`)]]);
  expect(changes.filter((change) => change.includes('connect'))).toEqual([]);
});

it('what waits for a sibling that is new, too, finds that by its name as soon as it is started itself', async () => {
  const { engine } = await running();
  const dependsOn = [{ container: 'db', condition: 'Healthy' as const }];
  const containers = [
    containerSpec('app', { image: 'app:2', dependsOn }),
    containerSpec('db', { image: 'app:2' }),
  ];
  const changes = recordedChanges(engine);
  await drivenDocker(engine).update(tenantSpec({}, { containers }), signal);
  const first = (start: string) => changes.findIndex((change) => change.startsWith(start));
  const [named, started] = [first('connect landlord-tenant-acme.db_next'), first(`start ${old}_next`)];
  expect(named).toBeGreaterThan(-1);
  expect(started).toBeGreaterThan(named);
});

it('a successor is not found by the name while what is to stop the old one waits for it itself', async () => {
  const ports = [{ containerPort: 80, hostPort: 8080, protocol: 'TCP' as const }];
  const { engine } = await running(appAndDb('app:1', { ports }));
  const dependsOn = [{ container: 'app', condition: 'Healthy' as const }];
  const spec = (over: Parameters<typeof containerSpec>[1]) =>
    tenantSpec({}, { containers: [containerSpec('app', { image: 'app:2' }), containerSpec('db', over)] });
  await drivenDocker(engine, settings(), never).update(spec({ ports, dependsOn }), signal);
  expect(engine.containers.get(idOf(engine, `${old}_next`))?.state).toBe('running');
  expect(resolve(engine, network, 'app')).toEqual([old]);
});

it('a container that is added later is found at once by those that were there', async () => {
  const { engine } = await running();
  const spec = appAndDb('app:1');
  const wider = { ...spec, containers: [...spec.containers, containerSpec('cache')] };
  await drivenDocker(engine, settings(), never).update(wider, signal);
  expect(resolve(engine, network, 'cache')).toEqual(['landlord-tenant-acme.cache']);
});

describe('a container that somebody took out of the network', () => {
  it('is told as drift that nobody feels the mend of', async () => {
    const { engine, oldId } = await running();
    await engine.disconnectContainer(oldId, network, consent, signal);
    const { changes } = await drivenDocker(engine).getStatus(appAndDb('app:1'), { fresh: true, signal });
    expect(changes).toEqual([
      {
        path: 'containers.app.network',
        desired: network,
        actual: 'none',
        cause: 'drift',
        effect: 'live',
      },
    ]);
  });

  it.each(['update', 'hold'] as const)('comes back by its name on %s, and runs on', async (call) => {
    const { engine, oldId } = await running();
    const startedMs = engine.containers.get(oldId)?.startedMs;
    await engine.disconnectContainer(oldId, network, consent, signal);
    await drivenDocker(engine)[call](appAndDb('app:1'), signal);
    expect(resolve(engine, network, 'app')).toEqual([old]);
    expect(engine.containers.get(oldId)).toMatchObject({ state: 'running', startedMs });
  });

  it('comes back into a network that was removed meanwhile', async () => {
    const { engine, oldId } = await running();
    for (const id of [oldId, idOf(engine, 'landlord-tenant-acme.db')])
      await engine.disconnectContainer(id, network, consent, signal);
    engine.networks.clear();
    await drivenDocker(engine).update(appAndDb('app:1'), signal);
    expect(resolve(engine, network, 'app')).toEqual([old]);
    expect(resolve(engine, network, 'db')).toEqual(['landlord-tenant-acme.db']);
  });

  it('and that can’t come back is told, and keeps no other from it', async () => {
    const { engine, oldId } = await running();
    const dbId = idOf(engine, 'landlord-tenant-acme.db');
    for (const id of [oldId, dbId]) await engine.disconnectContainer(id, network, consent, signal);
    const connect = engine.connectContainer.bind(engine);
    const { EngineRefusal } = await import('../../../../src/compute/providers/docker/engine/engine.ts');
    engine.connectContainer = async (id, ...rest) => {
      if (id === oldId) throw new EngineRefusal('other', 403, 'no available IPv4 addresses');
      return connect(id, ...rest);
    };
    await expect(drivenDocker(engine).update(appAndDb('app:1'), signal)).rejects.toMatchObject({
      code: 'UpdateFailed',
      message: `container app can't join the network ${network}: no available IPv4 addresses`,
    });
    expect(resolve(engine, network, 'db')).toEqual(['landlord-tenant-acme.db']);
  });

  it('as a successor, comes back without the name until it is proven', async () => {
    const { engine, oldId } = await running();
    const slow = drivenDocker(engine, settings(), never);
    await slow.update(appAndDb('app:2'), signal);
    const next = idOf(engine, `${old}_next`);
    await engine.disconnectContainer(next, network, consent, signal);
    const answers = answersOf(engine, asked);
    await slow.update(appAndDb('app:2'), signal);
    expect(engine.containers.get(next)?.endpoints.has(network)).toBe(true);
    expect(answers).toEqual([[oldId]]);
  });
});

describe('a successor whose address changes with its name', () => {
  const joined = [`disconnect ${old}_next ${network}`, `connect ${old}_next ${network}`];
  const restarted = [`stop ${old}_next 10`, `start ${old}_next`];

  it('begins anew before the old one is stopped, and is proven once more before it bears the name', async () => {
    const { engine, oldId } = await running();
    await drivenDocker(engine, settings(), never).update(appAndDb('app:2'), signal);
    // Whatever had a lower address has given it up meanwhile.
    engine.containers.get(oldId)?.endpoints.set(network, { aliases: ['app'], address: '10.0.0.200' });
    const changes = recordedChanges(engine);
    await drivenDocker(engine).update(appAndDb('app:2'), signal);
    expect(changes.slice(0, 8)).toEqual([...joined, ...joined, ...restarted, ...joined]);
    expect(changes.slice(8)).toContain(`stop ${old}_old 10`);
  });

  it('keeps the name where addresses do not come in order: it would have to begin anew for ever', async () => {
    const { engine } = await running();
    await drivenDocker(engine, settings(), never).update(appAndDb('app:2'), signal);
    const next = idOf(engine, `${old}_next`);
    engine.containers.get(next)?.endpoints.set(network, { aliases: [], address: '10.0.0.1' });
    const changes = recordedChanges(engine);
    await drivenDocker(engine).update(appAndDb('app:2'), signal);
    expect(changes.slice(0, 4)).toEqual([...joined, ...restarted]);
    expect(changes.slice(4)).toContain(`stop ${old}_old 10`);
  });
});

it('a successor whose old one is gone bears its name before it takes over', async () => {
  const { engine, oldId } = await running();
  await drivenDocker(engine, settings(), never).update(appAndDb('app:2'), signal);
  engine.containers.delete(oldId);
  await drivenDocker(engine, settings(), never).update(appAndDb('app:2'), signal);
  expect(resolve(engine, network, 'app')).toEqual([old]);
});
