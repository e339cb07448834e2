import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ComputeError } from '../../../../../src/compute/errors.ts';
import type { Engine } from '../../../../../src/compute/providers/docker/engine/engine.ts';
import type { DockerContext } from '../../../../../src/compute/providers/docker/reach.ts';
import { drivenDocker, settings, tenantSpec } from '../docker-fixture.ts';
import { memoryEngine } from '../memory-engine.ts';
import type { MemoryContainer, MemoryEngine } from '../memory-engine.ts';
import { anyConsent } from '../../../permits.ts';

const signal = new AbortController().signal;
const later = async (ms: number): Promise<void> => void (await vi.advanceTimersByTimeAsync(ms));

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }));
afterEach(() => void vi.useRealTimers());
const tenant = (tenantId: string) =>
  tenantSpec({}, { tenantId, tenant: { namespace: 'team-a', name: tenantId, uid: 'uid' } });
const ids = Array.from({ length: 50 }, (_, index) => `t${index}`);

/** An engine on which `count` tenants have been running for long. */
async function fleet(count = ids.length): Promise<MemoryEngine> {
  const engine = memoryEngine(['app:1']);
  const provider = drivenDocker(engine);
  for (const id of ids.slice(0, count)) await provider.provision(tenant(id), signal);
  for (const container of engine.containers.values()) container.startedMs -= 3_600_000;
  engine.calls.length = 0;
  return engine;
}

function watched(engine: Engine, over: Partial<DockerContext> = {}) {
  const provider = drivenDocker(engine, settings(), over);
  const hints: (string | undefined)[] = [];
  const stop = new AbortController();
  const watching = provider.watch((tenantId) => hints.push(tenantId), stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await watching;
  });
  const look = (id: string) => provider.getStatus(tenant(id), { fresh: false, signal });
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

  it('an event makes one inspect of the container that it is about, and no list, and nothing for the others', async () => {
    const engine = await fleet(3);
    const { hints, look } = watched(engine);
    await look('t0');
    engine.calls.length = 0;
    const [first] = engine.containers.keys();
    await engine.stopContainer(first ?? '', 0, anyConsent, signal);
    await later(0);
    expect(hints).toEqual(['t0']);
    expect((await look('t0')).changes).toMatchObject([{ path: 'containers.app.state', cause: 'drift' }]);
    await look('t1');
    expect(engine.calls).toEqual(['stopContainer', 'inspectContainer']);
  });

  it('what the engine has answered to our own calls is not asked for again when the events of it come', async () => {
    const engine = memoryEngine(['app:1']);
    const { provider, look, hints } = watched(engine);
    await later(0);
    await provider.provision(tenant('t0'), signal);
    await look('t0');
    await later(0);
    const [made] = engine.containers.values();
    if (made === undefined) throw new Error('no container');
    const asksAfter = async (...actions: readonly string[]) => {
      engine.calls.length = 0;
      hints.length = 0;
      for (const action of actions) engine.emit(action, made);
      await later(0);
      expect(hints).toContain('t0');
      await look('t0');
      return [...engine.calls];
    };
    expect(await asksAfter('create', 'start')).toEqual([]);
    // A later start follows an end, heard of or not.
    expect(await asksAfter('die', 'start')).toEqual(['inspectContainer']);
    Object.assign(made, { finishedMs: made.startedMs + 1, startedMs: made.startedMs + 2 });
    expect(await asksAfter('update')).toEqual(['inspectContainer']);
    expect(await asksAfter('start')).toEqual(['inspectContainer']);
  });

  it('what an event says to be gone is not asked for, nor what is told of it after that', async () => {
    const engine = await fleet(1);
    const { hints, look } = watched(engine);
    await look('t0');
    const [container] = engine.containers.values();
    if (container === undefined) throw new Error('no container');
    engine.calls.length = 0;
    engine.containers.delete(container.id);
    for (const action of ['kill', 'destroy', 'die']) engine.emit(action, container);
    await later(0);
    expect(hints).toContain('t0');
    expect(await look('t0')).toMatchObject({ exists: false });
    expect(engine.calls).toEqual([]);
  });

  it('an answer says where the engine had to be asked for it, for the watch did not know', async () => {
    const engine = await fleet(1);
    const { look } = watched(engine);
    expect((await look('t0')).fresh).toBeUndefined();
    const [first] = engine.containers.values();
    if (first !== undefined) engine.emit('update', first);
    await later(0);
    expect((await look('t0')).fresh).toBe(true);
    expect((await look('t0')).fresh).toBeUndefined();
  });

  it('an event that comes while the tenant is being asked for is not lost', async () => {
    const engine = await fleet(1);
    const { hints, look } = watched(engine);
    await look('t0');
    await later(0);
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
    await later(0);
    expect(hints).toEqual(['t0']);
    const early = look('t0');
    await asked.promise;
    container.state = 'paused';
    engine.emit('pause', container);
    await later(0);
    expect(hints).toEqual(['t0', 't0']);
    gate.resolve();
    expect((await early).compute.state).toBe('running');
    expect((await look('t0')).compute.state).toBe('stopped');
  });

  it('what happened while the stream was broken is found by the list after it', async () => {
    const engine = await fleet(3);
    const { hints, look } = watched(engine);
    await look('t0');
    engine.breakStreams();
    const [, second] = engine.containers.values();
    if (second !== undefined) second.state = 'paused';
    await later(0);
    // Asked in the gap, it is answered by the engine.
    expect((await look('t1')).compute.state).toBe('stopped');
    expect(count(engine, 'events')).toBe(1);
    await later(250);
    expect(count(engine, 'events')).toBe(2);
    expect(hints).toEqual(['t1']);
    expect((await look('t1')).compute.state).toBe('stopped');
  });

  it('a sweep finds what no event told', async () => {
    const engine = await fleet(3);
    const { hints, look } = watched(engine, { sweepIntervalMs: 40_000 });
    await look('t0');
    const [, , third] = engine.containers.keys();
    // One that is gone: of that, the inspects that trail say nothing.
    engine.containers.delete(third ?? '');
    await later(35_999);
    expect(hints).toEqual([]);
    await later(8_001);
    expect(hints).toEqual(['t2']);
    expect((await look('t2')).exists).toBe(false);
  });

  it('limits that were changed behind the operator while it was away are found by the inspects that trail', async () => {
    const engine = await fleet(3);
    const [first] = engine.containers.values();
    if (first !== undefined) Object.assign(first.hostConfig, { RestartPolicy: { Name: 'no' } });
    const { hints, look } = watched(engine);
    await later(60);
    expect(hints).toEqual(['t0']);
    expect((await look('t0')).changes).toMatchObject([
      { path: 'containers.app.restartPolicy', actual: 'no', cause: 'drift' },
    ]);
  });
});

describe('a container whose list says all that matters is not inspected for an answer', () => {
  it.each<[string, number, Partial<MemoryContainer>]>([
    ['that has run for long', 0, {}],
    ['that its check calls healthy', 0, { health: 'healthy' }],
    ['that its check calls unhealthy', 1, { health: 'unhealthy' }],
    ['whose check has not spoken', 1, { health: 'starting' }],
    ['that is young', 1, { startedMs: Date.now() }],
    ['that is paused', 1, { state: 'paused' }],
    ['that has ended', 1, { state: 'exited' }],
    ['that is a successor', 1, { name: 'landlord-tenant-t1_next' }],
  ])('but one %s is, %i times, however often it is asked for', async (_what, times, over) => {
    const engine = await fleet(2);
    const [, second] = engine.containers.values();
    if (second === undefined) throw new Error('no container');
    Object.assign(second, over);
    const inspected: string[] = [];
    const inspect = engine.inspectContainer.bind(engine);
    engine.inspectContainer = async (id, aborted) => {
      inspected.push(id);
      return inspect(id, aborted);
    };
    const { look } = watched(engine);
    await look('t1');
    await look('t1');
    expect(inspected.filter((id) => id === second.id)).toHaveLength(times);
  });
});

describe('an engine out of reach', () => {
  it('is asked by the watch alone until it answers; everyone else is refused at once, and called back then', async () => {
    const engine = await fleet(3);
    let down = false;
    let asked = 0;
    const counted = failing(engine, () => {
      asked += 1;
      return down;
    });
    const { provider, hints, look } = watched(counted);
    await look('t0');
    down = true;
    engine.breakStreams();
    const refused = { code: 'ProviderUnavailable', message: 'the engine is out of reach' };
    await later(250);
    asked = 0;
    await expect(look('t0')).rejects.toMatchObject(refused);
    for (const id of ids) await expect(provider.provision(tenant(id), signal)).rejects.toMatchObject(refused);
    expect(asked).toBe(0);
    await later(5_000);
    expect(asked).toBeGreaterThan(0);
    hints.length = 0;
    down = false;
    await later(5_000);
    expect(hints).toEqual([undefined]);
    expect((await look('t0')).compute.health).toBe('healthy');
  });

  it('at the start, is said at once to whoever asks', async () => {
    const { look } = watched(failing(memoryEngine(), () => true));
    await expect(look('t0')).rejects.toMatchObject({ code: 'ProviderUnavailable' });
  });

  it('is not what one slow call alone tells, with the engine well: nobody is held up, and nobody woken', async () => {
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
    const askedAnew = () => provider.getStatus(tenant('t0'), { fresh: true, signal });
    await expect(askedAnew()).rejects.toMatchObject({ code: 'ProviderUnavailable' });
    await later(0);
    expect(hints).toEqual([]);
    expect(await provider.update(tenant('t0'), signal)).toMatchObject({ outcome: 'done' });
  });
});

describe('a container that the engine fails to inspect', () => {
  const answer = 'Docker Engine answered 500: RWLayer is unexpectedly nil';

  /** `t0`, of which something has just happened, is broken. */
  async function broken(error: ComputeError) {
    const engine = await fleet(3);
    const { look, hints } = watched(engine);
    await look('t0');
    const inspect = engine.inspectContainer.bind(engine);
    engine.inspectContainer = async (id, ...rest) => {
      const found = await inspect(id, ...rest);
      if (found?.Name.endsWith('tenant-t0') === true) throw error;
      return found;
    };
    const [one] = engine.containers.values();
    if (one !== undefined) engine.emit('update', one);
    await later(0);
    engine.calls.length = 0;
    hints.length = 0;
    return { engine, look, hints };
  }

  it('is named, with what the engine says of it', async () => {
    const { look } = await broken(new ComputeError('ProviderUnavailable', answer));
    await expect(look('t0')).rejects.toMatchObject({
      code: 'ProviderUnavailable',
      message: `The container landlord-tenant-t0 can't be inspected: ${answer}`,
    });
  });

  it('costs nobody else a look, however often it is asked about', async () => {
    const { engine, look, hints } = await broken(new ComputeError('ProviderUnavailable', answer));
    for (let n = 0; n < 20; n += 1) {
      await expect(look('t0')).rejects.toThrow(answer);
      await later(0);
    }
    expect(hints).toEqual([]);
    expect((await look('t1')).exists).toBe(true);
    expect(engine.calls.every((call) => call === 'inspectContainer')).toBe(true);
  });

  it('is not blamed for a connection that breaks', async () => {
    const { look } = await broken(
      new ComputeError('ProviderUnavailable', 'ECONNRESET', { cause: new Error('ECONNRESET') }),
    );
    await expect(look('t0')).rejects.toMatchObject({ message: 'ECONNRESET' });
  });
});

describe('without a watch', () => {
  it('a burst of questions shares its list calls, and every answer is younger than its question', async () => {
    const engine = await fleet();
    const provider = drivenDocker(engine);
    const look = (id: string) => provider.getStatus(tenant(id), { fresh: false, signal });
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
    const provider = drivenDocker(failing(engine, () => down));
    const look = () =>
      provider.bare.getStatus(provider.desired(tenant('t0')), undefined, { fresh: false, signal });
    await expect(look()).rejects.toMatchObject({
      code: 'ProviderUnavailable',
    });
    down = false;
    expect((await look()).exists).toBe(true);
  });
});

describe('with a watch, of a container that was made by somebody', () => {
  it('its own inspect tells: no list is asked for', async () => {
    const engine = await fleet(2);
    const { look } = watched(engine);
    await look('t0');
    engine.images.add('app:2');
    const other = drivenDocker(engine);
    await other.update(
      tenantSpec({ image: 'app:2' }, { tenantId: 't0', tenant: tenant('t0').tenant }),
      signal,
    );
    engine.calls.length = 0;
    await later(0);
    const seen = await look('t0');
    expect(seen.compute.containers).toMatchObject([{ image: 'app:2' }]);
    expect(new Set(engine.calls)).toEqual(new Set(['inspectContainer']));
  });
});

describe('what was asked for before the events were lost for a while', () => {
  it('is no answer of now', async () => {
    const engine = await fleet(1);
    const { provider, look } = watched(engine);
    await look('t0');
    const askedAnew = () => provider.getStatus(tenant('t0'), { fresh: true, signal });
    await askedAnew();
    const before = count(engine, 'inspectContainer');
    await askedAnew();
    expect(count(engine, 'inspectContainer')).toBe(before);
    engine.breakStreams();
    await later(250);
    await askedAnew();
    expect(count(engine, 'inspectContainer')).toBeGreaterThan(before);
  });
});
