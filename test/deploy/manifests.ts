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
    const { metadata } = object;
    const { status, body } = await kubeRequest(kubeconfigPath, {
      method: 'PATCH',
      path: `${pathOf(object)}?${query}`,
      contentType: 'application/apply-patch+yaml',
      body: object,
    });
    if (status >= 300) throw new Error(`${object.kind} ${metadata.name}: ${JSON.stringify(body)}`);
  }
}

/**
 * Deletes all of them, one after the other, as `kubectl delete` does, and waits for none. Returns what was refused, with the
 * apiserver's words; what is not there is not.
 */
export async function remove(kubeconfigPath: string, objects: readonly Manifest[]): Promise<string[]> {
  const refused: string[] = [];
  for (const object of objects) {
    const { status, body } = await kubeRequest(kubeconfigPath, { method: 'DELETE', path: pathOf(object) });
    if (status >= 300 && status !== 404)
      refused.push(`${object.kind} ${object.metadata.name}: ${(body as { message: string }).message}`);
  }
  return refused;
}

/** Where the apiserver has it, or would. */
export function pathOf(object: Manifest): string {
  const { apiVersion, kind } = object;
  const { namespace, name } = object.metadata;
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const within = isOfCluster(object) ? '' : `/namespaces/${namespace}`;
  return `${group}${within}/${pluralOf(kind)}/${name}`;
}

function pluralOf(kind: string): string {
  return kind.endsWith('y') ? `${kind.slice(0, -1)}ies`.toLowerCase() : `${kind}s`.toLowerCase();
}
