import type { Logger } from 'pino';
import { ComputeError } from '../../compute/errors.ts';
import { abortable } from '../../async/abortable.ts';
import { doneWithin } from '../../async/done-within.ts';
import type { KubeClient } from '../../kube/client/kube-client.ts';
import type { Reflector } from '../../kube/cache/reflector.ts';
import { createReflectorSet } from '../../kube/cache/reflector-set.ts';
import type { KubeObject } from '../../kube/client/kube-object.ts';
import { resource } from '../../kube/client/resource.ts';
import { secretsResource } from '../kube-resources.ts';

export interface SecretWatchOptions {
  readonly client: KubeClient;
  /** Empty: all. */
  readonly namespaces: readonly string[];
  readonly logger: Logger;
}

/** A cluster's Secrets are listed well within that. */
const secretSyncMs = 10_000;

export interface SecretWatch {
  /**
   * Whether changes of that namespace's Secrets are watched, from the first time that somebody asks. Until it is known,
   * false: `key` is told then. Throws ComputeError AccessDenied where the apiserver refuses that, or does not come to an end
   * with it.
   */
  isWatched(namespace: string, key: string): boolean;
  /** Somebody will ask. */
  foresee(): void;
  /** The resource version of a Secret, as far as the watch has told. */
  readonly versionOf: (namespace: string | undefined, name: string) => string | undefined;
  run(signal: AbortSignal): Promise<void>;
}

export interface SecretNews {
  onSecret(namespace: string, name: string): void;
  /** Who has asked for what was not known yet may ask again. */
  onSecretsKnown(keys: Iterable<string>): void;
}

/** Watches the metadata of Secrets alone: their values are read by the pass that needs them and kept by nobody. */
export function createSecretWatch(
  { client, namespaces, logger }: SecretWatchOptions,
  news: SecretNews,
): SecretWatch {
  const needed = Promise.withResolvers<void>();
  const secrets = createReflectorSet({
    resource: resource(client, { ...secretsResource, metadataOnly: true }),
    namespaces,
    transform: ({ metadata: { name, namespace = '', uid, resourceVersion, creationTimestamp } }) => ({
      metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    }),
    onEvent: ({ object: { metadata } }) => news.onSecret(metadata.namespace ?? '', metadata.name),
    logger,
  });
  /** Who waits for each of the watches; undefined: it has had its time. */
  const waiting = new Map<Reflector<KubeObject>, Set<string> | undefined>();
  const begin = async (watch: Reflector<KubeObject>): Promise<void> => {
    const keys = new Set<string>();
    waiting.set(watch, keys);
    await doneWithin(watch.settled, secretSyncMs, { ref: false });
    waiting.set(watch, undefined);
    news.onSecretsKnown(keys);
  };
  return {
    isWatched(namespace, key) {
      needed.resolve();
      const watch = secrets.of(namespace) ?? secrets;
      if (watch.hasSynced()) return true;
      if (!waiting.has(watch)) void begin(watch);
      const keys = waiting.get(watch);
      keys?.add(key);
      if (keys !== undefined) return false;
      throw new ComputeError(
        'AccessDenied',
        `Secrets in namespace ${namespace} can not be watched: the service account of the operator needs get, list and watch on secrets`,
      );
    },
    foresee: () => needed.resolve(),
    versionOf: (namespace, name) => secrets.get(namespace, name)?.metadata.resourceVersion,
    async run(signal) {
      await abortable(needed.promise, signal).catch(() => undefined);
      if (!signal.aborted) await secrets.run(signal);
    },
  };
}
