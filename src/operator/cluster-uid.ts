import type { Logger } from 'pino';
import { sleep } from '../async/sleep.ts';
import type { KubeClient } from '../kube/client/kube-client.ts';
import type { KubeObject } from '../kube/client/kube-object.ts';
import { resource } from '../kube/client/resource.ts';

/** The UID of kube-system, which is the cluster's identity. Asks until there is an answer; undefined: it was stopped before. */
export async function clusterUid(
  client: KubeClient,
  logger: Logger,
  signal: AbortSignal,
): Promise<string | undefined> {
  const namespaces = resource<KubeObject>(client, {
    group: '',
    version: 'v1',
    plural: 'namespaces',
    namespaced: false,
  });
  while (!signal.aborted) {
    try {
      const found = await namespaces.get('kube-system', undefined, { signal });
      if (found !== undefined) return found.metadata.uid;
    } catch (error) {
      if (!signal.aborted)
        logger.warn(
          { error },
          'the apiserver can not be asked for the namespace kube-system yet; trying again',
        );
    }
    await sleep(1000, signal);
  }
  return undefined;
}
