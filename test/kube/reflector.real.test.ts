import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startControlPlane, type ControlPlane } from '../../dev/control-plane.ts';
import { createKubeClient, loadKubeConfig, type KubeClient } from '../../src/kube/kube-client.ts';
import { createReflector, type ReflectorOptions } from '../../src/kube/reflector.ts';
import type { Resource } from '../../src/kube/resource.ts';
import { recordingLogger } from './recording-logger.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';
import { createNamespace, defineWidgets, newWidget, type Widget } from './widgets.ts';

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
  return createKubeClient({ kubeConfig, logger: recordingLogger().logger });
}

/** A reflector through a proxy of its own, with what it told. */
async function follow(namespace: string, options: Partial<ReflectorOptions<Widget>> = {}) {
  const proxy = await startTcpProxy(Number(new URL(controlPlane.url).port));
  const ownClient = clientTo(`https://127.0.0.1:${proxy.port}`);
  const events: string[] = [];
  const counts = { relists: 0, reconnects: [] as string[] };
  const reflector = createReflector<Widget>({
    resource: await defineWidgets(ownClient),
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
  return { reflector, events, counts, proxy };
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

async function until(condition: () => boolean, timeoutMs: number): Promise<void> {
  await expect.poll(condition, { interval: 10, timeout: timeoutMs }).toBe(true);
}

const SHORT_SILENCE = { silenceMs: 2_000, openTimeoutMs: 1_000 };

test.each([true, false])(
  'what is added, changed and deleted is told in order, WatchList: %s',
  async (watchList) => {
    const namespace = await createNamespace(client);
    await widgets.create(newWidget(namespace, 'before'));
    const { reflector, events } = await follow(namespace, { watchList });
    await widgets.create(newWidget(namespace, 'a'));
    await widgets.mergePatch('a', namespace, { spec: { size: 2 } });
    await widgets.delete('before', namespace);
    await until(() => events.length === 4, 5_000);
    expect(events).toEqual(['added before 1', 'added a 1', 'updated a 2', 'deleted before 1']);
    expect([...reflector.values()].map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'Widget a',
    ]);
  },
);

test('an own write is in the cache when its answer is, and nothing is told twice', async () => {
  const namespace = await createNamespace(client);
  const told: string[] = [];
  const { reflector, events } = await follow(namespace, {
    onEvent: ({ object }) => told.push(object.metadata.resourceVersion),
  });
  await widgets.create(newWidget(namespace, 'a'));
  await until(() => reflector.size === 1, 5_000);
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
  await until(() => reflector.size === 2, 5_000);
  expect(new Set(told).size).toBe(told.length);
  expect(told.map(Number)).toEqual(told.map(Number).toSorted((a, b) => a - b));
  expect(events).toEqual([]);
});

test('a write whose answer comes after the deletion does not bring the object back', async () => {
  const namespace = await createNamespace(client);
  const { reflector, events } = await follow(namespace);
  await widgets.create(newWidget(namespace, 'a'));
  const written = await widgets.mergePatch('a', namespace, { spec: { size: 2 } });
  await widgets.delete('a', namespace);
  await until(() => events.at(-1) === 'deleted a 2', 5_000);
  expect(reflector.assume(written)).toBe(false);
  expect(reflector.size).toBe(0);
});

test('a killed apiserver: the watch is back within 5 s of its return, and tells only what changed', async () => {
  const namespace = await createNamespace(client);
  const { reflector, events, counts } = await follow(namespace);
  await widgets.create(newWidget(namespace, 'a'));
  await until(() => events.length === 1, 5_000);
  await controlPlane.killApiserver();
  await until(() => !reflector.isConnected(), 1_000);
  expect(reflector.get(namespace, 'a')).toBeDefined();
  await controlPlane.startApiserver();
  await until(() => reflector.isConnected(), 5_000);
  await widgets.create(newWidget(namespace, 'b'));
  await until(() => events.length === 2, 5_000);
  expect(events).toEqual(['added a 1', 'added b 1']);
  expect(counts.reconnects.length).toBeGreaterThan(0);
});

test('a frozen apiserver is noticed by its silence, and once it thaws nothing is read afresh', async () => {
  const namespace = await createNamespace(client);
  const { reflector, events, counts } = await follow(namespace, { timing: SHORT_SILENCE });
  onTestFinished(() => controlPlane.thawApiserver());
  controlPlane.freezeApiserver();
  // 2 s of silence and 1 s without an answer.
  await until(() => !reflector.isConnected(), 4_500);
  controlPlane.thawApiserver();
  await widgets.create(newWidget(namespace, 'a'));
  await until(() => events.length === 1, 8_000);
  expect(events).toEqual(['added a 1']);
  expect(counts.relists).toBe(1);
});

test('a half-open connection to a healthy apiserver is replaced, without reading afresh', async () => {
  const namespace = await createNamespace(client);
  const { events, counts, proxy } = await follow(namespace, { timing: SHORT_SILENCE });
  proxy.stallOpenConnections();
  await widgets.create(newWidget(namespace, 'a'));
  expect(events).toEqual([]);
  await until(() => events.length === 1, 8_000);
  expect(counts.relists).toBe(1);
});

test('a quiet watch costs one request per silence period, and bookmarks move it past the noise elsewhere', async () => {
  const namespace = await createNamespace(client);
  const opened: (string | undefined)[] = [];
  const { counts } = await follow(namespace, {
    timing: { silenceMs: 5_000 },
    resource: {
      ...widgets,
      watch: (options) => {
        opened.push(options.resourceVersion);
        return widgets.watch(options);
      },
    },
  });
  const elsewhere = await createNamespace(client);
  const { metadata } = await widgets.create(newWidget(elsewhere, 'noise'));
  let size = 1;
  const noise = setInterval(() => {
    size += 1;
    void widgets.mergePatch('noise', elsewhere, { spec: { size } });
  }, 200);
  onTestFinished(() => clearInterval(noise));
  // The first one is silent for 5 s, the second one ends after 5 s, having brought a bookmark.
  await until(() => opened.length === 3, 13_000);
  expect(Number(opened[2])).toBeGreaterThan(Number(metadata.resourceVersion));
  expect(counts).toEqual({ relists: 1, reconnects: [] });
});

test('a compacted history (410) is read afresh, and only what changed is told', async () => {
  const namespace = await createNamespace(client);
  for (const name of ['gone', 'changed', 'kept']) await widgets.create(newWidget(namespace, name));
  const { reflector, events, counts, proxy } = await follow(namespace);
  events.length = 0;
  proxy.cut();
  await until(() => !reflector.isConnected(), 2_000);
  await widgets.delete('gone', namespace);
  await widgets.mergePatch('changed', namespace, { spec: { size: 2 } });
  await widgets.create(newWidget(namespace, 'new'));
  await controlPlane.killApiserver();
  await controlPlane.compact();
  await controlPlane.startApiserver();
  proxy.restore();
  await until(() => events.length === 3, 8_000);
  expect(events).toEqual(['deleted gone 1', 'updated changed 2', 'added new 1']);
  expect(counts.relists).toBe(2);
  expect(counts.reconnects).toContain('410');
});
