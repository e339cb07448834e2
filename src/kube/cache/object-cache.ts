import { compareResourceVersions, keyOf, type KubeObject } from '../client/kube-object.ts';

export type CacheEvent<T> =
  { type: 'added'; object: T } | { type: 'updated'; object: T; previous: T } | { type: 'deleted'; object: T };

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

/** How many deleted UIDs are remembered; enough for all writes that can be under way at once. */
const MAX_TOMBSTONES = 4096;

/** What a watch has told so far, and own writes that it has not told yet. Makes no calls. */
export function createObjectCache<T extends KubeObject>(): ObjectCache<T> {
  let objects = new Map<string, T>();
  /** Keys assumed since beginReplace(). */
  let assumed: Set<string> | undefined;
  const tombstones = new Set<string>();

  function bury(object: T): void {
    tombstones.add(object.metadata.uid);
    if (tombstones.size <= MAX_TOMBSTONES) return;
    for (const oldest of tombstones) {
      tombstones.delete(oldest);
      break;
    }
  }

  function upsert(object: T): CacheEvent<T>[] {
    const key = keyOf(object);
    const previous = objects.get(key);
    tombstones.delete(object.metadata.uid);
    if (previous && sameObject(previous, object)) {
      if (!isNewer(object, previous)) return [];
      objects.set(key, object);
      return [{ type: 'updated', object, previous }];
    }
    objects.set(key, object);
    if (!previous) return [{ type: 'added', object }];
    bury(previous);
    return [
      { type: 'deleted', object: previous },
      { type: 'added', object },
    ];
  }

  return {
    get: (key) => objects.get(key),
    values: () => objects.values(),
    get size() {
      return objects.size;
    },
    beginReplace() {
      assumed = new Set();
    },
    upsert,
    remove(object) {
      const key = keyOf(object);
      const previous = objects.get(key);
      bury(object);
      if (!previous || !sameObject(previous, object)) return [];
      objects.delete(key);
      return [{ type: 'deleted', object }];
    },
    replace(snapshot, resourceVersion) {
      for (const key of assumed ?? []) {
        const own = objects.get(key);
        // Written after the snapshot was taken: it is right that the snapshot doesn't have it.
        if (own && compareResourceVersions(own.metadata.resourceVersion, resourceVersion) > 0)
          snapshot.set(key, own);
      }
      assumed = undefined;
      const events = diff(objects, snapshot);
      for (const event of events) if (event.type === 'deleted') bury(event.object);
      for (const object of snapshot.values()) tombstones.delete(object.metadata.uid);
      objects = snapshot;
      return events;
    },
    assume(object) {
      const key = keyOf(object);
      const previous = objects.get(key);
      if (tombstones.has(object.metadata.uid)) return false;
      // Another UID under this name, or a newer version, came by the watch meanwhile.
      if (previous && !(sameObject(previous, object) && isNewer(object, previous))) return false;
      objects.set(key, object);
      assumed?.add(key);
      return true;
    },
  };
}

function diff<T extends KubeObject>(before: Map<string, T>, after: Map<string, T>): CacheEvent<T>[] {
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
