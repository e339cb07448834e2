import { ComputeError } from '../../../../errors.ts';
import type { ContainerSpec } from '../../../../spec/tenant-compute-spec.ts';
import type { DesiredNetwork } from '../network/choose-network.ts';
import { hasEdge } from './edge-ports.ts';

type Networked = Pick<ContainerSpec, 'name' | 'ports'> & { readonly network: DesiredNetwork };

/** Throws InvalidSpec for a container that the tenant's proxy could not reach. */
export function checkEdges(containers: readonly Networked[]): void {
  const lonely = containers.find((one) => hasEdge(one) && one.network.kind !== 'private');
  if (lonely === undefined) return;
  throw new ComputeError(
    'InvalidSpec',
    `container ${lonely.name}: edge: its proxy is in the tenant's own network, and with network_mode ${lonely.network.name} the ` +
      'container is not. Leave one of them out',
  );
}
