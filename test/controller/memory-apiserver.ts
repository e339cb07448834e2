import { isDeepStrictEqual } from 'node:util';
import { apiVersion, group, plural } from '../../src/api/names.ts';
import { tenantStatus } from '../../src/api/status.ts';
import type { KubeClient, StreamOptions } from '../../src/kube/client/kube-client.ts';
import type { RequestOptions } from '../../src/kube/client/http-exchange.ts';
import { KubeApiError } from '../../src/kube/client/kube-api-error.ts';
import type { KubeObject } from '../../src/kube/client/kube-object.ts';
import type { ObjectStream } from '../../src/kube/client/object-stream.ts';
import type { WatchEvent } from '../../src/kube/client/resource.ts';
import { memoryStream } from './memory-stream.ts';
import type { MemoryStream } from './memory-stream.ts';

/**
 * A kube-apiserver in memory, at the level of KubeClient: what it stores, refuses and tells its watches. Generations,
 * resource versions, preconditions, the status subresource and finalizers are as on the real one.
 */
export interface MemoryApiserver {
  /** A client whose requests are recorded under this name. */
  clientOf(user: string): KubeClient;
  /** Every request so far, watches included. */
  readonly requests: readonly ApiRequest[];
  /** Asked before each request is carried out; what it rejects with is the answer. */
  intercept: (request: ApiRequest) => Promise<void> | void;
  /** Whether a Tenant whose status is not as the schema has it is refused, whatever a write to it is about. */
  checksStatus: boolean;
  /** Milliseconds by which the watches are behind the answers to writes. Default: 0. */
  watchDelayMs: number;
  /** Told of each change, once it is stored. */
  onCommit: (commit: Commit) => void;
  /** Stores a status that was written before the schema became what it is: nothing checks it. */
  putStatusUnchecked(namespace: string, name: string, status: unknown): void;
  /** Whether the CRD of Tenants is installed. */
  readonly hasCrd: boolean;
  /** As if it had gone with all that is stored, of which no watch tells any more. */
  removeCrd(): void;
  /** With no Tenant. */
  installCrd(): void;
  /** Ends all watches, as a restart does. */
  breakWatches(reason: Error): void;
}

export interface ApiRequest {
  readonly user: string;
  readonly method: RequestOptions['method'] | 'WATCH';
  readonly path: string;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: unknown;
  readonly accept: string;
}

/** One change of what is stored, by whom. What is stored is replaced and never changed: it may be kept as it is. */
export interface Commit {
  readonly user: string;
  readonly collection: string;
  readonly subresource: string | undefined;
  readonly before: Stored | undefined;
  /** Undefined: it was removed. */
  readonly after: Stored | undefined;
}

export interface Stored extends KubeObject {
  spec?: unknown;
  status?: unknown;
}

/** What a path names. */
interface Target {
  /** Who asks. */
  readonly user: string;
  readonly collection: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

interface Change {
  readonly collection: string;
  readonly version: number;
  readonly before: Stored | undefined;
  readonly after: Stored | undefined;
}

interface Watcher {
  readonly collection: string;
  readonly stream: MemoryStream<WatchEvent<Stored>>;
  tell(change: Change): void;
}

/** Only these have a generation and a status of its own; the others are Secrets, Events, Leases and namespaces. */
const customResources = new Set(['tenants']);

export function createMemoryApiserver(now: () => Date = () => new Date()): MemoryApiserver {
  const objects = new Map<string, Map<string, Stored>>();
  const history: Change[] = [];
  const requests: ApiRequest[] = [];
  const watchers = new Set<Watcher>();
  let version = 0;
  let uids = 0;
  let hasCrd = true;

  const collectionOf = (name: string): Map<string, Stored> => {
    const known = objects.get(name) ?? new Map<string, Stored>();
    objects.set(name, known);
    return known;
  };
  const timestamp = (): string => `${now().toISOString().slice(0, 19)}Z`;

  function commit(target: Target, after: Stored | undefined): Stored {
    const { user, collection, subresource, namespace, name = '' } = target;
    const stored = collectionOf(collection);
    const key = `${namespace ?? ''}/${name}`;
    const before = stored.get(key);
    version += 1;
    const last = after ?? copy(before as Stored);
    last.metadata.resourceVersion = String(version);
    if (after === undefined) stored.delete(key);
    else stored.set(key, after);
    const change = { collection, version, before, after };
    history.push(change);
    for (const watcher of watchers) watcher.tell(change);
    apiserver.onCommit({ user, collection, subresource, before, after });
    return copy(last);
  }

  function find(target: Target): Stored {
    const found = collectionOf(target.collection).get(`${target.namespace ?? ''}/${target.name ?? ''}`);
    if (found === undefined) throw refusal(404, 'NotFound', target);
    return found;
  }

  function create(target: Target, body: Stored): Stored {
    const { name } = body.metadata;
    const named = { ...target, name };
    if (collectionOf(target.collection).has(`${target.namespace ?? ''}/${name}`))
      throw refusal(409, 'AlreadyExists', named);
    const object = copy(body);
    uids += 1;
    Object.assign(object.metadata, { uid: `uid-${uids}`, creationTimestamp: timestamp() });
    if (customResources.has(target.collection)) {
      object.metadata.generation = 1;
      delete object.status;
    }
    return commit(named, object);
  }

  function change(target: Target, method: 'PATCH' | 'PUT', change: Partial<Stored>): Stored {
    const before = find(target);
    const { uid, resourceVersion }: Partial<Stored['metadata']> = change.metadata ?? {};
    if (resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion)
      throw refusal(409, 'Conflict', target);
    // Of a patch of the status, the rest of the metadata is not looked at.
    if (uid !== undefined && uid !== before.metadata.uid && target.subresource !== 'status')
      throw refusal(422, 'Invalid', target);
    return replace(target, before, (method === 'PUT' ? change : mergePatched(before, change)) as Stored);
  }

  function replace(target: Target, before: Stored, wanted: Stored): Stored {
    const separate = customResources.has(target.collection);
    const after = !separate
      ? { ...wanted, metadata: { ...wanted.metadata } }
      : target.subresource === 'status'
        ? withStatus(before, wanted.status)
        : withStatus(wanted, before.status);
    // The server's own.
    const { uid, creationTimestamp, deletionTimestamp, generation, resourceVersion } = before.metadata;
    Object.assign(after.metadata, { uid, creationTimestamp, resourceVersion });
    if (deletionTimestamp !== undefined) after.metadata.deletionTimestamp = deletionTimestamp;
    if (generation !== undefined) after.metadata.generation = generation;
    if (isDeepStrictEqual(before, after)) return copy(before);
    if (separate && apiserver.checksStatus && after.status !== undefined && !isStatus(after.status))
      throw refusal(422, 'Invalid', target);
    if (separate && !isDeepStrictEqual(before.spec, after.spec))
      after.metadata.generation = (generation ?? 0) + 1;
    const finalizers = after.metadata.finalizers ?? [];
    const added = finalizers.some((name) => before.metadata.finalizers?.includes(name) !== true);
    if (deletionTimestamp !== undefined && added) throw refusal(422, 'Invalid', target);
    return deletionTimestamp !== undefined && finalizers.length === 0
      ? commit(target, undefined)
      : commit(target, after);
  }

  function remove(target: Target): Stored {
    const before = find(target);
    if ((before.metadata.finalizers ?? []).length === 0) return commit(target, undefined);
    if (before.metadata.deletionTimestamp !== undefined) return copy(before);
    const after = copy(before);
    after.metadata.deletionTimestamp = timestamp();
    if (after.metadata.generation !== undefined) after.metadata.generation += 1;
    return commit(target, after);
  }

  function read(target: Target, request: ApiRequest): unknown {
    const shown = asAccepted(request);
    if (target.name !== undefined) return shown(find(target));
    const items = [...collectionOf(target.collection).values()].filter(selects(target, request)).map(shown);
    return { kind: 'List', metadata: { resourceVersion: String(version) }, items };
  }

  function carryOut(request: ApiRequest): unknown {
    const target = targetOf(request);
    switch (request.method) {
      case 'GET':
        return read(target, request);
      case 'POST':
        return create(target, request.body as Stored);
      case 'PATCH':
      case 'PUT':
        return change(target, request.method, request.body as Partial<Stored>);
      case 'DELETE':
        return remove(target);
      case 'WATCH':
        throw new Error('a watch is opened, not carried out');
      default:
        return request.method satisfies never;
    }
  }

  function watch(request: ApiRequest): MemoryStream<WatchEvent<Stored>> {
    const { query } = request;
    const target = targetOf(request);
    const matches = selects(target, request);
    const shown = asAccepted(request);
    const stream = memoryStream<WatchEvent<Stored>>(() => watchers.delete(watcher));
    const watcher: Watcher = {
      collection: target.collection,
      stream,
      tell({ collection, version: at, before, after }) {
        if (collection !== target.collection) return;
        const was = before !== undefined && matches(before);
        const is = after !== undefined && matches(after);
        const last = is ? after : before;
        if (last === undefined || (!was && !is)) return;
        const object = shown(last);
        object.metadata.resourceVersion = String(at);
        const event = { type: is ? (was ? 'MODIFIED' : 'ADDED') : 'DELETED', object } as const;
        if (apiserver.watchDelayMs === 0) stream.push(event);
        else setTimeout(() => stream.push(event), apiserver.watchDelayMs);
      },
    };
    watchers.add(watcher);
    if (query['sendInitialEvents'] === true) {
      for (const object of [...collectionOf(target.collection).values()].filter(matches))
        stream.push({ type: 'ADDED', object: shown(object) });
      const annotations = { 'k8s.io/initial-events-end': 'true' };
      const metadata = { resourceVersion: String(version), annotations } as unknown as Stored['metadata'];
      stream.push({ type: 'BOOKMARK', object: { metadata } });
    } else {
      const since = Number(query['resourceVersion'] ?? version);
      for (const change of history) if (change.version > since) watcher.tell(change);
    }
    return stream;
  }

  /** Rejects as a server that knows no such path. */
  function assertServed({ method, path }: ApiRequest): void {
    if (!path.startsWith(`/apis/${group}/`)) return;
    if (hasCrd && path.startsWith(`/apis/${apiVersion}/`)) return;
    throw new KubeApiError(`${method} ${path}`, 404, { message: '404 page not found' });
  }

  const apiserver: MemoryApiserver = {
    requests,
    get hasCrd() {
      return hasCrd;
    },
    removeCrd() {
      hasCrd = false;
      collectionOf(plural).clear();
      version += 1;
      for (const { collection, stream } of watchers)
        if (collection === plural) stream.abort(new Error('the CRD is gone'));
    },
    installCrd() {
      hasCrd = true;
      version += 1;
    },
    intercept: () => undefined,
    checksStatus: false,
    watchDelayMs: 0,
    onCommit: () => undefined,
    putStatusUnchecked(namespace, name, status) {
      const target = { user: 'user', collection: 'tenants', namespace, name, subresource: 'status' };
      commit(target, withStatus(find(target), copy(status)));
    },
    breakWatches(reason) {
      for (const { stream } of watchers) stream.abort(reason);
    },
    clientOf: (user) => ({
      async request<T>({ method, path, query = {}, body, accept = '', signal }: RequestOptions): Promise<T> {
        signal?.throwIfAborted();
        const request = { user, method, path, query, body: overTheWire(body), accept };
        requests.push(request);
        await apiserver.intercept(request);
        assertServed(request);
        return carryOut(request) as T;
      },
      async stream<T>({ path, query = {}, accept = '', signal }: StreamOptions): Promise<ObjectStream<T>> {
        signal?.throwIfAborted();
        const request = { user, method: 'WATCH', path, query, body: undefined, accept } as const;
        requests.push(request);
        await apiserver.intercept(request);
        assertServed(request);
        const stream = watch(request);
        signal?.addEventListener('abort', () => stream.abort(signal.reason as Error), { once: true });
        return stream as unknown as ObjectStream<T>;
      },
      close: async () => undefined,
    }),
  };
  return apiserver;
}

/** Stored ones that are as the schema has it: most writes leave them alone. */
const soundStatuses = new WeakSet<object>();

function isStatus(status: unknown): boolean {
  if (typeof status !== 'object' || status === null) return false;
  if (soundStatuses.has(status)) return true;
  const { success } = tenantStatus.safeParse(status);
  if (success) soundStatuses.add(status);
  return success;
}

function targetOf({ user, path }: ApiRequest): Target {
  const parts = path.split('/').filter(Boolean).map(decodeURIComponent);
  const rest = parts.slice(parts[0] === 'api' ? 2 : 3);
  const namespaced = rest[0] === 'namespaces' && rest.length > 2;
  const [collection = '', name, subresource] = namespaced ? rest.slice(2) : rest;
  return { user, collection, namespace: namespaced ? rest[1] : undefined, name, subresource };
}

function selects({ namespace }: Target, { query }: ApiRequest): (object: Stored) => boolean {
  const { labelSelector, fieldSelector } = query;
  const named =
    typeof fieldSelector === 'string' ? /^metadata\.name=(.+)$/.exec(fieldSelector)?.[1] : undefined;
  const wanted = typeof labelSelector === 'string' ? labelSelector.split(',') : [];
  return ({ metadata }) =>
    (namespace === undefined || metadata.namespace === namespace) &&
    (named === undefined || metadata.name === named) &&
    wanted.every((term) => {
      const [key = '', value] = term.split('=');
      return metadata.labels?.[key] === value;
    });
}

function refusal(status: number, reason: string, { collection, name }: Target): KubeApiError {
  return new KubeApiError(`${collection} ${name ?? ''}`, status, { reason, message: reason, code: status });
}

/** The whole object, or its metadata alone. */
function asAccepted({ accept }: ApiRequest): (object: Stored) => Stored {
  if (!accept.includes('PartialObjectMetadata')) return (object) => copy(object);
  const type = { apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadata' };
  return ({ metadata }) => copy({ ...type, metadata });
}

/** With metadata of its own, which is about to be changed; the rest is shared. */
function withStatus({ status: _status, ...rest }: Stored, status: unknown): Stored {
  const object = { ...rest, metadata: { ...rest.metadata } };
  return status === undefined ? object : { ...object, status };
}

/** What is stored is JSON: quicker than structuredClone, which looks for much more. */
function copy<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => copy(item)) as T;
  const copied: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) copied[key] = copy(member);
  return copied as T;
}

/** RFC 7386. What the patch leaves alone is shared with `target`. */
function mergePatched(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const base = typeof target === 'object' && target !== null && !Array.isArray(target) ? target : {};
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else if (value !== undefined) merged[key] = mergePatched(merged[key], value);
  }
  return merged;
}

/** As JSON leaves it: without undefined members, and shared with nobody. */
function overTheWire<T>(value: T): T {
  return value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T);
}
