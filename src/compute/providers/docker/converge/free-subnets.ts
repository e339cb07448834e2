import { longestPrefix, rangeOf, reservedAddresses } from '../state/network/subnets.ts';

/** Subnets that are free. Pure. */

/** Length of the prefix of the smallest subnet in which so many containers have an address each, 28 at most. */
export function prefixFor(containers: number): number {
  return Math.min(longestPrefix, 32 - Math.ceil(Math.log2(containers + reservedAddresses)));
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
  const whole = rangeOf(pool);
  if (whole === undefined) return;
  const used = taken.flatMap((subnet) => rangeOf(subnet) ?? []);
  for (let first = whole.first; first + tenantAddresses - 1 <= whole.last; first += tenantAddresses) {
    const last = first + tenantAddresses - 1;
    if (used.some((range) => range.first <= last && first <= range.last)) continue;
    yield `${format(first)}/${prefixLength}`;
  }
}

/** Whether an IPv4 address is a lower one than another. */
export function isLowerAddress(address: string, other: string): boolean {
  const [a, b] = [address, other].map((one) => rangeOf(`${one}/32`)?.first);
  return a !== undefined && b !== undefined && a < b;
}

function format(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}
