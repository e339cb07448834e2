import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { OPERATOR_USER } from '../../dev/control-plane.ts';
import { kubeRequest } from '../../dev/kube-request.ts';

export const deployFolder = join(import.meta.dirname, '../../deploy');

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly subjects?: readonly unknown[];
  readonly [key: string]: unknown;
}

/** All documents of a file below deploy/. */
export function manifests(file: string): Manifest[] {
  return parseAllDocuments(readFileSync(join(deployFolder, file), 'utf8')).map(
    (document) => document.toJS() as Manifest,
  );
}

/** The same rights for the user whose requests the audit log holds, instead of the service account. */
export function forOperatorUser(manifest: Manifest): Manifest {
  if (manifest.subjects === undefined) return manifest;
  const user = { kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: OPERATOR_USER };
  return { ...manifest, subjects: [user] };
}

/** Server-side apply; throws with the apiserver's answer where it refuses. */
export async function apply(kubeconfigPath: string, objects: readonly Manifest[]): Promise<void> {
  for (const object of objects) {
    const { apiVersion, metadata } = object;
    const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const namespace = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
    const { status, body } = await kubeRequest(kubeconfigPath, {
      method: 'PATCH',
      path: `${group}${namespace}/${pluralOf(object.kind)}/${metadata.name}?fieldManager=test&force=true`,
      contentType: 'application/apply-patch+yaml',
      body: object,
    });
    if (status >= 300) throw new Error(`${object.kind} ${metadata.name}: ${JSON.stringify(body)}`);
  }
}

function pluralOf(kind: string): string {
  return kind.endsWith('y') ? `${kind.slice(0, -1)}ies`.toLowerCase() : `${kind}s`.toLowerCase();
}
