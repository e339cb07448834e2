import { rm, writeFile } from 'node:fs/promises';
import { withCacheLock } from './cache-folder.ts';
import { findProgram } from './find-program.ts';
import { removeOnDeath } from './leftovers.ts';
import { withProgress } from './progress.ts';
import { runCommand } from './run-command.ts';

/** What apt asks before it starts a freshly installed service; exit code 101 forbids it. */
const policyFile = '/usr/sbin/policy-rc.d';

const aptOptions = ['-qq', '-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3'];

/**
 * The full path of `program`, from the Debian package of the same purpose where it is missing. Services that the
 * package would start stay off. Rejects, with `otherwise` as the advice, where this is not root on a Debian.
 */
export async function programFromDebian(
  program: string,
  packages: readonly string[],
  otherwise: string,
): Promise<string> {
  const present = findProgram(program);
  if (present !== undefined) return present;
  if (!canInstall()) throw new Error(`${program} is not installed: ${otherwise}`);
  await withCacheLock('apt', async () => {
    if (findProgram(program) === undefined) await install(packages);
  });
  const installed = findProgram(program);
  if (installed === undefined) {
    throw new Error(
      `apt installed ${packages.join(' ')} without an error, but there is no program ${program}`,
    );
  }
  return installed;
}

/**
 * Installs Debian packages that bring no program of their own, unless `isPresent`. Rejects with `otherwise` where this
 * is not root on a Debian.
 */
export async function packagesFromDebian(
  isPresent: () => Promise<boolean>,
  packages: readonly string[],
  otherwise: string,
): Promise<void> {
  if (await isPresent()) return;
  if (!canInstall()) throw new Error(otherwise);
  await withCacheLock('apt', async () => {
    if (!(await isPresent())) await install(packages);
  });
}

/** Root on a system that has apt. */
export function canInstall(): boolean {
  return process.getuid?.() === 0 && findProgram('apt-get') !== undefined;
}

async function install(packages: readonly string[]): Promise<void> {
  await withProgress(`installing ${packages.join(' ')} by apt (about 30 s)`, async (note) => {
    const allowServices = await forbidServices();
    try {
      note('downloading and unpacking');
      await aptInstall(packages).catch(async () => {
        note('refreshing the package lists');
        await apt(['update']);
        note('downloading and unpacking');
        await aptInstall(packages);
      });
    } finally {
      await allowServices();
    }
  });
}

async function aptInstall(packages: readonly string[]): Promise<void> {
  await apt(['install', '--yes', '--no-install-recommends', ...packages]);
}

async function apt(args: readonly string[]): Promise<void> {
  await runCommand('apt-get', [...aptOptions, ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_SUSPEND: '1' },
  });
}

/** Puts the policy file there, unless the machine has one of its own; returns what takes it away again. */
async function forbidServices(): Promise<() => Promise<void>> {
  try {
    await writeFile(policyFile, '#!/bin/sh\nexit 101\n', { flag: 'wx', mode: 0o755 });
  } catch {
    return async () => undefined;
  }
  const forget = removeOnDeath({ kind: 'file', path: policyFile });
  return async () => {
    await rm(policyFile, { force: true });
    forget();
  };
}
