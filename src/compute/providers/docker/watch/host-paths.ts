import { lstat, realpath, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path/posix';
import type { EngineReads } from '../engine/engine.ts';
import { checkFoundPath } from '../state/confinement/host-paths.ts';
import type { VolumeMount } from '../state/volumes/parse-volumes.ts';

/**
 * Looks at the allowed host paths that are to be mounted, as far as this process sees the host: behind a unix socket
 * that is its own, mostly. What can't be seen is taken by its name, as on any other host: there it is mounted to be read
 * alone. Rejects with PolicyDenied where a symbolic link leads out of what is allowed.
 */
export async function assertHostPaths(
  { address }: Pick<EngineReads, 'address'>,
  volumes: readonly VolumeMount[],
): Promise<void> {
  if (!address.startsWith('unix://')) return;
  for (const { source, grant } of volumes) {
    if (grant === undefined) continue;
    const [root = grant.root, ...written] = await Promise.all(
      [grant.root, ...grant.written].map(async (path) => (await realPath(path)) ?? path),
    );
    const real = { source: await realPath(source), root, written };
    checkFoundPath({ source, grant, real, isPlain: await isPlain(source) });
  }
}

/** With the links of all that is there followed. Undefined: it ends in a link that leads nowhere. */
async function realPath(path: string): Promise<string | undefined> {
  for (let seen = path; ; seen = dirname(seen)) {
    const real = await realpath(seen).catch(() => undefined);
    if (real !== undefined) return join(real, relative(seen, path));
    if (await isLink(seen)) return undefined;
    if (seen === '/') return path;
  }
}

async function isLink(path: string): Promise<boolean> {
  return lstat(path).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );
}

async function isPlain(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile() || found.isDirectory(),
    () => true,
  );
}
