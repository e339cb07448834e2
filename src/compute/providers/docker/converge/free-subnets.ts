/** IPv4 networks as ranges of numbers, to find one that is free. Pure. */

interface Range {
  readonly first: number;
  readonly last: number;
}

/** A tenant's private network: 16 addresses, of which containers can have 13. */
const tenantPrefixLength = 28;
const tenantAddresses = 2 ** (32 - tenantPrefixLength);

/** The /28s of `pool` that overlap none of `taken`, lowest first. What is not IPv4 in `taken` is ignored. */
export function* freeSubnets(pool: string, taken: readonly string[]): Generator<string> {
  const whole = parse(pool);
  if (whole === undefined) return;
  const used = taken.flatMap((subnet) => parse(subnet) ?? []);
  for (let first = whole.first; first + tenantAddresses - 1 <= whole.last; first += tenantAddresses) {
    const last = first + tenantAddresses - 1;
    if (used.some((range) => range.first <= last && first <= range.last)) continue;
    yield `${format(first)}/${tenantPrefixLength}`;
  }
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
