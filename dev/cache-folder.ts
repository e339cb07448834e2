import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withProgress } from './progress.ts';

/** The folder for what is expensive to make and can be made again: `$XDG_CACHE_HOME/landlord` or `~/.cache/landlord`. */
export function cacheRoot(): string {
  const configured = process.env['XDG_CACHE_HOME'];
  return join(configured ? configured : join(homedir(), '.cache'), 'landlord');
}

/** The first 16 hex digits of a hash over all parts: enough to tell builds apart. */
export function cacheKey(parts: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex').slice(0, 16);
}

/**
 * The path of the cached folder `name`, built by `build` where it isn't there yet. `build` writes into a folder of its
 * own that is renamed when it is complete, so nobody sees half a build; two programs that ask at once build it once.
 */
export async function cachedFolder(name: string, build: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(cacheRoot(), name);
  if (existsSync(folder)) return folder;
  await withCacheLock(name, async () => {
    if (existsSync(folder)) return;
    await removeUnfinished(name);
    const unfinished = `${folder}.${randomBytes(4).toString('hex')}.part`;
    await mkdir(unfinished, { recursive: true });
    try {
      await build(unfinished);
      await rename(unfinished, folder);
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
  });
  return folder;
}

/** Called under the lock: nobody is at work on what a killed build left. */
async function removeUnfinished(name: string): Promise<void> {
  const entries = await readdir(cacheRoot());
  const unfinished = entries.filter((entry) => entry.startsWith(`${name}.`) && entry.endsWith('.part'));
  for (const entry of unfinished) await rm(join(cacheRoot(), entry), { recursive: true, force: true });
}

/** Runs `work` while no other program on this machine (of this user) runs under the same lock name. */
export async function withCacheLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  await mkdir(cacheRoot(), { recursive: true });
  const path = join(cacheRoot(), `${name}.lock`);
  if (!(await tryLock(path))) {
    await withProgress(`waiting for another program that prepares ${name}`, async (note) => {
      while (!(await tryLock(path))) {
        note(`held by process ${await lockOwner(path)}`);
        await sleep(200);
      }
    });
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function tryLock(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(String(process.pid));
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const owner = await lockOwner(path);
  if (owner === '' || isAlive(Number(owner))) return false;
  // Its owner died. Of several that see this only one wins the rename, and then all compete for the lock afresh.
  const grave = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const buried = await rename(path, grave).then(
    () => true,
    () => false,
  );
  if (buried) await rm(grave, { force: true });
  return false;
}

/** The owner's process id; empty between the creation of the file and its writing, and once it is gone. */
async function lockOwner(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
