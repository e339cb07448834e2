import { existsSync } from 'node:fs';
import { readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram } from './debian-packages.ts';
import { runCommand } from './run-command.ts';

/** What a private Docker Engine has on the machine outside of its own process. */
export interface EngineRemains {
  /** Data, sockets, state; every process of the engine names it in its command line. */
  readonly folder: string;
  readonly bridge: string;
  /** All addresses of its networks, as a CIDR. */
  readonly addresses: string;
  /** The cgroup that holds all its containers, relative to each hierarchy. */
  readonly cgroup: string;
}

/**
 * Removes everything of a private engine, whatever state it is in: dockerd, containerd, shims and containers are
 * killed, then mounts, bridges, cgroups and the folder go. Safe to call again after a failure.
 */
export async function removeEngineRemains(remains: EngineRemains): Promise<void> {
  const bridges = [remains.bridge, ...(await networkBridges(remains.folder))];
  await killProcesses(remains.folder);
  await unmountAll(remains.folder);
  for (const bridge of bridges) await removeLink(bridge);
  await forwardWithinBridges('--delete', remains.addresses);
  await removeCgroups(remains.cgroup);
  await rm(remains.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

/**
 * Where another Docker Engine runs, the kernel's bridges ask its firewall, which drops what it doesn't know: allow what
 * passes between containers on one bridge of this engine. Without iptables there is no such firewall and no rule.
 */
export async function forwardWithinBridges(
  action: '--insert' | '--delete',
  addresses: string,
): Promise<void> {
  const match = ['-m', 'physdev', '--physdev-is-bridged', '-s', addresses, '-d', addresses];
  const iptables = findProgram('iptables');
  if (iptables === undefined) return;
  await runCommand(iptables, ['--wait', action, 'FORWARD', ...match, '-j', 'ACCEPT']).catch(() => undefined);
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

/** The engine names each network's bridge in its database, which is read as text because the engine may be dead. */
async function networkBridges(folder: string): Promise<string[]> {
  const database = await readFile(join(folder, 'data/network/files/local-kv.db'), 'latin1').catch(() => '');
  return [...new Set(database.match(/\bbr-[0-9a-f]{12}\b/g))];
}

async function removeLink(name: string): Promise<void> {
  if (!existsSync(`/sys/class/net/${name}`)) return;
  await runCommand(findProgram('ip') ?? 'ip', ['link', 'delete', name]);
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
