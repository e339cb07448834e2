import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { waitUntilReady } from './child-process.ts';
import type { Child } from './child-process.ts';
import { removeEngineRemains } from './docker-engine-remains.ts';
import type { EngineRemains } from './docker-engine-remains.ts';
import { pingSocket } from './docker-ping.ts';
import { createEngineNamespace, namespaceFile } from './engine-namespace.ts';
import { obtainEnginePrograms, startContainerd, startDockerd } from './engine-programs.ts';
import type { EnginePrograms, EngineSite } from './engine-programs.ts';
import { removeOnDeath } from './leftovers.ts';
import { startRegistryRelay } from './registry-relay.ts';
import type { RegistryRelay } from './registry-relay.ts';

/** A Docker Engine with its own socket, data, containerd and network, beside whatever engines there are. */
export interface PrivateDockerEngine {
  /** unix://…, usable as DOCKER_HOST. */
  readonly host: string;
  readonly socketPath: string;
  readonly private: true;
  /** Addresses that no other private engine and no network of this one uses, for networks with explicit subnets. */
  readonly networkPool: string;
  /** What is published at this address, and at no other, answers from this machine: `port_bind_address`. */
  readonly publishAddress: string;
  /** The link that joins its network to this machine's. */
  readonly link: string;
  /** The folder with its data and its logs (dockerd.log, containerd.log). */
  readonly folder: string;
  /** Kills dockerd alone (SIGKILL): containers go on. Resolves when it is gone. */
  kill(): Promise<void>;
  /** Ends dockerd in the ordinary way, as an upgrade does: it stops its containers. Resolves when it is gone. */
  shutDown(): Promise<void>;
  /** Starts dockerd again on the same data. Resolves when it answers. */
  start(): Promise<void>;
  /** Stops dockerd in its tracks (SIGSTOP): connections stay open and silent. */
  freeze(): void;
  thaw(): void;
  /** Removes the engine with all its containers, data, networks and mounts. */
  stop(): Promise<void>;
}

// It takes about a second; the limit is for machines that are busy with other things.
const readyTimeoutMs = 60_000;

export interface PrivateEngineOptions {
  /** Whether it keeps the rules of a firewall in its namespace, as engines do: they keep networks apart. */
  readonly hasFirewall?: boolean;
}

/**
 * Starts one in any case; needs root on Linux, and installs docker.io by apt where it is missing. It pulls from the
 * registries on this machine's loopback alone, and its containers reach each other and this machine, but not the world.
 */
export async function startPrivateDockerEngine({
  hasFirewall = false,
}: PrivateEngineOptions = {}): Promise<PrivateDockerEngine> {
  const programs = await obtainEnginePrograms();
  const folder = await mkdtemp(join(tmpdir(), 'landlord-engine-'));
  const remains: EngineRemains = { folder, cgroup: `/${basename(folder)}` };
  const forget = removeOnDeath({ kind: 'engine', ...remains });
  const children: EngineChildren = {};
  const stop = async (): Promise<void> => {
    children.relay?.close();
    // While dockerd lives, what it has started can still be told by its parent.
    await removeEngineRemains(remains);
    await children.dockerd?.kill();
    await children.containerd?.kill();
    forget();
  };
  try {
    return await startIn(programs, { ...remains, children, stop, hasFirewall });
  } catch (error) {
    await stop();
    throw error;
  }
}

interface EngineChildren {
  containerd?: Child;
  dockerd?: Child;
  relay?: RegistryRelay;
}

interface StartingEngine extends EngineRemains {
  readonly children: EngineChildren;
  readonly stop: () => Promise<void>;
  readonly hasFirewall: boolean;
}

async function startIn(programs: EnginePrograms, engine: StartingEngine): Promise<PrivateDockerEngine> {
  const { folder, cgroup, children, stop, hasFirewall } = engine;
  const { network, address, link } = await createEngineNamespace(programs.ip, folder);
  const socketPath = join(folder, 'docker.sock');
  const site: EngineSite = { folder, cgroup, socketPath, namespaceFile: namespaceFile(folder) };
  const args = [...addressArguments(network), ...(hasFirewall ? [] : withoutFirewall)];
  const start = async (): Promise<void> => {
    const dockerd = (children.dockerd = await startDockerd(programs, site, args));
    const answers = async (): Promise<boolean> => (await pingSocket(socketPath)) === undefined;
    await waitUntilReady(dockerd, answers, readyTimeoutMs);
  };
  const relaying = startRegistryRelay(namespaceFile(folder)).then((relay) => (children.relay = relay));
  relaying.catch(() => undefined);
  children.containerd = await startContainerd(programs, site);
  await Promise.all([start(), relaying]);
  return {
    host: `unix://${socketPath}`,
    socketPath,
    private: true,
    networkPool: `${network}.64.0/18`,
    publishAddress: address,
    link,
    folder,
    kill: async () => {
      await children.dockerd?.kill();
    },
    shutDown: async () => {
      await children.dockerd?.end();
    },
    start,
    freeze: () => children.dockerd?.signal('SIGSTOP'),
    thaw: () => children.dockerd?.signal('SIGCONT'),
    stop,
  };
}

function addressArguments(network: string): readonly string[] {
  return [`--bip=${network}.0.1/18`, `--default-address-pool=base=${network}.128.0/18,size=28`];
}

/**
 * Its namespace is no machine that others must be kept out of: published ports are served by docker-proxy, and containers
 * answer this machine at their own addresses, both without a rule. That is quicker, too.
 */
const withoutFirewall = ['--iptables=false', '--ip-masq=false'];
