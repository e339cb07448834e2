import { compareResourceVersions, objectKey } from '../../kube/client/kube-object.ts';
import type { KubeObject } from '../../kube/client/kube-object.ts';
import type { Reads } from './source.ts';

/** Values are kept for no longer than that: for the passes that one event, or a start, brings about. */
const keptMs = 5_000;

/**
 * Reads an object once for all passes that need it at about the same time. `versionOf` is what the watch of their
 * metadata tells: an answer counts while the watch knows of no newer version.
 */
export function sharedReads<T extends KubeObject>(
  source: Reads<T>,
  versionOf: (namespace: string | undefined, name: string) => string | undefined,
): Reads<T> {
  const reads = new Map<string, Promise<T | undefined>>();

  const read: Reads<T>['get'] = async (name, namespace, options) => {
    const key = objectKey(namespace, name);
    const answer = source.get(name, namespace, options);
    reads.set(key, answer);
    const forget = (): void => {
      if (reads.get(key) === answer) reads.delete(key);
    };
    answer.then(() => setTimeout(forget, keptMs).unref(), forget);
    return answer;
  };

  return {
    async get(name, namespace, options) {
      const key = objectKey(namespace, name);
      const before = reads.get(key);
      const known = await before?.catch(() => undefined);
      const version = versionOf(namespace, name);
      const counts =
        known !== undefined &&
        version !== undefined &&
        compareResourceVersions(known.metadata.resourceVersion, version) >= 0;
      if (counts) return known;
      const since = reads.get(key);
      return since === undefined || since === before ? read(name, namespace, options) : since;
    },
  };
}
