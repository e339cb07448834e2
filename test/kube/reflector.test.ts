import { describe, expect, onTestFinished, test } from 'vitest';
import { KubeApiError, KubeUnreachableError } from '../../src/kube/kube-client.ts';
import type { KubeObject } from '../../src/kube/kube-object.ts';
import type { ObjectStream } from '../../src/kube/object-stream.ts';
import { createReflectorSet } from '../../src/kube/reflector-set.ts';
import { createReflector, type ReflectorOptions, type ReflectorTiming } from '../../src/kube/reflector.ts';
import type { ListOptions, ObjectList, Resource, WatchEvent, WatchOptions } from '../../src/kube/resource.ts';
import { recordingLogger } from './recording-logger.ts';

function object(name: string, resourceVersion: number, namespace = 'ns'): KubeObject {
  const metadata = {
    name,
    namespace,
    uid: `uid-${name}`,
    resourceVersion: String(resourceVersion),
    creationTimestamp: '',
  };
  return { metadata };
}

function bookmark(resourceVersion: number, initialEventsEnd = false): WatchEvent<KubeObject> {
  const end = initialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
  const { metadata } = object('', resourceVersion);
  return { type: 'BOOKMARK', object: { metadata: { ...metadata, ...end } } };
}

function expired(): WatchEvent<KubeObject> {
  return {
    type: 'ERROR',
    object: { code: 410, reason: 'Expired', message: 'too old' } as unknown as KubeObject,
  };
}

type Step = WatchEvent<KubeObject> | 'hang' | Error;
type Watch = Step[] | Error;

/** A resource whose watches play a script each; after the last one they hang. */
function scriptedResource(watches: Watch[], pages: ObjectList<KubeObject>[] = []) {
  const opened: WatchOptions[] = [];
  const lists: (ListOptions | undefined)[] = [];
  const resource = {
    id: 'tenants.landlord.dev',
    watch(options: WatchOptions): Promise<ObjectStream<WatchEvent<KubeObject>>> {
      const script = watches[opened.length] ?? ['hang'];
      opened.push(options);
      return script instanceof Error ? Promise.reject(script) : Promise.resolve(play(script, options));
    },
    async *pages(options?: ListOptions) {
      lists.push(options);
      yield* pages;
      await Promise.resolve();
    },
  } as unknown as Resource<KubeObject>;
  return { resource, opened, lists };
}

function play(script: Step[], { signal }: WatchOptions): ObjectStream<WatchEvent<KubeObject>> {
  const aborted = Promise.withResolvers<never>();
  aborted.promise.catch(() => {});
  signal?.addEventListener('abort', () => aborted.reject(signal.reason as Error));
  let lastByteAtMs = performance.now();
  return {
    get lastByteAtMs() {
      return lastByteAtMs;
    },
    abort: (reason) => aborted.reject(reason),
    async *[Symbol.asyncIterator]() {
      for (const step of script) {
        if (step === 'hang') await aborted.promise;
        else if (step instanceof Error) throw step;
        else {
          lastByteAtMs = performance.now();
          yield step;
        }
        await Promise.resolve();
      }
    },
  };
}

const FAST: Partial<ReflectorTiming> = {
  errorBackoff: { baseMs: 1, capMs: 4 },
  unreachableBackoff: { baseMs: 1, capMs: 4 },
  random: () => 0.5,
};

function start(
  script: ReturnType<typeof scriptedResource>,
  options: Partial<ReflectorOptions<KubeObject>> = {},
) {
  const events: string[] = [];
  const reconnects: string[] = [];
  const { logger, lines } = recordingLogger();
  const reflector = createReflector<KubeObject>({
    resource: script.resource,
    logger,
    timing: FAST,
    metrics: { onReconnect: (_resource, reason) => reconnects.push(reason) },
    onEvent: ({ type, object: { metadata } }) =>
      events.push(`${type} ${metadata.name}@${metadata.resourceVersion}`),
    ...options,
  });
  const controller = new AbortController();
  const done = reflector.run(controller.signal);
  onTestFinished(async () => {
    controller.abort();
    await done;
  });
  return { reflector, events, reconnects, lines, controller, done };
}

/** Until the reflector has opened so many watches: then the earlier scripts are through. */
async function until(condition: () => boolean): Promise<void> {
  await expect.poll(condition, { interval: 2, timeout: 30_000 }).toBe(true);
}

describe('the first state', () => {
  test('comes by a WatchList, and nothing is told before it is whole', async () => {
    const script = scriptedResource([
      [
        { type: 'ADDED', object: object('a', 1) },
        { type: 'ADDED', object: object('b', 2) },
        bookmark(7, true),
        'hang',
      ],
    ]);
    const { reflector, events } = start(script, {
      onEvent: ({ object: { metadata } }) => events.push(`${metadata.name}, ${reflector.size} in the cache`),
    });
    await reflector.synced;
    expect(script.opened[0]).toMatchObject({ sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' });
    expect(events).toEqual(['a, 2 in the cache', 'b, 2 in the cache']);
    expect(reflector.hasSynced()).toBe(true);
    expect(reflector.get('ns', 'a')?.metadata.resourceVersion).toBe('1');
  });

  test.each([400, 405, 422])('comes by pages where WatchList is answered with %i', async (status) => {
    const pages = [
      { items: [object('a', 1)], resourceVersion: '9' },
      { items: [object('b', 2)], resourceVersion: '9' },
    ];
    const script = scriptedResource([new KubeApiError('watch', status, {})], pages);
    const { reflector, events } = start(script);
    await reflector.synced;
    await until(() => script.opened.length === 2);
    expect(events).toEqual(['added a@1', 'added b@2']);
    expect(script.opened[1]).toMatchObject({ resourceVersion: '9' });
    expect(script.opened[1]).not.toHaveProperty('sendInitialEvents');
  });

  test('that breaks off half way is not taken', async () => {
    const script = scriptedResource([
      [{ type: 'ADDED', object: object('a', 1) }],
      [{ type: 'ADDED', object: object('b', 2) }, bookmark(3, true), 'hang'],
    ]);
    const { reflector, events } = start(script);
    await reflector.synced;
    expect(events).toEqual(['added b@2']);
  });
});

describe('the watch goes on', () => {
  test('from the last version it saw, bookmarks included, after a clean end, without a pause or a count', async () => {
    const script = scriptedResource([
      [bookmark(5, true), { type: 'ADDED', object: object('a', 6) }, bookmark(8)],
      [{ type: 'MODIFIED', object: object('a', 9) }],
    ]);
    const { events, reconnects } = start(script, {
      timing: { ...FAST, unreachableBackoff: { baseMs: 60_000, capMs: 60_000 } },
    });
    await until(() => script.opened.length === 3);
    expect(script.opened.map(({ resourceVersion }) => resourceVersion)).toEqual([undefined, '8', '9']);
    expect(events).toEqual(['added a@6', 'updated a@9']);
    expect(reconnects).toEqual([]);
  });

  test('from there after a broken connection and after answers that are errors', async () => {
    const script = scriptedResource([
      [bookmark(5, true), new KubeUnreachableError('reset')],
      new KubeApiError('watch', 429, {}),
      new KubeUnreachableError('refused'),
      [{ type: 'ADDED', object: object('a', 6) }, 'hang'],
    ]);
    const { reflector, reconnects } = start(script);
    await until(() => reflector.size === 1);
    expect(script.opened.slice(1).map(({ resourceVersion }) => resourceVersion)).toEqual(['5', '5', '5']);
    expect(reconnects).toEqual(['unreachable', '429', 'unreachable']);
    expect(reflector.isConnected()).toBe(true);
  });

  test.each([
    ['as an answer', [new KubeApiError('watch', 410, { reason: 'Expired' })]],
    ['as an event', [[expired()]]],
  ] satisfies [string, Watch[]][])(
    'with the whole state anew after a 410 %s, telling only what changed',
    async (_how, gone) => {
      const script = scriptedResource([
        [
          { type: 'ADDED', object: object('a', 1) },
          { type: 'ADDED', object: object('b', 2) },
          bookmark(5, true),
        ],
        ...gone,
        [
          { type: 'ADDED', object: object('a', 1) },
          { type: 'ADDED', object: object('c', 8) },
          bookmark(9, true),
          'hang',
        ],
      ]);
      const { events } = start(script);
      await until(() => events.length === 4);
      expect(events).toEqual(['added a@1', 'added b@2', 'deleted b@2', 'added c@8']);
      expect(script.opened.map(({ resourceVersion }) => resourceVersion)).toEqual([
        undefined,
        '5',
        undefined,
      ]);
    },
  );

  test('with the whole state anew where the server is behind us: its etcd was restored', async () => {
    const behind = new KubeApiError('watch', 504, {
      reason: 'Timeout',
      details: { causes: [{ reason: 'ResourceVersionTooLarge' }] },
    });
    const script = scriptedResource([
      [{ type: 'ADDED', object: object('a', 90) }, bookmark(95, true)],
      behind,
      [{ type: 'ADDED', object: object('a', 40) }, bookmark(50, true), 'hang'],
    ]);
    const { events } = start(script);
    await until(() => events.length === 2);
    expect(events).toEqual(['added a@90', 'updated a@40']);
  });
});

test('a silent watch is opened again from where it stood, for a short time that brings a bookmark', async () => {
  const script = scriptedResource([[bookmark(5, true), 'hang']]);
  const { reconnects } = start(script, { timing: { ...FAST, silenceMs: 50, openTimeoutMs: 20 } });
  await until(() => script.opened.length === 3);
  expect(script.opened[0]?.timeoutSeconds).toBeGreaterThanOrEqual(240);
  expect(script.opened[1]).toMatchObject({ resourceVersion: '5', timeoutSeconds: 1, openTimeoutMs: 20 });
  expect(reconnects).toEqual([]);
});

test('a handler that throws harms nothing', async () => {
  const script = scriptedResource([
    [
      { type: 'ADDED', object: object('a', 1) },
      bookmark(2, true),
      { type: 'ADDED', object: object('b', 3) },
      'hang',
    ],
  ]);
  const { reflector, lines } = start(script, {
    onEvent: () => {
      throw new Error('a bug in the handler');
    },
  });
  await until(() => reflector.size === 2);
  expect(lines.filter(({ level }) => level === 'error').map(({ fields }) => fields['object'])).toEqual([
    'ns/a',
    'ns/b',
  ]);
  expect(script.opened).toHaveLength(1);
});

test('an own write is seen at once and its echo causes no event', async () => {
  const script = scriptedResource([
    [{ type: 'ADDED', object: object('a', 1) }, bookmark(2, true)],
    [{ type: 'MODIFIED', object: object('a', 7) }, { type: 'MODIFIED', object: object('a', 8) }, 'hang'],
  ]);
  const { reflector, events } = start(script, {
    transform: (item) => ({ ...item, kind: 'Slim' }),
    metrics: {
      onRelist: () => {
        queueMicrotask(() => reflector.assume(object('a', 7)));
      },
    },
  });
  await until(() => events.length >= 2);
  expect(events).toEqual(['added a@1', 'updated a@8']);
  expect(reflector.get('ns', 'a')?.kind).toBe('Slim');
});

test('errors in a row are waited out longer and longer, and logged at the 1st, 2nd, 4th, 8th', async () => {
  const refused = new KubeUnreachableError('refused');
  const script = scriptedResource(Array.from({ length: 9 }, () => refused));
  const { lines } = start(script);
  await until(() => script.opened.length === 10);
  const interrupted = lines.filter(({ message }) => message === 'watch interrupted');
  expect(interrupted.filter(({ level }) => level === 'warn').map(({ fields }) => fields['failures'])).toEqual(
    [1, 2, 4, 8],
  );
  expect(interrupted).toHaveLength(9);
});

test('an initial state that breaks off with a 410 each time is not asked for without a pause', async () => {
  const broken: Watch = [{ type: 'ADDED', object: object('a', 1) }, expired()];
  const script = scriptedResource([broken, broken, broken, broken]);
  const { lines } = start(script);
  await until(() => script.opened.length === 5);
  const waits = lines
    .filter(({ message }) => message === 'watch interrupted')
    .map(({ fields }) => fields['waitMs']);
  expect(waits[0]).toBe(0);
  expect(waits.slice(1).every((waitMs) => Number(waitMs) > 0)).toBe(true);
});

test('run resolves when it is aborted, also while it waits to try again', async () => {
  const script = scriptedResource([new KubeUnreachableError('refused')]);
  const { controller, done, reconnects } = start(script, {
    timing: { unreachableBackoff: { baseMs: 60_000, capMs: 60_000 } },
  });
  await until(() => reconnects.length === 1);
  controller.abort();
  await expect(done).resolves.toBeUndefined();
});

test('a set watches each namespace for itself and answers for all', async () => {
  const first = (namespace: string): Step[] => [
    { type: 'ADDED', object: object('x', 1, namespace) },
    bookmark(2, true),
    'hang',
  ];
  const script = scriptedResource([first('a'), first('b')]);
  const reflector = createReflectorSet<KubeObject>({
    resource: script.resource,
    logger: recordingLogger().logger,
    namespaces: ['a', 'b'],
  });
  const controller = new AbortController();
  const done = reflector.run(controller.signal);
  await reflector.synced;
  expect(script.opened.map(({ namespace }) => namespace)).toEqual(['a', 'b']);
  expect(reflector.size).toBe(2);
  expect([...reflector.values()].map(({ metadata }) => metadata.namespace)).toEqual(['a', 'b']);
  expect(reflector.get('b', 'x')?.metadata.namespace).toBe('b');
  expect(reflector.assume({ ...object('x', 3, 'b') })).toBe(true);
  expect(reflector.assume({ ...object('x', 3, 'other') })).toBe(false);
  controller.abort();
  await done;
});
