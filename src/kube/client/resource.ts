import { isNotFound } from './kube-api-error.ts';
import type { KubeClient } from './kube-client.ts';
import type { KubeObject, NewObject } from './kube-object.ts';
import type { ObjectStream } from './object-stream.ts';

export interface ResourceType {
  /** Empty for the core group. */
  group: string;
  version: string;
  plural: string;
  namespaced: boolean;
  /** Reads return the metadata alone (`PartialObjectMetadata`): a fraction of the bytes and of the memory. */
  metadataOnly?: boolean;
}

export interface Selection {
  /** All namespaces where absent. */
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
}

export interface ListOptions extends Selection {
  /** Objects per page, 500 by default (client-go's); 0 asks for all at once. */
  pageSize?: number;
  resourceVersion?: string;
  resourceVersionMatch?: 'NotOlderThan' | 'Exact';
  signal?: AbortSignal;
}

export interface ObjectList<T> {
  items: T[];
  resourceVersion: string;
}

export interface WatchOptions extends Selection {
  resourceVersion?: string;
  resourceVersionMatch?: 'NotOlderThan';
  sendInitialEvents?: boolean;
  /** The server ends the watch after this long. */
  timeoutSeconds: number;
  /** The server must have begun to answer within this. */
  openTimeoutMs: number;
  signal?: AbortSignal;
}

export interface WatchEvent<T> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: T;
}

export interface CallOptions {
  signal?: AbortSignal;
  timeoutMs?: number;
}

/** All reject as KubeClient.request does. The namespace is left out for cluster-scoped resources. */
export interface Resource<T extends KubeObject> {
  /** `deployments.apps`, for messages and metrics. */
  readonly id: string;
  /** Undefined where there is no such object. */
  get(name: string, namespace?: string, options?: CallOptions): Promise<T | undefined>;
  list(options?: ListOptions): Promise<ObjectList<T>>;
  /** Page by page, so that a big list needn't be in memory at once. Rejects with 410 where it takes too long. */
  pages(options?: ListOptions): AsyncGenerator<ObjectList<T>, void, void>;
  watch(options: WatchOptions): Promise<ObjectStream<WatchEvent<T>>>;
  create(object: NewObject<T>, options?: CallOptions): Promise<T>;
  /** PUT; 409 unless the resource version in `object` is still the newest. */
  replace(object: T, options?: CallOptions): Promise<T>;
  mergePatch(name: string, namespace: string | undefined, patch: unknown, options?: PatchOptions): Promise<T>;
  /** False where there was nothing to delete. */
  delete(name: string, namespace?: string, options?: DeleteOptions): Promise<boolean>;
}

export interface PatchOptions extends CallOptions {
  subresource?: 'status';
}

export interface DeleteOptions extends CallOptions {
  preconditions?: { uid?: string; resourceVersion?: string };
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
}

const DEFAULT_PAGE_SIZE = 500;

export function resource<T extends KubeObject>(client: KubeClient, type: ResourceType): Resource<T> {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  const accept = {
    one: acceptHeader(type, 'PartialObjectMetadata'),
    list: acceptHeader(type, 'PartialObjectMetadataList'),
  };

  function collection(namespace: string | undefined): string {
    if (!namespace) return `${root}/${type.plural}`;
    return `${root}/namespaces/${encodeURIComponent(namespace)}/${type.plural}`;
  }

  function path(name: string, namespace: string | undefined): string {
    if (type.namespaced && !namespace) throw new TypeError(`${type.plural} ${name}: a namespace is needed`);
    // An empty name would make the path that of the whole collection.
    if (!name) throw new TypeError(`${type.plural}: a name is needed`);
    return `${collection(namespace)}/${encodeURIComponent(name)}`;
  }

  async function* pages(options: ListOptions = {}): AsyncGenerator<ObjectList<T>, void, void> {
    const { namespace, pageSize = DEFAULT_PAGE_SIZE, signal, ...selection } = options;
    let next: string | undefined;
    do {
      // The first page fixes the version that the others continue.
      const query =
        next === undefined
          ? { ...selection, limit: pageSize }
          : { ...selection, ...CONTINUED, limit: pageSize, continue: next };
      const page = await client.request<RawList<T>>({
        method: 'GET',
        path: collection(namespace),
        query,
        accept: accept.list,
        ...(signal && { signal }),
      });
      yield { items: withType(page), resourceVersion: page.metadata.resourceVersion };
      next = page.metadata.continue || undefined;
    } while (next !== undefined);
  }

  return {
    id: type.group === '' ? type.plural : `${type.plural}.${type.group}`,
    pages,
    async get(name, namespace, options) {
      try {
        return await client.request<T>({
          method: 'GET',
          path: path(name, namespace),
          accept: accept.one,
          ...options,
        });
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    async list(options) {
      const all: ObjectList<T> = { items: [], resourceVersion: '' };
      for await (const { items, resourceVersion } of pages(options)) {
        for (const item of items) all.items.push(item);
        all.resourceVersion = resourceVersion;
      }
      return all;
    },
    watch({ namespace, openTimeoutMs, signal, ...query }) {
      return client.stream<WatchEvent<T>>({
        path: collection(namespace),
        query: { ...query, watch: true, allowWatchBookmarks: true },
        accept: accept.one,
        timeoutMs: openTimeoutMs,
        ...(signal && { signal }),
      });
    },
    create(object, options) {
      const { namespace } = object.metadata;
      if (type.namespaced && !namespace)
        throw new TypeError(`${type.plural} ${object.metadata.name}: a namespace is needed`);
      return client.request<T>({ method: 'POST', path: collection(namespace), body: object, ...options });
    },
    replace(object, options) {
      const { name, namespace } = object.metadata;
      return client.request<T>({ method: 'PUT', path: path(name, namespace), body: object, ...options });
    },
    mergePatch(name, namespace, patch, { subresource, ...options } = {}) {
      return client.request<T>({
        method: 'PATCH',
        path: subresource ? `${path(name, namespace)}/${subresource}` : path(name, namespace),
        body: patch,
        contentType: 'application/merge-patch+json',
        accept: accept.one,
        ...options,
      });
    },
    async delete(name, namespace, { preconditions, propagationPolicy, ...options } = {}) {
      const body = { kind: 'DeleteOptions', apiVersion: 'v1', preconditions, propagationPolicy };
      try {
        await client.request({ method: 'DELETE', path: path(name, namespace), body, ...options });
        return true;
      } catch (error) {
        if (isNotFound(error)) return false;
        throw error;
      }
    },
  };
}

interface RawList<T> {
  apiVersion?: string;
  kind?: string;
  metadata: { resourceVersion: string; continue?: string };
  items: T[] | null;
}

/** A continue token carries the version; the apiserver refuses both together. */
const CONTINUED = { resourceVersion: undefined, resourceVersionMatch: undefined };

// Listed objects come without type, watched ones with it: a cache must not depend on which of the two it was.
function withType<T extends KubeObject>({ apiVersion, kind, items }: RawList<T>): T[] {
  const itemKind = kind?.replace(/List$/, '');
  for (const item of items ?? []) {
    if (apiVersion && itemKind)
      Object.assign(item, { apiVersion: item.apiVersion ?? apiVersion, kind: item.kind ?? itemKind });
  }
  return items ?? [];
}

function acceptHeader(type: ResourceType, as: string): string {
  return type.metadataOnly ? `application/json;as=${as};g=meta.k8s.io;v=v1` : 'application/json';
}
