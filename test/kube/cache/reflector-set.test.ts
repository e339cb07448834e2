import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { createReflectorSet } from '../../../src/kube/cache/reflector-set.ts';
import { KubeApiError, KubeUnreachableError } from '../../../src/kube/client/kube-api-error.ts';
import type { WatchOptions } from '../../../src/kube/client/resource.ts';
import { recordingLogger } from '../recording-logger.ts';
import { bookmark, object, scriptedResource } from '../scripted-resource.ts';
import type { Step, Watch } from '../scripted-resource.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

function startSet(namespaces: string[], watches: Watch[]) {
  const script = scriptedResource(watches);
  const told: string[] = [];
  const set = createReflectorSet({
    resource: script.resource,
    logger: recordingLogger().logger,
    namespaces,
    onEvent: ({ object: { metadata } }) => told.push(`${metadata.namespace}/${metadata.name}`),
  });
  const controller = new AbortController();
  const done = set.run(controller.signal);
  onTestFinished(async () => {
    controller.abort();
    await done;
  });
  return { set, told, opened: script.opened, controller, done };
}

const first = (namespace: string, ...before: Step[]): Step[] => [
  ...before,
  { type: 'ADDED', object: object('x', 1, namespace) },
  bookmark(2, true),
  'hang',
];
const namespaceOf = ({ namespace }: WatchOptions) => namespace;

test('a set watches each namespace for itself and answers for all', async () => {
  const { set, told, opened, controller, done } = startSet(['a', 'b'], [first('a'), first('b')]);
  await set.synced;
  expect(opened.map(namespaceOf)).toEqual(['a', 'b']);
  expect(told).toEqual(['a/x', 'b/x']);
  expect(set.size).toBe(2);
  expect([...set.values()].map(({ metadata }) => metadata.namespace)).toEqual(['a', 'b']);
  expect(set.get('b', 'x')?.metadata.namespace).toBe('b');
  expect(set.get('other', 'x')).toBeUndefined();
  expect(set.get(undefined, 'x')).toBeUndefined();
  controller.abort();
  await done;
  expect(set.isConnected()).toBe(false);
});

test('an own write goes to the namespace that it is of, and nowhere else', async () => {
  const { set } = startSet(['a', 'b'], [first('a'), first('b')]);
  await set.synced;
  expect(set.assume(object('x', 3, 'b'))).toBe(true);
  expect(set.get('b', 'x')?.metadata.resourceVersion).toBe('3');
  expect(set.get('a', 'x')?.metadata.resourceVersion).toBe('1');
  expect(set.assume(object('x', 3, 'other'))).toBe(false);
  const { namespace: _namespace, ...metadata } = object('x', 3).metadata;
  expect(set.assume({ metadata })).toBe(false);
});

test('it is synced when the last one is, and connected while all are', async () => {
  const { set } = startSet(
    ['a', 'b'],
    [first('a'), [...first('b', 1_000).slice(0, -1), 500, new Error('reset')]],
  );
  let synced = false;
  void set.synced.then(() => (synced = true));
  await vi.advanceTimersByTimeAsync(999);
  expect([set.hasSynced(), synced, set.isConnected()]).toEqual([false, false, true]);
  await vi.advanceTimersByTimeAsync(1);
  expect([set.hasSynced(), synced, set.isConnected()]).toEqual([true, true, true]);
  await vi.advanceTimersByTimeAsync(500);
  expect([set.hasSynced(), set.isConnected()]).toEqual([true, false]);
});

const forbidden = () => new KubeApiError('watch', 403, { message: 'tenants is forbidden' });

test('a namespace that is refused holds up none of the others, and is told of until it can be read', async () => {
  const { set, told } = startSet(['gone', 'b'], [forbidden(), first('b', 100), first('gone')]);
  let synced = false;
  void set.synced.then(() => (synced = true));
  await vi.advanceTimersByTimeAsync(0);
  expect([set.hasSynced(), synced]).toEqual([false, false]);
  await vi.advanceTimersByTimeAsync(100);
  expect([set.hasSynced(), synced, told]).toEqual([true, true, ['b/x']]);
  expect(set.refusals()).toEqual([
    {
      namespace: 'gone',
      message: expect.stringContaining('tenants is forbidden'),
      isServed: true,
      isLost: false,
    },
  ]);
  expect([set.of('gone')?.hasSynced(), set.of('b')?.hasSynced(), set.of('c')]).toEqual([
    false,
    true,
    undefined,
  ]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect([set.refusals(), told]).toEqual([[], ['b/x', 'gone/x']]);
});

test('it is not synced while each namespace is refused, nor while one has given no answer', async () => {
  const { set } = startSet(['a', 'b'], [forbidden(), forbidden(), first('a', 60_000)]);
  const silent = startSet(['a', 'b'], [first('a'), new KubeUnreachableError('away'), ['hang']]);
  await vi.advanceTimersByTimeAsync(5_000);
  expect([set.hasSynced(), set.refusals().length]).toEqual([false, 2]);
  expect([silent.set.hasSynced(), silent.set.refusals()]).toEqual([false, []]);
});

test('without namespaces it is one watch of the whole cluster', async () => {
  const { set, opened } = startSet([], [first('a')]);
  await set.synced;
  expect(opened).toHaveLength(1);
  expect(opened[0]).not.toHaveProperty('namespace');
  expect(set.get('a', 'x')).toBeDefined();
  expect([set.of('a'), set.size]).toEqual([set, 1]);
});

test('each line of the log names its resource, and its namespace where it is of one', () => {
  const { logger } = recordingLogger();
  const child = vi.spyOn(logger, 'child');
  const { resource } = scriptedResource([]);
  for (const namespaces of [['a', 'b'], []]) createReflectorSet({ resource, logger, namespaces });
  expect(child.mock.calls.map(([bindings]) => bindings)).toStrictEqual([
    { resource: 'tenants.landlord.dev', namespace: 'a' },
    { resource: 'tenants.landlord.dev', namespace: 'b' },
    { resource: 'tenants.landlord.dev' },
  ]);
});
