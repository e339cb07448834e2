import { ComputeError } from '../../compute/errors.ts';
import type { ErrorCode } from '../../compute/errors.ts';
import { isApiError } from '../../kube/client/kube-api-error.ts';
import type { KubeObject } from '../../kube/client/kube-object.ts';
import { sourceResources } from './source.ts';
import type { Reads, SourceKind } from './source.ts';

interface NamedReads<T extends KubeObject> {
  readonly reads: Reads<T>;
  readonly kind: SourceKind;
  /** What it is to a Tenant that there is none of that name. */
  readonly missing: ErrorCode;
  readonly namespace: string;
}

/** Reads each object of one namespace at most once. Rejects with ComputeError `missing`, or AccessDenied. */
export function namedReads<T extends KubeObject>(
  { reads, kind, missing, namespace }: NamedReads<T>,
  signal: AbortSignal,
): (name: string) => Promise<T> {
  const read = new Map<string, Promise<T>>();
  const fetch = async (name: string): Promise<T> => {
    const object = await reads.get(name, namespace, { signal }).catch((error: unknown) => {
      if (!isApiError(error, 403)) throw error;
      throw new ComputeError(
        'AccessDenied',
        `${kind} ${name}: the operator may not read ${kind}s in namespace ${namespace}; ` +
          `grant get, list and watch on ${sourceResources[kind].plural} to its service account`,
      );
    });
    if (object !== undefined) return object;
    throw new ComputeError(missing, `${kind} ${name} does not exist in namespace ${namespace}; create it`);
  };
  return async (name) => {
    const known = read.get(name) ?? fetch(name);
    read.set(name, known);
    return known;
  };
}
