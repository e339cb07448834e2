import type { Logger } from 'pino';
import { ComputeError } from '../../compute/errors.ts';
import { abortable } from '../../async/abortable.ts';
import { doneWithin } from '../../async/done-within.ts';
import type { KubeClient } from '../../kube/client/kube-client.ts';
import type { Refusal, Reflector } from '../../kube/cache/reflector.ts';
import { createReflectorSet } from '../../kube/cache/reflector-set.ts';
import type { KubeObject } from '../../kube/client/kube-object.ts';
import { resource } from '../../kube/client/resource.ts';
import { sourceResources } from './source.ts';
import type { SourceKind } from './source.ts';

export interface SourceWatchOptions {
  readonly client: KubeClient;
  /** Empty: all. */
  readonly namespaces: readonly string[];
  readonly logger: Logger;
}

/** A cluster's Secrets, or ConfigMaps, are listed well within that. */
const syncMs = 10_000;

export interface SourceWatch {
  /**
   * Whether changes of that namespace's objects are watched, from the first time that somebody asks. Until it is known,
   * false: `key` is told then. Throws ComputeError AccessDenied where the apiserver refuses that, or does not come to an end
   * with it.
   */
  isWatched(namespace: string, key: string): boolean;
  /** Somebody will ask. */
  foresee(): void;
  /** The resource version of one, as far as the watch has told. */
  readonly versionOf: (namespace: string | undefined, name: string) => string | undefined;
  /** What the apiserver does not let it follow, of what somebody has asked for. */
  refusals(): readonly Refusal[];
  run(signal: AbortSignal): Promise<void>;
}

export interface SourceNews {
  onSource(kind: SourceKind, namespace: string, name: string): void;
  /** Who has asked for what was not known yet may ask again. */
  onSourcesKnown(keys: Iterable<string>): void;
}

/** Watches their metadata alone: their values are read by the pass that needs them and kept by nobody. */
export function createSourceWatch(
  kind: SourceKind,
  { client, namespaces, logger }: SourceWatchOptions,
  news: SourceNews,
): SourceWatch {
  const needed = Promise.withResolvers<void>();
  const objects = createReflectorSet({
    resource: resource(client, { ...sourceResources[kind], metadataOnly: true }),
    namespaces,
    transform: ({ metadata: { name, namespace = '', uid, resourceVersion, creationTimestamp } }) => ({
      metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    }),
    onEvent: ({ object: { metadata } }) => news.onSource(kind, metadata.namespace ?? '', metadata.name),
    logger,
  });
  /** Who waits for each of the watches; undefined: it has had its time. */
  const waiting = new Map<Reflector<KubeObject>, Set<string> | undefined>();
  const begin = async (watch: Reflector<KubeObject>): Promise<void> => {
    const keys = new Set<string>();
    waiting.set(watch, keys);
    await doneWithin(watch.settled, syncMs, { ref: false });
    waiting.set(watch, undefined);
    news.onSourcesKnown(keys);
  };
  return {
    isWatched(namespace, key) {
      needed.resolve();
      const watch = objects.of(namespace) ?? objects;
      if (watch.hasSynced()) return true;
      if (!waiting.has(watch)) void begin(watch);
      const keys = waiting.get(watch);
      keys?.add(key);
      if (keys !== undefined) return false;
      throw new ComputeError(
        'AccessDenied',
        `${kind}s in namespace ${namespace} can not be watched: the service account of the operator needs get, list and watch on ${sourceResources[kind].plural}`,
      );
    },
    foresee: () => needed.resolve(),
    refusals: () => objects.refusals(),
    versionOf: (namespace, name) => objects.get(namespace, name)?.metadata.resourceVersion,
    async run(signal) {
      await abortable(needed.promise, signal).catch(() => undefined);
      if (!signal.aborted) await objects.run(signal);
    },
  };
}
