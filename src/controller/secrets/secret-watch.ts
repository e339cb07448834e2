import type { Logger } from 'pino';
import { ComputeError } from '../../compute/errors.ts';
import { abortable } from '../../async/abortable.ts';
import { doneWithin } from '../../async/done-within.ts';
import type { KubeClient } from '../../kube/client/kube-client.ts';
import { createReflectorSet } from '../../kube/cache/reflector-set.ts';
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
   * Starts the watch with the first tenant that reads a Secret, and resolves once it has caught up in that namespace. Rejects
   * with ComputeError AccessDenied where the apiserver refuses that, or does not come to an end with it.
   */
  ensure(namespace: string): Promise<void>;
  run(signal: AbortSignal): Promise<void>;
}

/** Watches the metadata of Secrets alone: their values are read by the pass that needs them and kept by nobody. */
export function createSecretWatch(
  { client, namespaces, logger }: SecretWatchOptions,
  onChange: (namespace: string, name: string) => void,
): SecretWatch {
  const needed = Promise.withResolvers<void>();
  const secrets = createReflectorSet({
    resource: resource(client, { ...secretsResource, metadataOnly: true }),
    namespaces,
    transform: ({ metadata: { name, namespace = '', uid, resourceVersion, creationTimestamp } }) => ({
      metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    }),
    onEvent: ({ object: { metadata } }) => onChange(metadata.namespace ?? '', metadata.name),
    logger,
  });
  return {
    async ensure(namespace) {
      needed.resolve();
      const watch = secrets.of(namespace) ?? secrets;
      await doneWithin(watch.settled, secretSyncMs, { ref: false });
      if (watch.hasSynced()) return;
      throw new ComputeError(
        'AccessDenied',
        `Secrets in namespace ${namespace} can not be watched: the service account of the operator needs get, list and watch on secrets`,
      );
    },
    async run(signal) {
      await abortable(needed.promise, signal).catch(() => undefined);
      if (!signal.aborted) await secrets.run(signal);
    },
  };
}
