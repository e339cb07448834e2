/** IPv4 networks as ranges of numbers, and how much of a pool is left. Pure. */

export interface Range {
  readonly first: number;
  readonly last: number;
}

/** Of each subnet: its own address, the gateway's, and the one for broadcasts. */
export const reservedAddresses = 3;

/** Of the smallest network of a tenant: 16 addresses. One that is smaller still would save little. */
export const longestPrefix = 28;

const smallestSize = 2 ** (32 - longestPrefix);

/** How many containers can have an address in the subnet; without bound where it is not IPv4. */
export function roomIn(subnet: string): number {
  const range = rangeOf(subnet);
  return range === undefined ? Infinity : Math.max(0, range.last - range.first + 1 - reservedAddresses);
}

/** What the pool holds, and how much of it overlaps nothing in `taken`: networks of the smallest size, and addresses. */
export interface PoolRoom {
  readonly networks: Room;
  readonly addresses: Room;
}

export interface Room {
  readonly free: number;
  readonly total: number;
}

/** What is not IPv4 in `taken` is ignored. */
export function roomOfPool(pool: string, taken: readonly string[]): PoolRoom {
  const whole = rangeOf(pool) ?? { first: 0, last: -1 };
  let [networks, addresses] = [0, 0];
  for (const { first, last } of gapsIn(
    whole,
    taken.flatMap((subnet) => rangeOf(subnet) ?? []),
  )) {
    addresses += last - first + 1;
    networks += Math.max(0, Math.floor((last + 1) / smallestSize) - Math.ceil(first / smallestSize));
  }
  const total = whole.last - whole.first + 1;
  return {
    networks: { free: networks, total: Math.floor(total / smallestSize) },
    addresses: { free: addresses, total },
  };
}

function* gapsIn(whole: Range, taken: readonly Range[]): Generator<Range> {
  let first = whole.first;
  for (const used of taken.toSorted((a, b) => a.first - b.first)) {
    if (used.first > whole.last) break;
    if (used.first > first) yield { first, last: used.first - 1 };
    first = Math.max(first, used.last + 1);
  }
  if (first <= whole.last) yield { first, last: whole.last };
}

/** As far as they are read here. */
interface Network {
  readonly IPAM?:
    { readonly Config?: readonly { readonly Subnet?: unknown }[] | null | undefined } | undefined;
}

export function subnetsOf(networks: readonly Network[]): readonly string[] {
  return networks.flatMap(({ IPAM }) =>
    (IPAM?.Config ?? []).flatMap(({ Subnet }) => (typeof Subnet === 'string' ? [Subnet] : [])),
  );
}

/** Undefined: it is not IPv4. */
export function rangeOf(subnet: string): Range | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(subnet);
  if (match === null) return undefined;
  const [a = 0, b = 0, c = 0, d = 0, length = 0] = match.slice(1).map(Number);
  const size = 2 ** (32 - length);
  const address = ((a * 256 + b) * 256 + c) * 256 + d;
  const first = address - (address % size);
  return { first, last: first + size - 1 };
}
