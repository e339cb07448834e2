import { drainBounds } from '../../../../../api/container/edge-field.ts';
import type { ContainerSpec } from '../../../../spec/tenant-compute-spec.ts';
import { servingName } from '../container-name.ts';
import type { ObservedContainer } from '../observed-container.ts';

/** How long what was succeeded behind a proxy keeps its connections. Pure. */

/** The label that says so, in seconds: it is drained as it was made to be, whatever is desired by then. */
export const drainMark = 'drain';

/** The longest that one of its ports asks for; undefined: it is behind no proxy. */
export function drainText({ ports = [] }: Pick<ContainerSpec, 'ports'>): string | undefined {
  const seconds = ports.flatMap(({ edge }) =>
    edge === undefined ? [] : [edge.drainSeconds ?? drainBounds.default],
  );
  return seconds.length === 0 ? undefined : `${Math.max(...seconds)}`;
}

/** In milliseconds; 0: it is behind no proxy. Labels are anybody's to write on a copy: no more than a manifest could ask for. */
function drainMs({ made: { drain } }: ObservedContainer): number {
  if (drain === undefined) return 0;
  const seconds = /^\d{1,5}$/.test(drain) ? Number(drain) : drainBounds.default;
  return 1_000 * Math.min(seconds, drainBounds.most);
}

/**
 * For how long a container that was succeeded is not to be stopped yet, in milliseconds. It counts from when its name led to
 * the successor, as far as that was seen here: whoever has seen neither begins anew. Where nobody has the name behind a proxy, no
 * connection goes elsewhere for it.
 */
export function drainLeftMs(old: ObservedContainer, all: readonly ObservedContainer[]): number {
  const heir = all.find(({ name }) => name === servingName(old.name));
  if (heir?.made.drain === undefined) return 0;
  const sinceMs = Math.min(old.namedForMs ?? 0, heir.namedForMs ?? 0);
  return Math.max(0, drainMs(old) - sinceMs);
}
