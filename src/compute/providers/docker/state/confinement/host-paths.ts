import { posix } from 'node:path';
import type { ComputeError } from '../../../../errors.ts';
import { denied } from '../../../../policy.ts';
import type { DockerPolicy } from '../../config.ts';

/** Which paths of the host a tenant may mount, by their names. Pure: what stands there is looked at by `watch/`. */

/** Leave to mount a path, and what must be true on the host for it to hold. */
export interface HostPathGrant {
  /** The allowed path that it is, or is below. */
  readonly root: string;
  /** Paths that tenants may write to: whatever is below them leads anywhere. */
  readonly written: readonly string[];
}

interface HostPathRules {
  /** Of the tenant's namespace. */
  readonly allowedHostPaths: Allowed;
  /** Of all namespaces. */
  readonly writableHostPaths: readonly string[];
}

type Allowed = DockerPolicy['allowed_host_paths'];

interface Asked {
  /** Normalised. */
  readonly source: string;
  readonly readOnly: boolean;
  /** SELinux is to label it anew. */
  readonly isRelabelled?: boolean;
}

/** Throws PolicyDenied, naming the rule. */
export function grantHostPath(
  { source, readOnly, isRelabelled = false }: Asked,
  { allowedHostPaths, writableHostPaths: written }: HostPathRules,
): HostPathGrant {
  const rules = allowedHostPaths.map(ruleOf);
  if (isBelowOne(written, source)) throw deniedPath(source, belowWritten, 'Use that path itself');
  // On the host, it is so for everybody from then on, down to the last file.
  if (isRelabelled && !rules.some(({ path, relabel }) => path === source && relabel)) {
    throw deniedPath(source, 'may not be labelled anew', 'Leave out z and Z');
  }
  if (rules.some(({ path, writable }) => path === source && (readOnly || writable))) {
    return { root: source, written };
  }
  // The widest: a link from one allowed path to another is none out of it.
  const [widest] = rules
    .filter(({ path, writable }) => !writable && isWithin(path, source))
    .toSorted((a, b) => a.path.length - b.path.length);
  if (widest === undefined) throw deniedPath(source, 'may not be mounted', 'Use a named volume');
  if (!readOnly) throw deniedPath(source, 'may only be read', 'Mount it with :ro');
  if (controlsHost(source)) throw deniedPath(source, controlling, 'Leave it out');
  return { root: widest.path, written };
}

interface PathRule {
  readonly path: string;
  readonly writable: boolean;
  readonly relabel: boolean;
}

function ruleOf(rule: Allowed[number]): PathRule {
  if (typeof rule === 'string') return { path: normalisePath(rule), writable: false, relabel: false };
  const { path, writable, relabel = false } = rule;
  return { path: normalisePath(path), writable, relabel };
}

/** Those of the allowed paths that may be written to. */
export function writablePaths(allowed: Allowed): readonly string[] {
  return allowed.map(ruleOf).flatMap(({ path, writable }) => (writable ? [path] : []));
}

const belowWritten = 'is below one that tenants may write to, of which only the very path may be mounted';
const controlling = 'is a way to control the host: it must be allowed by its own path';

/** What a look at the host found of an allowed path. */
export interface FoundPath {
  readonly source: string;
  readonly grant: HostPathGrant;
  /** Where source, root and written paths are once no name is a symbolic link; undefined: nobody can tell. */
  readonly real: {
    readonly source: string | undefined;
    readonly root: string;
    readonly written: readonly string[];
  };
  /** Whether it is a file, a folder, or not there: no socket and no device. */
  readonly isPlain: boolean;
}

/** Throws PolicyDenied where what is there is not what was allowed. Says nothing of where a link leads. */
export function checkFoundPath({ source, grant, real, isPlain }: FoundPath): void {
  if (real.source !== undefined && isBelowOne(real.written, real.source)) {
    throw deniedPath(source, belowWritten, 'Use that path itself');
  }
  if (grant.root === source) return;
  if (real.source === undefined || !isWithin(real.root, real.source)) {
    throw deniedPath(source, `leads out of ${grant.root} by a symbolic link`, 'Use a path without one');
  }
  if (!isPlain || controlsHost(real.source)) throw deniedPath(source, controlling, 'Leave it out');
}

function deniedPath(source: string, what: string, mend: string): ComputeError {
  return denied('docker.allowed_host_paths', `host path ${source} ${what}`, mend);
}

/** Sockets of engines and what belongs to them, processes and devices. `/var/run` is `/run` on any host of today. */
const controls: readonly string[] = [
  '/dev',
  '/proc',
  '/run/containerd',
  '/run/crio',
  '/run/docker',
  '/run/docker.sock',
  '/run/podman',
  '/run/user',
  '/sys',
  '/var/lib/containerd',
  '/var/lib/containers',
  '/var/lib/docker',
  '/var/lib/kubelet',
];

/** Whether one of them is it, is above it, or is in it; or it is named like a socket. */
function controlsHost(source: string): boolean {
  const path = source.replace(/^\/var\/run(?=\/|$)/, '/run');
  return (
    /\.sock(et)?$/.test(path) ||
    controls.some((control) => isWithin(control, path) || isWithin(path, control))
  );
}

/** Without `.`, `..`, doubled and trailing slashes. */
export function normalisePath(path: string): string {
  const normal = posix.normalize(path).replace(/^\/+/, '/');
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

function isBelowOne(folders: readonly string[], path: string): boolean {
  return folders.some((folder) => folder !== path && isWithin(folder, path));
}

function isWithin(folder: string, path: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`);
}
