import { existsSync } from 'node:fs';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dockerAt } from './docker-at.ts';
import { networkSnapshot } from './machine-network.ts';

/** All of a machine that a run of the tests may have changed, for comparison: kind -> lines. */
export type MachineSnapshot = Readonly<Record<string, readonly string[]>>;

export interface SnapshotOptions {
  /** The engine that was there before the run, as in DOCKER_HOST. */
  readonly dockerHost: string;
  /** Where the run makes its temporary files. */
  readonly temporaryFolder: string;
  /** What stands in the environment of the run's processes, and of no others. */
  readonly marker: string;
}

export async function machineSnapshot(options: SnapshotOptions): Promise<MachineSnapshot> {
  const { dockerHost, temporaryFolder, marker } = options;
  return {
    ...(await networkSnapshot()),
    ...(await engineSnapshot(dockerHost)),
    ...(await processSnapshot(marker)),
    mounts: await mountPoints(),
    cgroups: await cgroups(),
    files: (await Promise.all([temporaryFolder, ...machineFolders].map(entriesOf))).flat(),
  };
}

/** Those of other programs come and go meanwhile. What an engine's containers have goes with them, and they are looked at. */
const ofOthersToo: ReadonlySet<string> = new Set(['mounts', 'cgroups', 'network namespaces']);

/** What differs: `+ links 7 lld3`, `- images …`; empty where nothing does. */
export function snapshotChanges(before: MachineSnapshot, after: MachineSnapshot): string[] {
  const kinds = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return kinds.flatMap((kind) => {
    const [old, present] = [before[kind] ?? [], after[kind] ?? []];
    const gone = old.filter((line) => !present.includes(line)).map((line) => `- ${kind}: ${line}`);
    if (ofOthersToo.has(kind)) gone.length = 0;
    const added = present.filter((line) => !old.includes(line)).map((line) => `+ ${kind}: ${line}`);
    return [...gone, ...added];
  });
}

/** Where programs of this kind leave things whatever folder they are given; `policy-rc.d` is the file of apt. */
const machineFolders = ['/run/netns', '/run/docker/netns', '/run/containerd/s', '/usr/sbin/policy-rc.d'];

async function entriesOf(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => name !== 'default').map((name) => join(folder, name));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOTDIR' ? [folder] : [];
  }
}

async function engineSnapshot(dockerHost: string): Promise<MachineSnapshot> {
  const docker = dockerAt(dockerHost);
  const [containers, networks, { Volumes }, images] = await Promise.all([
    docker.listContainers({ all: true }),
    docker.listNetworks(),
    docker.listVolumes(),
    docker.listImages({ all: true }),
  ]);
  const starts = await Promise.all(
    containers.map(async ({ Id }) => (await docker.getContainer(Id).inspect()).State.StartedAt),
  );
  return {
    containers: containers.map(({ Id, Names, State }, index) =>
      [Id, ...Names, State, starts[index]].join(' '),
    ),
    networks: networks.map(({ Id, Name }) => `${Id} ${Name}`),
    volumes: (Volumes ?? []).map(({ Name }) => Name),
    images: images.map(({ Id, RepoTags, RepoDigests }) =>
      [Id, ...(RepoTags ?? []), ...(RepoDigests ?? [])].join(' '),
    ),
  };
}

/** Processes of the run, whoever their parent is by now, and the network namespaces of all: containers have theirs. */
async function processSnapshot(marker: string): Promise<MachineSnapshot> {
  const processes: string[] = [];
  const namespaces = new Set<string>();
  for (const pid of (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))) {
    const namespace = await readlink(`/proc/${pid}/ns/net`).catch(() => undefined);
    if (namespace !== undefined) namespaces.add(namespace);
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (!environment.includes(marker)) continue;
    const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    processes.push(`${pid} ${commandLine.replaceAll('\0', ' ').trim()}`);
  }
  return { processes, 'network namespaces': [...namespaces] };
}

async function mountPoints(): Promise<string[]> {
  const table = await readFile('/proc/self/mountinfo', 'utf8');
  const points = table.split('\n').flatMap((line) => line.split(' ')[4] ?? []);
  // An engine's handle of the machine's own network, which it makes for the first container there, and keeps.
  return points.filter((point) => !point.endsWith('/netns/default'));
}

/** Those that engines and this project make, without those of another run that has its engine's folder beside ours. */
async function cgroups(): Promise<string[]> {
  const entries = await readdir('/sys/fs/cgroup', { withFileTypes: true, recursive: true });
  const folders = entries.filter((entry) => entry.isDirectory());
  return folders
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => /docker|landlord/.test(path))
    .filter((path) => !existsSync(join(tmpdir(), /landlord-engine-\w+/.exec(path)?.[0] ?? 'no engine')));
}
