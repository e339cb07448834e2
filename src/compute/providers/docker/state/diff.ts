import type { Effect } from '../../../../api/status.ts';
import type { Change } from '../../../provider.ts';
import { isCompleted } from './container-end.ts';
import { confinementDifference } from './confinement/confinement.ts';
import { environmentLine, isHashOf } from './container-hashes.ts';
import { foreignChanges } from './foreign/foreign-container.ts';
import { isDropped, isOld, nextName, servingName } from './container-name.ts';
import type { DesiredContainer, DesiredTenant } from './desired-tenant.ts';
import { excludes } from './exclusion.ts';
import { describeLive, endsForGood, liveDifferences } from './live-settings.ts';
import type { LiveDifference } from './live-settings.ts';
import type { ObservedContainer } from './observed-container.ts';
import { joinChange, withJoined } from './network/joined-containers.ts';
import { networkChanges } from './network/names-among-others.ts';
import { isBeginning, releaseChanges } from './release/release-changes.ts';
import { isEndedRelease } from './release/release-mark.ts';
import type { ContainerComparison, TenantComparison } from './plan/comparison.ts';
import { resumptionsOf } from './plan/plan-resumption.ts';
import { oldRepair, repairOf, repairOfServing } from './plan/repair.ts';

/** The one comparison of desired and observed: status, drift and the plan are all made of it. Pure. */

export function compareTenant(
  desired: DesiredTenant,
  observed: readonly ObservedContainer[],
): TenantComparison {
  const byName = new Map(observed.map((container) => [container.name, container]));
  const wanted = new Set(desired.containers.flatMap(({ engineName }) => [engineName, nextName(engineName)]));
  const containers = desired.containers
    .map((container) => compareContainer(container, byName))
    .filter(
      ({ current, next, desired: { isDone } }) => !isDone || current !== undefined || next !== undefined,
    );
  return {
    containers: withJoined(containers),
    obsolete: observed.filter(({ name }) => !wanted.has(name)),
  };
}

function compareContainer(
  desired: DesiredContainer,
  byName: ReadonlyMap<string, ObservedContainer>,
): ContainerComparison {
  const current = byName.get(desired.engineName);
  const next = byName.get(nextName(desired.engineName));
  const currentMatches = current !== undefined && matches(desired, current);
  return {
    desired,
    current,
    next,
    currentMatches,
    nextMatches: next !== undefined && matches(desired, next),
    repair: currentMatches ? repairOfServing(current, desired) : 'none',
    liveDiffers: currentMatches && differencesOf(desired, current).length > 0,
  };
}

/** A hash is keyed with the cluster that made the container, so that adopting one from another rolls nothing. */
function matches(desired: DesiredContainer, observed: ObservedContainer): boolean {
  return isOfHash(desired, observed) && heldLimit(desired, observed) === undefined;
}

export function isOfHash(desired: DesiredContainer, observed: ObservedContainer): boolean {
  const { specHash, cluster = '' } = observed.made;
  if (specHash === undefined) return false;
  const isAmong = (hashes: DesiredContainer['hashes']): boolean =>
    isHashOf(hashes.get(cluster), specHash, () => hasSecretsOf(desired, observed));
  // A job that has ended needs no more to be confined, and must not run again for it.
  const isOver = observed.state === 'exited' && oldRepair(observed) === 'none';
  return isAmong(desired.hashes) || (isOver && isAmong(desired.earlierHashes));
}

/** Whether the values of secrets that it has are those that are desired. False where nobody has looked. */
function hasSecretsOf({ spec }: DesiredContainer, { inspected }: ObservedContainer): boolean {
  const lines = new Set(inspected?.environment?.map((line) => line.reveal()));
  return spec.env.every(
    (variable) =>
      !('secret' in variable) ||
      variable.secret === undefined ||
      lines.has(environmentLine(variable, variable.secret.reveal())),
  );
}

/**
 * Of the settings that can be changed live; none without an inspect, which alone tells them. What the engine does not
 * keep is none either: to give it again would change nothing.
 */
export function differencesOf(
  { live, release }: DesiredContainer,
  observed: ObservedContainer,
): readonly LiveDifference[] {
  const { inspected, unkept } = observed;
  // Neither a release is run again for another limit, nor a job that has completed.
  if (inspected === undefined || release !== undefined) return [];
  const isUnkept = unkept?.desired === describeLive(live) && unkept.actual === describeLive(inspected.live);
  const differences = isUnkept ? [] : liveDifferences(live, inspected.live);
  const isDone = endsForGood(live.restartPolicy) && isCompleted(observed);
  return isDone ? differences.filter(({ needsReplacement }) => !needsReplacement) : differences;
}

/** A limit that is no longer desired and can't be taken away live. */
function heldLimit(desired: DesiredContainer, observed: ObservedContainer): LiveDifference | undefined {
  return differencesOf(desired, observed).find(({ needsReplacement }) => needsReplacement);
}

/** The differences in words, for status and drift report. */
export function changesOf(comparison: TenantComparison): readonly Change[] {
  const { containers, obsolete } = comparison;
  const settled =
    obsolete.length === 0 &&
    containers.every(({ desired, current, next }) =>
      // A limit that somebody has set is no other spec.
      current === undefined ? next === undefined : isOfHash(desired, current),
    );
  const coming = containers.flatMap(({ desired, currentMatches }) => (currentMatches ? [] : [desired]));
  const begins = obsolete.length === 0 && isBeginning(containers);
  const others = { othersMatch: settled, coming, begins };
  const taking = [...coming, ...resumptionsOf(comparison).map(({ desired }) => desired)];
  return [
    ...containers.flatMap((one) => containerChanges(one, others)),
    ...obsolete.flatMap((container) => obsoleteChanges(container, { containers, coming: taking })),
  ];
}

/** That it goes; and that it has stopped, as long as nothing is made yet that takes over: it is to serve until then. */
function obsoleteChanges(
  container: ObservedContainer,
  { containers, coming }: Pick<TenantComparison, 'containers'> & Pick<Others, 'coming'>,
): readonly Change[] {
  const path = `containers.${container.name}`;
  const { state: actual } = container;
  const ends = (isOld(container.name) || isDropped(container.name)) && ({ ends: true } as const);
  const serves =
    containers.every(({ next }) => next === undefined) && servingName(container.name) === container.name;
  const stopped = serves ? oldRepair(container) : 'none';
  return [
    { path, desired: 'absent', actual, cause: 'spec', effect: effectOn(container, coming), ...ends },
    ...(stopped === 'none' ? [] : [stateChange(container, path, 'drift')]),
  ];
}

/** Whichever of the new ones can't run beside it: it is stopped for that one's sake. */
function effectOn(old: ObservedContainer, coming: readonly DesiredContainer[]): Effect {
  if (isEndedRelease(old)) return 'live';
  return coming.some((desired) => excludes(desired, old)) ? 'gap' : 'replace';
}

interface Others {
  /** Whether all that is there was made from this desired state. */
  readonly othersMatch: boolean;
  /** What is to take over. */
  readonly coming: readonly DesiredContainer[];
  /** Whether nothing of it has served before. */
  readonly begins: boolean;
}

function containerChanges(
  comparison: ContainerComparison,
  { othersMatch, coming, begins }: Others,
): readonly Change[] {
  const { desired, current, next, currentMatches, repair } = comparison;
  if (desired.release !== undefined) return releaseChanges(comparison, begins);
  const path = `containers.${desired.spec.name}`;
  if (current === undefined) {
    const actual = next === undefined ? 'absent' : `${next.state} as ${next.name}`;
    // Whether the spec named it before, the engine can't tell; with a new generation either cause is acted upon.
    return [{ path, desired: 'present', actual, cause: othersMatch ? 'drift' : 'spec', effect: 'live' }];
  }
  if (!currentMatches) return unmatchedChanges({ desired, current, coming }, next, path);
  const changes: Change[] = [];
  if (next !== undefined) {
    const { state: actual } = next;
    changes.push({ path: `${path}.next`, desired: 'absent', actual, cause: 'spec', effect: 'live' });
  }
  if (repair === 'join') {
    changes.push(...networkChanges(current, path));
  } else if (repair === 'restart') {
    const actual = comparison.isCutOff ? `cut off from ${desired.network.name}` : 'unhealthy';
    changes.push({ path, desired: 'started', actual, cause: 'drift', effect: 'gap' });
  } else if (repair !== 'none') {
    const isNew = current.state === 'created';
    changes.push({ ...stateChange(current, path, isNew ? 'spec' : 'drift'), ...(isNew && { begins: true }) });
  }
  return [...changes, ...liveChanges(comparison, path)];
}

/** What is made of another spec, or by others, gives way; and until something is made that takes over, it is to serve. */
function unmatchedChanges(
  { desired, current, coming }: Replacement,
  next: ObservedContainer | undefined,
  path: string,
): readonly Change[] {
  const { foreign } = current;
  if (foreign !== undefined) {
    const changes = foreignChanges({ desired, foreign, effect: effectOn(current, coming) }, path);
    // Whether it should run, the spec says.
    const isDown = next === undefined && repairOf(current, desired.live.restartPolicy) !== 'none';
    return isDown ? [...changes, stateChange(current, path, 'spec')] : changes;
  }
  const stopped = next === undefined ? oldRepair(current) : 'none';
  return [
    replacementChange({ desired, current, coming }, path),
    ...(stopped === 'none' ? [] : [stateChange(current, path, 'drift')]),
  ];
}

function stateChange(container: ObservedContainer, path: string, cause: Change['cause']): Change {
  return {
    path: `${path}.state`,
    desired: 'running',
    actual: describeState(container),
    cause,
    effect: 'live',
  };
}

export function describeState({ state, exitCode }: ObservedContainer): string {
  return state === 'exited' && exitCode !== undefined ? `exited (${exitCode})` : state;
}

interface Replacement extends Pick<Others, 'coming'> {
  readonly desired: DesiredContainer;
  readonly current: ObservedContainer;
}

function replacementChange({ desired, current, coming }: Replacement, path: string): Change {
  const hash = current.made.specHash ?? 'none';
  const wanted = desired.hashes.get(current.made.cluster ?? '')?.now ?? 'none';
  const limit = heldLimit(desired, current);
  const effect = effectOn(current, coming);
  if (isOfHash(desired, current)) {
    if (limit !== undefined) return { ...liveChange(limit, path, causeOf(desired, current)), effect };
    return joinChange({ desired, coming }, { path, effect });
  }
  // The engine shows an image by its id once the tag points elsewhere; that is no difference of ours.
  const image = current.made.image ?? current.inspected?.image ?? current.image;
  if (image !== desired.spec.image && !image.startsWith('sha256:')) {
    return { path: `${path}.image`, desired: desired.spec.image, actual: image, cause: 'spec', effect };
  }
  const confined = current.inspected && confinementDifference(desired, current.inspected.confinement);
  if (confined !== undefined) {
    return { ...confined, path: `${path}.${confined.path}`, cause: 'spec', effect };
  }
  return { path: `${path}.spec`, desired: wanted, actual: hash, cause: 'spec', effect };
}

function liveChanges({ desired, current }: ContainerComparison, path: string): readonly Change[] {
  if (current === undefined) return [];
  const cause = causeOf(desired, current);
  return differencesOf(desired, current).map((difference) => liveChange(difference, path, cause));
}

function liveChange(
  { path, desired, actual }: LiveDifference,
  container: string,
  cause: Change['cause'],
): Change {
  return { path: `${container}.${path}`, desired, actual, cause, effect: 'live' };
}

/**
 * Whether live settings differ because others are desired now, or because somebody has changed them. The label tells
 * what the container was made with, and nothing of what it was given since; after a restart of this process, one that
 * is neither as made nor as desired has been changed by somebody.
 */
export function causeOf({ live }: DesiredContainer, observed: ObservedContainer): Change['cause'] {
  const { made, applied, inspected } = observed;
  const wanted = describeLive(live);
  if (applied !== undefined) return applied === wanted ? 'drift' : 'spec';
  if (made.live === wanted) return 'drift';
  const isAsMade = inspected === undefined || describeLive(inspected.live) === made.live;
  return made.live === undefined || isAsMade ? 'spec' : 'drift';
}
