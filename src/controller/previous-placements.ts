import { ComputeError } from '../compute/errors.ts';
import { mergeEndpoints } from './converge.ts';
import type { Convergence } from './converge.ts';
import { destroyPlacements } from './delete-tenant.ts';
import { placedAt } from './pass.ts';
import type { Pass } from './pass.ts';
import { transitionLookMs } from './requeue.ts';

/** Empties the old places once the new one is Ready; until then their endpoints stay in the status. */
export async function leavePreviousPlacements(pass: Pass, convergence: Convergence): Promise<Convergence> {
  const { draft } = pass;
  if (draft.previousPlacements.length === 0) return convergence;
  const { verdict } = convergence;
  if (verdict.kind !== 'ready') {
    await showPreviousEndpoints(pass);
    return convergence;
  }
  const { left, why, lookAgainAfterMs } = await destroyPlacements(pass, draft.previousPlacements);
  draft.previousPlacements = left;
  if (left.length === 0) return convergence;
  return {
    ...convergence,
    verdict: { ...verdict, pending: why },
    lookAgainAfterMs: Math.min(
      convergence.lookAgainAfterMs ?? Infinity,
      lookAgainAfterMs ?? transitionLookMs,
    ),
  };
}

async function showPreviousEndpoints(pass: Pass): Promise<void> {
  const { context, draft, signal } = pass;
  for (const placement of draft.previousPlacements) {
    const provider = context.providers.get(placement.provider)?.provider;
    const old = await provider
      ?.getStatus(placedAt(pass, placement), undefined, signal)
      .catch(ignoreComputeError);
    if (old === undefined || draft.compute === undefined) continue;
    const endpoints = mergeEndpoints(draft.compute.endpoints, old.compute.endpoints);
    if (endpoints.length > 0) draft.compute = { ...draft.compute, endpoints };
  }
}

/** For looks that are worth having but not worth failing for. */
export function ignoreComputeError(error: unknown): undefined {
  if (!(error instanceof ComputeError)) throw error;
  return undefined;
}
