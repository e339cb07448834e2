import type { Change } from '../../../../provider.ts';
import { isUp } from '../observed-container.ts';
import type { ObservedContainer } from '../observed-container.ts';
import { aliasesText } from './foreign-aliases.ts';
import { missingNetworks, returnsByName } from './tenant-network.ts';

/**
 * Who bears its names in networks of others. It is as in the tenant's own: a successor once it is proven, beside the old one, or as
 * soon as that was stopped for its sake. Pure.
 */

/** By which names it is to be found in that network. */
export function aliasesIn({ made }: Pick<ObservedContainer, 'made'>, network: string): readonly string[] {
  const { networkAliases = {} } = made;
  return Object.hasOwn(networkAliases, network) ? (networkAliases[network] ?? []) : [];
}

/** The networks of others that it is in, and not by all the names that it is to have there; none where no inspect tells. */
export function unnamedAmongOthers(container: ObservedContainer): readonly string[] {
  const endpoints = container.inspected?.endpoints ?? {};
  return (container.made.networks ?? []).filter((network) => {
    const known = endpoints[network]?.aliases;
    return known !== undefined && aliasesIn(container, network).some((alias) => !known.includes(alias));
  });
}

/** The same of what serves: somebody has taken it out and put it back without them. */
export function lostNames(container: ObservedContainer): readonly string[] {
  return isUp(container) && returnsByName(container) ? unnamedAmongOthers(container) : [];
}

/** What is drift of a container's networks: taken out of one, or put back without its names, for which it leaves that once more. */
export function networkChanges(current: ObservedContainer, path: string): readonly Change[] {
  const missing = missingNetworks(current);
  const lost = lostNames(current);
  // Whose networks those are is nothing for this tenant's status.
  const actual = current.networks.length === 0 ? 'none' : 'others';
  const change = { cause: 'drift', actual } as const;
  const names = Object.fromEntries(lost.map((network) => [network, aliasesIn(current, network)]));
  return [
    ...(missing.length === 0
      ? []
      : [{ ...change, path: `${path}.network`, desired: missing.join(', '), effect: 'live' as const }]),
    ...(lost.length === 0
      ? []
      : [
          { ...change, path: `${path}.network_aliases`, desired: aliasesText(names), effect: 'gap' as const },
        ]),
  ];
}
