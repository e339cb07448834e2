import { droppedName, isDropped, isNext, isOld, servingName } from '../container-name.ts';
import { isCompleted } from '../container-end.ts';
import { drainLeftMs, isLastHeld } from '../edge/drain.ts';
import { isUp } from '../observed-container.ts';
import type { ObservedContainer } from '../observed-container.ts';
import { isIn } from '../network/joined-containers.ts';
import { isEndedRelease, isRelease, newContainerWords } from '../release/release-mark.ts';
import type { TenantComparison } from './comparison.ts';
import { outlivesItsAttempt } from './plan-release.ts';
import { resumptionsOf } from './plan-resumption.ts';
import { oldRepair } from './repair.ts';
import type { Failure, Step } from './step.ts';
import type { SuccessorContext } from './successor-health.ts';

/** The ways on which containers go: those that failed, those that nobody wants, and those that were succeeded. */

/** An event tells when it is gone; this is for one that nobody hears. A removal that hangs takes no calls. */
const removalLookMs = 10_000;

/** While the engine removes one, nothing else is done. */
export function planRemoval(observed: readonly ObservedContainer[]): Step | undefined {
  const removing = observed.find(({ state }) => state === 'removing');
  if (removing === undefined) return undefined;
  const message = `Waiting until the engine has removed the container ${removing.name}`;
  return { do: 'wait', message, lookAgainAfterMs: removalLookMs };
}

/** What is paused serves nobody, be it for a moment: until that is over, the old ones do. */
export function planPause(heirs: readonly ObservedContainer[]): Step | undefined {
  const paused = heirs.flatMap(({ name, pauseCountsInMs }) =>
    pauseCountsInMs === undefined ? [] : [{ name, pauseCountsInMs }],
  );
  if (paused.length === 0) return undefined;
  return {
    do: 'wait',
    message: `Waiting until ${paused.map(({ name }) => name).join(', ')} is no longer paused`,
    lookAgainAfterMs: Math.min(...paused.map(({ pauseCountsInMs }) => pauseCountsInMs)),
  };
}

/** Stops, once their connections had their time, then removes. `all`: the others, too, among them who has succeeded them. */
export function planRetirement(
  containers: readonly ObservedContainer[],
  all: readonly ObservedContainer[],
): Step {
  const up = containers.filter(isUp);
  const lookAgainAfterMs = Math.max(0, ...up.map((one) => drainLeftMs(one, all)));
  if (lookAgainAfterMs > 0) {
    const names = up.map(({ name, made }) => made.container ?? name).join(', ');
    const message = up.some((one) => isLastHeld(one, all))
      ? `The old ${names} keeps running until its successor runs again`
      : `Waiting for the connections to the old ${names} to end`;
    return { do: 'wait', message, lookAgainAfterMs };
  }
  return up.length > 0
    ? { do: 'stop', containers: up, effect: 'replace' }
    : { do: 'remove', containers, effect: containers.every(isEndedRelease) ? 'live' : 'replace' };
}

/**
 * Gets rid of the successors of an earlier desired state, and with them of the others of this attempt, but for jobs that are
 * done: those would be run again. They are marked by their name first: stopped on the way, they must not be taken for
 * successors that failed.
 */
export function planDrop(
  observed: readonly ObservedContainer[],
  comparison: TenantComparison,
  { failed }: Pick<SuccessorContext, 'failed'>,
): Step | undefined {
  const wanted = comparison.containers.flatMap(({ next, nextMatches }) =>
    nextMatches && next ? [next] : [],
  );
  const dropped = observed.filter(({ name }) => isDropped(name));
  const successors = observed.filter(
    (container) =>
      isNext(container.name) &&
      !(wanted.includes(container) && (isCompleted(container) || isRelease(container))),
  );
  if (dropped.length === 0 && successors.every((next) => wanted.includes(next))) return undefined;
  const names = new Set(dropped.map(({ name }) => name));
  const next = successors.find(({ name }) => !names.has(droppedName(servingName(name))));
  if (next !== undefined) return { do: 'rename', container: next, name: droppedName(servingName(next.name)) };
  // What waits for others to make room comes once this is over; they are not started any more, and keep their names.
  const later = resumptionsOf(comparison).flatMap(({ current, inTheWay }) => [current, ...inTheWay]);
  const rest = observed.filter((one) => !isNext(one.name) && !isDropped(one.name) && !later.includes(one));
  return planReturn(dropped, rest, { failed, staying: later });
}

interface Return extends Pick<SuccessorContext, 'failed'> {
  /** Why the attempt is over; without: it is no longer wanted. */
  readonly failures?: readonly Failure[];
  /** What serves already as it should, from a rollout that did not get to its end, and keeps its name. */
  readonly staying?: readonly ObservedContainer[];
}

/**
 * Back to the old ones. What was stopped for the successors' sake is started again first, and only then are the
 * successors removed: their presence is what tells that it was stopped on purpose.
 */
export function planReturn(
  successors: readonly ObservedContainer[],
  old: readonly ObservedContainer[],
  { failed, failures, staying = [] }: Return,
): Step {
  const since = Math.min(...successors.map(({ inspected }) => inspected?.createdMs ?? Infinity));
  const isParked = (container: ObservedContainer): boolean =>
    container.state === 'exited' && (container.inspected?.finishedMs ?? 0) >= since;
  // An attempt that is over is followed by what ran before, whatever has become of that meanwhile.
  const isDown = (container: ObservedContainer): boolean =>
    isParked(container) ||
    (failures !== undefined && !isOld(container.name) && oldRepair(container) === 'start');
  // It has no network before that one runs.
  const isShutOut = (container: ObservedContainer): boolean =>
    old.some((one) => one.state !== 'running' && isIn(one, container));
  const down = old.filter((one) => !failed.has(one.id) && isDown(one) && !isShutOut(one));
  if (down.length > 0) {
    const up = successors.filter(isUp);
    const told = failures === undefined ? {} : { failures };
    if (up.length > 0) return { do: 'stop', containers: up, effect: 'live', ...told };
    return { do: 'start', containers: down, what: 'old', ...told };
  }
  const names = new Set([...old, ...staying].map(({ name }) => name));
  // One that stands still under that name was succeeded for good.
  const nameless = old.find(
    (container) => isOld(container.name) && isUp(container) && !names.has(servingName(container.name)),
  );
  if (nameless !== undefined) return { do: 'rename', container: nameless, name: servingName(nameless.name) };
  if (failures === undefined) return { do: 'remove', containers: successors, effect: 'live' };
  return planEnd(successors, failures);
}

/** What was its own fault is told alone: what else went wrong is no reason then. */
function planEnd(successors: readonly ObservedContainer[], failures: readonly Failure[]): Step {
  const running = successors.filter((container) => isRelease(container) && isUp(container));
  if (running.length > 0) return { do: 'stop', containers: running, effect: 'live', failures };
  const kept = successors.filter((container) => outlivesItsAttempt(container, failures));
  const containers = successors.filter((container) => !kept.includes(container));
  const own = failures.filter((failure) => failure.own);
  const reasons = own.length > 0 ? own : failures;
  const message = reasons.map(({ name, why }) => `${newContainerWords(name)} ${why}`).join('; ');
  const failed = kept.filter(({ id }) => reasons.some((reason) => reason.id === id));
  const end =
    failed.length === 0
      ? 'It was removed'
      : `Nothing was replaced, and ${failed.map(({ name }) => `container ${name}`).join(', ')} is kept for its log`;
  return {
    do: 'give-up',
    containers,
    message: `${message[0]?.toUpperCase()}${message.slice(1)}. ${end}`,
    forGood: own.length > 0,
  };
}
