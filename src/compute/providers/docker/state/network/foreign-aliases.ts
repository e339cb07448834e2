import { ComputeError } from '../../../../errors.ts';
import { isListed } from '../../../../policy.ts';
import { refused } from '../options/options-asking.ts';
import type { OptionsAsking } from '../options/options-asking.ts';

/**
 * Names by which others find a container in networks that are nobody's here. Whoever else bears one there gets its share of the
 * traffic, which is why the operator's policy names them. Pure.
 */

/** By the name of the network. */
export type NetworkAliases = Readonly<Record<string, readonly string[]>>;

/** The name of the label with them. */
export const aliasesMark = 'network_aliases';

/** In the order of their names; undefined: none. Throws PolicyDenied, naming the rule, and InvalidSpec. */
export function foreignAliases(asking: OptionsAsking): NetworkAliases | undefined {
  const { name, asked, own, policy } = asking;
  const entries = Object.entries(asked.network_aliases ?? {})
    .map(([network, aliases]) => [network, [...new Set(aliases)].toSorted()] as const)
    .filter(([, aliases]) => aliases.length > 0)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  for (const [network, aliases] of entries) {
    if (asked.networks?.includes(network) !== true) {
      const what = `container ${name}: network_aliases: it is not in the network ${network}. Name that in networks`;
      throw new ComputeError('InvalidSpec', what);
    }
    const beyond = aliases.find(
      (alias) =>
        !isListed(policy.allow_network_aliases, `${network}/${alias}`) &&
        own.network_aliases?.[network]?.includes(alias) !== true,
    );
    if (beyond === undefined) continue;
    throw refused(
      asking,
      'allow_network_aliases',
      `the name ${beyond} in the network ${network} is not allowed`,
    );
  }
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** `proxy:www:api,edge:www`: neither names of networks nor aliases have one of these signs. */
export function aliasesText(aliases: NetworkAliases): string {
  return Object.entries(aliases)
    .map(([network, names]) => [network, ...names].join(':'))
    .join(',');
}

/** What a label says; undefined: there is none. */
export function readAliases(text: string | undefined): NetworkAliases | undefined {
  if (text === undefined) return undefined;
  return Object.fromEntries(
    text.split(',').map((entry) => {
      const [network = '', ...names] = entry.split(':');
      return [network, names] as const;
    }),
  );
}
