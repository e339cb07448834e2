import type { ContainerSpec, VolumeSpec } from '../../../../spec/tenant-compute-spec.ts';
import type { EcsOperatorBlock } from '../../config.ts';
import { secretArn } from './secret-arn.ts';
import { efsVolume } from './fields/efs-volumes.ts';
import type { EfsMount } from './fields/efs-volumes.ts';
import { mountedVolumes } from './fields/mounted-volumes.ts';
import type { EnvironmentVariable, SecretReference, Tmpfs } from './task-definition.ts';

/** A tenant's container, with its variables as ECS takes them: values, and references to secrets. */
export interface OverlayContainer {
  readonly spec: ContainerSpec;
  readonly environment: readonly EnvironmentVariable[];
  readonly secrets: readonly SecretReference[];
  readonly tmpfs: readonly Tmpfs[];
  readonly mounts: readonly EfsMount[];
}

interface Surroundings {
  readonly namespace: string;
  /** Of the Tenant. */
  readonly name: string;
  readonly secretArns: Readonly<Record<string, string>>;
  readonly efsVolumes: EcsOperatorBlock['efs_volumes'];
  readonly volumes: readonly VolumeSpec[];
}

/** Throws InvalidSpec for a secret that is not mapped, and for what ECS can't mount. */
export function overlayContainer(
  spec: ContainerSpec,
  { namespace, name: tenant, secretArns, efsVolumes, volumes }: Surroundings,
): OverlayContainer {
  const environment: EnvironmentVariable[] = [];
  const secrets: SecretReference[] = [];
  for (const variable of spec.env) {
    if ('value' in variable) {
      environment.push({ name: variable.name, value: variable.value });
      continue;
    }
    const { name, key } = variable.secretKeyRef;
    secrets.push({ name: variable.name, valueFrom: secretArn(secretArns, { namespace, name, key }) });
  }
  return {
    spec,
    environment: environment.toSorted(byName),
    secrets: secrets.toSorted(byName),
    ...mountedVolumes(spec, volumes, (volume) => efsVolume(efsVolumes, { namespace, name: tenant, volume })),
  };
}

/** The secrets that its containers read, each once. */
export function referencesOf(
  overlay: { readonly containers: readonly OverlayContainer[] } | undefined,
): readonly string[] {
  const secrets = (overlay?.containers ?? []).flatMap((container) => container.secrets);
  return [...new Set(secrets.flatMap(({ valueFrom }) => valueFrom ?? []))].toSorted();
}

function byName(a: { name?: string | undefined }, b: { name?: string | undefined }): number {
  const [left = '', right = ''] = [a.name, b.name];
  return left < right ? -1 : left > right ? 1 : 0;
}
