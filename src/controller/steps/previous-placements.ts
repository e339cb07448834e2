import { recurred } from '../../async/recurrence.ts';
import type { Pace } from '../../async/recurrence.ts';
import { ComputeError } from '../../compute/errors.ts';
import { abandon } from '../../api/names.ts';
import type { Endpoint } from '../../api/status.ts';
import { note, placeAt, requestedAt } from '../pass.ts';
import type { Outcome, Pass } from '../pass.ts';
import { transitionLookMs } from '../status/requeue.ts';
import { destroyPlacements, noteRetained } from './delete-tenant.ts';
import { permitToLeave } from './gate.ts';

/** Empties the old places once the new one is Ready; until then their endpoints stay in the status. */
export async function leavePreviousPlacements(pass: Pass, outcome: Outcome): Promise<Outcome> {
  const { draft } = pass;
  if (draft.previousPlacements.length === 0) return outcome;
  const { verdict } = outcome;
  if (verdict.kind !== 'ready') {
    await showPreviousEndpoints(pass);
    return outcome;
  }
  if (!showsEndpoints(pass)) {
    await showPreviousEndpoints(pass);
    return { ...outcome, verdict: { ...verdict, pending: leavingNext }, lookAgainAfterMs: leaveAfterMs };
  }
  const held = heldBack(pass);
  if (held !== undefined) return { ...outcome, verdict: { ...verdict, ...held } };
  const emptied = await destroyPlacements(pass, draft.previousPlacements, permitToLeave());
  const { left, why, failure, lookAgainAfterMs } = emptied;
  note(pass, { previousPlacements: left });
  noteRetained(pass, emptied.retained);
  noteRefusal(pass, failure && { pending: why, refusal: failure });
  if (left.length === 0) return outcome;
  if (failure !== undefined) return { ...outcome, verdict: { ...verdict, pending: why, refusal: failure } };
  return {
    ...outcome,
    verdict: { ...verdict, pending: why },
    lookAgainAfterMs: Math.min(outcome.lookAgainAfterMs ?? Infinity, lookAgainAfterMs ?? transitionLookMs),
  };
}

interface Refused {
  readonly pending: string;
  readonly refusal: ComputeError;
}

/**
 * What a place that refused is not asked again for yet, whatever else the tenant is looked at for. What somebody asks
 * for is asked at once.
 */
function heldBack(pass: Pass): Refused | undefined {
  const { refusedPlaces: refused } = pass.memory;
  if (refused === undefined || refused.what !== askedOf(pass)) return undefined;
  const leftMs = refused.heldUntil - pass.deps.now().getTime();
  if (leftMs <= 0) return undefined;
  const { code, message, cause } = refused.refusal;
  const refusal = new ComputeError(code, message, { cause, retryAfterMs: leftMs });
  return { pending: refused.pending, refusal };
}

/** An engine that is out of reach refuses nothing, and whoever sees it again has it asked. */
function noteRefusal(pass: Pass, refused: Refused | undefined): void {
  const { memory, deps } = pass;
  if (refused === undefined || refused.refusal.code === 'ProviderUnavailable')
    memory.refusedPlaces = undefined;
  else {
    const nowMs = deps.now().getTime();
    memory.refusedPlaces = {
      ...recurred(memory.refusedPlaces, askedOf(pass), nowMs, refusalPace),
      ...refused,
    };
  }
}

/** Rights and rules are seldom changed within seconds. */
const refusalPace: Pace = { free: 0, baseMs: 30_000 };

function askedOf(pass: Pass): string {
  const { generation, annotations } = pass.tenant.metadata;
  return JSON.stringify([
    generation,
    requestedAt(pass),
    annotations?.[abandon],
    pass.draft.previousPlacements,
  ]);
}

/** Whoever has just read the old endpoints gets time to use them. */
const leaveAfterMs = 1000;
const leavingNext = 'the new place is Ready; what is left at the old one goes next';

/** Whether the status has named the new place's endpoints for a while: the old ones must answer until then. */
function showsEndpoints({ draft, tenant, deps, memory }: Pass): boolean {
  // Later writes that name the same ones begin no new time: what the old place refuses would put off its own end.
  const { endpointsSince = 0 } = memory;
  if (draft.compute?.endpoints !== undefined && deps.now().getTime() - endpointsSince < leaveAfterMs)
    return false;
  const shown = tenant.status?.compute?.endpoints ?? [];
  return (draft.compute?.endpoints ?? []).every((endpoint) =>
    shown.some(({ address, port }) => address === endpoint.address && port === endpoint.port),
  );
}

async function showPreviousEndpoints(pass: Pass): Promise<void> {
  const { deps, signal } = pass;
  for (const placement of pass.draft.previousPlacements) {
    const provider = deps.providers.get(placement.provider)?.provider;
    const old = await provider
      ?.getStatus(placeAt(pass, placement), undefined, { fresh: false, signal })
      .catch(ignoreComputeError);
    const { compute } = pass.draft;
    if (old === undefined || compute === undefined) continue;
    const endpoints = mergeEndpoints(compute.endpoints, old.compute.endpoints);
    if (endpoints.length > 0) note(pass, { compute: { ...compute, endpoints } });
  }
}

/** The old place's stand behind those of the new one: one of them answers throughout a move. */
export function mergeEndpoints(
  current: readonly Endpoint[] | undefined,
  old: readonly Endpoint[] | undefined,
): Endpoint[] {
  return [...(current ?? []), ...(old ?? [])];
}

/** For looks that are worth having but not worth failing for. */
export function ignoreComputeError(error: unknown): undefined {
  if (!(error instanceof ComputeError)) throw error;
  return undefined;
}
