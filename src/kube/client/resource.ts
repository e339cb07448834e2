import { isNotFound } from './kube-api-error.ts';
import type { KubeClient } from './kube-client.ts';
import type { KubeObject, NewObject } from './kube-object.ts';
import type { ObjectStream } from './object-stream.ts';
import { resourcePaths } from './resource-paths.ts';
import type { ResourcePaths, ResourceType } from './resource-paths.ts';

export interface Selection {
  /** All namespaces where absent. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface ListOptions extends Selection {
  /** Objects per page, 500 by default (client-go's); 0 asks for all at once. */
  readonly pageSize?: number;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: 'NotOlderThan' | 'Exact';
  readonly signal?: AbortSignal;
}

export interface ObjectList<T> {
  readonly items: T[];
  readonly resourceVersion: string;
}

export interface WatchOptions extends Selection {
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: 'NotOlderThan';
  readonly sendInitialEvents?: boolean;
  /** The server ends the watch after this long. */
  readonly timeoutSeconds: number;
  /** The server must have begun to answer within this. */
  readonly openTimeoutMs: number;
  /** There was nothing to tell lately. */
  readonly quiet?: boolean;
  readonly signal?: AbortSignal;
}

export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: T;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/** All reject as KubeClient.request does, and with that 404 of its, too, which says that the kind is not served (`isNotServed`). The namespace is left out for cluster-scoped resources. */
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
  readonly subresource?: 'status';
}

export interface DeleteOptions extends CallOptions {
  readonly preconditions?: { uid?: string; resourceVersion?: string };
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
}

/** client-go's. */
const defaultPageSize = 500;

interface Target {
  readonly client: KubeClient;
  readonly type: ResourceType;
  readonly paths: ResourcePaths;
}

export function resource<T extends KubeObject>(client: KubeClient, type: ResourceType): Resource<T> {
  const target = { client, type, paths: resourcePaths(type) };
  const id = type.group === '' ? type.plural : `${type.plural}.${type.group}`;
  return { id, ...reads<T>(target), ...writes<T>(target) };
}

type Reads<T extends KubeObject> = Pick<Resource<T>, 'get' | 'list' | 'pages' | 'watch'>;

function reads<T extends KubeObject>(target: Target): Reads<T> {
  const { client, type, paths } = target;
  const accept = acceptOne(type);
  return {
    pages: (options) => readPages<T>(target, options),
    async get(name, namespace, options) {
      const path = paths.object(name, namespace);
      try {
        return await client.request<T>({ method: 'GET', path, accept, ...options });
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    async list(options) {
      const all: { items: T[]; resourceVersion: string } = { items: [], resourceVersion: '' };
      for await (const { items, resourceVersion } of readPages<T>(target, options)) {
        for (const item of items) all.items.push(item);
        all.resourceVersion = resourceVersion;
      }
      return all;
    },
    watch({ namespace, openTimeoutMs, quiet = false, signal, ...query }) {
      return client.stream<WatchEvent<T>>({
        path: paths.collection(namespace),
        query: { ...query, watch: true, allowWatchBookmarks: true },
        accept,
        timeoutMs: openTimeoutMs,
        ...(quiet && { quiet }),
        ...(signal && { signal }),
      });
    },
  };
}

async function* readPages<T extends KubeObject>(
  { client, type, paths }: Target,
  options: ListOptions = {},
): AsyncGenerator<ObjectList<T>, void, void> {
  const { namespace, pageSize = defaultPageSize, signal, ...selection } = options;
  let next: string | undefined;
  do {
    // The first page fixes the version that the others continue.
    const query =
      next === undefined
        ? { ...selection, limit: pageSize }
        : { ...selection, ...continued, limit: pageSize, continue: next };
    const page = await client.request<RawList<T>>({
      method: 'GET',
      path: paths.collection(namespace),
      query,
      accept: acceptHeader(type, 'PartialObjectMetadataList'),
      ...(signal && { signal }),
    });
    yield { items: withType(page), resourceVersion: page.metadata.resourceVersion };
    next = page.metadata.continue || undefined;
  } while (next !== undefined);
}

type Writes<T extends KubeObject> = Pick<Resource<T>, 'create' | 'replace' | 'mergePatch' | 'delete'>;

function writes<T extends KubeObject>({ client, type, paths }: Target): Writes<T> {
  return {
    create(object, options) {
      const { name, namespace } = object.metadata;
      if (type.namespaced && !namespace) throw new TypeError(`${type.plural} ${name}: a namespace is needed`);
      return client.request<T>({
        method: 'POST',
        path: paths.collection(namespace),
        body: object,
        ...options,
      });
    },
    replace(object, options) {
      const { name, namespace } = object.metadata;
      const path = paths.object(name, namespace);
      return client.request<T>({ method: 'PUT', path, body: object, ...options });
    },
    mergePatch(name, namespace, patch, { subresource, ...options } = {}) {
      const path = paths.object(name, namespace);
      return client.request<T>({
        method: 'PATCH',
        path: subresource ? `${path}/${subresource}` : path,
        body: patch,
        contentType: 'application/merge-patch+json',
        accept: acceptOne(type),
        ...options,
      });
    },
    async delete(name, namespace, { preconditions, propagationPolicy, ...options } = {}) {
      const path = paths.object(name, namespace);
      const body = { kind: 'DeleteOptions', apiVersion: 'v1', preconditions, propagationPolicy };
      try {
        await client.request({ method: 'DELETE', path, body, ...options });
        return true;
      } catch (error) {
        if (isNotFound(error)) return false;
        throw error;
      }
    },
  };
}

interface RawList<T> {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: T[] | null;
}

/** A continue token carries the version; the apiserver refuses both together. */
const continued = { resourceVersion: undefined, resourceVersionMatch: undefined };

// Listed objects come without type, watched ones with it: a cache must not depend on which of the two it was.
function withType<T extends KubeObject>({ apiVersion, kind, items }: RawList<T>): T[] {
  const itemKind = kind?.replace(/List$/, '');
  for (const item of items ?? []) {
    if (apiVersion && itemKind)
      Object.assign(item, { apiVersion: item.apiVersion ?? apiVersion, kind: item.kind ?? itemKind });
  }
  return items ?? [];
}

function acceptOne(type: ResourceType): string {
  return acceptHeader(type, 'PartialObjectMetadata');
}

function acceptHeader(type: ResourceType, as: string): string {
  return type.metadataOnly ? `application/json;as=${as};g=meta.k8s.io;v=v1` : 'application/json';
}
