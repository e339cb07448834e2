import { droppedName, isDropped, isNext, isOld, servingName } from '../container-name.ts';
import { isUp } from '../observed-container.ts';
import type { ObservedContainer } from '../observed-container.ts';
import type { Failure, Step } from './step.ts';
import type { SuccessorContext } from './successor-health.ts';

/** The ways on which containers go: those that failed, those that nobody wants, and those that were succeeded. */

/** A container that the engine is removing is gone soon; there is no event that would be missed. */
const removalLookMs = 500;

/** While the engine removes one, nothing else is done. */
export function planRemoval(observed: readonly ObservedContainer[]): Step | undefined {
  const removing = observed.find(({ state }) => state === 'removing');
  if (removing === undefined) return undefined;
  const message = `Waiting until the engine has removed the container ${removing.name}`;
  return { do: 'wait', message, lookAgainAfterMs: removalLookMs };
}

/** Stops, then removes. */
export function planRetirement(containers: readonly ObservedContainer[]): Step {
  const up = containers.filter(isUp);
  return up.length > 0
    ? { do: 'stop', containers: up, effect: 'replace' }
    : { do: 'remove', containers, effect: 'replace' };
}

/**
 * Gets rid of the successors of an earlier desired state, and with them of the others of this attempt. They are
 * marked by their name first: stopped on the way, they must not be taken for successors that failed.
 */
export function planDrop(
  observed: readonly ObservedContainer[],
  wanted: readonly ObservedContainer[],
  { failed }: Pick<SuccessorContext, 'failed'>,
): Step | undefined {
  const dropped = observed.filter(({ name }) => isDropped(name));
  const successors = observed.filter(({ name }) => isNext(name));
  if (dropped.length === 0 && successors.every((next) => wanted.includes(next))) return undefined;
  const names = new Set(dropped.map(({ name }) => name));
  const next = successors.find(({ name }) => !names.has(droppedName(servingName(name))));
  if (next !== undefined) return { do: 'rename', container: next, name: droppedName(servingName(next.name)) };
  const rest = observed.filter(({ name }) => !isNext(name) && !isDropped(name));
  return planReturn(dropped, rest, { failed });
}

interface Return extends Pick<SuccessorContext, 'failed'> {
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
  const parked = old.filter(
    ({ id, state, inspected }) =>
      state === 'exited' && (inspected?.finishedMs ?? 0) >= since && !failed.has(id),
  );
  if (parked.length > 0) {
    const up = successors.filter(isUp);
    const told = failures === undefined ? {} : { failures };
    if (up.length > 0) return { do: 'stop', containers: up, effect: 'live', ...told };
    return { do: 'start', containers: parked, what: 'old', ...told };
  }
  const names = new Set([...old, ...staying].map(({ name }) => name));
  // One that stands still under that name was succeeded for good.
  const nameless = old.find(
    (container) => isOld(container.name) && isUp(container) && !names.has(servingName(container.name)),
  );
  if (nameless !== undefined) return { do: 'rename', container: nameless, name: servingName(nameless.name) };
  if (failures === undefined) return { do: 'remove', containers: successors, effect: 'live' };
  const lost = old.flatMap(({ id, name }) => {
    const why = failed.get(id);
    return why === undefined ? [] : [`the old ${name} ${why}`];
  });
  const after = lost.length === 0 ? 'what ran before serves on' : lost.join('; ');
  const message = `${failures.map(({ name, why }) => `the new container ${name} ${why}`).join('; ')}. It was removed; ${after}`;
  return {
    do: 'give-up',
    containers: successors,
    message: `${message[0]?.toUpperCase()}${message.slice(1)}`,
  };
}
