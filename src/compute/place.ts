import { isDeepStrictEqual } from 'node:util';
import type { Placement } from '../api/status.ts';
import type { Provider } from './provider.ts';

/** What tells two places apart: all of a placement but the way there, and what the config calls it. */
function identityOf({
  host: _way,
  engine: _name,
  ...identity
}: Placement): Omit<Placement, 'host' | 'engine'> {
  return identity;
}

/** Whether it is one place, by whatever address its engine was reached. */
export function isSamePlace(a: Placement | undefined, b: Placement | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return isDeepStrictEqual(identityOf(a), identityOf(b));
}

/** Whether nothing that both tell of themselves sets them apart: what an earlier version recorded may tell less. */
export function maybeSamePlace(a: Placement, b: Placement): boolean {
  const known: Readonly<Record<string, unknown>> = identityOf(b);
  return Object.entries(identityOf(a)).every(
    ([key, value]) => known[key] === undefined || isDeepStrictEqual(known[key], value),
  );
}

/** Each place once: the first of those that are the same. */
export function distinctPlaces(places: readonly Placement[]): readonly Placement[] {
  return places.filter((place, at) => places.findIndex((other) => isSamePlace(place, other)) === at);
}

/** A place in one word, for people and for the annotation that gives it up. The same for the same place. */
export function placeText(placement: Placement): string {
  const { provider, ...rest } = identityOf(placement);
  return [
    provider,
    ...Object.entries(rest)
      .toSorted(byKey)
      .map(([, value]) => String(value)),
  ].join('/');
}

/** What a place is, as a hash covers it. */
export function placeEntries(placement: Placement): readonly (readonly [string, unknown])[] {
  return Object.entries(identityOf(placement)).toSorted(byKey);
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

/** The placement with what its provider's engine alone can tell of it. Rejects as `Provider.locate` does. */
export async function located(
  provider: Pick<Provider, 'locate'>,
  placement: Placement,
  signal: AbortSignal,
): Promise<Placement> {
  return (await provider.locate?.(placement, signal)) ?? placement;
}
