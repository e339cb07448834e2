import { dockerAt } from './docker-at.ts';
import { ifThere } from './shared-engine-remains.ts';

/** What ministack sets on each container: `MINISTACK_HOSTNAME:PORT`. */
const instanceLabel = 'ministack.instance';

/** The containers of one ministack's tasks. */
export interface TaskContainers {
  readonly dockerHost: string;
  readonly instance: string;
}

/** Removes them, and nobody else's: whether another instance still lives can't be told on an engine that others use. */
export async function removeTaskContainers({ dockerHost, instance }: TaskContainers): Promise<void> {
  const docker = dockerAt(dockerHost);
  const containers = await docker.listContainers({ all: true, filters: { label: [instanceLabel] } });
  for (const { Id, Labels } of containers) {
    if (!Labels[instanceLabel]?.startsWith(`${instance}:`)) continue;
    await ifThere(docker.getContainer(Id).remove({ force: true, v: true }));
  }
}
