import type { ObservedContainer } from '../../state/observed-container.ts';
import { foreignContainers } from '../../watch/foreign/foreign-containers.ts';
import type { Attempt, ConvergeDeps } from '../converge-deps.ts';

/** To hold is not to begin: what others made is nothing to be held, unless something was begun beside it. */
export async function foreignBeside(
  { engine, settings: { ownership } }: ConvergeDeps,
  { desired, hold }: Attempt,
  own: readonly ObservedContainer[],
  signal: AbortSignal,
): Promise<readonly ObservedContainer[]> {
  if (hold && own.length === 0) return [];
  return foreignContainers({ engine, ownership }, { desired, own }, signal);
}
