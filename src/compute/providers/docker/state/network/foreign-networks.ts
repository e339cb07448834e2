import { ComputeError } from '../../../../errors.ts';
import { denied, isListed } from '../../../../policy.ts';
import { refused } from '../options/options-asking.ts';
import type { OptionsAsking } from '../options/options-asking.ts';

/** Networks of the engine that are nobody's here, such as a reverse proxy's, and that a container is in besides its own. Pure. */

/** The name of the label with the networks that a container is in besides. */
export const networksMark = 'networks';

/** In the order that they are joined in; undefined: none. Throws PolicyDenied, naming the rule, and InvalidSpec. */
export function foreignNetworks(asking: OptionsAsking): readonly string[] | undefined {
  const { name, asked, own, policy } = asking;
  const networks = [...new Set(asked.networks)].toSorted();
  const mode = networks.find((network) => network === 'host' || network === 'none');
  if (mode !== undefined) {
    const what = `container ${name}: networks: ${mode} is no network that can be joined. Say network_mode ${mode}`;
    throw new ComputeError('InvalidSpec', what);
  }
  const beyond = networks.find(
    (network) => !isListed(policy.allow_networks, network) && own.networks?.includes(network) !== true,
  );
  if (beyond !== undefined) throw refused(asking, 'allow_networks', `network ${beyond} is not allowed`);
  return networks.length === 0 ? undefined : networks;
}

export function networksText(networks: readonly string[]): string {
  return networks.join(',');
}

/** What a label says; undefined: there is none. */
export function readNetworks(text: string | undefined): readonly string[] | undefined {
  return text?.split(',');
}

/** A pattern of the operator's may be wide: another tenant's own network is never meant. */
export function deniedAsOwned(network: string): ComputeError {
  return denied(
    'docker.allow_networks',
    `network ${network} is a tenant's own, which nobody else is in`,
    'Leave it out of networks',
  );
}

interface ListedNetworks {
  readonly HostConfig?: { readonly NetworkMode?: string | undefined } | undefined;
  readonly NetworkSettings?: {
    readonly Networks?: Readonly<Record<string, { readonly NetworkID: string }>> | null;
  } | null;
}

/** Of the network that it was made for, rather than of one that it is in besides. */
export function networkIdOf({ HostConfig, NetworkSettings }: ListedNetworks): string | undefined {
  const networks = NetworkSettings?.Networks ?? {};
  const own = networks[HostConfig?.NetworkMode ?? ''];
  return [...(own === undefined ? [] : [own]), ...Object.values(networks)].find(
    ({ NetworkID }) => NetworkID !== '',
  )?.NetworkID;
}
