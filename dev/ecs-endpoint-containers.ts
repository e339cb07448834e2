import Dockerode from 'dockerode';

/** What ministack sets on each container: `MINISTACK_HOSTNAME:PORT`. */
const INSTANCE_LABEL = 'ministack.instance';

/**
 * Removes the containers of the tasks that `instance` ran, and those of instances whose program died without doing so
 * (theirs are named `landlord-PID-…`).
 */
export async function removeTaskContainers(dockerHost: string, instance: string): Promise<void> {
  const docker = dockerAt(dockerHost);
  const containers = await docker.listContainers({ all: true, filters: { label: [INSTANCE_LABEL] } });
  for (const { Id, Labels } of containers) {
    const owner = Labels[INSTANCE_LABEL] ?? '';
    if (!owner.startsWith(`${instance}:`) && !isForsaken(owner)) continue;
    await docker
      .getContainer(Id)
      .remove({ force: true, v: true })
      .catch((error: unknown) => {
        const { statusCode } = error as { statusCode?: number };
        // Gone, or about to be.
        if (statusCode !== 404 && statusCode !== 409) throw error;
      });
  }
}

export function dockerAt(dockerHost: string): Dockerode {
  const url = new URL(dockerHost);
  return url.protocol === 'unix:'
    ? new Dockerode({ socketPath: url.pathname })
    : new Dockerode({ host: url.hostname, port: Number(url.port) });
}

function isForsaken(owner: string): boolean {
  const pid = /^landlord-(\d+)-/.exec(owner)?.[1];
  if (pid === undefined) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
