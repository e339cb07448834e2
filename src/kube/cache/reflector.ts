import type { Logger } from 'pino';
import { sleep } from '../../async/sleep.ts';
import { KubeApiError, isApiError, type KubeStatus } from '../client/kube-api-error.ts';
import { keyOf, objectKey, type KubeObject } from '../client/kube-object.ts';
import { createObjectCache, type CacheEvent } from './object-cache.ts';
import type { Resource, Selection, WatchEvent, WatchOptions } from '../client/resource.ts';
import { guardAgainstSilence } from './silence-guard.ts';
import { createWatchRecovery, type RecoveryTiming } from './watch-recovery.ts';

export interface ReflectorTiming extends RecoveryTiming {
  /** A watch without a byte for this long is opened again from where it stood. */
  silenceMs: number;
  /** The server must begin to answer such a watch within this, or counts as gone. Grows with each failure. */
  openTimeoutMs: number;
}

/** 10 s + 3 s: a frozen apiserver or a half-open connection is noticed within 13 s (client-go: 43 s). */
const DEFAULT_TIMING: ReflectorTiming = {
  silenceMs: 10_000,
  openTimeoutMs: 3_000,
  errorBackoff: { baseMs: 500, capMs: 30_000 },
  unreachableBackoff: { baseMs: 500, capMs: 2_000 },
  random: Math.random,
};

export interface ReflectorMetrics {
  /** Everything was read afresh. */
  onRelist?(resource: string): void;
  /** The watch broke (`unreachable`, an HTTP status) and is opened again. Clean ends don't count. */
  onReconnect?(resource: string, reason: string): void;
  /** An event arrived, own writes' echoes included. */
  onEvent?(resource: string): void;
}

export interface ReflectorOptions<T extends KubeObject> extends Selection {
  resource: Resource<T>;
  logger: Logger;
  /** What the cache keeps of an object. Metadata but managedFields, labels and annotations must stay. */
  transform?: (object: T) => T;
  /** Called in order, after the cache has changed. May throw: that is logged and harms nothing. */
  onEvent?: (event: CacheEvent<T>) => void;
  metrics?: ReflectorMetrics;
  timing?: Partial<ReflectorTiming>;
  /** False reads the first state by a paged LIST, which the server compresses: for slow links. */
  watchList?: boolean;
}

/** A local copy of the selected objects that follows the apiserver and survives whatever happens to it. */
export interface Reflector<T extends KubeObject> {
  /** Follows until `signal` aborts. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
  hasSynced(): boolean;
  /** Resolves when the first whole state is in the cache; never, where `run` is stopped before. */
  readonly synced: Promise<void>;
  /** Whether a watch is open, as far as anybody can know. */
  isConnected(): boolean;
  get(namespace: string | undefined, name: string): T | undefined;
  values(): Iterable<T>;
  readonly size: number;
  /**
   * Puts the answer of an own write into the cache, so that the next pass sees it; its echo causes no event. False
   * where the cache knows better: it has a newer version, or the object was deleted in the meantime.
   */
  assume(object: T): boolean;
}

export function createReflector<T extends KubeObject>(options: ReflectorOptions<T>): Reflector<T> {
  const {
    resource,
    namespace,
    labelSelector,
    fieldSelector,
    metrics,
    transform = (object: T) => object,
  } = options;
  const timing = { ...DEFAULT_TIMING, ...options.timing };
  const logger = options.logger.child({ resource: resource.id, ...(namespace && { namespace }) });
  const selection: Selection = {
    ...(namespace && { namespace }),
    ...(labelSelector && { labelSelector }),
    ...(fieldSelector && { fieldSelector }),
  };
  const cache = createObjectCache<T>();
  const { promise: synced, resolve: resolveSynced } = Promise.withResolvers<void>();
  let hasSynced = false;
  let connected = false;
  let watchList = options.watchList ?? true;
  /** Where the watch stands; undefined asks for the whole state. */
  let version: string | undefined;
  /** The initial events of a WatchList, until the bookmark that ends them. */
  let snapshot: Map<string, T> | undefined;
  let quiet = false;
  const recovery = createWatchRecovery(timing);

  function emit(events: CacheEvent<T>[]): void {
    for (const event of events) {
      try {
        options.onEvent?.(event);
      } catch (error) {
        logger.error({ err: error, object: keyOf(event.object) }, 'an event handler failed');
      }
    }
  }

  function replaceCache(objects: Map<string, T>, resourceVersion: string): void {
    version = resourceVersion;
    const events = cache.replace(objects, resourceVersion);
    metrics?.onRelist?.(resource.id);
    logger.debug({ objects: objects.size, changed: events.length, resourceVersion }, 'state read');
    emit(events);
    hasSynced = true;
    resolveSynced();
  }

  async function readPaged(signal: AbortSignal): Promise<void> {
    const objects = new Map<string, T>();
    let resourceVersion = '';
    cache.beginReplace();
    for await (const page of resource.pages({ ...selection, signal })) {
      for (const item of page.items) keep(objects, item);
      ({ resourceVersion } = page);
    }
    replaceCache(objects, resourceVersion);
  }

  /** Keeps the object that is cached already where it is the same version: no second copy in memory. */
  function keep(objects: Map<string, T>, item: T): void {
    const key = keyOf(item);
    const known = cache.get(key);
    const same =
      known?.metadata.uid === item.metadata.uid &&
      known.metadata.resourceVersion === item.metadata.resourceVersion;
    objects.set(key, same ? known : transform(item));
  }

  function watchOptions(signal: AbortSignal): WatchOptions {
    const { silenceMs, openTimeoutMs, random } = timing;
    const patience = Math.min(10, recovery.failures + 1);
    if (version === undefined) {
      const initial = {
        resourceVersionMatch: 'NotOlderThan',
        sendInitialEvents: true,
        timeoutSeconds: longWatchSeconds(random),
      } as const;
      return { ...selection, ...initial, openTimeoutMs: openTimeoutMs * 10, signal };
    }
    // A quiet one is asked to end soon: 2 s before it does, the server sends a bookmark, which is a sign of life
    // and moves our version on. Breaking long ones off instead would never let a bookmark come.
    const timeoutSeconds = quiet ? Math.max(1, Math.round(silenceMs / 1000)) : longWatchSeconds(random);
    return {
      ...selection,
      resourceVersion: version,
      timeoutSeconds,
      openTimeoutMs: openTimeoutMs * patience,
      signal,
    };
  }

  function silenceLimitMs(watch: WatchOptions): number {
    // A big state takes the server a while to begin with.
    if (snapshot) return timing.silenceMs * 3;
    return quiet ? watch.timeoutSeconds * 1000 + timing.openTimeoutMs : timing.silenceMs;
  }

  async function follow(signal: AbortSignal): Promise<void> {
    const watch = watchOptions(signal);
    const stream = await resource.watch(watch);
    connected = true;
    snapshot = watch.sendInitialEvents ? new Map() : undefined;
    if (snapshot) cache.beginReplace();
    const guard = guardAgainstSilence(stream, () => silenceLimitMs(watch));
    const openedAtMs = performance.now();
    let changes = 0;
    let received = 0;
    try {
      for await (const event of stream) {
        received += 1;
        if (event.type !== 'BOOKMARK') changes += 1;
        apply(event);
        // Part of an initial state is no success: it may break off there each time.
        if (!snapshot) recovery.works();
      }
      if (snapshot) throw new Error('the watch ended before the initial state was complete');
      const livedMs = performance.now() - openedAtMs;
      if (received === 0 && livedMs < Math.min(1_000, watch.timeoutSeconds * 500))
        throw new Error('the watch ended at once');
      recovery.works();
      if (changes > 0) quiet = false;
    } catch (error) {
      if (!guard.wasSilent()) throw error;
      logger.debug({ limitMs: silenceLimitMs(watch) }, 'silent watch, opening it again');
      quiet = true;
    } finally {
      guard.stop();
      snapshot = undefined;
    }
  }

  function apply({ type, object }: WatchEvent<T>): void {
    if (type === 'ERROR') throw watchError(resource.id, object);
    if (type === 'BOOKMARK') {
      const { resourceVersion, annotations } = object.metadata;
      if (snapshot && annotations?.['k8s.io/initial-events-end'] === 'true') {
        const complete = snapshot;
        snapshot = undefined;
        replaceCache(complete, resourceVersion);
      } else if (!snapshot) version = resourceVersion;
      return;
    }
    metrics?.onEvent?.(resource.id);
    if (snapshot) {
      if (type === 'DELETED') snapshot.delete(keyOf(object));
      else keep(snapshot, object);
      return;
    }
    const kept = transform(object);
    emit(type === 'DELETED' ? cache.remove(kept) : cache.upsert(kept));
    version = object.metadata.resourceVersion;
  }

  /** Decides how to go on after an error; returns how long to wait before. */
  function recover(error: unknown): number {
    if (version === undefined && watchList && isApiError(error, 400, 405, 422)) {
      logger.info({ error: error.message }, 'no WatchList here, listing by pages');
      watchList = false;
      return 0;
    }
    const { kind, failures, waitMs } = recovery.broke(error);
    metrics?.onReconnect?.(resource.id, error instanceof KubeApiError ? String(error.status) : 'unreachable');
    if (kind === 'expired') version = undefined;
    // The first, second, fourth, eighth … in a row: an outage isn't a flood of lines.
    const level = (failures & (failures - 1)) === 0 ? 'warn' : 'debug';
    const message = error instanceof Error ? error.message : String(error);
    logger[level]({ error: message, kind, failures, waitMs: Math.round(waitMs) }, 'watch interrupted');
    return waitMs;
  }

  return {
    async run(signal) {
      while (!signal.aborted) {
        try {
          if (version === undefined && !watchList) await readPaged(signal);
          else await follow(signal);
        } catch (error) {
          if (signal.aborted) break;
          connected = false;
          await sleep(recover(error), signal);
        }
      }
      connected = false;
    },
    hasSynced: () => hasSynced,
    synced,
    isConnected: () => connected,
    get: (namespace, name) => cache.get(objectKey(namespace, name)),
    values: () => cache.values(),
    get size() {
      return cache.size;
    },
    assume: (object) => cache.assume(transform(object)),
  };
}

/** 240 to 480 s, so that not all watches end together; client-go uses 300 to 600. */
function longWatchSeconds(random: () => number): number {
  return Math.round(240 + random() * 240);
}

function watchError(what: string, status: KubeStatus): KubeApiError {
  return new KubeApiError(`watch of ${what}`, status.code ?? 500, status);
}
