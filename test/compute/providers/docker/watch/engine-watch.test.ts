import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ComputeError } from '../../../../../src/compute/errors.ts';
import { guardEngine } from '../../../../../src/compute/providers/docker/engine/engine-guard.ts';
import { engineIdentity } from '../../../../../src/compute/providers/docker/watch/places/engine-identity.ts';
import { createEngineView } from '../../../../../src/compute/providers/docker/watch/engine-view.ts';
import { watchEngine } from '../../../../../src/compute/providers/docker/watch/engine-watch.ts';
import { observeContainer } from '../../../../../src/compute/providers/docker/state/observed-container.ts';
import { drivenDocker, settings, silent, tenantSpec } from '../docker-fixture.ts';
import { memoryEngine } from '../memory-engine.ts';
import type { MemoryContainer, MemoryEngine } from '../memory-engine.ts';

const signal = new AbortController().signal;
const { ownership } = settings();
const sweepIntervalMs = 60_000;
/** Three quarters of 250 ms: see the stub of Math.random. */
const firstRetryMs = 187;
const unreachable = new ComputeError('ProviderUnavailable', 'the engine is out of reach');

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  // Neither sooner nor later than the middle: back-offs take three quarters of the most, sweeps their interval.
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** An engine on which the tenants t0, t1, … have been running for long. */
async function fleet(count: number): Promise<{ engine: MemoryEngine; containers: MemoryContainer[] }> {
  const engine = memoryEngine(['app:1']);
  const provider = drivenDocker(engine);
  for (let index = 0; index < count; index += 1) {
    const tenant = { namespace: 'team-a', name: `t${index}`, uid: 'uid' };
    await provider.provision(tenantSpec({}, { tenantId: `t${index}`, tenant }), signal);
  }
  for (const container of engine.containers.values()) container.startedMs -= 3_600_000;
  engine.calls.length = 0;
  return { engine, containers: [...engine.containers.values()] };
}

/** Takes the engine out of reach, as long as `down` is true. */
function outage(engine: MemoryEngine): { down: boolean } {
  const state = { down: false };
  const events = engine.events.bind(engine);
  const listContainers = engine.listContainers.bind(engine);
  engine.events = (...args) => {
    if (!state.down) return events(...args);
    engine.calls.push('events');
    throw unreachable;
  };
  engine.listContainers = async (...args) => {
    const answer = await listContainers(...args);
    if (state.down) throw unreachable;
    return answer;
  };
  return state;
}

async function watched(engine: MemoryEngine) {
  const guard = guardEngine(engine);
  const view = createEngineView({ engine, guard, lastingPauseMs: 0 }, ownership);
  const hints: (string | undefined)[] = [];
  const stop = new AbortController();
  const identity = engineIdentity(engine);
  const options = { engine, guard, identity, view, ownership, logger: silent, sweepIntervalMs };
  const watching = watchEngine(options, (tenantId) => hints.push(tenantId), stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await watching;
  });
  const since: number[] = [];
  /** How often a call was made since the last time that this was asked. */
  const calls = (name: string) => {
    const all = engine.calls.filter((call) => call === name).length;
    const before = since.at(-1) ?? 0;
    since.push(all);
    return all - before;
  };
  return { guard, view, hints, stop, watching, calls };
}

const count = (engine: MemoryEngine, name: string) => engine.calls.filter((call) => call === name).length;
const later = async (ms: number): Promise<void> => void (await vi.advanceTimersByTimeAsync(ms));

describe('the connection', () => {
  it('subscribes first and lists after, so that nothing is missed, and there is no news', async () => {
    const { engine } = await fleet(2);
    const { hints } = await watched(engine);
    await later(0);
    expect(engine.calls.slice(0, 2)).toEqual(['events', 'listContainers']);
    expect(hints).toEqual([]);
  });

  it('is not tried again before the engine wants it, where that says when', async () => {
    const { engine } = await fleet(1);
    engine.events = () => {
      engine.calls.push('events');
      throw new ComputeError('Throttled', 'slow down', { retryAfterMs: 60_000 });
    };
    const { calls } = await watched(engine);
    await later(59_999);
    expect(calls('events')).toBe(1);
    await later(1);
    expect(calls('events')).toBe(1);
  });

  it('is tried again after a quarter of a second, then half as often, down to each 5 s', async () => {
    const { engine } = await fleet(1);
    const state = outage(engine);
    state.down = true;
    const begun = Date.now();
    const tries: number[] = [];
    const events = engine.events.bind(engine);
    engine.events = (...args) => {
      tries.push(Date.now() - begun);
      return events(...args);
    };
    await watched(engine);
    await later(20_000);
    const gaps = tries.slice(1).map((at, index) => at - (tries[index] ?? 0));
    // Three quarters of 500, 1,000, 2,000, 4,000 and then 5,000 ms.
    expect(gaps.slice(0, 8)).toEqual([firstRetryMs, 375, 750, 1_500, 3_000, 3_750, 3_750, 3_750]);
  });

  it('that is lost after it was there begins again at a quarter of a second', async () => {
    const { engine } = await fleet(1);
    const state = outage(engine);
    state.down = true;
    await watched(engine);
    await later(10_000);
    state.down = false;
    await later(5_000);
    const before = count(engine, 'events');
    engine.breakStreams();
    await later(firstRetryMs - 1);
    expect(count(engine, 'events')).toBe(before);
    await later(1);
    expect(count(engine, 'events')).toBe(before + 1);
  });

  it('that can not be had is told to everybody once, and once more when it is there', async () => {
    const { engine } = await fleet(1);
    const state = outage(engine);
    state.down = true;
    const { guard, hints } = await watched(engine);
    await later(30_000);
    expect(hints).toEqual([undefined]);
    expect(() => guard.check()).toThrow(unreachable.message);
    state.down = false;
    await later(5_000);
    expect(hints).toEqual([undefined, undefined]);
    expect(() => guard.check()).not.toThrow();
    state.down = true;
    engine.breakStreams();
    await later(30_000);
    expect(hints).toEqual([undefined, undefined, undefined]);
  });

  it('that answers on what is open, and takes no new connection, is not there', async () => {
    const { engine } = await fleet(1);
    const { guard, hints } = await watched(engine);
    await later(0);
    engine.ping = () => Promise.reject(unreachable);
    await expect(guard.engine.ping(signal)).rejects.toThrow(unreachable.message);
    await later(0);
    expect(hints).toEqual([]);
    expect(() => guard.check()).toThrow(unreachable.message);
    engine.ping = async () => undefined;
    await later(5_000);
    expect(hints).toContain(undefined);
    expect(() => guard.check()).not.toThrow();
  });

  it('that breaks and comes back at once is told to nobody but those who changed meanwhile', async () => {
    const { engine, containers } = await fleet(2);
    const { guard, hints } = await watched(engine);
    await later(0);
    engine.breakStreams();
    await later(0);
    Object.assign(containers[1] ?? {}, { state: 'paused' });
    expect(() => guard.check()).not.toThrow();
    await later(250);
    expect(hints).toEqual(['t1']);
  });

  it('whose list fails is no connection: the stream is let go, and all begins anew', async () => {
    const { engine } = await fleet(1);
    const list = engine.listContainers.bind(engine);
    engine.listContainers = async () => {
      engine.listContainers = list;
      throw unreachable;
    };
    const { view, hints } = await watched(engine);
    await later(0);
    expect(hints).toEqual([undefined]);
    await later(firstRetryMs);
    expect(count(engine, 'events')).toBe(2);
    expect(hints).toEqual([undefined, undefined]);
    expect(await view.known('t0', signal)).toHaveLength(1);
  });

  it('that ends the watch ends quietly: nobody is refused by it, and nobody waits for it any more', async () => {
    const { engine } = await fleet(1);
    const { guard, view, hints, stop, watching } = await watched(engine);
    await later(0);
    guard.down(unreachable);
    stop.abort();
    await watching;
    expect(hints).toEqual([]);
    expect(() => guard.check()).not.toThrow();
    const before = count(engine, 'listContainers');
    expect(await view.known('t0', signal)).toHaveLength(1);
    expect(count(engine, 'listContainers')).toBe(before + 1);
    await later(600_000);
    expect(count(engine, 'events')).toBe(1);
  });
});

describe('who asks', () => {
  it('while the watch begins waits for its list, and then needs none of its own', async () => {
    const { engine } = await fleet(1);
    const { view } = await watched(engine);
    expect(await view.known('t0', signal)).toHaveLength(1);
    expect(await view.known('t0', signal)).toHaveLength(1);
    expect(count(engine, 'listContainers')).toBe(1);
  });

  it('while the watch begins is told as soon as it has failed', async () => {
    const { engine } = await fleet(1);
    outage(engine).down = true;
    const { view } = await watched(engine);
    await expect(view.known('t0', signal)).rejects.toThrow(unreachable.message);
  });

  it('while the connection is lost is answered by the engine', async () => {
    const { engine } = await fleet(1);
    const { view } = await watched(engine);
    await later(0);
    engine.breakStreams();
    await later(0);
    const before = count(engine, 'listContainers');
    await view.known('t0', signal);
    expect(count(engine, 'listContainers')).toBe(before + 1);
  });
});

describe('an event', () => {
  it.each([
    'create',
    'start',
    'restart',
    'die',
    'stop',
    'kill',
    'oom',
    'pause',
    'unpause',
    'rename',
    'update',
    'health_status: healthy',
  ])('%s makes what is known of its tenant stale, and is a hint', async (action) => {
    const { engine, containers } = await fleet(2);
    const { view, hints } = await watched(engine);
    await later(0);
    // One that tells the name that is known already is no news of it.
    const name = 'landlord-tenant-t1_old';
    if (containers[1] !== undefined) engine.emit(action, containers[1], action === 'rename' ? { name } : {});
    await later(0);
    expect(hints).toEqual(['t1']);
    expect(view.snapshot.read('t1')).toBeUndefined();
    expect(view.snapshot.read('t0')).toHaveLength(1);
  });

  it('destroy tells that it is gone, and is a hint', async () => {
    const { engine, containers } = await fleet(2);
    const { view, hints } = await watched(engine);
    await later(0);
    if (containers[1] !== undefined) engine.emit('destroy', containers[1]);
    await later(0);
    expect(hints).toEqual(['t1']);
    expect(view.snapshot.read('t1')).toEqual([]);
    expect(view.snapshot.read('t0')).toHaveLength(1);
  });

  it.each(['exec_create: /ok', 'exec_start: /ok', 'attach', 'top', 'resize', 'starting'])(
    '%s changes nothing',
    async (action) => {
      const { engine, containers } = await fleet(1);
      const { view, hints } = await watched(engine);
      await later(0);
      if (containers[0] !== undefined) engine.emit(action, containers[0]);
      await later(0);
      expect(hints).toEqual([]);
      expect(view.snapshot.read('t0')).toHaveLength(1);
    },
  );

  it('of something that is no tenant changes nothing', async () => {
    const { engine, containers } = await fleet(1);
    const { hints } = await watched(engine);
    await later(0);
    const [one] = containers;
    if (one !== undefined) engine.emit('die', { ...one, body: { Labels: { 'landlord.owner': 'default' } } });
    await later(0);
    expect(hints).toEqual([]);
  });

  it('tells the code of an exit, which the engine forgets with the next start, until the container is gone', async () => {
    const { engine, containers } = await fleet(1);
    const { view } = await watched(engine);
    await later(0);
    const [one] = containers;
    const [info] = await engine.listContainers([], signal);
    if (one === undefined || info === undefined) throw new Error('no container');
    const code = async (action: string, exitCode: unknown) => {
      engine.emit(action, { ...one, exitCode: exitCode as number });
      await later(0);
      return (await view.inspect(observeContainer(info, ownership), signal))?.exitCode;
    };
    expect(await code('start', 7)).toBeUndefined();
    expect(await code('die', undefined)).toBeUndefined();
    expect(await code('die', 137)).toBe(137);
    expect(await code('start', 0)).toBe(137);
    expect(await code('die', 0)).toBe(0);
    Object.assign(one, { state: 'exited', exitCode: 3 });
    expect((await view.inspect(observeContainer(info, ownership), signal))?.exitCode).toBe(3);
    one.state = 'running';
    expect(await code('destroy', 0)).toBeUndefined();
  });
});

describe('what no event told', () => {
  it('is found by a list, one per interval', async () => {
    const { engine, containers } = await fleet(2);
    const { hints } = await watched(engine);
    await later(0);
    Object.assign(containers[1] ?? {}, { state: 'paused' });
    await later(sweepIntervalMs - 1);
    expect(count(engine, 'listContainers')).toBe(1);
    await later(1);
    expect(count(engine, 'listContainers')).toBe(2);
    expect(hints).toContain('t1');
    await later(sweepIntervalMs);
    expect(count(engine, 'listContainers')).toBe(3);
    expect(hints).not.toContain('t0');
  });

  it('by a list that fails makes the watch begin anew', async () => {
    const { engine } = await fleet(1);
    const state = outage(engine);
    const { hints } = await watched(engine);
    await later(0);
    state.down = true;
    await later(sweepIntervalMs);
    expect(hints).toEqual([]);
    await later(firstRetryMs);
    expect(hints).toEqual([undefined]);
    state.down = false;
    await later(5_000);
    expect(hints).toEqual([undefined, undefined]);
  });

  it('is looked for with one inspect of each container per interval, one after the other', async () => {
    const { engine } = await fleet(3);
    const { hints, calls } = await watched(engine);
    await later(0);
    expect(calls('inspectContainer')).toBe(1);
    await later(19);
    expect(calls('inspectContainer')).toBe(0);
    await later(21);
    expect(calls('inspectContainer')).toBe(2);
    await later(sweepIntervalMs - 41);
    expect(calls('inspectContainer')).toBe(0);
    await later(1);
    expect(calls('inspectContainer')).toBe(1);
    expect(hints).toEqual([]);
  });

  it.each<[string, Partial<MemoryContainer> | { readonly hostConfig: object }]>([
    ['another cpu limit', { hostConfig: { NanoCpus: 1e9 } }],
    ['another memory limit', { hostConfig: { Memory: 1e6 } }],
    ['another restart policy', { hostConfig: { RestartPolicy: { Name: 'no' } } }],
    ['another state', { state: 'paused' }],
    ['another health', { health: 'unhealthy' }],
  ])('is %s, found at the first look and at a later one', async (_what, over) => {
    const { engine, containers } = await fleet(2);
    const change = (container: MemoryContainer | undefined) => {
      const { hostConfig, ...rest } = over as Partial<MemoryContainer>;
      Object.assign(container ?? {}, rest);
      Object.assign(container?.hostConfig ?? {}, hostConfig);
    };
    // Behind the back of a list that has just been made.
    const list = engine.listContainers.bind(engine);
    engine.listContainers = async (...args) => {
      const answer = await list(...args);
      change(containers[0]);
      return answer;
    };
    const { hints, view } = await watched(engine);
    await later(20);
    expect(hints).toEqual(['t0']);
    engine.listContainers = list;
    change(containers[1]);
    await later(sweepIntervalMs);
    expect(hints).toEqual(['t0', 't1']);
    expect(view.snapshot.read('t0')?.[0]?.inspected).toBeDefined();
  });

  it('is nothing of a container that is gone by then', async () => {
    const { engine, containers } = await fleet(2);
    const { hints } = await watched(engine);
    await later(0);
    engine.containers.delete(containers[1]?.id ?? '');
    await later(20);
    expect(hints).toEqual([]);
    expect(count(engine, 'inspectContainer')).toBe(2);
  });

  it('is none of the others where one container can not be inspected: its tenant is told once, and the watch goes on', async () => {
    const { engine, containers } = await fleet(3);
    const inspect = engine.inspectContainer.bind(engine);
    engine.inspectContainer = async (id, ...rest) => {
      const answer = await inspect(id, ...rest);
      if (id === containers[0]?.id)
        throw new ComputeError('ProviderUnavailable', 'RWLayer is unexpectedly nil');
      return answer;
    };
    const { hints, guard, view } = await watched(engine);
    await later(60);
    expect(count(engine, 'inspectContainer')).toBe(3);
    expect(view.snapshot.read('t2')?.[0]?.inspected).toBeDefined();
    expect(count(engine, 'events')).toBe(1);
    expect(() => guard.check()).not.toThrow();
    expect(view.snapshot.read('t0')).toBeUndefined();
    await later(3 * sweepIntervalMs);
    expect(hints).toEqual(['t0']);
  });

  it('and is stale already is not inspected: who is concerned asks anew', async () => {
    const { engine, containers } = await fleet(2);
    const { calls } = await watched(engine);
    await later(0);
    expect(calls('inspectContainer')).toBe(1);
    if (containers[1] !== undefined) engine.emit('update', containers[1]);
    await later(100);
    expect(calls('inspectContainer')).toBe(0);
  });
});
