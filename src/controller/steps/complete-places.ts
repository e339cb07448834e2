import type { Placement } from '../../api/status.ts';
import { located } from '../../compute/place.ts';
import { note } from '../pass.ts';
import type { Pass } from '../pass.ts';
import { ignoreComputeError } from './previous-placements.ts';

/**
 * Placements in the status that an earlier version wrote get what it left out, while that can still be told: once the
 * config leads elsewhere, nobody knows where they were. An engine that does not answer now is asked by the next pass.
 */
export async function completePlaces(pass: Pass): Promise<void> {
  const { draft, deps, signal } = pass;
  const complete = async (placement: Placement): Promise<Placement> => {
    const provider = deps.providers.get(placement.provider)?.provider;
    if (provider === undefined) return placement;
    return (await located(provider, placement, signal).catch(ignoreComputeError)) ?? placement;
  };
  note(pass, {
    placement: draft.placement && (await complete(draft.placement)),
    previousPlacements: await Promise.all(draft.previousPlacements.map(complete)),
    retained: await Promise.all(
      draft.retained.map(async (kept) => ({ ...kept, placement: await complete(kept.placement) })),
    ),
  });
}
