import { isOld, nextName, oldName } from '../container-name.ts';
import { compareTenant } from '../diff.ts';
import { excludes } from '../exclusion.ts';
import type { ContainerComparison, TenantComparison } from '../diff.ts';
import type { DesiredTenant } from '../desired-tenant.ts';
import { isUp } from '../observed-container.ts';
import type { ObservedContainer } from '../observed-container.ts';
import { planNaming, planReturnToNetwork } from './plan-join.ts';
import { planDrop, planPause, planRemoval, planRetirement, planReturn } from './plan-return.ts';
import type { Failure, Step } from './step.ts';
import { withPatience } from './sibling-patience.ts';
import type { Successor } from './sibling-patience.ts';
import { successorHealth } from './successor-health.ts';
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
  const removing = planRemoval(observed);
  if (removing !== undefined) return removing;
  const comparison = compareTenant(desired, observed);
  const wanted = comparison.containers.flatMap(({ next, nextMatches }) =>
    nextMatches && next ? [next] : [],
  );
  const drop = planDrop(observed, wanted, context);
  if (drop !== undefined) return drop;
  const back = planReturnToNetwork(observed, context);
  if (back !== undefined) return back;
  const dead = observed.filter(({ state }) => state === 'dead');
  if (dead.length > 0) return { do: 'remove', containers: dead, effect: 'live' };
  return planRollout(comparison, context) ?? planRepair(comparison, context);
}

/** What was there before this desired state and is worth something: a container that never ran is not. */
function oldContainers({ containers, obsolete }: TenantComparison): readonly ObservedContainer[] {
  const replaced = containers.flatMap(({ current, currentMatches }) =>
    current === undefined || currentMatches ? [] : [current],
  );
  return [...replaced, ...obsolete];
}

function planRollout(comparison: TenantComparison, context: SuccessorContext): Step | undefined {
  const { containers } = comparison;
  const old = oldContainers(comparison);
  const neverRan = old.filter(({ state }) => state === 'created');
  if (neverRan.length > 0) return { do: 'remove', containers: neverRan, effect: 'live' };
  if (old.length === 0) return undefined;

  const successions = containers.filter(({ currentMatches }) => !currentMatches);
  const missing = successions.filter(({ next }) => next === undefined);
  if (missing.length > 0) {
    return {
      do: 'create',
      containers: missing.map(({ desired, current }) => ({
        desired,
        name: nextName(desired.engineName),
        predecessor: current ?? old.find(({ made }) => made.container === desired.spec.name),
      })),
    };
  }
  return planProving(comparison, { successions, old, context });
}

interface Rollout {
  readonly successions: readonly ContainerComparison[];
  readonly old: readonly ObservedContainer[];
  readonly context: SuccessorContext;
}

function planProving(comparison: TenantComparison, { successions, old, context }: Rollout): Step {
  const revival = planRevival(comparison, context);
  if (revival !== undefined) return revival;
  const staying = comparison.containers.flatMap(({ current, currentMatches }) =>
    current !== undefined && currentMatches ? [current] : [],
  );
  const healths = successions.flatMap(({ desired, next }) =>
    next === undefined ? [] : [{ desired, next, health: successorHealth(desired, next, context) }],
  );
  const successors = withPatience(healths, staying, context);
  const failures = failuresOf(successors, context);
  if (failures.length > 0) {
    const { failed } = context;
    return planReturn(
      successors.map(({ next }) => next),
      old,
      { failed, failures, staying },
    );
  }
  const idle = successors.filter(({ health }) => health.kind === 'idle');
  if (idle.length > 0) {
    const inTheWay = old.filter(
      (container) => isUp(container) && idle.some(({ desired }) => excludes(desired, container)),
    );
    if (inTheWay.length > 0) {
      const waiting = idle.map(({ desired }) => desired);
      return { do: 'stop', containers: inTheWay, successors: waiting, effect: 'gap' };
    }
    return { do: 'start', containers: idle.map(({ next }) => next), what: 'successor' };
  }
  const heirs = [...staying, ...successors.map(({ next }) => next)];
  return (
    planNames(successors) ??
    planWait(successors) ??
    planPause(heirs) ??
    planSuccession(comparison, successions)
  );
}

/** Each by itself: what waits for a sibling that is new, too, finds it once that is proven. */
function planNames(successors: readonly Successor[]): Step | undefined {
  const proven = successors.filter(({ next, health }) => health.kind === 'proven' && isUp(next));
  return planNaming(proven.map(({ next }) => next));
}

/** What stays as it is, and does not run, may be what a successor needs. */
function planRevival({ containers }: TenantComparison, { failed }: SuccessorContext): Step | undefined {
  const staying = containers.filter(
    ({ current, currentMatches }) => current !== undefined && currentMatches && !failed.has(current.id),
  );
  const down = staying.flatMap(({ current, repair }) =>
    current !== undefined && repair === 'start' ? [current] : [],
  );
  if (down.length > 0) return { do: 'start', containers: down, what: 'serving' };
  const paused = staying.find(({ repair }) => repair === 'unpause');
  return paused?.current === undefined ? undefined : { do: 'unpause', container: paused.current };
}

/** What was found in this call comes first: the others were stopped for it, and how they ended means nothing. */
function failuresOf(successors: readonly Successor[], { failed }: SuccessorContext): readonly Failure[] {
  const failures = successors.flatMap(({ desired, next, health }): readonly Failure[] => {
    if (health.kind !== 'failed') return [];
    const { kind: _kind, ...fault } = health;
    return [{ id: next.id, name: desired.spec.name, ...fault }];
  });
  const found = failures.filter(({ id }) => failed.has(id));
  return found.length > 0 ? found : failures;
}

function planWait(successors: readonly Successor[]): Step | undefined {
  const waited = successors.flatMap(({ desired, health }) =>
    health.kind === 'wait' ? [{ name: desired.spec.name, lookAgainAfterMs: health.lookAgainAfterMs }] : [],
  );
  if (waited.length === 0) return undefined;
  const names = waited.map(({ name }) => name).join(', ');
  return {
    do: 'wait',
    message: `Waiting until the new ${names} is known to run well`,
    lookAgainAfterMs: Math.min(...waited.map(({ lookAgainAfterMs }) => lookAgainAfterMs)),
  };
}

/** One by one: the old one gives up its name, its successor takes it. Nobody is stopped before that is done. */
function planSuccession({ obsolete }: TenantComparison, successions: readonly ContainerComparison[]): Step {
  const [first] = successions;
  if (first?.next === undefined) {
    const retired = obsolete.filter((container) => isOld(container.name));
    const [named] = obsolete;
    if (retired.length > 0 || named === undefined) return planRetirement(retired);
    return { do: 'rename', container: named, name: oldName(named.name) };
  }
  const { current, next, desired } = first;
  if (current === undefined) return { do: 'rename', container: next, name: desired.engineName };
  const name = oldName(desired.engineName);
  const inTheWay = obsolete.filter((container) => container.name === name);
  return inTheWay.length > 0 ? planRetirement(inTheWay) : { do: 'rename', container: current, name };
}

/** No old one is left: what is there is brought to serve, and what is missing is made. */
function planRepair({ containers }: TenantComparison, { failed }: SuccessorContext): Step {
  for (const { desired, current, next } of containers) {
    if (current === undefined && next !== undefined) {
      return planNaming([next]) ?? { do: 'rename', container: next, name: desired.engineName };
    }
    // A desired state that was taken back in the middle of its rollout.
    if (current !== undefined && next !== undefined) return planReturn([next], [current], { failed });
  }
  return planStarts(containers, failed) ?? planMends(containers, failed);
}

/**
 * What stood already runs again before anything is made, and what is made is started together. What can't be made or started holds up
 * none of the others.
 */
function planStarts(
  containers: readonly ContainerComparison[],
  failed: SuccessorContext['failed'],
): Step | undefined {
  const startable = containers.flatMap(({ current, repair, liveDiffers }) =>
    current !== undefined && repair === 'start' && !liveDiffers && !failed.has(current.id) ? [current] : [],
  );
  const stopped = startable.filter(({ state }) => state !== 'created');
  if (stopped.length > 0) return { do: 'start', containers: stopped, what: 'serving' };
  const missing = containers.filter(
    ({ current, desired }) => current === undefined && !failed.has(desired.engineName),
  );
  if (missing.length > 0) {
    return {
      do: 'create',
      containers: missing.map(({ desired }) => ({ desired, name: desired.engineName })),
    };
  }
  return startable.length > 0 ? { do: 'start', containers: startable, what: 'serving' } : undefined;
}

function planMends(containers: readonly ContainerComparison[], failed: SuccessorContext['failed']): Step {
  for (const { current, repair, liveDiffers, desired } of containers) {
    if (current === undefined || failed.has(current.id)) continue;
    if (liveDiffers) return { do: 'update', container: current, live: desired.live };
    if (repair === 'unpause') return { do: 'unpause', container: current };
    if (repair === 'restart') return { do: 'stop', containers: [current], isRestart: true, effect: 'gap' };
  }
  return { do: 'nothing' };
}
