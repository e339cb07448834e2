import type { Container, ComputeResources } from '../../api/compute-fields.ts';
import type { ComputeStatusBlock } from '../../api/status.ts';
import type { ReleaseSpec } from '../../api/container/release-fields.ts';
import type { TenantSpec } from '../../api/tenant.ts';
import type { SecretValue } from './secret-value.ts';

/** What a provider receives: one tenant's desired state, chosen, merged, validated and with its Secrets and ConfigMaps read. */

export interface TenantRef {
  readonly namespace: string;
  readonly name: string;
  /** Informative: an owner is instance + namespace + name, so that a re-applied Tenant takes its workload back. */
  readonly uid: string;
}

export type EnvVar =
  | { readonly name: string; readonly value: string }
  | {
      readonly name: string;
      readonly secretKeyRef: { readonly name: string; readonly key: string };
      /** Absent for providers that pass secrets by reference. */
      readonly secret?: SecretValue;
    };

export type ContainerSpec = Omit<Container, 'env' | 'envFrom' | 'resources'> & {
  /** With those of envFrom. */
  readonly env: readonly EnvVar[];
  /** The container's own limits over the tenant's. */
  readonly resources: ComputeResources;
};

/** What containers may mount, by the name that their volumeMounts have for it. */
export type VolumeSpec =
  | { readonly name: string; readonly kind: 'persistent' }
  | { readonly name: string; readonly kind: 'tmpfs'; readonly size: string | number }
  | {
      readonly name: string;
      readonly kind: 'files';
      /** Where they are from: `Secret db`. */
      readonly from: string;
      /** None of a Secret, for providers that pass secrets by reference. */
      readonly files: readonly FileSpec[];
    };

export interface FileSpec {
  /** Below the volume. */
  readonly path: string;
  /** Mode bits. */
  readonly mode: number;
  /** In base64. */
  readonly content: string | SecretValue;
}

/** Credentials for one registry, or for a part of it, from spec.imagePullSecrets. */
export interface RegistryCredential {
  /** Host, with port where it has one, and the path that they are for, as in an image reference: `registry.example/team`. */
  readonly registry: string;
  readonly username: string;
  readonly password: SecretValue;
  /** The password is an identity token, which stands for the user, too. */
  readonly isToken?: boolean;
  /** Name of the Secret that it comes from. Absent: it is the operator's. */
  readonly secret?: string;
}

export interface TenantComputeSpec<Config = Readonly<Record<string, unknown>>> {
  readonly tenantId: string;
  readonly tenant: TenantRef;
  /** spec.containers; empty where the tenant names none and the block describes what runs. */
  readonly containers: readonly ContainerSpec[];
  /** spec.replicas. Absent: one, or what the block says. */
  readonly replicas?: number;
  /** spec.volumes, with their files. Absent: none. */
  readonly volumes?: readonly VolumeSpec[];
  /** What is run once before a rollout. Absent: nothing. */
  readonly release?: ReleaseSpec;
  /** spec.resources, for containers that the block describes. */
  readonly resources: ComputeResources;
  /** The operator's defaults merged with the tenant's block, as the provider's schema parsed it. */
  readonly config: Config;
  readonly imagePullCredentials: readonly RegistryCredential[];
  /** Names of the Secrets that these come from. */
  readonly imagePullSecrets?: readonly string[];
  /** What the tags of images mean: that is what runs. Absent: whatever the engine has, or pulls. */
  readonly digests?: Readonly<Record<string, string>>;
  /** Absent: `Report`. */
  readonly unhealthyPolicy?: TenantSpec['unhealthyPolicy'];
  /** Absent: `Retain`. No part of what is desired. */
  readonly volumePolicy?: TenantSpec['volumePolicy'];
  /** `Observe`: nothing is ever made of it. Absent: `Manage`. No part of what is desired. */
  readonly mode?: TenantSpec['mode'];
  /** Whether what somebody else made under its names is to be taken over. No part of what is desired. */
  readonly adopt?: true;
  /** What the provider told last of the tenant, at this place or at the one that it leaves. No part of what is desired. */
  readonly before?: ComputeStatusBlock;
  /** `Desired.sealed` of the same: the values of its Secrets were not read (UnreadSecret). Absent: they were. */
  readonly remembered?: Readonly<Record<string, string>>;
  /** Value of the annotation reconcile-requested-at. No part of what is desired. */
  readonly requestedAt?: string;
}
