import { mkdir, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { lazyGarbageCollection, startChild } from './child-process.ts';
import type { Child } from './child-process.ts';
import { programFromDebian } from './debian-packages.ts';
import { insideNamespace } from './engine-namespace.ts';

/** Where the programs of an engine lie. */
export interface EnginePrograms {
  readonly dockerd: string;
  readonly containerd: string;
  readonly ip: string;
}

/** Where an engine is to run, and how it is told from others. */
export interface EngineSite {
  /** Holds all its files, the socket included unless `socketPath` says otherwise. */
  readonly folder: string;
  /** The network namespace that it runs in; undefined: that of this program. */
  readonly namespaceFile: string | undefined;
  /** The cgroup that holds all its containers, relative to each hierarchy. */
  readonly cgroup: string;
  readonly socketPath: string;
}

const advice =
  'install docker.io (Debian, Ubuntu: apt-get install docker.io iproute2), or start a Docker Engine and set DOCKER_HOST';

/** Installs docker.io by apt where it is missing. Rejects where there is no root or no Linux to run it on. */
export async function obtainEnginePrograms(): Promise<EnginePrograms> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    throw new Error('a private Docker Engine needs root on Linux: run this as root');
  }
  const packages = ['docker.io', 'iproute2'];
  return {
    dockerd: await programFromDebian('dockerd', packages, advice),
    containerd: await programFromDebian('containerd', packages, advice),
    ip: await programFromDebian('ip', packages, advice),
  };
}

/** A containerd of its own, because dockerd would use one that runs for the whole machine. */
export async function startContainerd({ containerd }: EnginePrograms, site: EngineSite): Promise<Child> {
  const { folder } = site;
  const config = join(folder, 'containerd.toml');
  await writeFile(
    config,
    [
      'version = 2',
      `root = "${folder}/containerd"`,
      `state = "${folder}/containerd-state"`,
      'disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs"]',
      '[grpc]',
      `  address = "${folder}/containerd.sock"`,
      '',
    ].join('\n'),
  );
  return startProgram('containerd', [containerd, '--config', config], site);
}

/** `network`: the arguments that say what it does to the network that it finds. */
export async function startDockerd(
  { dockerd }: EnginePrograms,
  site: EngineSite,
  network: readonly string[],
): Promise<Child> {
  const { folder } = site;
  await mkdir(join(folder, 'data'), { recursive: true });
  const pidFile = join(folder, 'docker.pid');
  // One that was killed leaves it behind, and is taken for alive where another program has that number by now.
  await rm(pidFile, { force: true });
  await writeFile(join(folder, 'daemon.json'), '{}\n');
  const command = [
    dockerd,
    // Not the machine's own /etc/docker/daemon.json.
    `--config-file=${join(folder, 'daemon.json')}`,
    `--host=unix://${site.socketPath}`,
    `--containerd=${join(folder, 'containerd.sock')}`,
    `--data-root=${join(folder, 'data')}`,
    `--exec-root=${join(folder, 'exec')}`,
    `--pidfile=${pidFile}`,
    `--cgroup-parent=${site.cgroup}`,
    '--exec-opt=native.cgroupdriver=cgroupfs',
    '--insecure-registry=127.0.0.0/8',
    ...network,
  ];
  return startProgram('dockerd', command, site);
}

/** In the namespace from its first instruction: containers of the host's network, and proxies of ports, inherit it. */
async function startProgram(
  name: string,
  [program = '', ...programArgs]: readonly string[],
  { folder, namespaceFile }: EngineSite,
): Promise<Child> {
  const [command, args] =
    namespaceFile === undefined
      ? [program, programArgs]
      : insideNamespace(namespaceFile, program, programArgs);
  const env = engineEnvironment(program);
  return startChild({ name, command, args, env, logFile: join(folder, `${name}.log`) });
}

/** docker-proxy, runc and iptables are looked up in the PATH, which may lack the folders of system programs. */
function engineEnvironment(program: string): NodeJS.ProcessEnv {
  const folders = [process.env['PATH'], dirname(program), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  const { DOCKER_HOST: _host, ...inherited } = process.env;
  return { ...inherited, ...lazyGarbageCollection, PATH: folders.filter(Boolean).join(delimiter) };
}
