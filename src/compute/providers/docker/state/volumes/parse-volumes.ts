import { ComputeError } from '../../../../errors.ts';
import type { DockerPolicy } from '../../config.ts';
import { grantHostPath, normalisePath } from '../confinement/host-paths.ts';
import type { HostPathGrant } from '../confinement/host-paths.ts';

/** A tenant's `host_or_volume:/container/path[:mode]`, taken apart and checked. Pure. */
export interface VolumeMount {
  /** Name of the engine's volume, or the normalised host path. */
  readonly source: string;
  /** What an earlier version called the volume. One of that name that is the tenant's own stays in use, and hashes go by it. */
  readonly formerSource?: string;
  readonly target: string;
  /** The folder of the volume that it is; absent: all of it. */
  readonly subPath?: string;
  readonly readOnly: boolean;
  /** Other words of its mode, in their order; absent: none. */
  readonly options?: readonly MountWord[];
  /** A volume of the tenant, made and removed with it; otherwise a bind mount. */
  readonly named: boolean;
  /** Leave for a path of the host that the operator's own block does not name. */
  readonly grant?: HostPathGrant;
}

/** Of a path of the host: how SELinux labels it, and what of mounts beneath it is seen; of a volume, that it begins empty. */
export type MountWord = 'z' | 'Z' | 'nocopy' | 'slave' | 'rslave' | 'private' | 'rprivate';

/** Of each of these no more than one. */
const wordKinds: readonly (readonly string[])[] = [
  ['ro', 'rw'],
  ['z', 'Z'],
  ['nocopy'],
  ['slave', 'rslave', 'private', 'rprivate'],
];

/** Whether the engine gives what is there another label. */
export function isRelabelled({ options = [] }: Pick<VolumeMount, 'options'>): boolean {
  return options.includes('z') || options.includes('Z');
}

/** How mounts are told beneath it; undefined: as the engine has it, not at all. */
export function propagationOf({ options = [] }: Pick<VolumeMount, 'options'>): MountWord | undefined {
  return options.find((word) => word.endsWith('slave') || word.endsWith('private'));
}

export interface VolumeRules {
  readonly labelPrefix: string;
  readonly tenantId: string;
  readonly allowedHostPaths: DockerPolicy['allowed_host_paths'];
  /** Those that tenants of any namespace may write to. */
  readonly writableHostPaths: readonly string[];
  /** The operator's own `volumes`, which need no permission. */
  readonly operatorVolumes: readonly string[];
  /** What else the container mounts. */
  readonly others?: readonly VolumeMount[];
  /** Where they stand. */
  readonly path?: string;
}

/** What the engine takes as the name of a volume. */
const volumeName = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

/** It is the name of a folder on the host. */
const maxNameLength = 255;

/** Throws InvalidSpec, naming the path, or PolicyDenied for a host path that is not allowed. */
export function parseVolumes(volumes: readonly string[], rules: VolumeRules): readonly VolumeMount[] {
  const { others = [], path = 'spec.computeConfig.docker.volumes' } = rules;
  const mounts = volumes.map((volume, index) => parseVolume(volume, `${path}[${index}]`, rules));
  const targets = new Set(others.map(({ target }) => target));
  for (const [index, { target }] of mounts.entries()) {
    if (targets.has(target))
      throw invalid(`${path}[${index}]`, `mounts ${target}, which another volume mounts already`);
    targets.add(target);
  }
  return mounts;
}

/** What it may be called on the engine. */
export function possibleSources({ source, formerSource }: VolumeMount): readonly string[] {
  return formerSource === undefined ? [source] : [source, formerSource];
}

/** The container with its volumes called as before, where one of the `former` names stays in use. */
export function withFormerNames<T extends { readonly volumes: readonly VolumeMount[] }>(
  container: T,
  former: ReadonlySet<string>,
): T {
  if (former.size === 0) return container;
  const volumes = container.volumes.map((mount): VolumeMount => {
    const { formerSource, ...rest } = mount;
    return formerSource !== undefined && former.has(formerSource) ? { ...rest, source: formerSource } : mount;
  });
  return { ...container, volumes };
}

function parseVolume(volume: string, path: string, rules: VolumeRules): VolumeMount {
  const [from = '', to = '', mode = 'rw'] = volume.split(':');
  const target = normalisePath(to);
  if (target === '/') throw invalid(path, 'mounts over the root of the container');
  const words = mode.split(',');
  const clash = wordKinds.find((kind) => kind.filter((word) => words.includes(word)).length > 1);
  if (clash !== undefined) throw invalid(path, `of ${clash.join(', ')} a volume has one at most`);
  const readOnly = words.includes('ro');
  const more = words.filter((word) => word !== 'ro' && word !== 'rw').toSorted() as MountWord[];
  const options = more.length === 0 ? {} : { options: more };
  if (!from.startsWith('/')) {
    if (!volumeName.test(from)) {
      throw invalid(path, `"${from}" is neither an absolute host path nor a volume name`);
    }
    const propagation = propagationOf(options);
    if (propagation !== undefined) throw invalid(path, `${propagation} is for paths of the host`);
    const mount = { ...namedVolume(from, rules), target, readOnly, ...options };
    if (mount.source.length > maxNameLength) {
      const most = maxNameLength - (mount.source.length - from.length);
      throw invalid(path, `its name must have at most ${most} characters`);
    }
    return mount;
  }
  const source = normalisePath(from);
  if (more.includes('nocopy'))
    throw invalid(path, 'nocopy is for volumes: nothing is copied to a path of the host');
  const mount = { source, target, readOnly, ...options, named: false };
  if (rules.operatorVolumes.includes(volume)) return mount;
  return { ...mount, grant: grantHostPath({ source, readOnly, isRelabelled: isRelabelled(mount) }, rules) };
}

/** A volume of the tenant by the name that its spec has for it, in the block and in spec.volumes alike. */
export function namedVolume(
  name: string,
  { labelPrefix, tenantId }: Pick<VolumeRules, 'labelPrefix' | 'tenantId'>,
): Pick<VolumeMount, 'source' | 'formerSource' | 'named'> {
  const owner = `${labelPrefix}-${tenantId}`;
  // No tenant id has an underscore in it: this is the name of no volume that another tenant could have.
  return { source: `${owner}_${name}`, formerSource: `${owner}-${name}`, named: true };
}

function invalid(path: string, what: string): ComputeError {
  return new ComputeError('InvalidSpec', `${path}: ${what}`);
}
