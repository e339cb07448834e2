import { isDropped, isNext, isOld, servingName } from '../container-name.ts';
import type { DesiredContainer, DesiredTenant } from '../desired-tenant.ts';
import { compareTenant, isOfHash } from '../diff.ts';
import type { ObservedContainer } from '../observed-container.ts';
import { isRelease } from '../release/release-mark.ts';
import { goneContainers } from './gone.ts';
import { isIn, joins } from '../network/joined-containers.ts';
import { planNaming, planReturnToNetwork } from './plan-join.ts';
import { lacksItsRelease, planReleaseEnd, withoutKeptRelease } from './plan-release.ts';
import { planDrop, planPause, planRemoval, planRetirement } from './plan-return.ts';
import { heldUpOf, planPatience, standingsOf, standingsOfOld } from './start-order.ts';
import { oldRepair } from './repair.ts';
import type { NewContainer, Step } from './step.ts';
import type { SuccessorContext } from './successor-health.ts';

/**
 * Keeps what there was before the newest desired state: successors go, whatever of the old ones stopped runs again, and
 * those that are gone are made again where it is known what they were (`before`). What never ran and is part of `desired` as it is
 * keeps to the order of that.
 */
export function planHold(
  all: readonly ObservedContainer[],
  { clock, failed }: Pick<SuccessorContext, 'clock' | 'failed'>,
  { before, desired }: { readonly before?: DesiredTenant | undefined; readonly desired?: DesiredTenant } = {},
): Step {
  const first = planRemoval(all) ?? planReleaseEnd(desired, all, { clock });
  if (first !== undefined) return first;
  const observed = withoutKeptRelease(all, desired);
  const serving = observed.filter(({ name }) => !isNext(name) && !isDropped(name));
  const successors = observed.filter(({ name }) => isNext(name));
  const names = new Set(observed.map(({ name }) => name));
  const retired = observed.filter(({ name }) => isOld(name) && names.has(servingName(name)));
  if (retired.length > 0)
    return planPause(serving.filter(({ name }) => !isOld(name))) ?? planRetirement(retired, observed);
  // The old one is gone already: this is the one to keep.
  const [heir] =
    serving.length === 0 ? successors.filter((one) => one.state !== 'created' && !isRelease(one)) : [];
  if (heir !== undefined)
    return planNaming([heir]) ?? { do: 'rename', container: heir, name: servingName(heir.name) };
  const back = planReturnToNetwork(serving, { failed });
  if (back !== undefined) return back;
  const drop = planDrop(observed, { containers: [], obsolete: [] }, { failed });
  if (drop !== undefined) return drop;
  const nameless = serving.find(({ name }) => isOld(name));
  if (nameless !== undefined) return { do: 'rename', container: nameless, name: servingName(nameless.name) };
  const heldUp = heldUpOf(namesOf(serving.filter(isUnstarted)), {
    standings: standingsOfOld(serving),
    context: { clock, failed },
  });
  const waiting = desired === undefined ? [] : waitingIn(desired, observed, { clock, failed });
  for (const container of serving) {
    const name = container.made.container ?? '';
    if (failed.has(container.id) || heldUp.has(name) || waiting.includes(container)) continue;
    // What waits for no other one begins together, but for what has no network before one runs.
    if (serving.some((one) => one.state !== 'running' && isIn(one, container))) continue;
    // Of what was in place, the release was done, whatever has become of its container since.
    if (lacksItsRelease(container, serving) && !isMadeAgain(container, before)) continue;
    const repair = oldRepair(container);
    if (repair === 'unpause') return { do: 'unpause', container };
    if (repair === 'start') return { do: 'start', containers: [container], what: 'old' };
  }
  const gone = before === undefined ? [] : goneContainers(before, observed);
  const containers = gone.filter(({ engineName }) => !failed.has(engineName));
  if (containers.length === 0) return planPatience(heldUp) ?? { do: 'nothing' };
  return { do: 'create', containers: containers.map((one) => madeAgain(one, before, observed)) };
}

function madeAgain(
  desired: DesiredContainer,
  before: DesiredTenant | undefined,
  observed: readonly ObservedContainer[],
): NewContainer {
  const compared = before === undefined ? [] : compareTenant(before, observed).containers;
  return { desired, name: desired.engineName, ...joins(desired, compared, (name) => name) };
}

function isMadeAgain(container: ObservedContainer, before: DesiredTenant | undefined): boolean {
  const like = before?.containers.find(({ engineName }) => engineName === container.name);
  return like !== undefined && isOfHash(like, container);
}

function isUnstarted({ state }: ObservedContainer): boolean {
  return state === 'created';
}

function namesOf(containers: readonly ObservedContainer[]): readonly string[] {
  return containers.map(({ made }) => made.container ?? '');
}

function waitingIn(
  desired: DesiredTenant,
  observed: readonly ObservedContainer[],
  context: Pick<SuccessorContext, 'clock' | 'failed'>,
): readonly ObservedContainer[] {
  const { containers } = compareTenant(desired, observed);
  const unstarted = containers.flatMap(({ current, currentMatches }) =>
    current !== undefined && currentMatches && isUnstarted(current) ? [current] : [],
  );
  const heldUp = heldUpOf(namesOf(unstarted), { standings: standingsOf(containers), context });
  return unstarted.filter(({ made }) => heldUp.has(made.container ?? ''));
}
