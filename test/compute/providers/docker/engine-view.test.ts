import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ComputeError } from '../../../../src/compute/errors.ts';
import type { Engine } from '../../../../src/compute/providers/docker/engine.ts';
import { dockerProvider } from '../../../../src/compute/providers/docker/provider.ts';
import type { DockerContext } from '../../../../src/compute/providers/docker/provider.ts';
import { context, settings, tenantSpec } from './docker-fixture.ts';
import { memoryEngine } from './memory-engine.ts';
import type { MemoryEngine } from './memory-engine.ts';

const signal = new AbortController().signal;
const { block, policy } = settings();
const tenant = (tenantId: string) =>
  tenantSpec({}, { tenantId, tenant: { namespace: 'team-a', name: tenantId, uid: 'uid' } });
const ids = Array.from({ length: 50 }, (_, index) => `t${index}`);

/** An engine on which `count` tenants have been running for long. */
async function fleet(count = ids.length): Promise<MemoryEngine> {
  const engine = memoryEngine(['app:1']);
  const provider = dockerProvider(engine, block, policy, context());
  for (const id of ids.slice(0, count)) await provider.provision(tenant(id), signal);
  for (const container of engine.containers.values()) container.startedMs -= 3_600_000;
  engine.calls.length = 0;
  return engine;
}

function watched(engine: Engine, over: Partial<DockerContext> = {}) {
  const provider = dockerProvider(engine, block, policy, context(over));
  const hints: (string | undefined)[] = [];
  const stop = new AbortController();
  const watching = provider.watch((tenantId) => hints.push(tenantId), stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await watching;
  });
  const look = (id: string) => {
    const { placement } = provider.desire(tenant(id));
    return provider.getStatus({ tenantId: id, namespace: 'team-a', name: id, placement }, tenant(id), signal);
  };
  return { provider, hints, look };
}

const count = (engine: MemoryEngine, call: string) => engine.calls.filter((name) => name === call).length;

/** Everything but the listed calls works. */
function failing(engine: MemoryEngine, isDown: () => boolean): Engine {
  const down = (): never => {
    throw new ComputeError('ProviderUnavailable', 'the engine is out of reach');
  };
  return new Proxy(engine, {
    get(target, key) {
      const member = Reflect.get(target, key) as (...args: unknown[]) => unknown;
      if (typeof member !== 'function' || key === 'close') return member;
      if (key === 'events') {
        return (...args: unknown[]) => (isDown() ? down() : member.apply(target, args));
      }
      return async (...args: unknown[]) => (isDown() ? down() : member.apply(target, args));
    },
  });
}

describe('with a watch', () => {
  it('a restart over many ready tenants makes one list call, and no inspect before an answer', async () => {
    const engine = await fleet();
    const { look } = watched(engine);
    const seen = await Promise.all(ids.map(look));
    expect(count(engine, 'listContainers')).toBe(1);
    expect(seen.every(({ compute }) => compute.health === 'healthy')).toBe(true);
    for (const id of ids) await look(id);
    expect(count(engine, 'listContainers')).toBe(1);
    expect(engine.calls.slice(0, 2)).toEqual(['events', 'listContainers']);
  });

  it('the tenants that were there at the start are no news', async () => {
    const engine = await fleet();
    const { hints, look } = watched(engine);
    await look('t0');
    expect(hints).toEqual([]);
  });

  it('an event makes one list call for the tenant that it is about, and none for the others', async () => {
    const engine = await fleet(3);
    const { hints, look } = watched(engine);
    await look('t0');
    engine.calls.length = 0;
    const [first] = engine.containers.keys();
    await engine.stopContainer(first ?? '', 0, signal);
    await vi.waitFor(() => expect(hints).toEqual(['t0']), 30_000);
    expect((await look('t0')).changes).toMatchObject([{ path: 'containers.app.state', cause: 'drift' }]);
    await look('t1');
    expect(count(engine, 'listContainers')).toBe(1);
  });

  it('an event that comes while the tenant is being asked for is not lost', async () => {
    const engine = await fleet(1);
    const { hints, look } = watched(engine);
    await look('t0');
    const [container] = engine.containers.values();
    if (container === undefined) throw new Error('no container');
    const inspect = engine.inspectContainer.bind(engine);
    const asked = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    engine.inspectContainer = async (...args) => {
      const answer = await inspect(...args);
      asked.resolve();
      await gate.promise;
      return answer;
    };
    engine.emit('update', container);
    await vi.waitFor(() => expect(hints).toHaveLength(1), 30_000);
    const early = look('t0');
    await asked.promise;
    container.state = 'paused';
    engine.emit('pause', container);
    await vi.waitFor(() => expect(hints).toHaveLength(2), 30_000);
    gate.resolve();
    await early;
    expect((await look('t0')).compute.state).toBe('stopped');
  });

  it('what happened while the stream was broken is found by the list after it', async () => {
    const engine = await fleet(3);
    const { hints, look } = watched(engine);
    await look('t0');
    const back = Promise.withResolvers<void>();
    onTestFinished(() => back.resolve());
    const gone = Promise.withResolvers<void>();
    const events = engine.events.bind(engine);
    engine.events = async function* (...args) {
      gone.resolve();
      await back.promise;
      yield* events(...args);
    };
    engine.breakStreams();
    const [, second] = engine.containers.values();
    if (second !== undefined) second.state = 'paused';
    await gone.promise;
    // Asked in the gap, it is answered by the engine.
    expect(count(engine, 'events')).toBe(1);
    expect((await look('t1')).compute.state).toBe('stopped');
    back.resolve();
    await vi.waitFor(() => expect(count(engine, 'events')).toBe(2), 30_000);
    await vi.waitFor(() => expect(hints).toEqual(['t1']), 30_000);
    expect((await look('t1')).compute.state).toBe('stopped');
  });

  it('a sweep finds what no event told', async () => {
    const engine = await fleet(3);
    const { hints, look } = watched(engine, { sweepIntervalMs: 40 });
    await look('t0');
    const [, , third] = engine.containers.values();
    if (third !== undefined) third.state = 'paused';
    await vi.waitFor(() => expect(hints).toContain('t2'), 30_000);
    expect((await look('t2')).compute.state).toBe('stopped');
    expect(hints.filter((hint) => hint !== 't2')).toEqual([]);
  });

  it('limits that were changed behind the operator while it was away are found by the inspects that trail', async () => {
    const engine = await fleet(3);
    const [first] = engine.containers.values();
    if (first !== undefined) Object.assign(first.hostConfig, { RestartPolicy: { Name: 'no' } });
    const { hints, look } = watched(engine);
    await vi.waitFor(() => expect(hints).toEqual(['t0']), 30_000);
    expect((await look('t0')).changes).toMatchObject([
      { path: 'containers.app.restartPolicy', actual: 'no', cause: 'drift' },
    ]);
  });
});

describe('an engine out of reach', () => {
  it('is asked by the watch alone until it answers; everyone else is refused at once, and called back then', async () => {
    const engine = await fleet(3);
    let down = false;
    const { provider, hints, look } = watched(failing(engine, () => down));
    await look('t0');
    down = true;
    engine.breakStreams();
    const refused = { code: 'ProviderUnavailable', message: 'the engine is out of reach' };
    await vi.waitFor(() => expect(look('t0')).rejects.toMatchObject(refused), 30_000);
    engine.calls.length = 0;
    for (const id of ids) await expect(provider.provision(tenant(id), signal)).rejects.toMatchObject(refused);
    expect(engine.calls).toEqual([]);
    hints.length = 0;
    down = false;
    await vi.waitFor(() => expect(hints).toEqual([undefined]), 30_000);
    expect((await look('t0')).compute.health).toBe('healthy');
  });

  it('at the start, is said at once to whoever asks', async () => {
    const { look } = watched(failing(memoryEngine(), () => true));
    await expect(look('t0')).rejects.toMatchObject({ code: 'ProviderUnavailable' });
  });

  it('one slow call alone, with the engine well, holds nobody up for long', async () => {
    const engine = await fleet(2);
    let failNext = false;
    const flaky = failing(engine, () => {
      const fails = failNext;
      failNext = false;
      return fails;
    });
    const { provider, look, hints } = watched(flaky);
    await look('t0');
    failNext = true;
    await expect(provider.update(tenant('t0'), signal)).rejects.toMatchObject({
      code: 'ProviderUnavailable',
    });
    await vi.waitFor(() => expect(hints).toContain(undefined), 30_000);
    expect(await provider.update(tenant('t0'), signal)).toMatchObject({ outcome: 'done' });
  });
});

describe('without a watch', () => {
  it('a burst of questions shares its list calls, and every answer is younger than its question', async () => {
    const engine = await fleet();
    const provider = dockerProvider(engine, block, policy, context());
    const look = (id: string) => {
      const { placement } = provider.desire(tenant(id));
      return provider.getStatus(
        { tenantId: id, namespace: 'team-a', name: id, placement },
        tenant(id),
        signal,
      );
    };
    await Promise.all(ids.map(look));
    expect(count(engine, 'listContainers')).toBe(1);
    const early = look('t0');
    await new Promise((resolve) => setImmediate(resolve));
    const [first] = engine.containers.values();
    if (first !== undefined) first.state = 'paused';
    expect((await look('t0')).compute.state).toBe('stopped');
    await early;
  });

  it('a failure is told to those who asked, and the next ones ask the engine again', async () => {
    const engine = await fleet(1);
    let down = true;
    const provider = dockerProvider(
      failing(engine, () => down),
      block,
      policy,
      context(),
    );
    const { placement } = provider.desire(tenant('t0'));
    const ref = { tenantId: 't0', namespace: 'team-a', name: 't0', placement };
    await expect(provider.getStatus(ref, undefined, signal)).rejects.toMatchObject({
      code: 'ProviderUnavailable',
    });
    down = false;
    expect((await provider.getStatus(ref, undefined, signal)).exists).toBe(true);
  });
});
