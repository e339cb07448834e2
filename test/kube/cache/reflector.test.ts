import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { sleep } from '../../../src/async/sleep.ts';
import { KubeApiError, KubeUnreachableError } from '../../../src/kube/client/kube-api-error.ts';
import { createReflector } from '../../../src/kube/cache/reflector.ts';
import { recordingLogger } from '../recording-logger.ts';
import {
  fast,
  bookmark,
  expired,
  object,
  scriptedResource,
  startReflector,
  until,
} from '../scripted-resource.ts';
import type { Step, Watch } from '../scripted-resource.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

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
    const { reflector, events } = startReflector(script, {
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
    const { reflector, events } = startReflector(script);
    await until(() => reflector.hasSynced());
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
    const { reflector, events } = startReflector(script);
    await until(() => reflector.hasSynced());
    expect(events).toEqual(['added b@2']);
  });
});

test('the first state may be big: what is true before and after it is known', async () => {
  const script = scriptedResource([
    [
      { type: 'ADDED', object: object('a', 1) },
      { type: 'ADDED', object: object('b', 2) },
      { type: 'DELETED', object: object('a', 3) },
      bookmark(4),
      1_000,
      bookmark(7, true),
      'hang',
    ],
  ]);
  const { reflector, events, controller, done } = startReflector(script);
  let synced = false;
  void reflector.synced.then(() => (synced = true));
  expect([reflector.hasSynced(), reflector.isConnected()]).toEqual([false, false]);
  await vi.advanceTimersByTimeAsync(500);
  expect([reflector.hasSynced(), synced, reflector.isConnected()]).toEqual([false, false, true]);
  expect([...reflector.values()]).toEqual([]);
  await vi.advanceTimersByTimeAsync(500);
  expect([reflector.hasSynced(), synced, reflector.isConnected()]).toEqual([true, true, true]);
  expect(events).toEqual(['added b@2']);
  controller.abort();
  await done;
  expect([reflector.hasSynced(), reflector.isConnected()]).toEqual([true, false]);
});

test('a page by page state breaks off without harm, and is read again', async () => {
  const script = scriptedResource([], [{ items: [object('a', 1)], resourceVersion: '9' }]);
  const pages = script.resource.pages.bind(script.resource);
  let broken = true;
  script.resource.pages = async function* (options) {
    yield* pages(options);
    if (broken) {
      broken = false;
      throw new KubeApiError('list', 500, {});
    }
  };
  const { reflector, events, reconnects } = startReflector(script, { watchList: false });
  await until(() => reflector.hasSynced());
  expect(events).toEqual(['added a@1']);
  expect(reconnects).toEqual(['500']);
  expect(script.lists).toHaveLength(2);
});

test.each([true, false])('only what is selected is asked for, by WatchList: %s', async (watchList) => {
  const selection = { namespace: 'ns', labelSelector: 'tier=a', fieldSelector: 'metadata.name=x' };
  const script = scriptedResource(watchList ? [[bookmark(5, true)]] : [], [
    { items: [], resourceVersion: '5' },
  ]);
  const { reflector, controller } = startReflector(script, { ...selection, watchList });
  await until(() => reflector.hasSynced());
  await until(() => script.opened.at(-1)?.resourceVersion === '5');
  for (const options of [...script.opened, ...script.lists]) {
    expect(options).toMatchObject(selection);
    expect(options?.signal).toBe(controller.signal);
  }
  expect([script.opened.length, script.lists.length]).toEqual(watchList ? [2, 0] : [1, 1]);
});

test('without a selection none is sent', async () => {
  const script = scriptedResource([[bookmark(5, true)]]);
  startReflector(script);
  await until(() => script.opened.length === 2);
  for (const options of script.opened) {
    expect(options).not.toHaveProperty('namespace');
    expect(options).not.toHaveProperty('labelSelector');
    expect(options).not.toHaveProperty('fieldSelector');
  }
});

test.each([true, false])(
  'an own write is kept over a state that is read meanwhile and is older, by WatchList: %s',
  async (watchList) => {
    const own = object('own', 8);
    const script = scriptedResource(
      watchList ? [[{ type: 'ADDED', object: object('a', 1) }, 1_000, bookmark(5, true), 'hang']] : [],
      [{ items: [object('a', 1)], resourceVersion: '5' }],
    );
    const pages = script.resource.pages.bind(script.resource);
    script.resource.pages = async function* (options) {
      yield* pages(options);
      await sleep(1_000);
    };
    const { reflector, events } = startReflector(script, { watchList });
    await vi.advanceTimersByTimeAsync(500);
    expect(reflector.hasSynced()).toBe(false);
    expect(reflector.assume(own)).toBe(true);
    await until(() => reflector.hasSynced());
    expect(reflector.get('ns', 'own')).toBe(own);
    expect(events).toEqual(['added own@8', 'added a@1']);
  },
);

test('what a new state shows unchanged is not kept twice, nor transformed again', async () => {
  const state = (b: number): Step[] => [
    { type: 'ADDED', object: object('a', 1) },
    { type: 'ADDED', object: object('b', b) },
    { type: 'ADDED', object: { metadata: { ...object('c', 1).metadata, uid: `c-${b}` } } },
    bookmark(b, true),
  ];
  const script = scriptedResource([state(5), [expired()], [...state(9), 'hang']]);
  const transformed: string[] = [];
  const { reflector } = startReflector(script, {
    transform: (item) => {
      transformed.push(`${item.metadata.name}@${item.metadata.resourceVersion} ${item.metadata.uid}`);
      return { ...item };
    },
  });
  await until(() => reflector.hasSynced());
  const before = reflector.get('ns', 'a');
  await until(() => reflector.get('ns', 'b')?.metadata.resourceVersion === '9');
  expect(reflector.get('ns', 'a')).toBe(before);
  expect(transformed).toEqual(['a@1 uid-a', 'b@5 uid-b', 'c@1 c-5', 'b@9 uid-b', 'c@1 c-9']);
});

test('metrics count each state that was read, each event, and each break with its status', async () => {
  const counted: string[] = [];
  const script = scriptedResource([
    [
      { type: 'ADDED', object: object('a', 1) },
      bookmark(5, true),
      { type: 'MODIFIED', object: object('a', 6) },
      bookmark(7),
      new KubeUnreachableError('reset'),
    ],
    new KubeApiError('watch', 410, {}),
    [bookmark(9, true), { type: 'ERROR', object: { message: 'without a code' } as never }],
  ]);
  startReflector(script, {
    metrics: {
      onRelist: (resource) => counted.push(`relist ${resource}`),
      onReconnect: (resource, reason) => counted.push(`${reason} ${resource}`),
      onEvent: (resource) => counted.push(`event ${resource}`),
    },
  });
  await until(() => script.opened.length === 4);
  expect(counted.map((line) => line.replace(' tenants.landlord.dev', ''))).toEqual([
    'event',
    'relist',
    'event',
    'unreachable',
    '410',
    'relist',
    '500',
  ]);
});

test('a refused watch is no sign of a server without WatchList once the first state is there', async () => {
  const script = scriptedResource([[bookmark(5, true)], new KubeApiError('watch', 400, {})]);
  const { reconnects } = startReflector(script);
  await until(() => script.opened.length === 3);
  expect(reconnects).toEqual(['400']);
  expect(script.lists).toEqual([]);
  expect(script.opened[2]?.resourceVersion).toBe('5');
});

test('a refused first state is asked for again the same way', async () => {
  const script = scriptedResource([new KubeApiError('watch', 403, {})]);
  const { reconnects } = startReflector(script);
  await until(() => script.opened.length === 2);
  expect(reconnects).toEqual(['403']);
  expect(script.opened[1]).toMatchObject({ sendInitialEvents: true });
});

test('a watch that broke is not called connected until the next one is open', async () => {
  const script = scriptedResource([
    [bookmark(5, true), new KubeUnreachableError('reset')],
    new KubeUnreachableError('refused'),
    [bookmark(6), 'hang'],
  ]);
  const { reflector, reconnects } = startReflector(script, {
    timing: { ...fast, unreachableBackoff: { baseMs: 1_000, capMs: 1_000 } },
  });
  await until(() => reflector.hasSynced());
  await until(() => reconnects.length === 1);
  expect(reflector.isConnected()).toBe(false);
  await until(() => reconnects.length === 2);
  expect(reflector.isConnected()).toBe(false);
  await until(() => script.opened.length === 3);
  expect(reflector.isConnected()).toBe(true);
});

test('a run that was stopped before it began asks for nothing', async () => {
  const script = scriptedResource([]);
  const { resource } = script;
  const reflector = createReflector({ resource, logger: recordingLogger().logger });
  await reflector.run(AbortSignal.abort());
  expect(script.opened).toEqual([]);
});

describe('the watch goes on', () => {
  test('from the last version it saw, bookmarks included, after a clean end, without a pause or a count', async () => {
    const script = scriptedResource([
      [bookmark(5, true), { type: 'ADDED', object: object('a', 6) }, bookmark(8)],
      [{ type: 'MODIFIED', object: object('a', 9) }],
    ]);
    const { events, reconnects } = startReflector(script, {
      timing: { ...fast, unreachableBackoff: { baseMs: 60_000, capMs: 60_000 } },
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
    const { reflector, reconnects } = startReflector(script);
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
      const { events } = startReflector(script);
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
    const { events } = startReflector(script);
    await until(() => events.length === 2);
    expect(events).toEqual(['added a@90', 'updated a@40']);
  });
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
  const { reflector, lines } = startReflector(script, {
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

test('an own write is seen and told at once, and its echo causes no event', async () => {
  const script = scriptedResource([
    [{ type: 'ADDED', object: object('a', 1) }, bookmark(2, true)],
    [{ type: 'MODIFIED', object: object('a', 7) }, { type: 'MODIFIED', object: object('a', 8) }, 'hang'],
  ]);
  const { reflector, events } = startReflector(script, {
    transform: (item) => ({ ...item, kind: 'Slim' }),
    metrics: {
      onRelist: () => {
        queueMicrotask(() => reflector.assume(object('a', 7)));
      },
    },
  });
  await until(() => events.length >= 3);
  expect(events).toEqual(['added a@1', 'updated a@7', 'updated a@8']);
  expect(reflector.get('ns', 'a')?.kind).toBe('Slim');
});

/** The reflector's pauses before each watch but the first. */
function pausesOf(script: ReturnType<typeof scriptedResource>): number[] {
  const pauses: number[] = [];
  const watch = script.resource.watch.bind(script.resource);
  let lastMs: number | undefined;
  script.resource.watch = (options) => {
    const nowMs = performance.now();
    if (lastMs !== undefined) pauses.push(nowMs - lastMs);
    lastMs = nowMs;
    return watch(options);
  };
  return pauses;
}

test('errors in a row are waited out longer and longer, and logged at the 1st, 2nd, 4th, 8th', async () => {
  const refused = new KubeUnreachableError('refused');
  const script = scriptedResource(Array.from({ length: 9 }, () => refused));
  const pauses = pausesOf(script);
  const { lines } = startReflector(script, {
    timing: { unreachableBackoff: { baseMs: 10, capMs: 100 }, random: () => 1 },
  });
  await until(() => script.opened.length === 10);
  expect(pauses).toEqual([10, 20, 40, 80, 100, 100, 100, 100, 100]);
  const interrupted = lines.filter(({ message }) => message === 'watch interrupted');
  expect(interrupted.filter(({ level }) => level === 'warn').map(({ fields }) => fields['failures'])).toEqual(
    [1, 2, 4, 8],
  );
  expect(interrupted).toHaveLength(9);
});

/** Long enough to be looked at. */
const slow = {
  ...fast,
  errorBackoff: { baseMs: 100, capMs: 100 },
  unservedBackoff: { baseMs: 100, capMs: 100 },
};

describe('a kind that is not served', () => {
  const unserved = () => new KubeApiError('watch', 404, { message: '404 page not found' });
  const state: Watch = [{ type: 'ADDED', object: object('a', 1) }, bookmark(5, true)];

  test('is told of once, and so is that it is served again, with no line of the log above debug', async () => {
    const beginning = new KubeApiError('watch', 429, { message: 'storage is (re)initializing' });
    const script = scriptedResource([unserved(), unserved(), unserved(), beginning, [...state, 'hang']]);
    const told: boolean[] = [];
    const { reflector, lines } = startReflector(script, {
      timing: slow,
      onServed: (isServed) => void told.push(isServed),
    });
    await until(() => script.opened.length === 2);
    expect([told, reflector.refusals()]).toEqual([
      [false],
      [{ namespace: undefined, message: expect.any(String), isServed: false, isLost: false }],
    ]);
    await until(() => reflector.hasSynced());
    expect([told, reflector.refusals()]).toEqual([[false, true], []]);
    expect(lines.filter(({ level }) => level !== 'debug')).toEqual([]);
  });

  test('is read afresh when it is back, whatever was known of it, and what was known stays until then', async () => {
    const script = scriptedResource([state, unserved(), unserved(), [bookmark(9, true), 'hang']]);
    const { reflector, events } = startReflector(script, { timing: slow });
    await until(() => reflector.refusals().length > 0);
    expect([reflector.size, reflector.refusals()[0]?.isLost]).toEqual([1, true]);
    await until(() => events.length === 2);
    expect(events).toEqual(['added a@1', 'deleted a@1']);
    expect(script.opened.map(({ resourceVersion }) => resourceVersion)).toEqual([
      undefined,
      '5',
      undefined,
      undefined,
    ]);
  });

  test('is told of where the first state is read by pages, too', async () => {
    const script = scriptedResource([['hang']], [{ items: [object('a', 1)], resourceVersion: '9' }]);
    const pages = script.resource.pages.bind(script.resource);
    const refusals = [unserved(), unserved()];
    script.resource.pages = async function* (options) {
      const refusal = refusals.pop();
      if (refusal !== undefined) throw refusal;
      yield* pages(options);
    };
    const told: boolean[] = [];
    const onServed = (isServed: boolean) => void told.push(isServed);
    const { reflector } = startReflector(script, { timing: slow, watchList: false, onServed });
    await until(() => script.opened.length === 1 && told.length === 2);
    expect([told, reflector.refusals()]).toEqual([[false, true], []]);
  });
});

test('a watch that was refused is not any more from the moment at which it is open, though nothing comes', async () => {
  const script = scriptedResource([[bookmark(5, true)], new KubeApiError('watch', 403, {}), ['hang']]);
  const { reflector } = startReflector(script, { timing: slow });
  await until(() => reflector.refusals().length > 0);
  expect(reflector.refusals()[0]).toMatchObject({ isServed: true, isLost: true });
  await until(() => script.opened.length === 3);
  await until(() => reflector.refusals().length === 0);
});

test('an initial state that breaks off with a 410 each time is not asked for without a pause', async () => {
  const broken: Watch = [{ type: 'ADDED', object: object('a', 1) }, expired()];
  const script = scriptedResource([broken, broken, broken, broken]);
  const pauses = pausesOf(script);
  startReflector(script, { timing: { errorBackoff: { baseMs: 10, capMs: 100 }, random: () => 1 } });
  await until(() => script.opened.length === 5);
  expect(pauses).toEqual([0, 20, 40, 80]);
});

test('run resolves when it is aborted, also while it waits to try again', async () => {
  const script = scriptedResource([new KubeUnreachableError('refused')]);
  const { controller, done, reconnects } = startReflector(script, {
    timing: { unreachableBackoff: { baseMs: 60_000, capMs: 60_000 } },
  });
  await until(() => reconnects.length === 1);
  controller.abort();
  await expect(done).resolves.toBeUndefined();
});
