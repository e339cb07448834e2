import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestContext } from 'vitest';
import { startControlPlane } from '../../../dev/control-plane.ts';
import type { ControlPlane } from '../../../dev/control-plane.ts';
import { sleep } from '../../../src/async/sleep.ts';
import { createKubeClient } from '../../../src/kube/client/kube-client.ts';
import type { KubeClient } from '../../../src/kube/client/kube-client.ts';
import { loadKubeConfig } from '../../../src/kube/client/load-kube-config.ts';
import { createReflector } from '../../../src/kube/cache/reflector.ts';
import type { ReflectorOptions } from '../../../src/kube/cache/watch-loop.ts';
import type { Resource, WatchOptions } from '../../../src/kube/client/resource.ts';
import { recordingLogger } from '../recording-logger.ts';
import { startTcpProxy } from '../tcp-proxy.ts';
import type { TcpProxy } from '../tcp-proxy.ts';
import { until } from '../../until.ts';
import { createNamespace, defineWidgets, newWidget } from '../widgets.ts';
import type { Widget } from '../widgets.ts';

let controlPlane: ControlPlane;
let client: KubeClient;
let widgets: Resource<Widget>;

beforeAll(async () => {
  controlPlane = await startControlPlane();
  client = clientTo(controlPlane.url);
  widgets = await defineWidgets(client);
});

afterAll(async () => {
  await client?.close();
  await controlPlane?.stop();
});

function clientTo(server: string): KubeClient {
  const kubeConfig = loadKubeConfig(controlPlane.kubeconfigPath);
  kubeConfig.clusters = kubeConfig.clusters.map((cluster) => ({ ...cluster, server }));
  return createKubeClient({ kubeConfig, logger: recordingLogger().logger, userAgent: 'test', pingMs: 500 });
}

/** A reflector through a proxy of its own, with what it told. */
async function follow(
  { onTestFinished }: TestContext,
  namespace: string,
  options: Partial<ReflectorOptions<Widget>> = {},
) {
  const proxy = await startTcpProxy(Number(new URL(controlPlane.url).port));
  const ownClient = clientTo(`https://127.0.0.1:${proxy.port}`);
  const events: string[] = [];
  const counts = { relists: 0, reconnects: [] as string[] };
  const ownWidgets = await defineWidgets(ownClient);
  const opened: WatchOptions[] = [];
  const watch: typeof ownWidgets.watch = (watchOptions) => {
    opened.push(watchOptions);
    return ownWidgets.watch(watchOptions);
  };
  const reflector = createReflector<Widget>({
    resource: { ...ownWidgets, watch },
    namespace,
    logger: recordingLogger().logger,
    onEvent: ({ type, object }) => events.push(`${type} ${object.metadata.name} ${object.spec?.size}`),
    metrics: {
      onRelist: () => (counts.relists += 1),
      onReconnect: (_resource, reason) => counts.reconnects.push(reason),
    },
    ...options,
  });
  const controller = new AbortController();
  const done = reflector.run(controller.signal);
  onTestFinished(() => stop(proxy, ownClient, { controller, done }));
  await reflector.synced;
  return { reflector, events, counts, opened, proxy };
}

async function stop(
  proxy: TcpProxy,
  ownClient: KubeClient,
  run: { controller: AbortController; done: Promise<void> },
) {
  run.controller.abort();
  await run.done;
  await ownClient.close();
  await proxy.close();
}

const shortSilence = { silenceMs: 2_000, openTimeoutMs: 1_000 };

test.concurrent.for([true, false])(
  'what is added, changed and deleted is told in order, WatchList: %s',
  async (watchList, context) => {
    const namespace = await createNamespace(client);
    await widgets.create(newWidget(namespace, 'before'));
    const { reflector, events } = await follow(context, namespace, { watchList });
    await widgets.create(newWidget(namespace, 'a'));
    await widgets.mergePatch('a', namespace, { spec: { size: 2 } });
    await widgets.delete('before', namespace);
    await until('as expected', () => events.length === 4);
    expect(events).toEqual(['added before 1', 'added a 1', 'updated a 2', 'deleted before 1']);
    expect([...reflector.values()].map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'Widget a',
    ]);
  },
);

test.concurrent(
  'an own write is in the cache when its answer is, and nothing is told twice',
  async (context) => {
    const namespace = await createNamespace(client);
    const told: string[] = [];
    const { reflector, events } = await follow(context, namespace, {
      onEvent: ({ object }) => told.push(object.metadata.resourceVersion),
    });
    await widgets.create(newWidget(namespace, 'a'));
    await until('as expected', () => reflector.size === 1);
    for (let index = 0; index < 30; index += 1) {
      const written = await widgets.mergePatch(
        'a',
        namespace,
        { status: { phase: `p${index}` } },
        { subresource: 'status' },
      );
      reflector.assume(written);
      expect(reflector.get(namespace, 'a')?.status?.phase).toBe(`p${index}`);
    }
    await widgets.create(newWidget(namespace, 'end'));
    await until('as expected', () => reflector.size === 2);
    expect(new Set(told).size).toBe(told.length);
    expect(told.map(Number)).toEqual(told.map(Number).toSorted((a, b) => a - b));
    expect(events).toEqual([]);
  },
);

test.concurrent(
  'a write whose answer comes after the deletion does not bring the object back',
  async (context) => {
    const namespace = await createNamespace(client);
    const { reflector, events } = await follow(context, namespace);
    await widgets.create(newWidget(namespace, 'a'));
    const written = await widgets.mergePatch('a', namespace, { spec: { size: 2 } });
    await widgets.delete('a', namespace);
    await until('as expected', () => events.at(-1) === 'deleted a 2');
    expect(reflector.assume(written)).toBe(false);
    expect(reflector.size).toBe(0);
  },
);

test.concurrent(
  'a half-open connection to a healthy apiserver is replaced, without reading afresh',
  async (context) => {
    const namespace = await createNamespace(client);
    const { events, counts, proxy } = await follow(context, namespace, { timing: shortSilence });
    proxy.stallOpenConnections();
    await widgets.create(newWidget(namespace, 'a'));
    expect(events).toEqual([]);
    await until('as expected', () => events.length === 1);
    expect(counts.relists).toBe(1);
  },
);

test.concurrent(
  'a quiet watch is moved past the noise elsewhere by a bookmark, then lasts, and is replaced once its connection is half-open',
  async (context) => {
    const namespace = await createNamespace(client);
    const { counts, events, opened, proxy } = await follow(context, namespace, {
      timing: { silenceMs: 5_000 },
    });
    const elsewhere = await createNamespace(client);
    const { metadata } = await widgets.create(newWidget(elsewhere, 'noise'));
    let size = 1;
    const noise = setInterval(() => {
      size += 1;
      void widgets.mergePatch('noise', elsewhere, { spec: { size } });
    }, 200);
    context.onTestFinished(() => clearInterval(noise));
    // The first one is silent for 5 s, the second one ends after 5 s, having brought a bookmark.
    await until('as expected', () => opened.length === 3);
    expect(Number(opened[2]?.resourceVersion)).toBeGreaterThan(Number(metadata.resourceVersion));
    expect(opened[2]?.timeoutSeconds).toBeGreaterThan(200);
    // Longer than a silence is borne.
    await sleep(8_000);
    expect(opened).toHaveLength(3);
    proxy.stallOpenConnections();
    await widgets.create(newWidget(namespace, 'a'));
    await until('as expected', () => events.length === 1);
    expect(events).toEqual(['added a 1']);
    expect(counts).toEqual({ relists: 1, reconnects: [] });
  },
);

// What follows takes the apiserver away, so one after the other.

test('a killed apiserver: the watch is back by itself, and tells only what changed', async (context) => {
  const namespace = await createNamespace(client);
  const { reflector, events, counts } = await follow(context, namespace);
  await widgets.create(newWidget(namespace, 'a'));
  await until('as expected', () => events.length === 1);
  await controlPlane.killApiserver();
  await until('as expected', () => !reflector.isConnected());
  expect(reflector.get(namespace, 'a')).toBeDefined();
  await controlPlane.startApiserver();
  await until('as expected', () => reflector.isConnected());
  await widgets.create(newWidget(namespace, 'b'));
  await until('as expected', () => events.length === 2);
  expect(events).toEqual(['added a 1', 'added b 1']);
  expect(counts.reconnects.length).toBeGreaterThan(0);
});

test('a frozen apiserver is noticed by its silence, and once it thaws nothing is read afresh', async (context) => {
  const namespace = await createNamespace(client);
  const { reflector, events, counts } = await follow(context, namespace, { timing: shortSilence });
  context.onTestFinished(() => controlPlane.thawApiserver());
  controlPlane.freezeApiserver();
  // 2 s of silence and 1 s without an answer.
  await until('as expected', () => !reflector.isConnected());
  controlPlane.thawApiserver();
  await widgets.create(newWidget(namespace, 'a'));
  await until('as expected', () => events.length === 1);
  expect(events).toEqual(['added a 1']);
  expect(counts.relists).toBe(1);
});

test('a compacted history (410) is read afresh, and only what changed is told', async (context) => {
  const namespace = await createNamespace(client);
  for (const name of ['gone', 'changed', 'kept']) await widgets.create(newWidget(namespace, name));
  const { reflector, events, counts, proxy } = await follow(context, namespace);
  events.length = 0;
  proxy.cut();
  await until('as expected', () => !reflector.isConnected());
  await widgets.delete('gone', namespace);
  await widgets.mergePatch('changed', namespace, { spec: { size: 2 } });
  await widgets.create(newWidget(namespace, 'new'));
  await controlPlane.killApiserver();
  await controlPlane.compact();
  await controlPlane.startApiserver();
  proxy.restore();
  await until('as expected', () => events.length === 3);
  expect(events).toEqual(['deleted gone 1', 'updated changed 2', 'added new 1']);
  expect(counts.relists).toBe(2);
  expect(counts.reconnects).toContain('410');
});
