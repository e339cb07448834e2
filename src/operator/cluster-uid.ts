import type { Logger } from 'pino';
import { backoffMs } from '../async/backoff.ts';
import { sleep } from '../async/sleep.ts';
import type { OperatorConfig } from '../config/operator-config.ts';
import type { KubeClient } from '../kube/client/kube-client.ts';
import type { KubeObject } from '../kube/client/kube-object.ts';
import { resource } from '../kube/client/resource.ts';

/** A right that is missing may be granted while it waits. */
const retry = { baseMs: 1000, capMs: 30_000, jitter: 'none' } as const;

export interface ClusterUidSource {
  readonly client: KubeClient;
  readonly config: Pick<OperatorConfig, 'cluster_id'>;
  readonly logger: Logger;
}

/**
 * The cluster's identity: `cluster_id` of the config, without which it is the UID of kube-system. Asks until there is an
 * answer; undefined: it was stopped before.
 */
export async function clusterUid(
  { client, config, logger }: ClusterUidSource,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (config.cluster_id !== '') return config.cluster_id;
  const namespaces = resource<KubeObject>(client, {
    group: '',
    version: 'v1',
    plural: 'namespaces',
    namespaced: false,
  });
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      const found = await namespaces.get('kube-system', undefined, { signal });
      if (found !== undefined) return found.metadata.uid;
    } catch (error) {
      if (!signal.aborted)
        logger.warn(
          { error },
          'the apiserver can not be asked for the namespace kube-system yet, whose UID is the identity of this cluster where ' +
            'cluster_id of the config names none; trying again',
        );
    }
    await sleep(backoffMs(failures, retry), signal);
  }
  return undefined;
}
