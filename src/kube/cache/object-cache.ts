import { compareResourceVersions, keyOf } from '../client/kube-object.ts';
import type { KubeObject } from '../client/kube-object.ts';
import { createTombstones } from './tombstones.ts';

export type CacheEvent<T> =
  | { readonly type: 'added'; readonly object: T }
  | { readonly type: 'updated'; readonly object: T; readonly previous: T }
  | { readonly type: 'deleted'; readonly object: T };

export interface ObjectCache<T extends KubeObject> {
  get(key: string): T | undefined;
  values(): IterableIterator<T>;
  readonly size: number;
  /** From here on, own writes are newer than the snapshot that is being gathered. */
  beginReplace(): void;
  /** Makes the cache what a list at `resourceVersion` showed, and returns what that changed. */
  replace(snapshot: Map<string, T>, resourceVersion: string): CacheEvent<T>[];
  /** A watch event. Returns nothing where the cache knows as much or more already. */
  upsert(object: T): CacheEvent<T>[];
  remove(object: T): CacheEvent<T>[];
  /** The answer of an own write. True where it was news. */
  assume(object: T): boolean;
}

/** What a watch has told so far, and own writes that it has not told yet. Makes no calls. */
export function createObjectCache<T extends KubeObject>(): ObjectCache<T> {
  return new KeyedCache<T>();
}

class KeyedCache<T extends KubeObject> implements ObjectCache<T> {
  #objects = new Map<string, T>();
  /** Keys assumed since beginReplace(). */
  #assumed: Set<string> | undefined;
  readonly #tombstones = createTombstones();

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  values(): IterableIterator<T> {
    return this.#objects.values();
  }

  get size(): number {
    return this.#objects.size;
  }

  beginReplace(): void {
    this.#assumed = new Set();
  }

  replace(snapshot: Map<string, T>, resourceVersion: string): CacheEvent<T>[] {
    for (const key of this.#assumed ?? []) {
      const own = this.#objects.get(key);
      // Written after the snapshot was taken: it is right that the snapshot doesn't have it.
      if (own && compareResourceVersions(own.metadata.resourceVersion, resourceVersion) > 0)
        snapshot.set(key, own);
    }
    this.#assumed = undefined;
    const events = diff(this.#objects, snapshot);
    for (const { type, object } of events) if (type === 'deleted') this.#tombstones.bury(object.metadata.uid);
    for (const { metadata } of snapshot.values()) this.#tombstones.lift(metadata.uid);
    this.#objects = snapshot;
    return events;
  }

  upsert(object: T): CacheEvent<T>[] {
    const key = keyOf(object);
    const previous = this.#objects.get(key);
    this.#tombstones.lift(object.metadata.uid);
    if (previous && sameObject(previous, object)) {
      if (!isNewer(object, previous)) return [];
      this.#objects.set(key, object);
      return [{ type: 'updated', object, previous }];
    }
    this.#objects.set(key, object);
    if (!previous) return [{ type: 'added', object }];
    this.#tombstones.bury(previous.metadata.uid);
    return [
      { type: 'deleted', object: previous },
      { type: 'added', object },
    ];
  }

  remove(object: T): CacheEvent<T>[] {
    const key = keyOf(object);
    const previous = this.#objects.get(key);
    this.#tombstones.bury(object.metadata.uid);
    if (!previous || !sameObject(previous, object)) return [];
    this.#objects.delete(key);
    return [{ type: 'deleted', object }];
  }

  assume(object: T): boolean {
    const key = keyOf(object);
    const previous = this.#objects.get(key);
    if (this.#tombstones.has(object.metadata.uid)) return false;
    // Another UID under this name, or a newer version, came by the watch meanwhile.
    if (previous && !(sameObject(previous, object) && isNewer(object, previous))) return false;
    this.#objects.set(key, object);
    this.#assumed?.add(key);
    return true;
  }
}

function diff<T extends KubeObject>(
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
): CacheEvent<T>[] {
  const events: CacheEvent<T>[] = [];
  for (const [key, previous] of before) {
    const object = after.get(key);
    if (!object || !sameObject(previous, object)) events.push({ type: 'deleted', object: previous });
  }
  for (const [key, object] of after) {
    const previous = before.get(key);
    if (!previous || !sameObject(previous, object)) events.push({ type: 'added', object });
    else if (previous.metadata.resourceVersion !== object.metadata.resourceVersion) {
      events.push({ type: 'updated', object, previous });
    }
  }
  return events;
}

function sameObject(a: KubeObject, b: KubeObject): boolean {
  return a.metadata.uid === b.metadata.uid;
}

function isNewer(a: KubeObject, b: KubeObject): boolean {
  return compareResourceVersions(a.metadata.resourceVersion, b.metadata.resourceVersion) > 0;
}
