import { existsSync } from 'node:fs';
import { readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram } from './find-program.ts';
import { namespaceFile, unlinkNamespace } from './engine-namespace.ts';
import { runCommand } from './run-command.ts';

/** What a private Docker Engine has on the machine outside of its own process. */
export interface EngineRemains {
  /** Data, sockets, state; every process of the engine names it in its command line. */
  readonly folder: string;
  /** The cgroup that holds all its containers, relative to each hierarchy. */
  readonly cgroup: string;
}

/**
 * Removes everything of a private engine, whatever state it is in: dockerd, containerd, shims and containers are
 * killed, then its network, mounts, cgroups and the folder go. Safe to call again after a failure.
 */
export async function removeEngineRemains({ folder, cgroup }: EngineRemains): Promise<void> {
  const sockets = await shimSockets(folder);
  await killProcesses(folder);
  await removeNetwork(folder);
  await unmountAll(folder);
  for (const socket of sockets) await rm(socket, { force: true });
  await removeCgroups(cgroup);
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

/** The engine's own processes and, because containers don't name the folder, all that descends from them. */
export async function engineProcesses(folder: string): Promise<number[]> {
  const parents = new Map<number, number>();
  const found = new Set<number>();
  for (const entry of await readdir('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (stat === '' || fields[0] === 'Z') continue;
    parents.set(pid, Number(fields[1]));
    const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (isEngineProgram(commandLine) && commandLine.includes(`${folder}/`)) found.add(pid);
  }
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const [pid, parent] of parents) if (found.has(parent)) found.add(pid);
  }
  return [...found];
}

/** So that an editor or a shell which happens to name the folder is not taken for the engine. */
function isEngineProgram(commandLine: string): boolean {
  const program = commandLine.split('\0', 1)[0] ?? '';
  return /(^|\/)(dockerd|containerd|containerd-shim[-\w]*|runc|docker-proxy)$/.test(program);
}

/** Mount points at or below the folder, innermost first. */
export async function mountsBelow(folder: string): Promise<string[]> {
  const table = await readFile('/proc/self/mountinfo', 'utf8');
  const points = table.split('\n').map((line) => line.split(' ')[4] ?? '');
  return points.filter((point) => point.startsWith(`${folder}/`)).toReversed();
}

async function killProcesses(folder: string): Promise<void> {
  // Again and again: a process may have been starting another one while the list was made.
  for (let round = 0; round < 100; round += 1) {
    const processes = await engineProcesses(folder);
    if (processes.length === 0) return;
    for (const pid of processes) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Ended meanwhile.
      }
    }
    await sleep(50);
  }
  throw new Error(
    `processes of the Docker Engine in ${folder} don't end: ${(await engineProcesses(folder)).join(' ')}`,
  );
}

async function unmountAll(folder: string): Promise<void> {
  for (const mount of await mountsBelow(folder)) {
    // Lazily: a mount that something still holds must not keep the others.
    await runCommand('umount', ['--lazy', mount]).catch(() => undefined);
  }
}

/** The namespace goes with its last process and its mount; the link to it goes here, so that it is gone at once. */
async function removeNetwork(folder: string): Promise<void> {
  const file = namespaceFile(folder);
  if (!(await mountsBelow(folder)).includes(file)) return;
  await unlinkNamespace(findProgram('ip') ?? 'ip', file);
}

/** Each shim has its socket in a folder of the machine, whatever folder its containerd has, and it has just been killed. */
async function shimSockets(folder: string): Promise<string[]> {
  const bundles = join(folder, 'containerd-state/io.containerd.runtime.v2.task/moby');
  const names = await readdir(bundles).catch(() => []);
  const addresses = names.map((name) => readFile(join(bundles, name, 'address'), 'utf8').catch(() => ''));
  return (await Promise.all(addresses)).flatMap(
    (address) => /^unix:\/\/(\/.+)$/.exec(address.trim())?.[1] ?? [],
  );
}

async function removeCgroups(cgroup: string): Promise<void> {
  const root = '/sys/fs/cgroup';
  const hierarchies = (await readdir(root).catch(() => [])).map((hierarchy) => join(root, hierarchy));
  for (const hierarchy of [root, ...hierarchies]) await removeCgroup(join(hierarchy, cgroup));
}

/** A cgroup is removed by rmdir alone, children first; its files can't be deleted. */
async function removeCgroup(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeCgroup(join(path, entry.name));
  // The kernel frees a cgroup a moment after its last process ended.
  for (let attempt = 0; attempt < 20 && existsSync(path); attempt += 1) {
    await rmdir(path).catch(() => sleep(50));
  }
}
