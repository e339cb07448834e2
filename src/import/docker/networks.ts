import type { Dict } from '../../convert/read/scalars.ts';
import { said } from './config-rows.ts';
import type { Said } from './config-rows.ts';
import type { At, Found } from './found.ts';
import { isUnset, within, word, words } from './plain.ts';

/** Which networks a container is in, by what names and addresses. The engine's own have no names to know others by. */
export function networksOf({ shown, id, name, service, found }: At): Said {
  const own = new Set([name, service, id.slice(0, 12)]);
  const all = Object.entries(within(within(shown, 'NetworkSettings'), 'Networks')).filter(([network]) =>
    found.networks.has(network),
  );
  const networks = all.map(([network, how]) => {
    const { Aliases, IPAMConfig } = how as Dict;
    const { IPv4Address, IPv6Address } = within({ IPAMConfig }, 'IPAMConfig');
    const aliases = words(Aliases).filter((alias) => !own.has(alias));
    return [
      network,
      {
        ...(aliases.length === 0 ? {} : { aliases }),
        ...(isUnset(IPv4Address) ? {} : { ipv4_address: IPv4Address }),
        ...(isUnset(IPv6Address) ? {} : { ipv6_address: IPv6Address }),
      },
    ] as const;
  });
  return said(networks.length === 0 ? {} : { networks: Object.fromEntries(networks) });
}

/** What is said of the networks themselves. One that others are in, too, is not the Tenant's to have. */
export function networksSaid({ networks, containers }: Found): Dict {
  const ids = new Set([...containers.values()].map(({ id }) => id));
  return Object.fromEntries(
    [...networks].map(([name, network]) => {
      const isShared = Object.keys(within(network, 'Containers')).some((id) => !ids.has(id));
      return [
        name,
        {
          ...(isShared ? { external: true } : {}),
          ...(word(network['Driver']) === 'bridge' ? {} : { driver: network['Driver'] }),
          ...(network['Internal'] === true ? { internal: true } : {}),
        },
      ];
    }),
  );
}
