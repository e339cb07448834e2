import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { operatorUser } from '../../dev/control-plane.ts';
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
  return documentsOf(readFileSync(join(deployFolder, file), 'utf8'));
}

export function documentsOf(yaml: string): Manifest[] {
  return parseAllDocuments(yaml).map((document) => document.toJS() as Manifest);
}

/** The same rights for the user whose requests the audit log holds, instead of the service account. */
export function forOperatorUser(manifest: Manifest): Manifest {
  if (manifest.subjects === undefined) return manifest;
  const user = { kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: operatorUser };
  return { ...manifest, subjects: [user] };
}

/** Kinds without a namespace; kustomize, which does not know all of them, sends one along that the apiserver takes no notice of. */
const ofCluster =
  /^(Namespace|CustomResourceDefinition|ClusterRole(Binding)?|(Mutating|Validating)AdmissionPolicy(Binding)?)$/;

export function isOfCluster({ kind }: Manifest): boolean {
  return ofCluster.test(kind);
}

/** Server-side apply, strict; throws with the apiserver's answer where it refuses. With `dryRun` nothing is kept. */
export async function apply(
  kubeconfigPath: string,
  objects: readonly Manifest[],
  { dryRun = false }: { readonly dryRun?: boolean } = {},
): Promise<void> {
  const query = `fieldManager=test&force=true&fieldValidation=Strict${dryRun ? '&dryRun=All' : ''}`;
  for (const object of objects) {
    const { apiVersion, metadata } = object;
    const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const namespace = isOfCluster(object) ? '' : `/namespaces/${metadata.namespace}`;
    const { status, body } = await kubeRequest(kubeconfigPath, {
      method: 'PATCH',
      path: `${group}${namespace}/${pluralOf(object.kind)}/${metadata.name}?${query}`,
      contentType: 'application/apply-patch+yaml',
      body: object,
    });
    if (status >= 300) throw new Error(`${object.kind} ${metadata.name}: ${JSON.stringify(body)}`);
  }
}

function pluralOf(kind: string): string {
  return kind.endsWith('y') ? `${kind.slice(0, -1)}ies`.toLowerCase() : `${kind}s`.toLowerCase();
}
