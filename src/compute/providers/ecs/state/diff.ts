import type { Change } from '../../../provider.ts';
import { appliedState, askedForNetwork, readMark } from './marks/applied-mark.ts';
import type { Applied, AppliedMark } from './marks/applied-mark.ts';
import { compareRevision } from './compare-revision.ts';
import { countBeforeDrain } from './marks/drain-mark.ts';
import type { DesiredService } from './desired.ts';
import type { EcsService } from './ecs-service.ts';
import { compareRules } from './balancing/compare-rules.ts';
import type { ReachedService, RulesDifference } from './balancing/compare-rules.ts';
import { isReturn } from './rollout.ts';
import { compareScaling } from './scaling/compare-scaling.ts';
import { inBounds } from './scaling/scaling.ts';
import type { ScalingDifference } from './scaling/compare-scaling.ts';
import { capacityMark } from './service/capacity.ts';
import { compareDeployment } from './service/compare-deployment.ts';
import { changedSettings, keptMarks, rolloutEffect } from './service/compare-settings.ts';
import { difference } from './service/difference.ts';
import type { Difference } from './service/difference.ts';
import type { SettingMarks } from './service/setting-marks.ts';
import type { UpdatedParts } from './service-input.ts';
import { drainTag } from './marks/service-tags.ts';
import { isRequested } from './marks/request-mark.ts';
import { isRotated, isUnmarked } from './marks/secrets-mark.ts';
import { formerKeys, hasMarksOf, keyMarks } from './marks/tag-marks.ts';
import { tagKeys, tagMap } from './marks/tags.ts';
import type { Tags } from './marks/tags.ts';

/** The one diff of desired and observed, over the fields that are ours alone: ECS fills in the others. */

export interface ServiceDiff {
  readonly changes: readonly Change[];
  readonly differs: UpdatedParts;
  /** What no UpdateService can change: the service must be made anew. */
  readonly replace: boolean;
  /** What is to be put right of the scalable target. */
  readonly scaling: ScalingDifference | undefined;
  /** What is to be put right of the rules of listeners. */
  readonly rules: RulesDifference | undefined;
  readonly untag: readonly string[];
  readonly applied: Applied;
  /** Settings for the next mark; see `appliedMark`. */
  readonly kept: SettingMarks;
}

/** `rolledBack`: ECS took the service's revision back by itself, so that its differences are nobody's edit. */
export function diffService(
  desired: DesiredService,
  service: ReachedService,
  rolledBack = false,
): ServiceDiff {
  const tags = tagMap(service.tags);
  const mark = readMark(tags);
  const applied = appliedState(desired, mark);
  const returned = isReturn(service);
  const isTakenBack = rolledBack || (applied === 'other' && returned);
  const revision = compareRevision(desired, service, { tags, isTakenBack, isReturn: returned });
  const countBefore = countBeforeDrain(tags);
  const wantedCount = countWanted(desired, service, countBefore);
  const count = compareCount(wantedCount, service);
  const deployment = compareDeployment(desired, service, mark);
  const renewal = renewalOf(desired, mark);
  const beside = compareBeside(desired, service, mark);
  const untag = formerKeys(tags, desired.tags);
  const causes = causesOf(desired, mark, { applied, rolledBack, isTakenBack });
  const { foreign, rollout, network, launchType } = causes;
  const mended = (cause: Change['cause'], differences: readonly Difference[]): boolean =>
    differences.length > 0 && (applied !== 'other' || cause === 'spec');
  return {
    changes: [
      ...withCause(rollout, revision.taskDefinition),
      // A drain that was called off was nobody's edit.
      ...withCause(countBefore === undefined ? foreign : 'spec', count),
      ...withCause(network, revision.network),
      ...withCause(foreign, [
        ...deployment.differences,
        ...revision.liveSettings,
        ...compareTags(desired, tags, untag),
      ]),
      ...besideChanges(beside, countBefore),
      ...withCause(launchType, revision.launchType),
      ...withCause(rollout, revision.settings),
      ...renewal,
      ...withCause('spec', compareRelease(desired, tags, applied)),
      ...withCause('spec', compareMarks(desired, tags, applied)),
    ],
    differs: {
      taskDefinition: revision.taskDefinition.length > 0,
      desiredCount: count.length > 0 ? wantedCount : undefined,
      network: mended(network, revision.network),
      launchType: mended(launchType, revision.launchType),
      deployment: deployment.differences.length > 0 ? deployment.configuration : undefined,
      force: renewal.length > 0,
      rolledSettings: changedSettings(revision.settings),
      liveSettings: changedSettings(revision.liveSettings),
    },
    replace:
      (mended(launchType, revision.launchType) &&
        revision.launchType.some(({ effect }) => effect === 'outage')) ||
      revision.settings.some(({ change }) => change === 'anew'),
    ...beside,
    untag,
    applied,
    kept: keptMarks(desired, service, mark),
  };
}

type Cause = Change['cause'];

function causesOf(
  desired: DesiredService,
  mark: AppliedMark,
  {
    applied,
    rolledBack,
    isTakenBack,
  }: { readonly applied: Applied; readonly rolledBack: boolean; readonly isTakenBack: boolean },
): Readonly<Record<'foreign' | 'rollout' | 'network' | 'launchType', Cause>> {
  const rollout = rolledBack || applied !== 'this' ? 'spec' : 'drift';
  // What the edit does not speak of, and is not as it was asked for before, is somebody else's doing.
  const unlessAsked = (wasAsked: boolean): Cause =>
    applied === 'other' && wasAsked && !isTakenBack ? 'drift' : rollout;
  return {
    foreign: applied === 'other' ? 'spec' : 'drift',
    rollout,
    network: unlessAsked(desired.network !== undefined && askedForNetwork(mark, desired.network)),
    launchType: unlessAsked(mark.capacity === capacityMark(desired)),
  };
}

type Beside = Pick<ServiceDiff, 'scaling' | 'rules'>;

/** What others than ECS know of the service. */
function compareBeside(desired: DesiredService, service: ReachedService, mark: AppliedMark): Beside {
  return {
    scaling: compareScaling(desired, service, mark),
    rules: compareRules(desired, service, mark),
  };
}

/** What ended with a drain that was called off was nobody's edit. */
function besideChanges({ scaling, rules }: Beside, countBefore: number | undefined): readonly Change[] {
  const changed = (isDrift: boolean, one: Difference | undefined): readonly Change[] =>
    one === undefined ? [] : withCause(isDrift ? 'drift' : 'spec', [one]);
  return [
    ...changed(scaling?.isDrift === true && countBefore === undefined, scaling),
    ...changed(rules?.isDrift === true, rules),
  ];
}

/**
 * Why its tasks are to be started anew, though they run what is desired. The signs of the versions are in it, so that who has
 * agreed to the rollout of one rotation has not agreed to that of the next.
 */
function renewalOf(desired: DesiredService, mark: AppliedMark): readonly Change[] {
  const anew = 'started anew';
  const because = [
    ...(isRequested(desired, mark) ? [{ desired: anew, actual: 'of an earlier request' }] : []),
    ...(isRotated(desired, mark)
      ? [
          {
            desired: `${anew} (versions ${desired.secretVersions})`,
            actual: `of earlier versions of its secrets (${mark.secrets})`,
          },
        ]
      : []),
  ];
  const effect = rolloutEffect(desired);
  return because.map((texts) => ({ path: 'tasks', ...texts, cause: 'spec', effect }));
}

function withCause(cause: Change['cause'], differences: readonly Difference[]): readonly Change[] {
  return differences.map(({ path, desired, actual, effect }) => ({ path, desired, actual, effect, cause }));
}

function compareCount(desiredCount: number | undefined, service: EcsService): readonly Difference[] {
  return desiredCount === undefined ? [] : live('desiredCount', desiredCount, service.desiredCount);
}

/** Undefined: it may be what it is. */
function countWanted(
  { desiredCount, autoscaling }: DesiredService,
  { desiredCount: actual }: EcsService,
  countBefore: number | undefined,
): number | undefined {
  if (desiredCount !== undefined) return desiredCount;
  if (actual === 0 && countBefore !== undefined) return countBefore;
  // Application Auto Scaling brings none into its bounds before an alarm goes off.
  return autoscaling === undefined || actual === undefined ? undefined : inBounds(autoscaling, actual);
}

function compareTags(desired: DesiredService, tags: Tags, untag: readonly string[]): readonly Difference[] {
  return [
    ...Object.entries(desired.tags).flatMap(([key, value]) => live(`tags.${key}`, value, tags[key])),
    ...untag.flatMap((key) => live(`tags.${key}`, 'none', tags[key])),
  ];
}

/** What is to be run before the rest is done. */
function compareRelease({ release }: DesiredService, tags: Tags, applied: Applied): readonly Difference[] {
  const isDone = release === undefined || tags[tagKeys.release] === release.mark;
  return isDone || applied === 'rejected' ? [] : live('release', 'completed', 'not completed');
}

/** Our own marks: what is wrong with them is no news to anybody, it is put right with the next write. */
function compareMarks(desired: DesiredService, tags: Tags, applied: Applied): readonly Difference[] {
  const { specHash, ownerTags } = desired;
  const mark = readMark(tags);
  const path = `tags.${tagKeys.specHash}`;
  const hash = applied === 'rejected' ? [] : live(path, specHash, mark.specHash);
  const noted = isUnmarked(desired, mark) ? live(`${path}.secrets`, 'noted', 'not noted') : [];
  const marks = hasMarksOf(desired.tags, tags) ? {} : keyMarks(desired.tags);
  const drain = drainTag(desired)[tagKeys.drain] ?? 'none';
  return [
    ...live(`tags.${tagKeys.drain}`, drain, tags[tagKeys.drain] ?? 'none'),
    ...Object.entries(ownerTags).flatMap(([key, value]) => live(`tags.${key}`, value, tags[key])),
    ...Object.entries(marks).flatMap(([key, value]) => live(`tags.${key}`, value, tags[key])),
    ...hash,
    ...(hash.length === 0 ? noted : []),
  ];
}

/** The tags to write, which may include some that are there: one call writes them all. Empty: none. */
export function missingTags(wanted: Tags, actual: Tags): Tags {
  const missing = Object.entries(wanted).filter(([key, value]) => actual[key] !== value);
  return Object.fromEntries(missing);
}

/** Restarts nothing. */
function live(...[path, desired, actual]: Parameters<typeof difference>): readonly Difference[] {
  return difference(path, desired, actual, 'live');
}
