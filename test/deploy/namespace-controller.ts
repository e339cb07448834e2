import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { kubeRequest } from '../../dev/kube-request.ts';
import { hangMs } from '../until.ts';

/**
 * Ends a namespace that was deleted, as the controller of kube-controller-manager does (which no control plane here runs):
 * all of each kind is deleted, again and again, a kind that is refused holds up no other, and the namespace goes once
 * nothing is left. The real one takes the kinds in any order; here rights go first, the worst for who needs them.
 */
export async function endNamespace(kubeconfigPath: string, namespace: string): Promise<void> {
  const deadline = Date.now() + hangMs;
  const send = async (method: string, path: string, body?: unknown): Promise<unknown> =>
    (await kubeRequest(kubeconfigPath, { method, path, ...(body !== undefined && { body }) })).body;
  const collections = await namespacedCollections(kubeconfigPath, namespace);
  for (;;) {
    for (const path of collections) await send('DELETE', path);
    const left: string[] = [];
    for (const path of collections) {
      const { items = [] } = (await send('GET', `${path}?limit=1`)) as { items?: unknown[] };
      if (items.length > 0) left.push(path);
    }
    if (left.length === 0) break;
    if (Date.now() > deadline) expect.fail(`the namespace ${namespace} does not end: ${left.join()}`);
    await sleep(200);
  }
  const metadata = { name: namespace };
  await send('PUT', `/api/v1/namespaces/${namespace}/finalize`, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata,
    spec: { finalizers: [] },
  });
}

interface ResourceList {
  readonly groupVersion: string;
  readonly resources?: readonly {
    readonly name: string;
    readonly namespaced: boolean;
    readonly verbs: readonly string[];
  }[];
}

/** The path of each kind in the namespace that can be deleted, rights first. */
async function namespacedCollections(kubeconfigPath: string, namespace: string): Promise<string[]> {
  const get = async (path: string): Promise<unknown> => (await kubeRequest(kubeconfigPath, { path })).body;
  const { groups } = (await get('/apis')) as {
    groups: readonly { preferredVersion: { groupVersion: string } }[];
  };
  const roots = [
    '/api/v1',
    ...groups.map(({ preferredVersion }) => `/apis/${preferredVersion.groupVersion}`),
  ];
  const paths: string[] = [];
  for (const root of roots) {
    const { resources = [] } = (await get(root)) as ResourceList;
    for (const { name, namespaced, verbs } of resources)
      if (namespaced && verbs.includes('deletecollection'))
        paths.push(`${root}/namespaces/${namespace}/${name}`);
  }
  const isRight = (path: string): boolean => path.startsWith('/apis/rbac.authorization.k8s.io/');
  return [...paths.filter(isRight), ...paths.filter((path) => !isRight(path))];
}
