import type { Effect } from '../../../../api/status.ts';
import { consentTo } from '../../../permit.ts';
import type { Consent } from '../../../permit.ts';
import type { Engine } from '../engine/engine.ts';
import type { ObservedContainer } from '../state/observed-container.ts';
import type { Step } from '../state/plan/step.ts';
import { stopGraceSeconds } from '../state/process/stop-grace.ts';
import { isFilesVolume } from '../state/volumes/files-volume.ts';
import { naming } from '../watch/engine-look.ts';
import type { Attempt, ConvergeDeps } from './converge-deps.ts';
import { removeFiles } from './files/remove-files.ts';
import { removeNetworksOf } from './tenant-networks.ts';

/** How containers are ended: with consent. */

export function consented({ permit, desired }: Attempt, effect: Effect, what: string): Consent {
  return consentTo(permit, effect, `${what} containers of ${desired.tenantId}`);
}

export async function stopOne(
  engine: Engine,
  { container, consent }: { readonly container: ObservedContainer; readonly consent: Consent },
  signal: AbortSignal,
): Promise<void> {
  const stopping = engine.stopContainer(container.id, stopGraceSeconds(container), consent, signal);
  await naming(container, 'stopped', stopping);
}

/** With the volumes of files that nobody else has. Returns those that are on their way, and not gone yet. */
export async function removeAll(
  engine: Engine,
  containers: readonly ObservedContainer[],
  consent: Consent,
  signal: AbortSignal,
): Promise<readonly ObservedContainer[]> {
  const answers = await Promise.all(
    containers.map(async (container) =>
      naming(container, 'removed', engine.removeContainer(container.id, consent, signal)),
    ),
  );
  const names = containers.flatMap(({ volumes }) => volumes.map(({ name }) => name));
  await removeFiles(engine, new Set(names.filter(isFilesVolume)), consent, signal);
  return containers.filter((_container, index) => answers[index] === 'removing');
}

/** With the networks that nobody else is in, and nobody will be. */
export async function retire(
  { engine, settings: { ownership } }: ConvergeDeps,
  { step, attempt }: { readonly step: Extract<Step, { do: 'remove' }>; readonly attempt: Attempt },
  signal: AbortSignal,
): Promise<void> {
  const { desired } = attempt;
  const consent = consented(attempt, step.effect, 'removing');
  if (!attempt.hold) {
    const unwanted = { ownership, tenant: desired, desired, consent, going: step.containers };
    await removeNetworksOf(engine, unwanted, signal);
  }
  await removeAll(engine, step.containers, consent, signal);
}
