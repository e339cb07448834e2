import { memoryBytes } from '../../../../../../api/quantity.ts';
import { ComputeError } from '../../../../../errors.ts';
import type { ContainerSpec, VolumeSpec } from '../../../../../spec/tenant-compute-spec.ts';
import type { Tmpfs } from '../task-definition.ts';

/** What ECS can mount of spec.volumes: memory, where the host is an instance. The rest is refused with words. */

type Mounting = Pick<ContainerSpec, 'name' | 'volumeMounts'>;

/** A container's mounts of memory. Throws InvalidSpec for any other. */
export function mountedTmpfs(container: Mounting, volumes: readonly VolumeSpec[]): readonly Tmpfs[] {
  return (container.volumeMounts ?? []).map(({ name, mountPath, readOnly, subPath }) => {
    const volume = volumes.find((one) => one.name === name);
    if (volume?.kind !== 'tmpfs') throw unserved(container, `${mountPath}: ${reasonFor(volume)}`);
    if (subPath !== undefined)
      throw unserved(container, `${mountPath}: subPath: memory has no parts. Leave it out`);
    const size = Math.ceil(memoryBytes(volume.size) / 2 ** 20);
    return { containerPath: mountPath, size, mountOptions: [readOnly === true ? 'ro' : 'rw', 'mode=1777'] };
  });
}

function reasonFor(volume: VolumeSpec | undefined): string {
  if (volume === undefined) return 'spec.volumes has no volume of that name';
  return volume.kind === 'files'
    ? `ECS has no files of the ${volume.from}. Give what is in it by env, or put it into the image`
    : `ECS keeps no data of ${volume.name}. Have the operator's admin offer a task definition that mounts a file system`;
}

/** Throws InvalidSpec for what Fargate has no memory for. */
export function checkTmpfs(
  containers: readonly Mounting[],
  { isFargate }: { readonly isFargate: boolean },
): void {
  const found = isFargate && containers.find(({ volumeMounts = [] }) => volumeMounts.length > 0);
  if (!found) return;
  throw unserved(found, 'Fargate has no tmpfs. Leave it out, or use launch_type EC2');
}

function unserved({ name }: Mounting, why: string): ComputeError {
  return new ComputeError('InvalidSpec', `spec.containers: container ${name}: volumeMounts: ${why}`);
}
