import { apiVersion, kind, plural } from '../../src/api/names.ts';
import { kubeRequest } from '../kube-request.ts';
import type { KubeResponse } from '../kube-request.ts';

/** What somebody with kubectl does to objects in one namespace. Each rejects with what the apiserver has against it. */
export interface KubeObjects {
  /** `kubectl apply`. */
  apply(object: KubeManifest): Promise<void>;
  /** `kubectl patch --type merge`. */
  patch(kind: ManifestKind, name: string, patch: unknown): Promise<void>;
  /** `kubectl delete --wait=false`. */
  remove(kind: ManifestKind, name: string): Promise<void>;
}

export interface KubeManifest {
  readonly apiVersion: string;
  readonly kind: ManifestKind;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly [member: string]: unknown;
}

const collections = {
  [kind]: (namespace: string) => `/apis/${apiVersion}/namespaces/${namespace}/${plural}`,
  Secret: (namespace: string) => `/api/v1/namespaces/${namespace}/secrets`,
} as const;
export type ManifestKind = keyof typeof collections;

export function kubeObjects(kubeconfigPath: string, namespace: string): KubeObjects {
  const pathOf = (kind: ManifestKind, name: string): string => `${collections[kind](namespace)}/${name}`;
  return {
    apply: async (object) => {
      const path = `${pathOf(object.kind, object.metadata.name)}?fieldManager=landlord-demo&force=true`;
      const contentType = 'application/apply-patch+yaml';
      expectSuccess(
        await kubeRequest(kubeconfigPath, { method: 'PATCH', path, contentType, body: object }),
        path,
      );
    },
    patch: async (kind, name, patch) => {
      const path = pathOf(kind, name);
      const contentType = 'application/merge-patch+json';
      expectSuccess(
        await kubeRequest(kubeconfigPath, { method: 'PATCH', path, contentType, body: patch }),
        path,
      );
    },
    remove: async (kind, name) => {
      const path = pathOf(kind, name);
      const response = await kubeRequest(kubeconfigPath, { method: 'DELETE', path });
      if (response.status !== 404) expectSuccess(response, path);
    },
  };
}

function expectSuccess({ status, body }: KubeResponse, path: string): void {
  if (status < 300) return;
  const message = typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : '';
  throw new Error(`the apiserver answered ${path} with HTTP ${status}: ${message}`);
}
