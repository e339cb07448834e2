import type { TenantStatus } from '../../api/status.ts';
import type { KubeObject } from '../../kube/client/kube-object.ts';
import type { Resource } from '../../kube/client/resource.ts';
import type { ResourceType } from '../../kube/client/resource-paths.ts';
import { configMapsResource, secretsResource } from '../kube-resources.ts';

/** What a Tenant's values come from besides its own spec: objects of its own namespace, which are read and watched alike. */
export type SourceKind = 'Secret' | 'ConfigMap';

export const sourceKinds: readonly SourceKind[] = ['Secret', 'ConfigMap'];

export const sourceResources: Readonly<Record<SourceKind, ResourceType>> = {
  Secret: secretsResource,
  ConfigMap: configMapsResource,
};

/** Names of sources, by their kind. */
export type SourceNames = Readonly<Record<SourceKind, readonly string[]>>;

/** A Secret as the apiserver serves it: values in base64. */
export interface SecretObject extends KubeObject {
  readonly type?: string;
  readonly data?: Record<string, string>;
}

/** A ConfigMap as the apiserver serves it: text as it is, all else in base64. */
export interface ConfigMapObject extends KubeObject {
  readonly data?: Record<string, string>;
  readonly binaryData?: Record<string, string>;
}

export type Reads<T extends KubeObject> = Pick<Resource<T>, 'get'>;
export type SecretReads = Reads<SecretObject>;
export type ConfigMapReads = Reads<ConfigMapObject>;

export type SecretVersions = NonNullable<TenantStatus['secrets']>['versions'];
