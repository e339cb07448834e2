import { ComputeError } from '../../../../errors.ts';
import { denied } from '../../../../policy.ts';
import type { ContainerSpec, TenantComputeSpec } from '../../../../spec/tenant-compute-spec.ts';
import type { DockerConfig } from '../../config.ts';
import type { Asking } from '../confinement/asking.ts';
import { optionsAsking } from '../options/options-asking.ts';
import type { OptionsAsking } from '../options/options-asking.ts';
import { hasEdge } from '../edge/edge-ports.ts';
import { sharedMode, siblingIn } from './shared-namespace.ts';
import { largerNetworkName, replicaOf, specName, tenantNetworkName } from '../container-name.ts';

/** Which network a container is in. Pure. */

export type DesiredNetwork =
  /** The operator's own, by its name: tenants with one container share it. */
  | { readonly kind: 'shared'; readonly name: string }
  /** The tenant's own, of one replica, which nobody else is in, for its containers to talk to each other by name. */
  | { readonly kind: 'private'; readonly name: string }
  /** `none`, `host`, `container:NAME`, or `service:NAME` of the same replica: nothing to create. */
  | { readonly kind: 'mode'; readonly name: string };

type Spec = Pick<TenantComputeSpec<DockerConfig>, 'config' | 'tenantId'>;

/** Each with its network. Throws InvalidSpec, or PolicyDenied naming the rule. */
export function withNetworks(
  containers: readonly ContainerSpec[],
  spec: Spec,
  asking: Asking,
): readonly (ContainerSpec & { readonly network: DesiredNetwork })[] {
  // A proxy before it is one more.
  const isSingle =
    new Set(containers.map(({ name }) => specName(name))).size === 1 && !containers.some(hasEdge);
  return containers.map((container) => {
    const { name } = container;
    const where = { isSingle, replica: replicaOf(name) };
    const network = chooseNetwork(spec, optionsAsking(specName(name), asking), where);
    return { ...container, network };
  });
}

function chooseNetwork(
  spec: Spec,
  { name: container, asked, own, block, policy }: OptionsAsking,
  { isSingle, replica }: { readonly isSingle: boolean; readonly replica: number },
): DesiredNetwork {
  const mode = asked.network_mode ?? spec.config.network_mode;
  const operatorsOwn = mode === (own.network_mode ?? block.network_mode);
  if (mode === 'host' && !policy.allow_host_network && !operatorsOwn) {
    throw denied('docker.allow_host_network', 'network_mode host is not allowed', 'Leave network_mode out');
  }
  if (mode?.startsWith('container:') === true && !policy.allow_join_network && !operatorsOwn) {
    throw denied(
      'docker.allow_join_network',
      `network_mode ${mode} is not allowed`,
      'Leave network_mode out',
    );
  }
  if (mode !== undefined && mode !== 'bridge') {
    const sibling = siblingIn(mode);
    const name = sibling === undefined ? mode : sharedMode(sibling, replica);
    if ((asked.networks ?? []).length === 0) return { kind: 'mode', name };
    const what = `container ${container}: networks can't be joined with network_mode ${mode}. Leave one of them out`;
    throw new ComputeError('InvalidSpec', what);
  }
  const { network_name: shared } = block;
  if (shared !== undefined && isSingle) return { kind: 'shared', name: shared };
  const name = tenantNetworkName(block.label_prefix, spec.tenantId, replica);
  if (![name, largerNetworkName(name)].includes(shared ?? '')) return { kind: 'private', name };
  throw new ComputeError(
    'InvalidSpec',
    `spec.tenantId: the network of ${spec.tenantId} would be named ${shared}, as the operator's own is ` +
      '(compute.docker.network_name). Apply the Tenant anew with another tenantId',
  );
}
