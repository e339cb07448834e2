import type { Consent } from '../../../permit.ts';
import type { Engine } from '../engine/engine.ts';
import type { ObservedContainer } from '../state/observed-container.ts';

/** What a container is given to end by itself, in seconds: the engine's own default. */
export const stopGraceSeconds = 10;

export async function stopAll(
  engine: Engine,
  containers: readonly ObservedContainer[],
  consent: Consent,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(containers.map(({ id }) => engine.stopContainer(id, stopGraceSeconds, consent, signal)));
}

export async function removeAll(
  engine: Engine,
  containers: readonly ObservedContainer[],
  consent: Consent,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(containers.map(({ id }) => engine.removeContainer(id, consent, signal)));
}
