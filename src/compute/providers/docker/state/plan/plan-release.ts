import { reconcileRequestedAt } from '../../../../../api/names.ts';
import { endedByItself, isCompleted } from '../container-end.ts';
import { endWords } from '../container-health.ts';
import { isNext, nextName } from '../container-name.ts';
import type { DesiredContainer, DesiredTenant } from '../desired-tenant.ts';
import { isOfHash } from '../diff.ts';
import type { ContainerComparison } from './comparison.ts';
import { isUp } from '../observed-container.ts';
import type { ObservedContainer } from '../observed-container.ts';
import { readOrder } from '../process/start-order-mark.ts';
import { isRelease, isReleaseName, newContainerWords, readRelease } from '../release/release-mark.ts';
import { lookAtReleaseAfterMs, releaseLeftMs } from '../release/release-time.ts';
import type { Failure, Step } from './step.ts';
import type { SuccessorContext } from './successor-health.ts';

/**
 * What a release needs besides the way of any other container: it has its time, and it is run once. So one that has come to its
 * own end stays on the engine, be it under the name of a successor, until another state of the containers is desired:
 * it is what tells a restarted operator that it was run, and how it ended. Pure.
 */

/** One that has had its time, or that nobody wants any more, is ended before anything else is done. */
export function planReleaseEnd(
  desired: DesiredTenant | undefined,
  observed: readonly ObservedContainer[],
  { clock }: Pick<SuccessorContext, 'clock'>,
): Step | undefined {
  const over = observed.filter(
    (container) =>
      isRelease(container) &&
      isUp(container) &&
      (!isWantedRelease(container, desired) || releaseLeftMs(container, clock) === 0),
  );
  return over.length === 0 ? undefined : { do: 'stop', containers: over, effect: 'live' };
}

/** One that failed, and is asked for once more. */
export function planReleaseAgain(
  desired: DesiredTenant,
  observed: readonly ObservedContainer[],
): Step | undefined {
  const wanted = desired.containers.find(({ release }) => release !== undefined);
  if (wanted === undefined) return undefined;
  const again = observed.filter(
    (container) =>
      isRelease(container) &&
      container.state === 'exited' &&
      !isCompleted(container) &&
      isWantedRelease(container, desired) &&
      readRelease(container)?.request !== wanted.release?.request,
  );
  return again.length === 0 ? undefined : { do: 'remove', containers: again, effect: 'live' };
}

/** Whether it was made for this desired state. */
export function isWantedRelease(container: ObservedContainer, desired: DesiredTenant | undefined): boolean {
  const wanted = desired?.containers.find(({ release }) => release !== undefined);
  return wanted !== undefined && bearsNameOf(wanted, container) && isOfHash(wanted, container);
}

function bearsNameOf({ engineName }: DesiredContainer, { name }: ObservedContainer): boolean {
  return name === engineName || name === nextName(engineName);
}

/** Beside what stands still for the sake of a desired state that is not tried now. */
export function withoutKeptRelease(
  observed: readonly ObservedContainer[],
  desired: DesiredTenant | undefined,
): readonly ObservedContainer[] {
  return observed.filter(
    (container) => !(isRelease(container) && isNext(container.name) && isWantedRelease(container, desired)),
  );
}

/** Whether it stays where the attempt that it is part of is over. */
export function outlivesItsAttempt(container: ObservedContainer, failures: readonly Failure[]): boolean {
  if (!isRelease(container)) return false;
  const failure = failures.find(({ id }) => id === container.id);
  return failure === undefined ? isCompleted(container) : failure.own;
}

/** Whether it never ran, and waits for a release that is not there, or not done: then nothing else tells that it may be started. */
export function lacksItsRelease(
  { state, made }: ObservedContainer,
  observed: readonly ObservedContainer[],
): boolean {
  if (state !== 'created') return false;
  const releases = readOrder(made.dependsOn).filter(({ container }) => isReleaseName(container));
  return releases.some(
    ({ container }) => !observed.some((one) => one.made.container === container && isCompleted(one)),
  );
}

/** Where it stands in its own place already: until it is done. */
export function planReleaseOutcome(
  containers: readonly ContainerComparison[],
  { clock, engineStartedMs, failed }: SuccessorContext,
): Step | undefined {
  const found = containers.find(({ desired, currentMatches }) => desired.release && currentMatches);
  const { current } = found ?? {};
  if (found === undefined || current === undefined || failed.has(current.id)) return undefined;
  if (current.state === 'created' || isCompleted(current)) return undefined;
  const what = newContainerWords(found.desired.spec.name);
  if (isUp(current)) {
    const lookAgainAfterMs = lookAtReleaseAfterMs(current, clock);
    return { do: 'wait', message: `Waiting until ${what} has ended`, lookAgainAfterMs };
  }
  const message = `${what[0]?.toUpperCase()}${what.slice(1)} ${endWords(current)}`;
  if (!endedByItself(current, engineStartedMs))
    return { do: 'give-up', containers: [current], message, forGood: false };
  const holdsUp = containers.some(
    (one) => one !== found && (one.current === undefined || one.current.state === 'created'),
  );
  if (!holdsUp) return { do: 'give-up', containers: [], message, forGood: true };
  const help = `change the spec, or ask for another try by the annotation ${reconcileRequestedAt}`;
  return { do: 'fail', message: `${message}. What comes after it is not started: ${help}` };
}
