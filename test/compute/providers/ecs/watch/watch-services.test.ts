import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { ComputeError } from '../../../../../src/compute/errors.ts';
import type { EcsApi } from '../../../../../src/compute/providers/ecs/engine/ecs-api.ts';
import type { ServiceTarget } from '../../../../../src/compute/providers/ecs/address/service-target.ts';
import { keptService } from '../../../../../src/compute/providers/ecs/watch/kept.ts';
import { createServiceView } from '../../../../../src/compute/providers/ecs/watch/service-view.ts';
import { sweepOnce, watchServices } from '../../../../../src/compute/providers/ecs/watch/watch-services.ts';
import { clusterArn, memoryEcs } from '../memory-ecs.ts';
import { service } from '../observed-fixture.ts';

const never = new AbortController().signal;
const targetOf = (name: string, cluster = clusterArn): ServiceTarget => ({
  scope: { region: 'us-west-2' },
  cluster,
  service: name,
});

beforeEach(() => {
  vi.useFakeTimers();
  // The longest that a sweep may be put off.
  vi.spyOn(Math, 'random').mockReturnValue(0);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A watch over services that were seen before; `api` answers as the memory does unless told otherwise. */
function watchOver(names: readonly string[], api: Partial<EcsApi> = {}) {
  const view = createServiceView(() => 0);
  for (const name of names) {
    const seen = { target: targetOf(name), tenantId: `tenant-${name}`, service: service(), settled: true };
    view.store(seen, view.moment());
  }
  const problems: unknown[] = [];
  const logger = pino({ level: 'warn' }, { write: (line) => void problems.push(JSON.parse(line)) });
  const asked: (readonly [string, string])[] = [];
  const describeService: EcsApi['describeService'] = async ({ service: name }, priority) => {
    asked.push([name, priority]);
    return service();
  };
  const changed: (string | undefined)[] = [];
  return {
    parts: {
      api: { ...memoryEcs(), describeService, ...api },
      view,
      logger,
      sweepIntervalMs: 60_000,
      secrets: { sweep: async () => undefined },
      routes: { sweep: async () => undefined },
    },
    asked,
    problems,
    changed,
    onChange: (tenantId: string | undefined) => void changed.push(tenantId),
  };
}

describe('a sweep', () => {
  test('looks at each service once, as a sweep, and tells of those that changed', async () => {
    const other = { ...service(), desiredCount: 9 };
    const answers = { a: service(), b: other, c: 'cluster-gone', d: undefined } as const;
    const asked: unknown[] = [];
    const { parts, changed, onChange, problems } = watchOver(['d', 'b', 'a', 'c'], {
      describeService: async (target, priority) => {
        asked.push([target.service, priority]);
        return answers[target.service as keyof typeof answers];
      },
    });
    await sweepOnce(parts, onChange, never);
    expect(asked).toEqual(['a', 'b', 'c', 'd'].map((name) => [name, 'sweep']));
    expect(changed.toSorted((a = '', b = '') => (a < b ? -1 : 1))).toEqual([
      'tenant-b',
      'tenant-c',
      'tenant-d',
    ]);
    expect(parts.view.last(targetOf('b'))).toEqual(keptService(other));
    expect(parts.view.last(targetOf('c'))).toBeUndefined();
    expect(problems).toEqual([]);
    await sweepOnce(parts, onChange, never);
    expect(changed).toHaveLength(3);
  });

  test('of a service that something was done to meanwhile says nothing', async () => {
    const watch = watchOver(['a'], {
      describeService: async (target) => {
        watch.parts.view.touch(target);
        return { ...service(), desiredCount: 9 };
      },
    });
    await sweepOnce(watch.parts, watch.onChange, never);
    expect(watch.changed).toEqual([]);
  });

  test('asks for ten of one cluster together, 200 at a time', async () => {
    const order: string[] = [];
    let open = 0;
    let mostOpen = 0;
    const names = Array.from({ length: 450 }, (_none, index) => `s${index}`);
    const { parts, onChange } = watchOver([], {
      describeService: async ({ cluster }) => {
        order.push(cluster);
        open += 1;
        mostOpen = Math.max(mostOpen, open);
        await Promise.resolve();
        open -= 1;
        return service();
      },
    });
    for (const [index, name] of names.entries()) {
      const target = targetOf(name, `cluster-${index % 3}`);
      parts.view.store({ target, tenantId: name, service: service(), settled: true }, parts.view.moment());
    }
    await sweepOnce(parts, onChange, never);
    expect(order).toEqual(order.toSorted());
    expect([order.length, mostOpen]).toEqual([450, 200]);
  });

  test('goes on after a look that fails, says once what was wrong, and wakes once whom it lost sight of', async () => {
    const { parts, changed, onChange, problems } = watchOver(['a', 'b', 'c'], {
      describeService: async ({ service: name }) => {
        if (name !== 'c') throw new ComputeError('Throttled', `slower with ${name}`);
        return { ...service(), desiredCount: 9 };
      },
    });
    await sweepOnce(parts, onChange, never);
    expect(new Set(changed)).toEqual(new Set(['tenant-a', 'tenant-b', 'tenant-c']));
    expect(changed).toHaveLength(3);
    expect(problems).toMatchObject([{ problem: 'slower with a' }]);
    await sweepOnce(parts, onChange, never);
    expect(changed).toHaveLength(3);
  });

  test('that is given up begins no further looks, and is no problem', async () => {
    const stop = new AbortController();
    const asked: string[] = [];
    const names = Array.from({ length: 201 }, (_none, index) => `s${index}`);
    const { parts, onChange, problems } = watchOver(names, {
      describeService: async ({ service: name }) => {
        asked.push(name);
        stop.abort();
        throw new Error('stop');
      },
    });
    await sweepOnce(parts, onChange, stop.signal);
    expect(asked).toHaveLength(200);
    expect(problems).toEqual([]);
  });
});

describe('between the sweeps', () => {
  /** Services of two clusters, `refused` of which ECS does not answer of. */
  function silentWatch() {
    const refused = new Set<string>();
    const asked: string[][] = [];
    let nowMs = 0;
    const view = createServiceView(() => nowMs);
    for (const [name, cluster] of [
      ['a', 'one'],
      ['b', 'one'],
      ['c', 'one'],
      ['z', 'two'],
    ] as const) {
      const seen = { target: targetOf(name, cluster), tenantId: name, service: service(), settled: true };
      view.store(seen, view.moment());
    }
    const { parts, changed, onChange, problems } = watchOver([], {
      describeService: async ({ service: name }) => {
        asked.at(-1)?.push(name);
        if (refused.has(name)) throw new ComputeError('AccessDenied', `no ${name}`);
        return service();
      },
    });
    const stop = new AbortController();
    const watching = watchServices({ ...parts, view, sweepIntervalMs: 3_600_000 }, onChange, stop.signal);
    const turn = async (): Promise<readonly (string | undefined)[]> => {
      asked.push([]);
      nowMs += 20_000;
      await vi.advanceTimersByTimeAsync(20_000);
      return changed.splice(0);
    };
    onTestFinished(async () => {
      stop.abort();
      await watching;
    });
    return { refused, asked, view, problems, turn };
  }

  test('two services of each cluster are asked about every 20 s, in turn', async () => {
    const { asked, turn } = silentWatch();
    for (let turns = 0; turns < 3; turns += 1) expect(await turn()).toEqual([]);
    expect(asked).toEqual([
      ['a', 'b', 'z'],
      ['b', 'c', 'z'],
      ['c', 'a', 'z'],
    ]);
  });

  test('a service that may not be read is told, and the others of its cluster are not', async () => {
    const { refused, turn, view, problems } = silentWatch();
    refused.add('b');
    expect(await turn()).toEqual(['b']);
    expect(await turn()).toEqual([]);
    expect(view.settled(targetOf('a', 'one'))).toBeDefined();
    expect(view.settled(targetOf('b', 'one'))).toBeUndefined();
    expect(problems).toMatchObject([{ problem: 'no b' }]);
    refused.clear();
    expect(await turn()).toEqual(['b']);
    expect(await turn()).toEqual([]);
  });

  test('all services of a cluster that does not answer are told, once, and once again when it does', async () => {
    const { refused, turn, view, problems } = silentWatch();
    for (const name of ['a', 'b', 'c']) refused.add(name);
    expect(await turn()).toEqual(['a', 'b', 'c']);
    expect([await turn(), await turn(), await turn()]).toEqual([[], [], []]);
    expect(view.settled(targetOf('z', 'two'))).toBeDefined();
    expect(problems).toHaveLength(1);
    refused.clear();
    const back = await turn();
    expect(back.toSorted(byName)).toEqual(['a', 'b', 'c']);
    expect(await turn()).toEqual([]);
  });
});

const byName = (a = '', b = ''): number => (a < b ? -1 : 1);

describe('the watch', () => {
  test('sweeps in each interval, and ends with its signal', async () => {
    const { parts, asked, onChange } = watchOver(['a']);
    const stop = new AbortController();
    const watching = watchServices(parts, onChange, stop.signal);
    const sweeps: number[] = [];
    for (const ms of [59_999, 1, 59_999, 1]) {
      await vi.advanceTimersByTimeAsync(ms);
      sweeps.push(asked.length);
    }
    expect(sweeps).toEqual([0, 1, 1, 2]);
    expect(parts.view.settled(targetOf('a'))).toBeDefined();
    stop.abort();
    await watching;
    expect(vi.getTimerCount()).toBe(0);
    expect(parts.view.settled(targetOf('a'))).toBeUndefined();
  });

  test('sweeps a tenth sooner at the most', async () => {
    vi.mocked(Math.random).mockReturnValue(1);
    const { parts, asked, onChange } = watchOver(['a']);
    const stop = new AbortController();
    const watching = watchServices(parts, onChange, stop.signal);
    await vi.advanceTimersByTimeAsync(53_999);
    expect(asked).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked).toHaveLength(1);
    stop.abort();
    await watching;
  });

  test('follows hints: what one names must be asked for, what nobody watches is passed over', async () => {
    const { parts, changed, onChange } = watchOver(['a', 'b'], {
      async *serviceHints() {
        yield { cluster: clusterArn, service: 'unknown' };
        yield { cluster: 'other', service: 'b' };
        yield { cluster: clusterArn, service: 'a' };
      },
    });
    const stop = new AbortController();
    const watching = watchServices(parts, onChange, stop.signal);
    await vi.advanceTimersByTimeAsync(1);
    expect(changed).toEqual(['tenant-a']);
    expect(parts.view.settled(targetOf('a'))).toBeUndefined();
    expect(parts.view.settled(targetOf('b'))).toBeDefined();
    stop.abort();
    await watching;
  });

  test.each([
    [false, 1],
    [true, 0],
  ])('outlives its hints: where it was given up is %j, that is told %i times', async (isOver, told) => {
    const stop = new AbortController();
    const { parts, asked, onChange, problems } = watchOver(['a'], {
      async *serviceHints() {
        yield { cluster: clusterArn, service: 'unknown' };
        if (isOver) stop.abort();
        throw new Error('no more hints');
      },
    });
    const watching = watchServices(parts, onChange, stop.signal);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(problems).toHaveLength(told);
    expect(asked).toHaveLength(told);
    stop.abort();
    await watching;
  });
});
