import { isOfCluster } from './manifests.ts';
import type { Manifest } from './manifests.ts';

interface PodSpec {
  readonly serviceAccountName: string;
  readonly volumes: readonly { readonly configMap?: { readonly name: string } }[];
}

const reference = (kind: string, name = '', namespace = ''): string => `${kind} ${namespace}/${name}`;

/** `Kind namespace/name` of an object; no namespace: it belongs to the cluster. */
export function nameOf({ kind, metadata }: Manifest): string {
  return reference(kind, metadata.name, metadata.namespace);
}

/** The same of each object that another one of them names. */
export function referred(objects: readonly Manifest[]): string[] {
  return objects.flatMap((object) => {
    if (object.kind.endsWith('RoleBinding')) return ofBinding(object);
    if (object.kind.endsWith('AdmissionPolicyBinding')) {
      const { policyName } = object['spec'] as { policyName: string };
      return [reference(object.kind.replace(/Binding$/, ''), policyName, object.metadata.namespace)];
    }
    return object.kind === 'Deployment' ? ofDeployment(object) : [];
  });
}

function ofBinding({ metadata: { namespace }, subjects = [], ...object }: Manifest): string[] {
  const role = object['roleRef'] as { kind: string; name: string };
  const accounts = subjects as readonly { kind: string; name: string; namespace: string }[];
  return [
    reference(role.kind, role.name, role.kind === 'Role' ? namespace : ''),
    ...accounts.map((subject) => reference(subject.kind, subject.name, subject.namespace)),
  ];
}

function ofDeployment({ metadata: { namespace }, ...object }: Manifest): string[] {
  const { spec } = (object['spec'] as { template: { spec: PodSpec } }).template;
  const configMaps = spec.volumes.flatMap(({ configMap }) => configMap?.name ?? []);
  return [
    reference('ServiceAccount', spec.serviceAccountName, namespace),
    ...configMaps.map((name) => reference('ConfigMap', name, namespace)),
  ];
}

/**
 * By their names, and without the labels that each way in puts on, and without the namespace that kustomize gives to kinds of
 * the cluster that it does not know. The Namespace, which Helm makes before it has a look at a chart, is left out. Throws
 * where two have one name.
 */
export function withoutLabels(objects: readonly Manifest[]): Record<string, Manifest> {
  const found = new Map<string, Manifest>();
  for (const object of objects.filter(({ kind }) => kind !== 'Namespace')) {
    const {
      labels: _,
      namespace,
      ...metadata
    } = object.metadata as Manifest['metadata'] & {
      labels?: object;
    };
    const isPlaced = namespace !== undefined && !isOfCluster(object);
    const bare = { ...object, metadata: { ...metadata, ...(isPlaced && { namespace }) } };
    if (found.has(nameOf(bare))) throw new Error(`${nameOf(bare)} is there twice`);
    found.set(nameOf(bare), bare);
  }
  return Object.fromEntries(found);
}
