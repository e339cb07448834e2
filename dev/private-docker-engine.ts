import { randomInt } from 'node:crypto';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { startChild, waitUntilReady, type Child } from './child-process.ts';
import { programFromDebian } from './debian-packages.ts';
import { forwardWithinBridges, removeEngineRemains, type EngineRemains } from './docker-engine-remains.ts';
import { pingSocket } from './docker-ping.ts';
import { removeOnDeath } from './leftovers.ts';
import { runCommand } from './run-command.ts';

/** A Docker Engine with its own socket, data, containerd and bridge, beside whatever engines there are. */
export interface PrivateDockerEngine {
  /** unix://…, usable as DOCKER_HOST. */
  readonly host: string;
  readonly socketPath: string;
  readonly private: true;
  /** Addresses that no other private engine and no network of this one uses, for networks with explicit subnets. */
  readonly networkPool: string;
  readonly bridge: string;
  /** The folder with its data and its logs (dockerd.log, containerd.log). */
  readonly folder: string;
  /** Kills dockerd alone (SIGKILL): containers go on. Resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts dockerd again on the same data. Resolves when it answers. */
  start(): Promise<void>;
  /** Stops dockerd in its tracks (SIGSTOP): connections stay open and silent. */
  freeze(): void;
  thaw(): void;
  /** Removes the engine with all its containers, data, networks and mounts. */
  stop(): Promise<void>;
}

// It takes about a second; the limit is for machines that are busy with other things.
const READY_TIMEOUT_MS = 60_000;

// Each private engine owns one of 16 slots: the bridge lldN and the addresses 10.(224+N).0.0/16. The kernel sees to it
// that a bridge exists once, so who has made the bridge has the addresses.
const SLOTS = 16;
const FIRST_SLOT_NETWORK = 224;

const ADVICE =
  'install docker.io (Debian, Ubuntu: apt-get install docker.io iproute2), or start a Docker Engine and set DOCKER_HOST';

/** Starts one in any case; needs root on Linux, and installs docker.io by apt where it is missing. */
export async function startPrivateDockerEngine(): Promise<PrivateDockerEngine> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    throw new Error('a private Docker Engine needs root on Linux: run this as root');
  }
  const packages = ['docker.io', 'iproute2'];
  const programs = {
    dockerd: await programFromDebian('dockerd', packages, ADVICE),
    containerd: await programFromDebian('containerd', packages, ADVICE),
    ip: await programFromDebian('ip', packages, ADVICE),
  };
  const { bridge, network } = await claimSlot(programs.ip);
  const folder = await mkdtemp(join(tmpdir(), 'landlord-engine-'));
  const remains: EngineRemains = {
    folder,
    bridge,
    addresses: `${network}.0.0/16`,
    cgroup: `/${basename(folder)}`,
  };
  const forget = removeOnDeath({ kind: 'engine', ...remains });
  const children: { containerd?: Child; dockerd?: Child } = {};
  const stop = async (): Promise<void> => {
    // While dockerd lives, what it has started can still be told by its parent.
    await removeEngineRemains(remains);
    await children.dockerd?.kill();
    await children.containerd?.kill();
    forget();
  };
  const socketPath = join(folder, 'docker.sock');
  const start = async (): Promise<void> => {
    children.dockerd = await startDockerd(programs.dockerd, { remains, network, socketPath });
    await waitUntilReady(
      children.dockerd,
      async () => (await pingSocket(socketPath)) === undefined,
      READY_TIMEOUT_MS,
    );
  };
  try {
    await forwardWithinBridges('--insert', remains.addresses);
    children.containerd = await startContainerd(programs.containerd, folder);
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    host: `unix://${socketPath}`,
    socketPath,
    private: true,
    networkPool: `${network}.64.0/18`,
    bridge,
    folder,
    kill: async () => {
      await children.dockerd?.kill();
    },
    start,
    freeze: () => children.dockerd?.signal('SIGSTOP'),
    thaw: () => children.dockerd?.signal('SIGCONT'),
    stop,
  };
}

async function claimSlot(ip: string): Promise<{ bridge: string; network: string }> {
  const first = randomInt(SLOTS);
  for (let step = 0; step < SLOTS; step += 1) {
    const slot = (first + step) % SLOTS;
    const bridge = `lld${slot}`;
    const network = `10.${FIRST_SLOT_NETWORK + slot}`;
    const routes = await runCommand(ip, ['-4', 'route', 'show', 'to', 'root', `${network}.0.0/16`]);
    if (routes.trim() !== '') continue;
    try {
      await runCommand(ip, ['link', 'add', bridge, 'type', 'bridge']);
    } catch (error) {
      if (error instanceof Error && error.message.includes('File exists')) continue;
      throw error;
    }
    await runCommand(ip, ['address', 'add', `${network}.0.1/18`, 'dev', bridge]);
    await runCommand(ip, ['link', 'set', bridge, 'up']);
    return { bridge, network };
  }
  throw new Error(
    `all ${SLOTS} bridges lld0 … lld${SLOTS - 1} or their addresses 10.${FIRST_SLOT_NETWORK}.0.0/12 are in use: ` +
      'stop other runs, or remove what a crash left by `ip link delete lldN`',
  );
}

/** A containerd of its own, because dockerd would use one that runs for the whole machine. */
async function startContainerd(containerd: string, folder: string): Promise<Child> {
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
  return startChild({
    name: 'containerd',
    command: containerd,
    args: ['--config', config],
    env: engineEnvironment(containerd),
    logFile: join(folder, 'containerd.log'),
  });
}

async function startDockerd(
  dockerd: string,
  engine: { readonly remains: EngineRemains; readonly network: string; readonly socketPath: string },
): Promise<Child> {
  const { folder, bridge, cgroup } = engine.remains;
  await mkdir(join(folder, 'data'), { recursive: true });
  await writeFile(join(folder, 'daemon.json'), '{}\n');
  return startChild({
    name: 'dockerd',
    command: dockerd,
    env: engineEnvironment(dockerd),
    logFile: join(folder, 'dockerd.log'),
    args: [
      // Not the machine's own /etc/docker/daemon.json.
      `--config-file=${join(folder, 'daemon.json')}`,
      `--host=unix://${engine.socketPath}`,
      `--containerd=${join(folder, 'containerd.sock')}`,
      `--data-root=${join(folder, 'data')}`,
      `--exec-root=${join(folder, 'exec')}`,
      `--pidfile=${join(folder, 'docker.pid')}`,
      `--bridge=${bridge}`,
      `--default-address-pool=base=${engine.network}.128.0/17,size=28`,
      // The chains of iptables are the machine's: a second dockerd empties those of the first. Without them published
      // ports are served by docker-proxy, and containers reach each other and this machine, but not the world.
      '--iptables=false',
      '--ip-masq=false',
      '--ip-forward=false',
      `--cgroup-parent=${cgroup}`,
      '--exec-opt=native.cgroupdriver=cgroupfs',
      '--insecure-registry=127.0.0.0/8',
    ],
  });
}

/** docker-proxy, runc and iptables are looked up in the PATH, which may lack the folders of system programs. */
function engineEnvironment(program: string): NodeJS.ProcessEnv {
  const folders = [process.env['PATH'], dirname(program), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  const { DOCKER_HOST: _host, ...inherited } = process.env;
  return { ...inherited, PATH: folders.filter(Boolean).join(delimiter) };
}
