import { createHash } from 'node:crypto';
import { memoryBytes } from '../../../../../api/quantity.ts';
import { ComputeError } from '../../../../errors.ts';
import { SecretValue } from '../../../../spec/secret-value.ts';
import type { HashKey } from '../../../../spec/spec-hash.ts';
import type { ContainerSpec, FileSpec, VolumeSpec } from '../../../../spec/tenant-compute-spec.ts';
import { asksByProbe, probeFiles, probePath } from '../probe/probe.ts';
import { normalisePath } from '../confinement/host-paths.ts';
import { filesVolumeName } from './files-volume.ts';
import { namedVolume } from './parse-volumes.ts';
import type { VolumeMount, VolumeRules } from './parse-volumes.ts';

/** What one container has of spec.volumes, besides the volumes of the block, which all containers have. Pure. */
export interface ContainerMounts {
  readonly volumes: readonly VolumeMount[];
  readonly files: readonly FilesMount[];
  readonly tmpfs: readonly TmpfsMount[];
}

/** Files in a volume of their own, which is filled before the container is made, and mounted to be read alone. */
export interface FilesMount {
  /** Name on the engine, which goes by what is in it: others have another one. */
  readonly source: string;
  readonly target: string;
  /** What of it is mounted; absent: all of it. */
  readonly subPath?: string;
  readonly files: readonly FileSpec[];
  /** Whether they are what its health check runs: not of its spec, and no other container where another version has others. */
  readonly isProbe?: true;
}

export interface TmpfsMount {
  readonly target: string;
  readonly sizeBytes: number;
  readonly readOnly: boolean;
}

export interface MountContext {
  /** Those of the block. */
  readonly volumes: readonly VolumeMount[];
  readonly rules: Pick<VolumeRules, 'labelPrefix' | 'tenantId'>;
  readonly hashKey: HashKey;
  /** Whose files they are: nobody finds out by a name what another one's are. */
  readonly subject: readonly string[];
}

/** Throws InvalidSpec, naming the container and the path. */
export function containerMounts(
  container: Pick<ContainerSpec, 'name' | 'volumeMounts' | 'healthCheck'>,
  volumes: readonly VolumeSpec[],
  context: MountContext,
): ContainerMounts {
  const byName = new Map(volumes.map((volume) => [volume.name, volume]));
  const taken = new Set(context.volumes.map(({ target }) => target));
  const mounts = { volumes: [...context.volumes], files: [] as FilesMount[], tmpfs: [] as TmpfsMount[] };
  for (const { name, mountPath, readOnly = false, subPath } of container.volumeMounts ?? []) {
    const target = normalisePath(mountPath);
    const where = `spec.containers: container ${container.name}: volumeMounts: ${mountPath}`;
    if (target === '/') throw invalid(`${where} is the root of the container`);
    if (taken.has(target)) throw invalid(`${where}: another volume is mounted there already`);
    taken.add(target);
    const volume = byName.get(name);
    if (volume === undefined) throw invalid(`${where}: spec.volumes has no ${name}`);
    const part = subPath === undefined ? {} : { subPath };
    checkPart(volume, subPath, where);
    if (volume.kind === 'persistent')
      mounts.volumes.push({ ...namedVolume(name, context.rules), target, readOnly, ...part });
    else if (volume.kind === 'tmpfs')
      mounts.tmpfs.push({ target, sizeBytes: memoryBytes(volume.size), readOnly });
    else mounts.files.push({ source: sourceOf(volume.files, context), target, ...part, files: volume.files });
  }
  if (asksByProbe(container.healthCheck)) {
    const where = `spec.containers: container ${container.name}: healthCheck`;
    if (taken.has(probePath))
      throw invalid(`${where}: ${probePath}, where its probe is mounted, has a volume`);
    const files = probeFiles();
    mounts.files.push({ source: sourceOf(files, context), target: probePath, files, isProbe: true });
  }
  return mounts;
}

function checkPart(volume: VolumeSpec, subPath: string | undefined, where: string): void {
  if (subPath === undefined || volume.kind === 'persistent') return;
  if (volume.kind === 'tmpfs') throw invalid(`${where}: subPath: memory has no parts. Leave it out`);
  const isThere = volume.files.some(({ path }) => path === subPath || path.startsWith(`${subPath}/`));
  if (!isThere) throw invalid(`${where}: subPath: the files of ${volume.from} have no ${subPath}`);
}

function sourceOf(files: readonly FileSpec[], { rules, hashKey, subject }: MountContext): string {
  const sealed = hashKey.seal(
    JSON.stringify([subject, files.map((file) => [file.path, file.mode, digest(file)])]),
  );
  return filesVolumeName(rules, sealed);
}

function digest({ content }: FileSpec): string {
  const text = content instanceof SecretValue ? content.reveal() : content;
  return createHash('sha256').update(text).digest('hex');
}

/** What the hash of a container knows of them; absent where it has none, as ever. */
export function hashedMounts({ files, tmpfs }: Pick<ContainerMounts, 'files' | 'tmpfs'>) {
  return {
    files: unlessNone(
      files
        .filter(({ isProbe }) => isProbe !== true)
        .map((mount) => ({
          target: mount.target,
          subPath: mount.subPath,
          files: mount.files.map(hashedFile).toSorted(byPath),
        })),
    ),
    tmpfs: unlessNone(tmpfs),
  };
}

function hashedFile(file: FileSpec) {
  const { path, mode, content } = file;
  return {
    path,
    mode,
    content: content instanceof SecretValue ? new SecretValue(digest(file)) : digest(file),
  };
}

function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : 1;
}

function unlessNone<T extends { readonly target: string }>(mounts: readonly T[]): readonly T[] | undefined {
  return mounts.length === 0 ? undefined : mounts.toSorted((a, b) => (a.target < b.target ? -1 : 1));
}

/** Values of Secrets in files that no message may show. */
export function secretsIn(volumes: readonly VolumeSpec[]): readonly string[] {
  return volumes.flatMap((volume) =>
    (volume.kind === 'files' ? volume.files : []).flatMap(({ content }) =>
      content instanceof SecretValue ? [Buffer.from(content.reveal(), 'base64').toString('utf8')] : [],
    ),
  );
}

function invalid(message: string): ComputeError {
  return new ComputeError('InvalidSpec', message);
}
