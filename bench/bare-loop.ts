import type Dockerode from 'dockerode';
import { inTurns } from './tenants.ts';

/** What there is to compare with: the same containers, each on a network of its own, by a loop that looks at nothing. */
export interface BareLoop {
  create(): Promise<void>;
  /** A successor is created and started beside each, then the one before goes. */
  replace(): Promise<void>;
  remove(): Promise<void>;
}

interface Place {
  readonly name: string;
  readonly network: string;
}

const graceSeconds = 10;

export interface BareLoopOptions {
  readonly docker: Dockerode;
  readonly image: string;
  readonly count: number;
  readonly atOnce: number;
}

export function bareLoop({ docker, image, count, atOnce }: BareLoopOptions): BareLoop {
  const places = Array.from({ length: count }, (_, index): Place => {
    const name = `bare-${index}`;
    return { name, network: name };
  });
  const start = async ({ name, network }: Place, revision: number): Promise<void> => {
    const container = await docker.createContainer({
      name: containerName(name, revision),
      Image: image,
      Env: [`REVISION=${revision}`],
      HostConfig: { NetworkMode: network, RestartPolicy: { Name: 'unless-stopped' } },
    });
    await container.start();
  };
  const end = async ({ name }: Place, revision: number): Promise<void> => {
    const container = docker.getContainer(containerName(name, revision));
    await container.stop({ t: graceSeconds });
    await container.remove({ force: true });
  };
  let revision = 0;
  const each = (task: (place: Place) => Promise<void>): Promise<void> => inTurns(places, task, atOnce);
  return {
    create: () =>
      each(async (place) => {
        await docker.createNetwork({ Name: place.network });
        await start(place, revision);
      }),
    replace: async () => {
      const before = revision;
      revision += 1;
      await each(async (place) => {
        await start(place, revision);
        await end(place, before);
      });
    },
    remove: () =>
      each(async (place) => {
        await end(place, revision);
        await docker.getNetwork(place.network).remove();
      }),
  };
}

function containerName(name: string, revision: number): string {
  return `${name}-${revision}`;
}
