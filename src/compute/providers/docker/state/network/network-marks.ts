import { drainMark } from '../edge/drain.ts';
import { aliasesMark, aliasesText } from './foreign-aliases.ts';
import type { NetworkAliases } from './foreign-aliases.ts';
import { networksMark, networksText } from './foreign-networks.ts';
import { hostPortsMark, portText } from './host-ports.ts';
import type { HostPort } from './host-ports.ts';

/** Marks that say how a container is reached; each only where it asked for that. */
export function networkMarks(
  key: (mark: string) => string,
  asked: {
    readonly ports: readonly HostPort[];
    readonly networks: readonly string[] | undefined;
    readonly networkAliases: NetworkAliases | undefined;
    readonly drain: string | undefined;
  },
): Readonly<Record<string, string>> {
  const { ports, networks, networkAliases, drain } = asked;
  return {
    ...(ports.length > 0 && { [key(hostPortsMark)]: ports.map(portText).join(',') }),
    ...(drain && { [key(drainMark)]: drain }),
    ...(networks && { [key(networksMark)]: networksText(networks) }),
    ...(networkAliases && { [key(aliasesMark)]: aliasesText(networkAliases) }),
  };
}
