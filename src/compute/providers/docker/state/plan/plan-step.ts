import { compareTenant } from '../diff.ts';
import type { ContainerComparison, TenantComparison } from './comparison.ts';
import type { DesiredTenant } from '../desired-tenant.ts';
import type { ObservedContainer } from '../observed-container.ts';
import { joins } from '../network/joined-containers.ts';
import { planNaming, planReturnToNetwork } from './plan-join.ts';
import { planReleaseAgain, planReleaseEnd, planReleaseOutcome } from './plan-release.ts';
import { planResumption } from './plan-resumption.ts';
import { planDrop, planRemoval, planReturn } from './plan-return.ts';
import { planRollout } from './plan-rollout.ts';
import { heldUpOf, planPatience, standingsOf, stranded } from './start-order.ts';
import type { Order } from './start-order.ts';
import type { Step } from './step.ts';
import type { SuccessorContext } from './successor-health.ts';

/**
 * The next step from what is there towards what is desired, as a value. Pure: names, labels and states alone decide,
 * so that it makes no difference whether the step before was taken a moment ago or by an operator that died of it.
 *
 * A change that needs a replacement goes over all of the tenant's containers together; container-name.ts draws the
 * way of each. A successor that can't run beside the old one is started when that was stopped. Where one fails, all of
 * them go, and the old ones run again.
 */
export function planStep(
  desired: DesiredTenant,
  observed: readonly ObservedContainer[],
  context: SuccessorContext,
): Step {
  const first =
    planRemoval(observed) ??
    planReleaseEnd(desired, observed, context) ??
    planReleaseAgain(desired, observed);
  if (first !== undefined) return first;
  const comparison = compareTenant(desired, observed);
  const back =
    planDrop(observed, comparison, context) ??
    planResumption(comparison, context) ??
    planReturnToNetwork(observed, context);
  if (back !== undefined) return back;
  const dead = observed.filter(({ state }) => state === 'dead');
  if (dead.length > 0) return { do: 'remove', containers: dead, effect: 'live' };
  return planRollout(comparison, context) ?? planRepair(comparison, context);
}

/** No old one is left: what is there is brought to serve, and what is missing is made. */
function planRepair({ containers }: TenantComparison, context: SuccessorContext): Step {
  const { failed } = context;
  for (const { desired, current, next } of containers) {
    if (current === undefined && next !== undefined) {
      return planNaming([next]) ?? { do: 'rename', container: next, name: desired.engineName };
    }
    // A desired state that was taken back in the middle of its rollout.
    if (current !== undefined && next !== undefined) return planReturn([next], [current], { failed });
  }
  const order = { standings: standingsOf(containers), context };
  return planStarts(containers, order) ?? planMends(containers, failed) ?? planUnstarted(containers, order);
}

/**
 * What stood already runs again before anything is made, and what is made is started together, but for what must wait for
 * another one. What can't be made or started holds up none of the others.
 */
function planStarts(containers: readonly ContainerComparison[], order: Order): Step | undefined {
  const { failed } = order.context;
  const ready = containers.filter(
    ({ current, repair, liveDiffers }) =>
      current !== undefined && repair === 'start' && !liveDiffers && !failed.has(current.id),
  );
  const heldUp = heldUpOf(
    ready.map(({ desired }) => desired.spec.name),
    order,
  );
  const startable = ready.flatMap(({ current, desired }) =>
    current === undefined || heldUp.has(desired.spec.name) ? [] : [current],
  );
  const stopped = startable.filter(({ state }) => state !== 'created');
  if (stopped.length > 0) return { do: 'start', containers: stopped, what: 'serving' };
  const missing = containers.filter(
    ({ current, desired }) => current === undefined && !failed.has(desired.engineName),
  );
  if (missing.length > 0) {
    return {
      do: 'create',
      containers: missing.map(({ desired }) => ({
        desired,
        name: desired.engineName,
        ...joins(desired, containers, (name) => name),
      })),
    };
  }
  return startable.length > 0 ? { do: 'start', containers: startable, what: 'serving' } : undefined;
}

/** All is done that can be: what is left waits for another one, maybe in vain. */
function planUnstarted(containers: readonly ContainerComparison[], order: Order<SuccessorContext>): Step {
  const { failed } = order.context;
  const release = planReleaseOutcome(containers, order.context);
  if (release !== undefined) return release;
  const heldUp = heldUpOf(
    containers.flatMap(({ current, repair, desired }) =>
      current !== undefined && repair === 'start' && !failed.has(current.id) ? [desired.spec.name] : [],
    ),
    order,
  );
  const patience = planPatience(heldUp);
  if (patience !== undefined) return patience;
  const reasons = stranded(heldUp).flatMap(({ name, why, isForGood }) =>
    isForGood ? [`container ${name} ${why}`] : [],
  );
  // Why others could not be started is known to who tried.
  return reasons.length === 0 ? { do: 'nothing' } : { do: 'fail', message: reasons.join('; ') };
}

function planMends(
  containers: readonly ContainerComparison[],
  failed: SuccessorContext['failed'],
): Step | undefined {
  for (const { current, repair, liveDiffers, desired } of containers) {
    if (current === undefined || failed.has(current.id)) continue;
    if (liveDiffers) return { do: 'update', container: current, live: desired.live };
    if (repair === 'unpause') return { do: 'unpause', container: current };
    if (repair === 'restart') return { do: 'stop', containers: [current], isRestart: true, effect: 'gap' };
  }
  return undefined;
}
