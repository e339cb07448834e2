/** IPv4 networks as ranges of numbers, to find one that is free. Pure. */

interface Range {
  readonly first: number;
  readonly last: number;
}

/** Of each subnet: its own address, the gateway's, and the one for broadcasts. */
const reserved = 3;

/** 16 addresses: a smaller one would save little. */
const longestPrefix = 28;

/** Length of the prefix of the smallest subnet in which so many containers have an address each, 28 at most. */
export function prefixFor(containers: number): number {
  return Math.min(longestPrefix, 32 - Math.ceil(Math.log2(containers + reserved)));
}

/** How many containers can have an address in the subnet; without bound where it is not IPv4. */
export function roomIn(subnet: string): number {
  const range = parse(subnet);
  return range === undefined ? Infinity : Math.max(0, range.last - range.first + 1 - reserved);
}

/**
 * The subnets of `pool` with a prefix of this length that overlap none of `taken`, lowest first. What is not IPv4 in
 * `taken` is ignored.
 */
export function* freeSubnets(
  pool: string,
  taken: readonly string[],
  prefixLength: number,
): Generator<string> {
  const tenantAddresses = 2 ** (32 - prefixLength);
  const whole = parse(pool);
  if (whole === undefined) return;
  const used = taken.flatMap((subnet) => parse(subnet) ?? []);
  for (let first = whole.first; first + tenantAddresses - 1 <= whole.last; first += tenantAddresses) {
    const last = first + tenantAddresses - 1;
    if (used.some((range) => range.first <= last && first <= range.last)) continue;
    yield `${format(first)}/${prefixLength}`;
  }
}

/** Whether an IPv4 address is a lower one than another. */
export function isLowerAddress(address: string, other: string): boolean {
  const [a, b] = [address, other].map((one) => parse(`${one}/32`)?.first);
  return a !== undefined && b !== undefined && a < b;
}

function parse(subnet: string): Range | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(subnet);
  if (match === null) return undefined;
  const [a = 0, b = 0, c = 0, d = 0, length = 0] = match.slice(1).map(Number);
  const size = 2 ** (32 - length);
  const address = ((a * 256 + b) * 256 + c) * 256 + d;
  const first = address - (address % size);
  return { first, last: first + size - 1 };
}

function format(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}
