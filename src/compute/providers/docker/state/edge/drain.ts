import { drainBounds } from '../../../../../api/container/edge-field.ts';
import type { ContainerSpec } from '../../../../spec/tenant-compute-spec.ts';
import { isCompleted } from '../container-end.ts';
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
 * the successor, and that ran, as far as it was seen here: whoever has seen neither begins anew. Where nobody has the name behind a proxy, no
 * connection goes elsewhere for it.
 */
export function drainLeftMs(old: ObservedContainer, all: readonly ObservedContainer[]): number {
  const heir = heirOf(old, all);
  if (heir?.made.drain === undefined) return 0;
  const sinceMs = Math.min(old.namedForMs ?? 0, heir.namedForMs ?? 0);
  return Math.max(0, drainMs(old) - sinceMs);
}

/** Whether its successor bears the name and does not run, so that connections still go to it. */
export function isLastHeld(old: ObservedContainer, all: readonly ObservedContainer[]): boolean {
  const heir = heirOf(old, all);
  return heir?.made.drain !== undefined && leadsNobody(heir);
}

/**
 * The engine's DNS has no answer for one that does not run, and the proxy keeps to the last one: whoever takes a name and ends leads
 * nobody to itself. A job that is done never will.
 */
export function leadsNobody(container: ObservedContainer): boolean {
  const { state } = container;
  return state !== 'running' && state !== 'paused' && !isCompleted(container);
}

function heirOf(old: ObservedContainer, all: readonly ObservedContainer[]): ObservedContainer | undefined {
  return all.find(({ name }) => name === servingName(old.name));
}
