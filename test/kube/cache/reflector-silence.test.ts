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
