import { mkdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { waitUntilReady } from './child-process.ts';
import { removeEngineRemains } from './docker-engine-remains.ts';
import { pingSocket } from './docker-ping.ts';
import { obtainEnginePrograms, startContainerd, startDockerd } from './engine-programs.ts';
import type { EngineSite } from './engine-programs.ts';
import { removeOnDeath } from './leftovers.ts';

const readyTimeoutMs = 60_000;

/**
 * Starts a Docker Engine as a machine has it, with the bridge docker0 and the firewall's rules in this network
 * namespace and the socket at the usual place. Only for a namespace that goes with the program: it removes neither.
 */
export async function startMachineEngine(folder: string, socketPath: string): Promise<() => Promise<void>> {
  const programs = await obtainEnginePrograms();
  const cgroup = `/${basename(folder)}`;
  const forget = removeOnDeath({ kind: 'engine', folder, cgroup });
  const site: EngineSite = { folder, cgroup, socketPath, namespaceFile: undefined };
  await mkdir(folder, { recursive: true });
  await mkdir(dirname(socketPath), { recursive: true });
  await startContainerd(programs, site);
  const dockerd = await startDockerd(programs, site, []);
  await waitUntilReady(dockerd, async () => (await pingSocket(socketPath)) === undefined, readyTimeoutMs);
  return async () => {
    await removeEngineRemains({ folder, cgroup });
    forget();
  };
}
