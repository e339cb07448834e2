import type { ContainerSpec } from '../../../../spec/tenant-compute-spec.ts';
import type { DesiredNetwork } from '../network/choose-network.ts';
import { fixedPorts, portText } from '../network/host-ports.ts';
import type { VolumeMount } from '../volumes/parse-volumes.ts';
import { invalidReplicas } from './with-replicas.ts';
import type { Asked } from './with-replicas.ts';

/** What there is one of, and replicas can't share. Pure. */

type Networked = Pick<ContainerSpec, 'name' | 'ports'> & { readonly network: DesiredNetwork };

/** Throws InvalidSpec where there is one of something on the host, and several replicas would need it. */
export function checkPortsOfReplicas(containers: readonly Networked[], { replicas = 1 }: Asked): void {
  if (replicas <= 1) return;
  for (const { name, network, ...spec } of containers) {
    if (network.kind === 'mode' && network.name === 'host')
      throw invalidReplicas(
        `${replicas} of container ${name} can't share the host's network. Leave network_mode out`,
      );
    const [port] = fixedPorts({ spec, network });
    if (port === undefined) continue;
    const what = `${replicas} of container ${name} can't share the host port ${portText(port)}`;
    throw invalidReplicas(`${what}. Leave the host port out, so that the engine picks one for each`);
  }
}

interface Mounting {
  readonly spec: Pick<ContainerSpec, 'name'>;
  readonly volumes: readonly VolumeMount[];
}

/** Throws InvalidSpec where several replicas would write to one volume: what no program expects of another one like it. */
export function checkVolumesOfReplicas(containers: readonly Mounting[], { replicas = 1 }: Asked): void {
  if (replicas <= 1) return;
  for (const { spec, volumes } of containers) {
    const shared = volumes.find(({ readOnly }) => !readOnly);
    if (shared === undefined) continue;
    throw invalidReplicas(
      `${replicas} of container ${spec.name} would write to one ${shared.named ? 'volume' : 'path of the host'} ` +
        `at ${shared.target}. Mount it to be read alone, or leave it out`,
    );
  }
}
