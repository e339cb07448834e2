import type { Effect } from '../../../../api/status.ts';
import { consentTo, worstEffect } from '../../../permit.ts';
import type { Consent } from '../../../permit.ts';
import type { Engine } from '../engine/engine.ts';
import type { ObservedContainer } from '../state/observed-container.ts';
import { stopGraceSeconds } from '../state/process/stop-grace.ts';
import { isFilesVolume } from '../state/volumes/files-volume.ts';
import { naming } from '../watch/engine-look.ts';
import { inTheWayOf } from '../watch/places/earlier-places.ts';
import type { Attempt, ConvergeDeps } from './converge-deps.ts';
import { removeFiles } from './files/remove-files.ts';

/** How containers are ended: with consent. */

export function consented({ permit, desired }: Attempt, effect: Effect, what: string): Consent {
  return consentTo(permit, effect, `${what} containers of ${desired.tenantId}`);
}

/** What holds up a container that is to be started, at a place that is left. */
export async function stopEarlier(
  { engine, settings: { ownership } }: ConvergeDeps,
  { attempt, starting }: { readonly attempt: Attempt; readonly starting: readonly ObservedContainer[] },
  signal: AbortSignal,
): Promise<void> {
  const { desired } = attempt;
  const earlier = await inTheWayOf({ engine, ownership }, { desired, starting }, signal);
  if (earlier.length === 0) return;
  const effect = worstEffect(earlier.map((one) => one.effect));
  const containers = earlier.map(({ container }) => container);
  await stopAll(engine, containers, consented(attempt, effect, 'stopping'), signal);
}

export async function stopAll(
  engine: Engine,
  containers: readonly ObservedContainer[],
  consent: Consent,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(containers.map((container) => stopOne(engine, { container, consent }, signal)));
}

export async function stopOne(
  engine: Engine,
  { container, consent }: { readonly container: ObservedContainer; readonly consent: Consent },
  signal: AbortSignal,
): Promise<void> {
  const stopping = engine.stopContainer(container.id, stopGraceSeconds(container), consent, signal);
  await naming(container, 'stopped', stopping);
}

/** With the volumes of files that nobody else has. */
export async function removeAll(
  engine: Engine,
  containers: readonly ObservedContainer[],
  consent: Consent,
  signal: AbortSignal,
): Promise<void> {
  const remove = ({ id }: ObservedContainer): Promise<void> => engine.removeContainer(id, consent, signal);
  await Promise.all(containers.map(async (container) => naming(container, 'removed', remove(container))));
  const names = containers.flatMap(({ volumes }) => volumes.map(({ name }) => name));
  await removeFiles(engine, new Set(names.filter(isFilesVolume)), consent, signal);
}
