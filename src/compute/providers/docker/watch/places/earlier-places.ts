import type { Effect } from '../../../../../api/status.ts';
import type { Ownership } from '../../../../ownership.ts';
import type { Change } from '../../../../provider.ts';
import { engineIdOf, isSameEngine } from '../../engine/engine-id.ts';
import type { EngineReads } from '../../engine/engine.ts';
import { isOld, servingName } from '../../state/container-name.ts';
import type { DesiredContainer, DesiredTenant } from '../../state/desired-tenant.ts';
import { excludes } from '../../state/exclusion.ts';
import { isUp } from '../../state/observed-container.ts';
import type { ObservedContainer } from '../../state/observed-container.ts';
import { lookAtTenant } from '../engine-look.ts';

/** A container at a place that is left, and what it is to stop it. */
export interface Earlier {
  readonly container: ObservedContainer;
  readonly effect: Effect;
}

/**
 * What the tenant still has on this engine under an earlier `label_prefix`, and what can't run beside it: they'd publish
 * one port, or write to one host path. It goes once the new place is Ready, which would wait for it for ever.
 */
export async function inTheWayAtEarlierPlaces(
  { engine, ownership }: { readonly engine: EngineReads; readonly ownership: Ownership },
  { desired, starting }: { readonly desired: DesiredTenant; readonly starting: readonly DesiredContainer[] },
  signal: AbortSignal,
): Promise<readonly Earlier[]> {
  if (starting.length === 0) return [];
  const found: Earlier[] = [];
  for (const there of earlierOwnerships(desired, ownership)) {
    const containers = await lookAtTenant(engine, there, desired.tenantId, signal);
    const own = containers.filter(({ labels }) => there.belongsTo(desired, labels));
    const inTheWay = own.filter((old) => isUp(old) && starting.some((container) => excludes(container, old)));
    found.push(...inTheWay.map((old) => ({ container: old, effect: effectOfStopping(old, own) })));
  }
  return found;
}

/** By what the tenant's are known there: at each place that is left on this engine, under another `label_prefix`. */
export function earlierOwnerships(
  { leaving = [], placement }: Pick<DesiredTenant, 'leaving' | 'placement'>,
  ownership: Ownership,
): readonly Ownership[] {
  return leaving.flatMap((place) => {
    const { labelPrefix } = place;
    if (!isSameEngine(engineIdOf(place), engineIdOf(placement))) return [];
    if (typeof labelPrefix !== 'string' || labelPrefix === ownership.prefix) return [];
    return [ownership.withPrefix(labelPrefix)];
  });
}

/** In the middle of a rollout, the one that has the name serves on, whatever becomes of the other one. */
function effectOfStopping({ name }: ObservedContainer, there: readonly ObservedContainer[]): Effect {
  const serving = servingName(name);
  if (name === serving || !there.some((one) => one.name === serving && isUp(one))) return 'outage';
  return isOld(name) ? 'replace' : 'live';
}

/** The same, where containers of the place that is desired are to be started. */
export async function inTheWayOf(
  where: { readonly engine: EngineReads; readonly ownership: Ownership },
  { desired, starting }: { readonly desired: DesiredTenant; readonly starting: readonly ObservedContainer[] },
  signal: AbortSignal,
): Promise<readonly Earlier[]> {
  const names = new Set(starting.map(({ name }) => servingName(name)));
  const wanted = desired.containers.filter(({ engineName }) => names.has(engineName));
  return inTheWayAtEarlierPlaces(where, { desired, starting: wanted }, signal);
}

/** Those that do not run yet at the place where they are desired. */
export function notRunning(
  { containers }: DesiredTenant,
  observed: readonly ObservedContainer[],
): readonly DesiredContainer[] {
  return containers.filter(
    ({ engineName }) => !observed.some((container) => container.name === engineName && isUp(container)),
  );
}

export function stopsEarlier({ container: { name, state }, effect }: Earlier): Change {
  return { path: `earlier.${name}`, desired: 'stopped', actual: state, cause: 'spec', effect };
}
