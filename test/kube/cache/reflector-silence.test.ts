import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { KubeUnreachableError } from '../../../src/kube/client/kube-api-error.ts';
import { bookmark, object, scriptedResource, startReflector, until } from '../scripted-resource.ts';
import type { Watch } from '../scripted-resource.ts';

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'],
  });
});

afterEach(() => {
  vi.useRealTimers();
});

/** A reflector with the times that it has in an operator; jitter is at its middle. */
function follow(...watches: Watch[]) {
  const script = scriptedResource(watches);
  const openedAtMs: number[] = [];
  const watch = script.resource.watch.bind(script.resource);
  const startMs = performance.now();
  script.resource.watch = (options) => {
    openedAtMs.push(performance.now() - startMs);
    return watch(options);
  };
  return { script, openedAtMs, ...startReflector(script, { timing: { random: () => 0.5 } }) };
}

async function opened({ opened }: { opened: unknown[] }, count: number): Promise<void> {
  await until(() => opened.length === count, 50);
}

/** Longer than the turns of the loop in which silence is judged. */
const verdictMs = 10;

test('a watch that is silent for 10 s is opened again from where it stood, and has 3 s to answer', async () => {
  const { script, openedAtMs, reconnects } = follow([bookmark(5, true), 'hang']);
  await vi.advanceTimersByTimeAsync(9_900);
  expect(script.opened).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(100 + verdictMs);
  expect(script.opened).toHaveLength(2);
  expect(openedAtMs[1]).toBeGreaterThanOrEqual(10_000);
  expect(script.opened[1]).toMatchObject({ resourceVersion: '5', openTimeoutMs: 3_000 });
  expect(reconnects).toEqual([]);
});

test('one that was silent is asked to end after 10 s, for that brings a bookmark, and is given 3 s more', async () => {
  const { script, openedAtMs } = follow([bookmark(5, true), 'hang']);
  await opened(script, 2);
  expect(script.opened.map(({ timeoutSeconds }) => timeoutSeconds)).toEqual([360, 10]);
  await opened(script, 3);
  const [, second = 0, third = 0] = openedAtMs;
  expect(third - second).toBeGreaterThanOrEqual(13_000);
  expect(third - second).toBeLessThan(13_000 + verdictMs);
});

test('it stays short while bookmarks are all that comes, and is long again after a change', async () => {
  const { script } = follow(
    [bookmark(5, true), 'hang'],
    [8_000, bookmark(6), 2_000],
    [8_000, bookmark(7), { type: 'ADDED', object: object('a', 8) }, 2_000],
  );
  await opened(script, 4);
  expect(script.opened.map(({ timeoutSeconds }) => timeoutSeconds)).toEqual([360, 10, 10, 360]);
});

test('while the first state comes, three times the silence is borne', async () => {
  const { script, openedAtMs } = follow([{ type: 'ADDED', object: object('a', 1) }, 'hang']);
  await opened(script, 2);
  expect(openedAtMs[1]).toBeGreaterThanOrEqual(30_000);
  expect(openedAtMs[1]).toBeLessThan(30_000 + verdictMs);
});

test('once the first state is whole, the common limit holds', async () => {
  const { script, openedAtMs } = follow([10_000, bookmark(5, true), 'hang']);
  await opened(script, 2);
  expect(openedAtMs[1]).toBeGreaterThanOrEqual(20_000);
  expect(openedAtMs[1]).toBeLessThan(20_000 + verdictMs);
});

test('with each failure the server gets more time to answer, up to ten times as much', async () => {
  const failing = Array.from({ length: 12 }, () => new KubeUnreachableError('refused'));
  const { script } = follow([bookmark(5, true), new KubeUnreachableError('reset')], ...failing);
  await opened(script, 13);
  expect(script.opened.map(({ openTimeoutMs }) => openTimeoutMs / 1_000)).toEqual([
    30, 6, 9, 12, 15, 18, 21, 24, 27, 30, 30, 30, 30,
  ]);
});

/** A resource whose quiet watches are over a connection that lives until `diesAtMs`, and tell nothing but `told`. */
function overLivingConnection({ told = [] as Watch[], diesAtMs = Infinity } = {}) {
  const script = scriptedResource([[bookmark(5, true), 'hang'], ...told]);
  const watch = script.resource.watch.bind(script.resource);
  script.resource.watch = async (options) => {
    const stream = await watch(options);
    const quiet = options.quiet === true;
    return {
      [Symbol.asyncIterator]: () => stream[Symbol.asyncIterator](),
      abort: (reason) => stream.abort(reason),
      provesLife: quiet,
      get lastByteAtMs() {
        return quiet ? Math.min(performance.now(), diesAtMs) : stream.lastByteAtMs;
      },
    };
  };
  return script;
}

/** Ends as the server does it, with a bookmark shortly before. */
const ending = (options: { timeoutSeconds: number }, version: number): Watch => {
  const ms = options.timeoutSeconds * 1_000;
  return [ms - 2_000, bookmark(version), 2_000];
};

test('at rest a watch costs 11 requests in its first hour, where its connection tells that it lives', async () => {
  const short = ending({ timeoutSeconds: 10 }, 6);
  const long = Array.from({ length: 20 }, (_, index) => ending({ timeoutSeconds: 360 }, index + 7));
  const script = overLivingConnection({ told: [short, ...long] });
  const { reconnects } = startReflector(script, { timing: { random: () => 0.5 } });
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(script.opened.slice(0, 4).map(({ timeoutSeconds }) => timeoutSeconds)).toEqual([360, 10, 360, 360]);
  expect(script.opened.map(({ quiet }) => quiet ?? false)).toEqual([
    false,
    ...script.opened.slice(1).map(() => true),
  ]);
  expect(script.opened).toHaveLength(12);
  expect(reconnects).toEqual([]);
});

test('without such a connection it costs one each 10 s', async () => {
  const short = Array.from({ length: 400 }, (_, index) => ending({ timeoutSeconds: 10 }, index + 6));
  const { script } = follow([bookmark(5, true), 'hang'], ...short);
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(script.opened.length).toBeGreaterThan(350);
});

test('a connection that no longer tells is noticed as fast as a silent watch', async () => {
  const script = overLivingConnection({
    told: [ending({ timeoutSeconds: 10 }, 6)],
    diesAtMs: performance.now() + 60_000,
  });
  const startMs = performance.now();
  const openedAtMs: number[] = [];
  const watch = script.resource.watch.bind(script.resource);
  script.resource.watch = (options) => {
    openedAtMs.push(performance.now() - startMs);
    return watch(options);
  };
  startReflector(script, { timing: { random: () => 0.5 } });
  await vi.advanceTimersByTimeAsync(80_000);
  expect(openedAtMs.length).toBeGreaterThanOrEqual(4);
  expect(openedAtMs[3]).toBeLessThan(70_000 + verdictMs);
});

test('where the way of quiet watches is broken, the next one goes the way of all', async () => {
  const { script } = follow([bookmark(5, true), 'hang'], new KubeUnreachableError('no settings'));
  await opened(script, 3);
  expect(script.opened.map(({ quiet }) => quiet)).toEqual([undefined, true, undefined]);
});

test('a quiet watch that has much to tell after all goes back to a connection of its own', async () => {
  const events = Array.from(
    { length: 150 },
    (_, index) => ({ type: 'ADDED', object: object(`w${index}`, index + 10) }) as const,
  );
  const script = overLivingConnection({
    told: [ending({ timeoutSeconds: 10 }, 6), [5_000, ...events, 'hang']],
  });
  startReflector(script, { timing: { random: () => 0.5 } });
  await opened(script, 4);
  const [, , third, fourth] = script.opened;
  expect([third?.quiet, fourth?.quiet]).toEqual([true, undefined]);
  // After the hundredth.
  expect(fourth?.resourceVersion).toBe('109');
});

test('a watch that ends at once with nothing is a failure: it would be opened again without a pause', async () => {
  const { script, reconnects } = follow([bookmark(5, true)], [], [999], [1_000]);
  await opened(script, 5);
  expect(reconnects).toEqual(['unreachable', 'unreachable']);
});

test('of a short one, half of its time counts as at once', async () => {
  const { script, reconnects } = follow([bookmark(5, true), 'hang'], [999], [1_000]);
  await opened(script, 4);
  expect(reconnects).toEqual(['unreachable']);
});

test('part of a first state is no success: failures go on being counted', async () => {
  const part: Watch = [{ type: 'ADDED', object: object('a', 1) }];
  const { script, lines } = follow(part, part, part, [bookmark(5, true), new KubeUnreachableError('reset')]);
  await opened(script, 5);
  const failures = lines
    .filter(({ message }) => message === 'watch interrupted')
    .map(({ fields }) => fields['failures']);
  expect(failures).toEqual([1, 2, 3, 1]);
});
