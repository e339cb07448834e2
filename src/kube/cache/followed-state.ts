import { keyOf } from '../client/kube-object.ts';
import type { KubeObject } from '../client/kube-object.ts';
import type { WatchEvent } from '../client/resource.ts';
import type { CacheEvent, ObjectCache } from './object-cache.ts';

export interface FollowedStateOptions<T extends KubeObject> {
  readonly cache: ObjectCache<T>;
  /** What the cache keeps of an object, of which `known` is the version that it has so far. */
  readonly transform: (object: T, known: T | undefined) => T;
  /** Called in order, after the cache has changed. */
  readonly onEvent: (event: CacheEvent<T>) => void;
  /** The whole state was read; its events follow. */
  readonly onReplaced: (replaced: Replaced) => void;
  /** The whole state has been read, and its events are told. */
  readonly onSynced: () => void;
}

export interface Replaced {
  readonly objects: number;
  /** How many of them the cache did not know like that. */
  readonly changed: number;
  readonly resourceVersion: string;
}

/** Keeps a cache at what the apiserver tells, and knows how far that goes. Makes no calls. */
export interface FollowedState<T extends KubeObject> {
  /** Where the watch stands; undefined asks for the whole state. */
  version(): string | undefined;
  /** The server no longer knows that version. */
  forgetVersion(): void;
  /** From here on, the whole state is gathered; the cache stays as it is until that is complete. */
  beginSnapshot(): Snapshot<T>;
  /** A change since `version`. */
  change(type: WatchEvent<T>['type'], object: T): void;
  /** Nothing has changed up to there. */
  advance(resourceVersion: string): void;
}

/** The whole state while it is being read. */
export interface Snapshot<T> {
  keep(object: T): void;
  drop(object: T): void;
  /** This is all: the cache becomes what was gathered. */
  complete(resourceVersion: string): void;
}

export function createFollowedState<T extends KubeObject>(
  options: FollowedStateOptions<T>,
): FollowedState<T> {
  const { cache, transform, onEvent, onReplaced, onSynced } = options;
  let version: string | undefined;

  /** Where it is the same version, the object that is cached already: no second copy in memory. */
  function knownOrNew(object: T): T {
    const known = cache.get(keyOf(object));
    const same =
      known?.metadata.uid === object.metadata.uid &&
      known.metadata.resourceVersion === object.metadata.resourceVersion;
    return same ? known : transform(object, known);
  }

  return {
    version: () => version,
    forgetVersion: () => void (version = undefined),
    beginSnapshot() {
      const objects = new Map<string, T>();
      cache.beginReplace();
      return {
        keep: (object) => void objects.set(keyOf(object), knownOrNew(object)),
        drop: (object) => void objects.delete(keyOf(object)),
        complete(resourceVersion) {
          version = resourceVersion;
          const events = cache.replace(objects, resourceVersion);
          onReplaced({ objects: objects.size, changed: events.length, resourceVersion });
          for (const event of events) onEvent(event);
          onSynced();
        },
      };
    },
    change(type, object) {
      const kept = transform(object, cache.get(keyOf(object)));
      for (const event of type === 'DELETED' ? cache.remove(kept) : cache.upsert(kept)) onEvent(event);
      version = object.metadata.resourceVersion;
    },
    advance: (resourceVersion) => void (version = resourceVersion),
  };
}
