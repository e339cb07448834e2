import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createKubeClient } from '../../../src/kube/client/kube-client.ts';
import type { KubeClient } from '../../../src/kube/client/kube-client.ts';
import { loadKubeConfig } from '../../../src/kube/client/load-kube-config.ts';
import { resource } from '../../../src/kube/client/resource.ts';
import type { Resource } from '../../../src/kube/client/resource.ts';
import { recordingLogger } from '../recording-logger.ts';
import { createNamespace, defineWidgets, newWidget } from '../widgets.ts';
import type { Widget } from '../widgets.ts';

let client: KubeClient;
let widgets: Resource<Widget>;
let namespace: string;

beforeAll(async () => {
  client = createKubeClient({
    userAgent: 'test',
    kubeConfig: loadKubeConfig(inject('kubeconfigPath')),
    logger: recordingLogger().logger,
  });
  widgets = await defineWidgets(client);
  namespace = await createNamespace(client);
});

afterAll(() => client?.close());

test('an object is created, read, patched, replaced and deleted', async () => {
  const created = await widgets.create(newWidget(namespace, 'a'));
  expect(created.metadata.generation).toBe(1);
  const patched = await widgets.mergePatch(
    'a',
    namespace,
    { status: { phase: 'Ready' } },
    { subresource: 'status' },
  );
  expect(patched).toMatchObject({ status: { phase: 'Ready' }, metadata: { generation: 1 } });
  const replaced = await widgets.replace({ ...patched, spec: { size: 3 } });
  expect(replaced).toMatchObject({ spec: { size: 3 }, metadata: { generation: 2 } });
  expect(await widgets.get('a', namespace)).toEqual(replaced);
  expect(await widgets.delete('a', namespace)).toBe(true);
});

test('what is not there is a value, not an error', async () => {
  expect(await widgets.get('nobody', namespace)).toBeUndefined();
  expect(await widgets.delete('nobody', namespace)).toBe(false);
});

test('an old version, a taken name and the wrong UID are conflicts', async () => {
  const created = await widgets.create(newWidget(namespace, 'b'));
  await widgets.mergePatch('b', namespace, { spec: { size: 2 } });
  await expect(widgets.replace(created)).rejects.toMatchObject({ status: 409, reason: 'Conflict' });
  await expect(widgets.create(newWidget(namespace, 'b'))).rejects.toMatchObject({
    status: 409,
    reason: 'AlreadyExists',
  });
  const wrong = widgets.delete('b', namespace, { preconditions: { uid: 'another' } });
  await expect(wrong).rejects.toMatchObject({ status: 409 });
});

test('a list is whole however it is cut into pages, and its objects know their kind', async () => {
  const own = await createNamespace(client);
  for (let index = 0; index < 5; index += 1) await widgets.create(newWidget(own, `w${index}`));
  const pages: number[] = [];
  for await (const { items } of widgets.pages({ namespace: own, pageSize: 2 })) pages.push(items.length);
  expect(pages).toEqual([2, 2, 1]);
  const { items, resourceVersion } = await widgets.list({ namespace: own, pageSize: 2 });
  expect(items.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual(
    [0, 1, 2, 3, 4].map((n) => `Widget w${n}`),
  );
  expect(Number(resourceVersion)).toBeGreaterThan(0);
});

test('metadata alone is read where that is asked for', async () => {
  await widgets.create({ ...newWidget(namespace, 'secret'), spec: { size: 42 } });
  const slim = resource<Widget>(client, {
    group: 'kube.landlord.test',
    version: 'v1',
    plural: 'widgets',
    namespaced: true,
    metadataOnly: true,
  });
  const { items } = await slim.list({ namespace });
  const watch = await slim.watch({
    namespace,
    timeoutSeconds: 5,
    openTimeoutMs: 5_000,
    resourceVersion: '0',
  });
  let watched: Widget | undefined;
  for await (const { object } of watch) {
    watched = object;
    break;
  }
  for (const object of [items[0], watched, await slim.get('secret', namespace)]) {
    expect(object?.kind).toBe('PartialObjectMetadata');
    expect(object?.metadata.uid).toBeTypeOf('string');
    expect(object).not.toHaveProperty('spec');
  }
});
