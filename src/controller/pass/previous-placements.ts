import { ComputeError } from '../../compute/errors.ts';
import { keyOf } from '../../kube/client/kube-object.ts';
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
  if (!showsEndpoints(pass)) {
    await showPreviousEndpoints(pass);
    return { ...convergence, verdict: { ...verdict, pending: leavingNext }, lookAgainAfterMs: leaveAfterMs };
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

/** Whoever has just read the old endpoints gets time to use them. */
const leaveAfterMs = 1000;
const leavingNext = 'the new place is Ready; what is left at the old one goes next';

/** Whether the status has named the new place's endpoints for a while: the old ones must answer until then. */
function showsEndpoints({ draft, tenant, context }: Pass): boolean {
  const writtenAt = context.lastWrites.get(keyOf(tenant))?.at ?? 0;
  if (draft.compute?.endpoints !== undefined && context.now().getTime() - writtenAt < leaveAfterMs)
    return false;
  const shown = tenant.status?.compute?.endpoints ?? [];
  return (draft.compute?.endpoints ?? []).every((endpoint) =>
    shown.some(({ address, port }) => address === endpoint.address && port === endpoint.port),
  );
}

async function showPreviousEndpoints(pass: Pass): Promise<void> {
  const { context, draft, signal } = pass;
  for (const placement of draft.previousPlacements) {
    const provider = context.providers.get(placement.provider)?.provider;
    const old = await provider
      ?.getStatus(placedAt(pass, placement), undefined, { fresh: false, signal })
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
