import { isOld, nextName, oldName } from '../container-name.ts';
import type { ContainerComparison, TenantComparison } from './comparison.ts';
import { excludes } from '../exclusion.ts';
import { isUp } from '../observed-container.ts';
import type { ObservedContainer } from '../observed-container.ts';
import { isRelease, newContainerWords } from '../release/release-mark.ts';
import { cutOffWith, joins } from '../network/joined-containers.ts';
import { planNaming, planNamingAmongOthers } from './plan-join.ts';
import { planPause, planRetirement, planReturn } from './plan-return.ts';
import { withPatience } from './sibling-patience.ts';
import type { Successor } from './sibling-patience.ts';
import { heldUpOf, planPatience, standingsOf, stranded } from './start-order.ts';
import type { HeldUp, Order } from './start-order.ts';
import type { Failure, Step } from './step.ts';
import { successorHealth } from './successor-health.ts';
import type { SuccessorContext } from './successor-health.ts';

/** Successors for all that is not as desired: made, proven together, and put in place one by one. Pure. */

/** What was there before this desired state and is worth something: a container that never ran is not. */
function oldContainers({ containers, obsolete }: TenantComparison): readonly ObservedContainer[] {
  const replaced = containers.flatMap(({ current, currentMatches }) =>
    current === undefined || currentMatches ? [] : [current],
  );
  return [...replaced, ...obsolete];
}

/** Undefined: nothing of what is there is to be replaced. */
export function planRollout(comparison: TenantComparison, context: SuccessorContext): Step | undefined {
  const { containers } = comparison;
  const old = oldContainers(comparison);
  const neverRan = old.filter(({ state }) => state === 'created');
  if (neverRan.length > 0) return { do: 'remove', containers: neverRan, effect: 'live' };
  if (old.length === 0) return undefined;
  // Where nothing has served yet, what an earlier release has left is nobody's predecessor.
  if (old.every(isRelease) && !hasServed(containers))
    return { do: 'remove', containers: old, effect: 'live' };

  const successions = containers.filter(({ currentMatches }) => !currentMatches);
  const missing = successions.filter(({ next }) => next === undefined);
  if (missing.length > 0) {
    return {
      do: 'create',
      containers: missing.map(({ desired, current }) => ({
        desired,
        name: nextName(desired.engineName),
        predecessor: current ?? old.find(({ made }) => made.container === desired.spec.name),
        ...joins(desired, containers, nextName),
      })),
    };
  }
  return planProving(comparison, { successions, old, context });
}

function hasServed(containers: TenantComparison['containers']): boolean {
  return containers.some(
    ({ desired, current, next }) =>
      desired.release === undefined &&
      [current, next].some((one) => one !== undefined && one.state !== 'created'),
  );
}

interface Rollout {
  readonly successions: readonly ContainerComparison[];
  readonly old: readonly ObservedContainer[];
  readonly context: SuccessorContext;
}

function planProving(comparison: TenantComparison, { successions, old, context }: Rollout): Step {
  const standings = standingsOf(comparison.containers);
  const revival = planRevival(comparison, { standings, context });
  if (revival !== undefined) return revival;
  const staying = comparison.containers.flatMap(({ current, currentMatches }) =>
    current !== undefined && currentMatches ? [current] : [],
  );
  const healths = successions.flatMap(({ desired, next }) =>
    next === undefined ? [] : [{ desired, next, health: successorHealth(desired, next, context) }],
  );
  const heldUp = heldUpOf(
    healths.flatMap(({ desired, health }) => (health.kind === 'idle' ? [desired.spec.name] : [])),
    { standings, context },
  );
  const judged = sparing(healths, heldUp, context);
  const successors = withPatience(judged, staying, { ...context, heldUp });
  const failures = failuresOf(successors, heldUp, context);
  if (failures.length > 0) {
    const { failed } = context;
    return planReturn(
      successors.map(({ next }) => next),
      old,
      { failed, failures, staying },
    );
  }
  const heirs = [...staying, ...successors.map(({ next }) => next)];
  return (
    planSuccessorStarts(successors, old, heldUp) ??
    planNames(successors) ??
    planWait(successors) ??
    planPatience(heldUp) ??
    planPause(heirs) ??
    planNaming(successors.map(({ next }) => next).filter(isUp)) ??
    planSuccession(comparison, successions)
  );
}

/** What waits for nothing any more is started, once what can't run beside it was stopped. */
function planSuccessorStarts(
  successors: readonly Successor[],
  old: readonly ObservedContainer[],
  heldUp: HeldUp,
): Step | undefined {
  const idle = successors.filter(
    ({ desired, health }) => health.kind === 'idle' && !heldUp.has(desired.spec.name),
  );
  if (idle.length === 0) return undefined;
  // What comes later is to find by its name what it has waited for.
  const isLater = idle.some(({ desired }) => (desired.spec.dependsOn ?? []).length > 0);
  const naming = isLater ? planNames(successors) : undefined;
  if (naming !== undefined) return naming;
  const up = old.filter(isUp);
  const inTheWay = up.filter((container) => idle.some(({ desired }) => excludes(desired, container)));
  if (inTheWay.length > 0) {
    const waiting = idle.map(({ desired }) => desired);
    const containers = [...new Set([...cutOffWith(inTheWay, up), ...inTheWay])];
    return { do: 'stop', containers, successors: waiting, effect: 'gap' };
  }
  const starting = idle.map(({ next }) => next);
  return planNamingAmongOthers(starting, old) ?? { do: 'start', containers: starting, what: 'successor' };
}

/** How one does that is not essential is nobody's concern, unless another one waits for it. */
function sparing(
  successors: readonly Successor[],
  heldUp: HeldUp,
  { failed }: SuccessorContext,
): readonly Successor[] {
  const needed = new Set([...heldUp.values()].flatMap((obstacles) => obstacles.map(({ on }) => on)));
  return successors.map((successor) => {
    const { desired, next, health } = successor;
    const isSpared =
      desired.spec.essential === false && !needed.has(desired.spec.name) && !failed.has(next.id);
    return isSpared && health.kind !== 'idle' ? { ...successor, health: { kind: 'spared' } } : successor;
  });
}

/**
 * Each by itself: what waits for a sibling that is new, too, finds it once that is proven. One that is paused for a moment
 * answers nobody yet.
 */
function planNames(successors: readonly Successor[]): Step | undefined {
  const proven = successors.filter(
    ({ next, health }) => health.kind === 'proven' && isUp(next) && next.pauseCountsInMs === undefined,
  );
  return planNaming(proven.map(({ next }) => next));
}

/** What stays as it is, and does not run, may be what a successor needs. */
function planRevival({ containers }: TenantComparison, order: Order): Step | undefined {
  const { failed } = order.context;
  const staying = containers.filter(
    ({ current, currentMatches }) => current !== undefined && currentMatches && !failed.has(current.id),
  );
  const stopped = staying.filter(({ repair }) => repair === 'start');
  const heldUp = heldUpOf(
    stopped.map(({ desired }) => desired.spec.name),
    order,
  );
  const down = stopped.flatMap(({ current, desired }) =>
    current === undefined || heldUp.has(desired.spec.name) ? [] : [current],
  );
  if (down.length > 0) return { do: 'start', containers: down, what: 'serving' };
  const paused = staying.find(({ repair }) => repair === 'unpause');
  return paused?.current === undefined ? undefined : { do: 'unpause', container: paused.current };
}

/** What was found in this call comes first: the others were stopped for it, and how they ended means nothing. */
function failuresOf(
  successors: readonly Successor[],
  heldUp: HeldUp,
  { failed }: SuccessorContext,
): readonly Failure[] {
  const failures = successors.flatMap(({ desired, next, health }): readonly Failure[] => {
    if (health.kind !== 'failed') return [];
    const { kind: _kind, ...fault } = health;
    return [{ id: next.id, name: desired.spec.name, ...fault }];
  });
  const found = failures.filter(({ id }) => failed.has(id));
  if (failures.length > 0) return found.length > 0 ? found : failures;
  return stranded(heldUp).flatMap(({ name, why, isForGood }) =>
    successors.flatMap(({ desired, next }) =>
      desired.spec.name === name ? [{ id: next.id, name, why, own: isForGood }] : [],
    ),
  );
}

function planWait(successors: readonly Successor[]): Step | undefined {
  const waited = successors.flatMap(({ desired, health }) =>
    health.kind === 'wait'
      ? [
          {
            name: desired.spec.name,
            isRelease: desired.release !== undefined,
            lookAgainAfterMs: health.lookAgainAfterMs,
          },
        ]
      : [],
  );
  if (waited.length === 0) return undefined;
  const ofRelease = waited.find(({ isRelease }) => isRelease);
  const names = waited.map(({ name }) => name).join(', ');
  return {
    do: 'wait',
    message:
      ofRelease === undefined
        ? `Waiting until the new ${names} is known to run well`
        : `Waiting until ${newContainerWords(ofRelease.name)} has ended`,
    lookAgainAfterMs: Math.min(...waited.map(({ lookAgainAfterMs }) => lookAgainAfterMs)),
  };
}

/** One by one: the old one gives up its name, its successor takes it. Nobody is stopped before that is done. */
function planSuccession(
  { containers, obsolete }: TenantComparison,
  successions: readonly ContainerComparison[],
): Step {
  const [first] = successions;
  const all = [...containers.flatMap(({ current }) => current ?? []), ...obsolete];
  if (first?.next === undefined) {
    const retired = obsolete.filter((container) => isOld(container.name));
    const [named] = obsolete;
    if (retired.length > 0 || named === undefined) return planRetirement(retired, all);
    return { do: 'rename', container: named, name: oldName(named.name) };
  }
  const { current, next, desired } = first;
  if (current === undefined) return { do: 'rename', container: next, name: desired.engineName };
  const name = oldName(desired.engineName);
  const inTheWay = obsolete.filter((container) => container.name === name);
  return inTheWay.length > 0 ? planRetirement(inTheWay, all) : { do: 'rename', container: current, name };
}
