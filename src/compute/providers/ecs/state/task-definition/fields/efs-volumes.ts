import { ComputeError } from '../../../../../errors.ts';
import { fitsParts } from '../../../address/part-pattern.ts';
import type { EfsVolume } from '../../../config/efs-volumes-shape.ts';
import type { ContainerDefinition, MountPoint, TaskDefinition, Volume } from '../task-definition.ts';

/** Persistent volumes, as directories of EFS that the operator has named. */

export interface EfsMount {
  readonly volume: Volume;
  readonly mountPath: string;
  readonly readOnly: boolean;
}

/** Whose volume it is. */
export interface VolumeName {
  readonly namespace: string;
  /** Of the Tenant. */
  readonly name: string;
  readonly volume: string;
}

/** Before the names of tenants' volumes: those of a base have others. */
const prefix = 'landlord-';

/** The volume by the first pattern that fits. Undefined: there is none. */
export function efsVolume(
  volumes: Readonly<Record<string, EfsVolume>>,
  { namespace, name, volume }: VolumeName,
): Volume | undefined {
  const found = Object.entries(volumes).find(([pattern]) =>
    fitsParts(pattern, [namespace, name, volume]),
  )?.[1];
  if (found === undefined) return undefined;
  const { file_system_id, root_directory, access_point_id, iam } = found;
  const parts: Readonly<Record<string, string>> = { namespace, name, volume };
  const authorization = {
    ...(access_point_id === undefined ? {} : { accessPointId: access_point_id }),
    ...(iam ? { iam: 'ENABLED' as const } : {}),
  };
  return {
    name: `${prefix}${volume}`,
    efsVolumeConfiguration: {
      fileSystemId: file_system_id,
      ...(root_directory === undefined
        ? {}
        : {
            rootDirectory: root_directory.replaceAll(/\{(\w+)\}/g, (all, part: string) => parts[part] ?? all),
          }),
      // EFS wants it for access points and roles; nobody gains by going without.
      transitEncryption: 'ENABLED',
      ...(Object.keys(authorization).length === 0 ? {} : { authorizationConfig: authorization }),
    },
  };
}

/** Those of the base at other paths, and the container's own. */
export function mountPoints(
  mounts: readonly EfsMount[],
  base: ContainerDefinition,
): Pick<ContainerDefinition, 'mountPoints'> {
  if (mounts.length === 0) return {};
  const paths = new Set<string | undefined>(mounts.map(({ mountPath }) => mountPath));
  const kept = listed(base.mountPoints).filter(({ containerPath }) => !paths.has(containerPath));
  const own = mounts.map(({ volume, mountPath, readOnly }): MountPoint => ({
    sourceVolume: volume.name,
    containerPath: mountPath,
    readOnly,
  }));
  return { mountPoints: [...kept, ...own] };
}

/** Those of the base, and what its containers mount. Throws InvalidSpec where the base has one of the same name. */
export function withMounted(
  mounts: readonly EfsMount[],
  { volumes }: Pick<TaskDefinition, 'volumes'>,
): { readonly volumes?: Volume[] } {
  const own = new Map(mounts.map(({ volume }) => [volume.name, volume]));
  if (own.size === 0) return {};
  const other = listed(volumes).find(({ name }) => own.has(name));
  if (other !== undefined) {
    throw new ComputeError(
      'InvalidSpec',
      `spec.volumes: the task definition has a volume ${other.name} of its own. Have the operator's admin call it otherwise`,
    );
  }
  return { volumes: [...listed(volumes), ...own.values()] };
}

/** Some endpoints answer with an empty text for a list that was never given. */
function listed<T>(list: readonly T[] | undefined): readonly T[] {
  return Array.isArray(list) ? (list as readonly T[]) : [];
}
