import { memoryBytes } from '../../../../../../api/quantity.ts';
import { ComputeError } from '../../../../../errors.ts';
import type { ContainerSpec, VolumeSpec } from '../../../../../spec/tenant-compute-spec.ts';
import type { Tmpfs, Volume } from '../task-definition.ts';
import type { EfsMount } from './efs-volumes.ts';

/**
 * What ECS can mount of spec.volumes: memory, where the host is an instance, and what the operator has mapped to EFS. The rest
 * is refused with words.
 */

type Mounting = Pick<ContainerSpec, 'name' | 'volumeMounts'>;

export interface Mounted {
  readonly tmpfs: readonly Tmpfs[];
  readonly mounts: readonly EfsMount[];
}

/** `placeOf`: where a persistent volume is; undefined: nowhere. Throws InvalidSpec for any other mount. */
export function mountedVolumes(
  container: Mounting,
  volumes: readonly VolumeSpec[],
  placeOf: (volume: string) => Volume | undefined,
): Mounted {
  const tmpfs: Tmpfs[] = [];
  const mounts: EfsMount[] = [];
  for (const { name, mountPath, readOnly = false, subPath } of container.volumeMounts ?? []) {
    const volume = volumes.find((one) => one.name === name);
    const place = volume?.kind === 'persistent' ? placeOf(name) : undefined;
    if (volume?.kind === 'tmpfs') {
      if (subPath !== undefined)
        throw unserved(container, `${mountPath}: subPath: memory has no parts. Leave it out`);
      const size = Math.ceil(memoryBytes(volume.size) / 2 ** 20);
      tmpfs.push({ containerPath: mountPath, size, mountOptions: [readOnly ? 'ro' : 'rw', 'mode=1777'] });
    } else if (place === undefined) {
      throw unserved(container, `${mountPath}: ${reasonFor(volume)}`);
    } else {
      if (subPath !== undefined)
        throw unserved(container, `${mountPath}: subPath: ECS mounts a directory as a whole. Leave it out`);
      mounts.push({ volume: place, mountPath, readOnly });
    }
  }
  return { tmpfs, mounts };
}

function reasonFor(volume: VolumeSpec | undefined): string {
  if (volume === undefined) return 'spec.volumes has no volume of that name';
  return volume.kind === 'files'
    ? `ECS has no files of the ${volume.from}. Give what is in it by env, or put it into the image`
    : `ECS keeps no data of ${volume.name}. Have the operator's admin name a directory of EFS for it in compute.ecs.efs_volumes`;
}

/** Throws InvalidSpec for what Fargate has no memory for. */
export function checkTmpfs(
  containers: readonly { readonly spec: Mounting; readonly tmpfs: readonly Tmpfs[] }[],
  { isFargate }: { readonly isFargate: boolean },
): void {
  const found = isFargate && containers.find(({ tmpfs }) => tmpfs.length > 0);
  if (!found) return;
  throw unserved(found.spec, 'Fargate has no tmpfs. Leave it out, or use launch_type EC2');
}

function unserved({ name }: Mounting, why: string): ComputeError {
  return new ComputeError('InvalidSpec', `spec.containers: container ${name}: volumeMounts: ${why}`);
}
