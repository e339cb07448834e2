import type { ContainerSpec } from '../../../../spec/tenant-compute-spec.ts';
import { ComputeError } from '../../../../errors.ts';
import { checkSysctlPolicy } from '../../../../sysctl-policy.ts';
import type { DockerPolicy } from '../../config.ts';
import type { DesiredNetwork } from '../network/choose-network.ts';

/** Settings of the kernel for one container. Pure. */

export interface SysctlRules {
  readonly network: DesiredNetwork;
  readonly ipcMode: string | undefined;
  readonly policy: Pick<DockerPolicy, 'allow_sysctls'>;
}

/** Throws PolicyDenied, naming the rule, and InvalidSpec for those of a network, or of memory, that is not the container's own. */
export function checkSysctls(container: ContainerSpec, { network, ipcMode, policy }: SysctlRules): void {
  checkSysctlPolicy('docker', policy.allow_sysctls, [container]);
  const ofIpc = container.sysctls?.find(({ name }) => ipcMode === 'host' && !name.startsWith('net.'));
  if (ofIpc !== undefined) {
    throw new ComputeError(
      'InvalidSpec',
      `container ${container.name}: sysctl ${ofIpc.name} can't be set with ipc_mode host, which has its own. Leave it out`,
    );
  }
  if (network.kind !== 'mode' || network.name === 'none') return;
  const ofTheNetwork = container.sysctls?.find(({ name }) => name.startsWith('net.'));
  if (ofTheNetwork === undefined) return;
  throw new ComputeError(
    'InvalidSpec',
    `container ${container.name}: sysctl ${ofTheNetwork.name} can't be set with network_mode ${network.name}, which has its own. Leave it out`,
  );
}
