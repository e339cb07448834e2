import { createFollowedState } from './followed-state.ts';
import { keyOf, objectKey } from '../client/kube-object.ts';
import type { KubeObject } from '../client/kube-object.ts';
import { createObjectCache } from './object-cache.ts';
import type { CacheEvent } from './object-cache.ts';
import { WatchLoop } from './watch-loop.ts';
import type { ReflectorOptions } from './watch-loop.ts';

/** A local copy of the selected objects that follows the apiserver and survives whatever happens to it. */
export interface Reflector<T extends KubeObject> {
  /** Follows until `signal` aborts. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
  hasSynced(): boolean;
  /** Resolves when the first whole state is in the cache; never, where `run` is stopped before. */
  readonly synced: Promise<void>;
  /** Resolves once it is known how things stand: it has synced, or the apiserver refuses that. */
  readonly settled: Promise<void>;
  /** What the apiserver does not let it follow: rights are missing, or the namespace or the kind is not there. */
  refusals(): readonly Refusal[];
  /** Whether a watch is open, as far as anybody can know. */
  isConnected(): boolean;
  get(namespace: string | undefined, name: string): T | undefined;
  values(): Iterable<T>;
  readonly size: number;
  /**
   * Puts the answer of an own write into the cache, so that the next pass sees it, and tells of it as the watch would:
   * the answer is the whole object, with what others wrote before, of which the watch will bring no news any more.
   * False where the cache knows better: it has a newer version, or the object was deleted in the meantime.
   */
  assume(object: T): boolean;
}

export interface Refusal {
  /** Undefined: all of them. */
  readonly namespace: string | undefined;
  /** The apiserver's words. */
  readonly message: string;
  /** False: it is the kind that is not there, and no right that is missing. */
  readonly isServed: boolean;
  /** Whether it was followed before. */
  readonly isLost: boolean;
}

export function createReflector<T extends KubeObject>(options: ReflectorOptions<T>): Reflector<T> {
  const { resource, namespace, onEvent, metrics, transform = (object: T) => object } = options;
  const logger = options.logger.child({ resource: resource.id, ...(namespace && { namespace }) });
  const cache = createObjectCache<T>();
  const { promise: synced, resolve: resolveSynced } = Promise.withResolvers<void>();
  const { promise: settled, resolve: resolveSettled } = Promise.withResolvers<void>();
  let hasSynced = false;
  const tell = (event: CacheEvent<T>): void => {
    try {
      onEvent?.(event);
    } catch (error) {
      logger.error({ err: error, object: keyOf(event.object) }, 'an event handler failed');
    }
  };
  const state = createFollowedState<T>({
    cache,
    transform,
    onEvent: tell,
    onReplaced(replaced) {
      metrics?.onRelist?.(resource.id);
      logger.debug(replaced, 'state read');
    },
    onSynced() {
      hasSynced = true;
      resolveSynced();
      resolveSettled();
    },
  });
  const onRefused = (): void => {
    resolveSettled();
    options.onRefused?.();
  };
  const loop = new WatchLoop({ ...options, onRefused }, state, logger);
  return {
    run: (signal) => loop.run(signal),
    hasSynced: () => hasSynced,
    synced,
    settled,
    refusals() {
      const { refusal: message, isServed } = loop;
      return message === undefined ? [] : [{ namespace, message, isServed, isLost: hasSynced }];
    },
    isConnected: () => loop.isConnected,
    get: (namespaceOf, name) => cache.get(objectKey(namespaceOf, name)),
    values: () => cache.values(),
    get size() {
      return cache.size;
    },
    assume(answer) {
      const previous = cache.get(keyOf(answer));
      const object = transform(answer, previous);
      if (!cache.assume(object)) return false;
      tell(previous === undefined ? { type: 'added', object } : { type: 'updated', object, previous });
      return true;
    },
  };
}
