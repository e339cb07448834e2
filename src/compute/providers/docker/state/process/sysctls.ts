import type { ContainerSpec } from '../../../../spec/tenant-compute-spec.ts';
import { ComputeError } from '../../../../errors.ts';
import { checkSysctlPolicy } from '../../../../sysctl-policy.ts';
import type { DockerPolicy } from '../../config.ts';
import type { DesiredNetwork } from '../network/choose-network.ts';

/** Settings of the kernel for one container. Pure. */

interface Rules {
  readonly network: DesiredNetwork;
  readonly policy: Pick<DockerPolicy, 'allow_sysctls'>;
}

/** Throws PolicyDenied, naming the rule, and InvalidSpec for those of a network that is not the container's own. */
export function checkSysctls(container: ContainerSpec, { network, policy }: Rules): void {
  checkSysctlPolicy('docker', policy.allow_sysctls, [container]);
  if (network.kind !== 'mode' || network.name === 'none') return;
  const ofTheNetwork = container.sysctls?.find(({ name }) => name.startsWith('net.'));
  if (ofTheNetwork === undefined) return;
  throw new ComputeError(
    'InvalidSpec',
    `container ${container.name}: sysctl ${ofTheNetwork.name} can't be set with network_mode ${network.name}, which has its own. Leave it out`,
  );
}
