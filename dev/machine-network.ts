import { readFile } from 'node:fs/promises';
import { findProgram } from './find-program.ts';
import { runCommand } from './run-command.ts';

/** What a program may have changed of this network namespace, for comparison: kind -> lines. */
export type NetworkSnapshot = Readonly<Record<string, readonly string[]>>;

/** Without what changes by itself: counters, states, what IPv6 finds out. */
export async function networkSnapshot(): Promise<NetworkSnapshot> {
  const ip = findProgram('ip') ?? 'ip';
  const links = JSON.parse(await runCommand(ip, ['-json', 'address', 'show'])) as Link[];
  return {
    links: links.map(({ ifindex, ifname, addr_info }) => {
      const addresses = addr_info.filter(({ family }) => family === 'inet');
      return [ifindex, ifname, ...addresses.map(({ local, prefixlen }) => `${local}/${prefixlen}`)].join(' ');
    }),
    routes: lines(await runCommand(ip, ['-4', 'route', 'show', 'table', 'all'])),
    rules: lines(await runCommand(ip, ['rule', 'show'])),
    iptables: await firewall('iptables-save'),
    ip6tables: await firewall('ip6tables-save'),
    forwarding: lines(await readFile('/proc/sys/net/ipv4/ip_forward', 'utf8')),
  };
}

interface Link {
  readonly ifindex: number;
  readonly ifname: string;
  readonly addr_info: readonly {
    readonly family: string;
    readonly local: string;
    readonly prefixlen: number;
  }[];
}

async function firewall(program: string): Promise<string[]> {
  const path = findProgram(program);
  if (path === undefined) return [];
  const rules = lines(await runCommand(path, []));
  return rules.filter((line) => !line.startsWith('#')).map((line) => line.replace(/ \[\d+:\d+\]$/, ''));
}

function lines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
