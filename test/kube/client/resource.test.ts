import { describe, expect, test } from 'vitest';
import { KubeApiError } from '../../../src/kube/client/kube-api-error.ts';
import type { KubeClient, StreamOptions } from '../../../src/kube/client/kube-client.ts';
import type { RequestOptions } from '../../../src/kube/client/http-exchange.ts';
import type { KubeObject } from '../../../src/kube/client/kube-object.ts';
import type { ResourceType } from '../../../src/kube/client/resource-paths.ts';
import { resource } from '../../../src/kube/client/resource.ts';
import type { ObjectList } from '../../../src/kube/client/resource.ts';

const tenantsResource: ResourceType = {
  group: 'landlord.dev',
  version: 'v1',
  plural: 'tenants',
  namespaced: true,
};
const nodesResource: ResourceType = { group: '', version: 'v1', plural: 'nodes', namespaced: false };
const refused = (status: number) => new KubeApiError('x', status, { reason: 'SomeReason' });

/** A client that plays the answers in order and keeps what it was asked. */
function scripted(type: ResourceType, answers: unknown[] = []) {
  const sent: RequestOptions[] = [];
  const streams: StreamOptions[] = [];
  const client = {
    request: async (options: RequestOptions) => {
      const answer = answers[sent.length];
      sent.push(options);
      await Promise.resolve();
      if (answer instanceof Error) throw answer;
      return answer;
    },
    stream: (options: StreamOptions) => {
      streams.push(options);
      return Promise.resolve('a stream');
    },
  } as unknown as KubeClient;
  return { api: resource<KubeObject>(client, type), sent, streams };
}

const named = (name: string, namespace?: string) =>
  ({ metadata: { name, ...(namespace && { namespace }) } }) as KubeObject;
const page = (names: string[], next?: string) => ({
  apiVersion: 'landlord.dev/v1',
  kind: 'TenantList',
  metadata: { resourceVersion: '7', ...(next !== undefined && { continue: next }) },
  items: names.map((name) => named(name, 'a')),
});

test('a resource is called by its plural and group, one of the core group by its plural', () => {
  expect(scripted(tenantsResource).api.id).toBe('tenants.landlord.dev');
  expect(scripted(nodesResource).api.id).toBe('nodes');
});

describe('paths', () => {
  test('have group, namespace and name, with every sign that would be taken for something else escaped', async () => {
    const { api, sent } = scripted(tenantsResource);
    await api.get('x/y', 'a b');
    expect(sent[0]).toEqual({
      method: 'GET',
      path: '/apis/landlord.dev/v1/namespaces/a%20b/tenants/x%2Fy',
      accept: 'application/json',
    });
  });

  test('of the core group begin with /api, those of a cluster-scoped resource name no namespace', async () => {
    const { api, sent } = scripted(nodesResource, [undefined, page([])]);
    await api.get('n1');
    await api.list();
    expect(sent.map(({ path }) => path)).toEqual(['/api/v1/nodes/n1', '/api/v1/nodes']);
  });

  test('without a name or a namespace are refused: they would be those of many objects', async () => {
    const { api, sent } = scripted(tenantsResource);
    await expect(api.get('x')).rejects.toThrow('tenants x: a namespace is needed');
    await expect(api.delete('', 'a')).rejects.toThrow('tenants: a name is needed');
    expect(() => api.create({ metadata: { name: 'x' } })).toThrow('tenants x: a namespace is needed');
    await expect(scripted(nodesResource).api.delete('')).rejects.toThrow('nodes: a name is needed');
    expect(sent).toEqual([]);
  });

  test('of all namespaces at once are fine for a list', async () => {
    const { api, sent } = scripted(tenantsResource, [page([])]);
    await api.list();
    expect(sent[0]?.path).toBe('/apis/landlord.dev/v1/tenants');
  });
});

describe('a list', () => {
  test('goes on page by page until there is no more; the first page fixes the version', async () => {
    const { api, sent } = scripted(tenantsResource, [page(['x', 'y'], 'more'), page(['z'], '')]);
    const { signal } = new AbortController();
    const { items, resourceVersion } = await api.list({
      namespace: 'a',
      labelSelector: 'l',
      resourceVersion: '5',
      resourceVersionMatch: 'Exact',
      signal,
    });
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['x', 'y', 'z']);
    expect(resourceVersion).toBe('7');
    expect(sent.map(({ query }) => query)).toEqual([
      { labelSelector: 'l', resourceVersion: '5', resourceVersionMatch: 'Exact', limit: 500 },
      {
        labelSelector: 'l',
        resourceVersion: undefined,
        resourceVersionMatch: undefined,
        limit: 500,
        continue: 'more',
      },
    ]);
    expect(sent.every((options) => options.signal === signal)).toBe(true);
  });

  test('asks for pages of the size that is wanted', async () => {
    const { api, sent } = scripted(tenantsResource, [page([])]);
    await api.list({ pageSize: 2 });
    expect(sent[0]?.query).toEqual({ limit: 2 });
  });

  test('gives its objects the type that the apiserver leaves out, and leaves one that is there', async () => {
    const { items, ...list } = page(['x', 'y']);
    Object.assign(items[1] ?? {}, { apiVersion: 'own/v2', kind: 'Own' });
    const { api } = scripted(tenantsResource, [{ ...list, items }]);
    const listed = await api.list();
    expect(listed.items.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`)).toEqual([
      'landlord.dev/v1 Tenant',
      'own/v2 Own',
    ]);
  });

  test.each([
    ['no kind', { kind: undefined }],
    ['no version', { apiVersion: undefined }],
  ])('that has %s itself gives its objects none', async (_what, missing) => {
    const { api } = scripted(tenantsResource, [{ ...page(['x']), ...missing }]);
    expect((await api.list()).items).toEqual([named('x', 'a')]);
  });

  test('that has no items, as Go writes an empty one, is empty', async () => {
    const { api } = scripted(tenantsResource, [{ ...page([]), items: null }]);
    expect(await api.list()).toEqual({ items: [], resourceVersion: '7' } satisfies ObjectList<KubeObject>);
  });
});

describe('a watch', () => {
  test('asks for bookmarks, and gives the server its time to begin to answer', async () => {
    const { api, streams } = scripted(tenantsResource);
    const { signal } = new AbortController();
    await api.watch({
      namespace: 'a',
      resourceVersion: '5',
      timeoutSeconds: 300,
      openTimeoutMs: 3_000,
      signal,
    });
    await api.watch({ timeoutSeconds: 300, openTimeoutMs: 3_000 });
    expect(streams).toEqual([
      {
        path: '/apis/landlord.dev/v1/namespaces/a/tenants',
        query: { resourceVersion: '5', timeoutSeconds: 300, watch: true, allowWatchBookmarks: true },
        accept: 'application/json',
        timeoutMs: 3_000,
        signal,
      },
      {
        path: '/apis/landlord.dev/v1/tenants',
        query: { timeoutSeconds: 300, watch: true, allowWatchBookmarks: true },
        accept: 'application/json',
        timeoutMs: 3_000,
      },
    ]);
  });
});

describe('what is not there', () => {
  test('is undefined for a read and false for a deletion; every other refusal rejects', async () => {
    const { api } = scripted(tenantsResource, [refused(404), refused(404), refused(403), refused(409), {}]);
    expect(await api.get('x', 'a')).toBeUndefined();
    expect(await api.delete('x', 'a')).toBe(false);
    await expect(api.get('x', 'a')).rejects.toMatchObject({ status: 403 });
    await expect(api.delete('x', 'a')).rejects.toMatchObject({ status: 409 });
    expect(await api.delete('x', 'a')).toBe(true);
  });

  test('is not told from what is not served: there, nobody knows', async () => {
    const unserved = new KubeApiError('x', 404, { message: '404 page not found' });
    const { api } = scripted(tenantsResource, [unserved, unserved]);
    await expect(api.get('x', 'a')).rejects.toBe(unserved);
    await expect(api.delete('x', 'a')).rejects.toBe(unserved);
  });

  test('can not be patched', async () => {
    const { api } = scripted(tenantsResource, [refused(404)]);
    await expect(api.mergePatch('x', 'a', {})).rejects.toMatchObject({ status: 404 });
  });
});

describe('writes', () => {
  test('go where the object is, with the options of the call', async () => {
    const { api, sent } = scripted(tenantsResource);
    const call = { timeoutMs: 1_000 };
    const object = named('x', 'a');
    await api.create(object, call);
    await api.replace(object, call);
    await api.mergePatch('x', 'a', { spec: {} }, call);
    await api.mergePatch('x', 'a', { status: {} }, { subresource: 'status', ...call });
    const at = '/apis/landlord.dev/v1/namespaces/a/tenants';
    const patch = {
      method: 'PATCH',
      contentType: 'application/merge-patch+json',
      accept: 'application/json',
      ...call,
    };
    expect(sent).toEqual([
      { method: 'POST', path: at, body: object, ...call },
      { method: 'PUT', path: `${at}/x`, body: object, ...call },
      { ...patch, path: `${at}/x`, body: { spec: {} } },
      { ...patch, path: `${at}/x/status`, body: { status: {} } },
    ]);
  });

  test('of a cluster-scoped resource need no namespace', async () => {
    const { api, sent } = scripted(nodesResource);
    await api.create({ metadata: { name: 'n1' } });
    expect(sent[0]?.path).toBe('/api/v1/nodes');
  });

  test('that delete say under which conditions, and what becomes of the dependents', async () => {
    const { api, sent } = scripted(tenantsResource);
    const options = { preconditions: { uid: 'u' }, propagationPolicy: 'Background' } as const;
    await api.delete('x', 'a', { ...options, timeoutMs: 1_000 });
    expect(sent[0]).toEqual({
      method: 'DELETE',
      path: '/apis/landlord.dev/v1/namespaces/a/tenants/x',
      body: { kind: 'DeleteOptions', apiVersion: 'v1', ...options },
      timeoutMs: 1_000,
    });
  });
});

test('reads of metadata alone ask for it, each in its own form', async () => {
  const { api, sent, streams } = scripted({ ...tenantsResource, metadataOnly: true }, [undefined, page([])]);
  const as = (kind: string) => `application/json;as=${kind};g=meta.k8s.io;v=v1`;
  await api.get('x', 'a');
  await api.list();
  await api.watch({ timeoutSeconds: 1, openTimeoutMs: 1 });
  expect(sent.map(({ accept }) => accept)).toEqual([
    as('PartialObjectMetadata'),
    as('PartialObjectMetadataList'),
  ]);
  expect(streams[0]?.accept).toBe(as('PartialObjectMetadata'));
});
