import { isDropped, isNext, isOld, servingName } from '../container-name.ts';
import type { DesiredTenant } from '../desired-tenant.ts';
import { oldRepair } from '../diff.ts';
import type { ObservedContainer } from '../observed-container.ts';
import { goneContainers } from './gone.ts';
import { planNaming, planReturnToNetwork } from './plan-join.ts';
import { planDrop, planPause, planRemoval, planRetirement } from './plan-return.ts';
import { heldUpOf, planPatience, standingsOfOld } from './start-order.ts';
import type { Step } from './step.ts';
import type { SuccessorContext } from './successor-health.ts';

/**
 * Keeps what there was before the newest desired state: successors go, whatever of the old ones stopped runs again, and
 * those that are gone are made again where it is known what they were (`before`).
 */
export function planHold(
  observed: readonly ObservedContainer[],
  { clock, failed }: Pick<SuccessorContext, 'clock' | 'failed'>,
  before?: DesiredTenant,
): Step {
  const removing = planRemoval(observed);
  if (removing !== undefined) return removing;
  const serving = observed.filter(({ name }) => !isNext(name) && !isDropped(name));
  const successors = observed.filter(({ name }) => isNext(name));
  const names = new Set(observed.map(({ name }) => name));
  const retired = observed.filter(({ name }) => isOld(name) && names.has(servingName(name)));
  if (retired.length > 0)
    return planPause(serving.filter(({ name }) => !isOld(name))) ?? planRetirement(retired);
  // The old one is gone already: this is the one to keep.
  const [heir] = serving.length === 0 ? successors.filter(({ state }) => state !== 'created') : [];
  if (heir !== undefined)
    return planNaming([heir]) ?? { do: 'rename', container: heir, name: servingName(heir.name) };
  const back = planReturnToNetwork(serving, { failed });
  if (back !== undefined) return back;
  const drop = planDrop(observed, [], { failed });
  if (drop !== undefined) return drop;
  const nameless = serving.find(({ name }) => isOld(name));
  if (nameless !== undefined) return { do: 'rename', container: nameless, name: servingName(nameless.name) };
  const heldUp = heldUpOf(
    serving.flatMap(({ state, made }) => (state === 'created' ? [made.container ?? ''] : [])),
    { standings: standingsOfOld(serving), context: { clock, failed } },
  );
  for (const container of serving) {
    if (failed.has(container.id) || heldUp.has(container.made.container ?? '')) continue;
    const repair = oldRepair(container);
    if (repair === 'unpause') return { do: 'unpause', container };
    if (repair === 'start') return { do: 'start', containers: [container], what: 'old' };
  }
  const gone = before === undefined ? [] : goneContainers(before, observed);
  const containers = gone.filter(({ engineName }) => !failed.has(engineName));
  if (containers.length === 0) return planPatience(heldUp) ?? { do: 'nothing' };
  return { do: 'create', containers: containers.map((desired) => ({ desired, name: desired.engineName })) };
}
