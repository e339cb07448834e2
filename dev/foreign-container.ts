import { setTimeout as sleep } from 'node:timers/promises';
import { dockerAt } from './docker-at.ts';
import { pushImage } from './images.ts';
import { startRegistry } from './registry.ts';
import { removeImagesOf } from './shared-engine-remains.ts';

/** A container with a published port on a network of its own, with a volume: the kind of thing that others have. */
export interface ForeignContainer {
  readonly url: string;
  /** Asks the port again and again until `stopped`; returns how often, and what went wrong. */
  watch(stopped: AbortSignal): Promise<PortWatch>;
  /** Removes it and all that was made for it. */
  remove(): Promise<void>;
}

export interface PortWatch {
  readonly looks: number;
  readonly failures: readonly string[];
}

const lookEveryMs = 200;

// A machine that runs a whole suite is busy; a port that is gone refuses at once.
const lookTimeoutMs = 15_000;

export async function startForeignContainer(dockerHost: string): Promise<ForeignContainer> {
  const docker = dockerAt(dockerHost);
  const name = `foreign-${process.pid}`;
  const registry = await startRegistry();
  const undo = [
    () => removeImagesOf(dockerHost, registry.address),
    () => registry.stop(),
    () => docker.getVolume(name).remove(),
    () => docker.getNetwork(name).remove(),
  ];
  const image = await pushImage(registry, { repository: 'foreign', tag: '1' });
  const progress = await docker.pull(image);
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(progress, (error) => (error ? reject(error) : resolve()));
  });
  await docker.createNetwork({ Name: name });
  const container = await docker.createContainer({
    name,
    Image: image,
    ExposedPorts: { '8080/tcp': {} },
    HostConfig: {
      NetworkMode: name,
      Binds: [`${name}:/tmp`],
      PortBindings: { '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] },
    },
  });
  undo.push(() => container.remove({ force: true }));
  await container.start();
  const { Ports } = (await container.inspect()).NetworkSettings;
  const url = `http://127.0.0.1:${Ports['8080/tcp']?.[0]?.HostPort}/`;
  return {
    url,
    watch: (stopped) => watchPort(url, stopped),
    remove: async () => {
      for (const step of undo.toReversed()) await step();
    },
  };
}

async function watchPort(url: string, stopped: AbortSignal): Promise<PortWatch> {
  const failures: string[] = [];
  let looks = 0;
  for (; !stopped.aborted; looks += 1) {
    const headers = { connection: 'close' };
    const failure = await fetch(url, { headers, signal: AbortSignal.timeout(lookTimeoutMs) }).then(
      ({ ok, status }) => (ok ? undefined : `HTTP ${status}`),
      ({ message, cause }: Error) => (cause instanceof Error ? cause.message : message),
    );
    if (failure !== undefined) failures.push(`${new Date().toISOString()} ${failure}`);
    await sleep(lookEveryMs);
  }
  return { looks, failures };
}
