import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';
import type { PrivateDockerEngine } from '../../dev/docker-engine.ts';
import { pushImage } from '../../dev/images.ts';

/**
 * Runs a container from the registry on a network of its own, with a volume and a published port: all kinds of things
 * that an engine can leave behind. Returns the address, once it answers there.
 */
export async function runContainer(engine: PrivateDockerEngine, registryAddress: string): Promise<string> {
  const registry = { address: registryAddress };
  const image = await pushImage(registry, { repository: 'engine-test', tag: '1' });
  const docker = new Docker({ socketPath: engine.socketPath });
  await pull(docker, image);
  await docker.createNetwork({ Name: 'of-its-own' });
  const container = await docker.createContainer({
    Image: image,
    ExposedPorts: { '8080/tcp': {} },
    HostConfig: {
      NetworkMode: 'of-its-own',
      Binds: ['data:/data'],
      PortBindings: { '8080/tcp': [{ HostIp: engine.publishAddress, HostPort: '' }] },
    },
  });
  await container.start();
  const { NetworkSettings } = await container.inspect();
  const url = `http://${engine.publishAddress}:${NetworkSettings.Ports['8080/tcp']?.[0]?.HostPort}/`;
  await untilAnswered(url);
  return url;
}

/** The port is open before the program behind it listens: until then, connections are taken and closed. */
async function untilAnswered(url: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await fetch(url);
      return;
    } catch (error) {
      if (tries === 300) throw error;
      await sleep(100);
    }
  }
}

export async function pull(docker: Docker, image: string): Promise<void> {
  const stream = await docker.pull(image);
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(stream, (error) => (error ? reject(error) : resolve()));
  });
}
