import { readFile } from 'node:fs/promises';
import type Dockerode from 'dockerode';

/**
 * Stops the process that holds a container for its engine (SIGSTOP): the container and the engine go on, and what the engine
 * wants of this one container hangs. Returns what lets it go on, and does nothing where it is gone.
 */
export async function freezeShim(docker: Dockerode, containerId: string): Promise<() => void> {
  const shim = await shimOf(docker, containerId);
  process.kill(shim, 'SIGSTOP');
  return () => {
    try {
      process.kill(shim, 'SIGCONT');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };
}

/** The parent of the container's first process, on this machine. */
async function shimOf(docker: Dockerode, containerId: string): Promise<number> {
  const { State } = await docker.getContainer(containerId).inspect();
  const status = await readFile(`/proc/${State.Pid}/status`, 'utf8');
  const parent = Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1]);
  const command = await readFile(`/proc/${parent}/cmdline`, 'utf8');
  if (/(^|\/)containerd-shim[^/]*$/.test(command.split('\0')[0] ?? '')) return parent;
  throw new Error(`the parent of the container ${containerId} is no shim: ${command.replaceAll('\0', ' ')}`);
}
