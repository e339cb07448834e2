import { Unsayable, item, note, sayable } from '../../finding.ts';
import type { Finding } from '../../finding.ts';
import type { Spot } from '../project.ts';
import { isDict, list, text, wordOf } from '../../read/scalars.ts';
import { ofContainer, ofDocker } from './row.ts';
import type { Row } from './row.ts';

export const portRows: Readonly<Record<string, Row>> = { ports };

interface Wish {
  readonly container: string;
  readonly host: string;
  readonly address: string;
  readonly protocol: string;
  readonly name: string;
}

interface BoundWish extends Wish {
  /** Whether its address is said. */
  readonly isBound: boolean;
}

/** What is published of the container ports that are known by now. */
type Published = Map<string, number | undefined>;

function ports(value: unknown, spot: Spot): readonly Finding[] {
  const published: Published = new Map();
  const all = list(value);
  const address = commonAddress(all);
  return [
    ...(address === undefined ? [] : boundAt(address, spot)),
    ...all.flatMap((one, index) => {
      const inside = { ...spot, from: `${spot.from}[${index}]` };
      const isBound = address !== undefined;
      return sayable(inside.from, () => publishedPorts({ ...wishOf(one), isBound }, inside, published));
    }),
  ];
}

/** The one that all of them are published at. Undefined: several, or the operator's own, as where none is named. */
function commonAddress(all: readonly unknown[]): string | undefined {
  const [address = '', ...others] = new Set(all.map(addressOf));
  return others.length === 0 && isAddress(address) ? address : undefined;
}

function addressOf(port: unknown): string {
  const address = isDict(port) ? port['host_ip'] : typeof port === 'string' ? shortWish(port).address : '';
  return typeof address === 'string' ? address : '';
}

/** What compose has where nothing is said. */
const everyAddress: readonly string[] = ['0.0.0.0', '::'];

function isAddress(text: string): boolean {
  if (everyAddress.includes(text)) return false;
  return /^[0-9]{1,3}(\.[0-9]{1,3}){3}$/.test(text) || (/^[0-9A-Fa-f:]+$/.test(text) && text.includes('::'));
}

function boundAt(address: string, spot: Spot): readonly Finding[] {
  const rule = `policy.docker.allow_bind_addresses: [${JSON.stringify(address)}], where compute.docker.port_bind_address is another one`;
  return [ofDocker(spot, ['port_bind_address'], address), note('needs', spot.from, rule)];
}

function wishOf(port: unknown): Wish {
  if (!isDict(port)) return shortWish(text(port));
  return {
    container: wordOf(port, 'target'),
    host: wordOf(port, 'published'),
    address: wordOf(port, 'host_ip'),
    protocol: wordOf(port, 'protocol') || 'tcp',
    name: wordOf(port, 'name'),
  };
}

/** `[[ADDRESS:]HOST:]CONTAINER[/PROTOCOL]` */
function shortWish(port: string): Wish {
  const [numbers = '', protocol = 'tcp'] = port.split('/');
  const parts = numbers.split(':');
  const container = parts.pop() ?? '';
  const host = parts.pop() ?? '';
  const address = parts.join(':').replace(/^\[(.*)\]$/, '$1');
  return { container, host, address, protocol, name: '' };
}

function publishedPorts(wish: BoundWish, spot: Spot, published: Published): readonly Finding[] {
  const containers = range(wish.container);
  const hosts = wish.host === '' ? [] : range(wish.host);
  const isAnyOf = hosts.length > 1 && hosts.length !== containers.length;
  return [
    ...(isAnyOf
      ? [note('changed', spot.from, `the engine picks the host's port, of all and not of ${wish.host}`)]
      : []),
    ...(wish.address === '' || wish.isBound ? [] : [note('changed', spot.from, addressNote(wish.address))]),
    ...hostPortNote(hosts, spot),
    ...containers.flatMap((container, index) =>
      onePort({ ...wish, container }, isAnyOf ? undefined : hosts[index], spot, published),
    ),
  ];
}

function addressNote(address: string): string {
  return `${address}: the address is the operator's compute.docker.port_bind_address`;
}

/** What the operator's policy lets tenants have by default. */
const firstFreePort = 1024;

function hostPortNote(hosts: readonly number[], { from }: Spot): readonly Finding[] {
  const low = hosts.filter((port) => port < firstFreePort);
  return low.length === 0 ? [] : [note('needs', from, `policy.docker.host_ports with ${low.join(', ')}`)];
}

function onePort(
  { container, protocol, name }: Omit<Wish, 'container'> & { readonly container: number },
  hostPort: number | undefined,
  spot: Spot,
  published: Published,
): readonly Finding[] {
  const key = `${container}/${protocol.toUpperCase()}`;
  if (published.has(key)) {
    const isSame = published.get(key) === hostPort || hostPort === undefined;
    return [
      isSame
        ? note('changed', spot.from, `left out: ${key} is published already`)
        : note(
            'dropped',
            spot.from,
            `${key} has one port of the host, ${published.get(key) ?? 'which the engine picks'}`,
          ),
    ];
  }
  published.set(key, hostPort);
  const port = {
    ...(/^[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$/.test(name) ? { name } : {}),
    containerPort: container,
    ...(hostPort === undefined || hostPort === 0 ? {} : { hostPort }),
    ...(protocol === 'tcp' ? {} : { protocol: protocol.toUpperCase() }),
  };
  return [ofContainer(spot, ['ports', item(key)], port)];
}

const mostPorts = 1024;

function range(word: string): number[] {
  const [, first, last = first] = /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(word) ?? [];
  if (first === undefined) throw new Unsayable(`must be a port or a range of ports, not "${word}"`);
  const count = Number(last) - Number(first) + 1;
  if (count < 1 || count > mostPorts) throw new Unsayable(`${word} are ${count} ports`);
  return Array.from({ length: count }, (_none, index) => Number(first) + index);
}
