/** `metav1.ObjectMeta` of an object that the apiserver stores, as plain JSON. */
export interface ObjectMeta {
  name: string;
  /** Absent on cluster-scoped objects. */
  namespace?: string;
  uid: string;
  resourceVersion: string;
  /** Counts changes of the spec; kinds without one (Secret, ConfigMap) have none. */
  generation?: number;
  creationTimestamp: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller?: boolean }[];
  managedFields?: unknown[];
}

export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

/** What is sent to create a T: the server adds the rest of the metadata. */
export type NewObject<T extends KubeObject> = Omit<T, 'metadata' | 'status'> & {
  metadata: Partial<ObjectMeta> & { name: string };
};

/** `namespace/name`, or the bare name of a cluster-scoped object: the key of caches and queues. */
export function objectKey(namespace: string | undefined, name: string): string {
  return namespace ? `${namespace}/${name}` : name;
}

export function keyOf(object: KubeObject): string {
  return objectKey(object.metadata.namespace, object.metadata.name);
}

/** Namespace and name of a key; the namespace is undefined for a cluster-scoped object. */
export function splitKey(key: string): [namespace: string | undefined, name: string] {
  const slash = key.indexOf('/');
  return slash < 0 ? [undefined, key] : [key.slice(0, slash), key.slice(slash + 1)];
}

/**
 * Negative where `a` is older than `b`. Resource versions of one kind are decimal integers of any length and may
 * be compared (KEP-5504); a Number would lose digits beyond 2^53.
 */
export function compareResourceVersions(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
