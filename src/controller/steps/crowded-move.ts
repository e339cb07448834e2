import { ComputeError } from '../../compute/errors.ts';
import type { Placement } from '../../api/status.ts';
import { isSamePlace, placeText } from '../../compute/place.ts';
import type { Desired, Observation } from '../../compute/provider.ts';
import { note, placeAt } from '../pass.ts';
import type { Outcome, Pass, StatusDraft } from '../pass.ts';
import { reasonInTransition } from '../status/reasons.ts';
import { transitionLookMs } from '../status/requeue.ts';
import { destroyPlacements, noteRetained } from './delete-tenant.ts';
import { permitToLeave } from './gate.ts';
import { ignoreComputeError } from './previous-placements.ts';

/**
 * What a place still holds runs, and costs: a tenant that moves on and on without being Ready anywhere leaves no more of
 * them than this.
 */
const maxPreviousPlacements = 3;

/** What a tenant that goes to `target` leaves. */
export function leftBehind(
  { placement, previousPlacements }: Pick<StatusDraft, 'placement' | 'previousPlacements'>,
  target: Placement,
): readonly Placement[] {
  const left = placement === undefined ? previousPlacements : [...previousPlacements, placement];
  return left.filter((place) => !isSamePlace(place, target));
}

/** A move that would leave too many places first has those emptied that nobody needs. Undefined: it has its way. */
export async function crowdedMove(pass: Pass, { placement: target }: Desired): Promise<Outcome | undefined> {
  const { draft, tenant } = pass;
  if (draft.placement === undefined || isSamePlace(draft.placement, target)) return undefined;
  if (hasRoom(draft, target)) return undefined;
  const needless = await needlessPlaces(pass, leftBehind(draft, target));
  const emptied = await destroyPlacements(pass, needless, permitToLeave());
  const { left, why, failure, lookAgainAfterMs = transitionLookMs } = emptied;
  const isLeft = (place: Placement): boolean => !needless.includes(place) || left.includes(place);
  note(pass, { previousPlacements: draft.previousPlacements.filter(isLeft) });
  noteRetained(pass, emptied.retained);
  if (hasRoom(pass.draft, target)) return undefined;
  const many = `${leftBehind(pass.draft, target).length} places behind`;
  const waits =
    `moving to ${placeText(target)} waits: it would leave ${many}, and at most ${maxPreviousPlacements} ` +
    '(status.previousPlacements) wait to be emptied';
  if (left.length > 0 && failure === undefined) {
    const message = `${waits}; ${why}`;
    const reason = reasonInTransition(tenant.status);
    return {
      verdict: { kind: 'progressing', reason, message, underWay: true },
      repaired: [],
      lookAgainAfterMs,
    };
  }
  const hint = 'One is emptied once a later one is healthy, or nothing runs there; or go back to one of them';
  const error = new ComputeError(
    'UpdateFailed',
    `${waits}${failure === undefined ? `. ${hint}` : `; ${why}`}`,
  );
  return { verdict: { kind: 'failed', error }, repaired: [] };
}

function hasRoom(draft: Pick<StatusDraft, 'placement' | 'previousPlacements'>, target: Placement): boolean {
  return leftBehind(draft, target).length <= maxPreviousPlacements;
}

/**
 * Which of the earlier places nobody needs, `places` being all that would be left, the latest last: those before one that
 * is healthy, as after any move; those behind that, where nothing is; and where none is, those where nothing runs.
 */
async function needlessPlaces(pass: Pass, places: readonly Placement[]): Promise<readonly Placement[]> {
  const looks = await Promise.all(places.map((place) => lookAt(pass, place)));
  const serving = looks.findLastIndex((look) => look?.compute.health === 'healthy');
  return places.filter((place, index) => {
    if (isSamePlace(place, pass.draft.placement) || index === serving) return false;
    if (index < serving) return true;
    const look = looks[index];
    if (look === undefined) return false;
    return serving === -1 ? look.compute.running === 0 : look.compute.health !== 'healthy';
  });
}

/** Undefined: nothing is known of it. */
async function lookAt(pass: Pass, place: Placement): Promise<Observation | undefined> {
  const { deps, signal } = pass;
  const provider = deps.providers.get(place.provider)?.provider;
  return provider
    ?.getStatus(placeAt(pass, place), undefined, { fresh: true, signal })
    .catch(ignoreComputeError);
}
