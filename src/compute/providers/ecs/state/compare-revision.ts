import type { Effect } from '../../../../api/status.ts';
import { isRevisionOf, revisionKey } from '../address/arns.ts';
import { mayKeepGroups, readMark } from './marks/applied-mark.ts';
import type { AppliedMark } from './marks/applied-mark.ts';
import type { DesiredService } from './desired.ts';
import type { EcsRevision } from './ecs-service.ts';
import { taskDefinitionTag } from './marks/service-tags.ts';
import { tagKeys } from './marks/tags.ts';
import type { Tags } from './marks/tags.ts';
import { capacityText, isFargateProvider, providersShown } from './service/capacity.ts';
import { compareSettings, rolloutEffect } from './service/compare-settings.ts';
import type { SettingDifference } from './service/compare-settings.ts';
import { difference } from './service/difference.ts';
import type { Difference } from './service/difference.ts';

/** What ECS rolls out together, and takes back together: the task definition, the network and what the tasks run on. */

export interface RevisionDifferences {
  readonly taskDefinition: readonly Difference[];
  readonly network: readonly Difference[];
  readonly launchType: readonly Difference[];
  readonly settings: readonly SettingDifference[];
  /** Those that start no deployment: they are the service's, whichever revision it runs. */
  readonly liveSettings: readonly SettingDifference[];
}

export interface Compared {
  /** The service's. */
  readonly tags: Tags;
  /** Whether ECS went back from what the mark says was applied: what is left is of an earlier state. */
  readonly isTakenBack: boolean;
  /** Whether ECS went back to what it shows, be that ours or not. */
  readonly isReturn: boolean;
}

export function compareRevision(
  desired: DesiredService,
  revision: EcsRevision,
  { tags, isTakenBack, isReturn }: Compared,
): RevisionDifferences {
  const mark = readMark(tags);
  const settings = compareSettings(desired, revision, { mark, isReturn });
  const effect = rolloutEffect(desired);
  const rolledOut = (differences: readonly Difference[]): readonly Difference[] =>
    differences.map((one) => (one.effect === 'replace' ? { ...one, effect } : one));
  return {
    taskDefinition: rolledOut(compareTaskDefinition(desired, revision, tags)),
    network: rolledOut(
      compareNetwork(desired, revision, { ...mark, isRejected: mark.isRejected || isTakenBack }),
    ),
    launchType: rolledOut(compareCapacity(desired, revision, mark)),
    settings: settings.filter(({ change }) => change !== 'live'),
    liveSettings: settings.filter(({ change }) => change === 'live'),
  };
}

/** Whether what ECS shows of a service, or of a deployment, is what is desired: all that it rolls out together. */
export function isDesiredRevision(
  desired: DesiredService,
  revision: EcsRevision,
  compared: Compared,
): boolean {
  const { taskDefinition, network, launchType, settings } = compareRevision(desired, revision, compared);
  return [...taskDefinition, ...network, ...launchType, ...settings].length === 0;
}

/** Of an overlay only the service's own tag knows which revision that is. */
export function isDesiredTaskDefinition(
  desired: DesiredService,
  actual: string | undefined,
  tags: Tags,
): boolean {
  const { overlay, taskDefinition } = desired;
  if (overlay === undefined) return isRevisionOf(taskDefinition, actual);
  return (
    actual !== undefined && tags[tagKeys.taskDefinition] === taskDefinitionTag(overlay, revisionKey(actual))
  );
}

function compareTaskDefinition(
  desired: DesiredService,
  { taskDefinition: actual }: EcsRevision,
  tags: Tags,
): readonly Difference[] {
  if (isDesiredTaskDefinition(desired, actual, tags)) return [];
  const [hash, revision] = tags[tagKeys.taskDefinition]?.split(' ') ?? [];
  const { overlay } = desired;
  const ownName =
    hash === overlay?.hash && revision !== undefined ? revision : `a new revision of ${overlay?.family}`;
  const name = overlay === undefined ? revisionKey(desired.taskDefinition) : ownName;
  return difference('taskDefinition', name, actual === undefined ? undefined : revisionKey(actual));
}

function compareNetwork(
  { network, specHash }: DesiredService,
  { networkConfiguration }: EcsRevision,
  mark: AppliedMark,
): readonly Difference[] {
  if (network === undefined) return [];
  // Some endpoints take the configuration and never show it.
  if (mark.specHash === specHash && networkConfiguration === undefined) return [];
  const actual = networkConfiguration?.awsvpcConfiguration;
  const path = 'networkConfiguration';
  const { subnets, securityGroups, assignPublicIp } = network;
  const mayBeOthers = actual !== undefined && mayKeepGroups(mark);
  return [
    ...difference(`${path}.subnets`, setText(subnets), setText(actual?.subnets)),
    ...(securityGroups !== undefined || mayBeOthers
      ? difference(
          `${path}.securityGroups`,
          securityGroups === undefined ? "the VPC's default" : setText(securityGroups),
          setText(actual?.securityGroups),
        )
      : []),
    ...difference(`${path}.assignPublicIp`, assignPublicIp, actual?.assignPublicIp ?? 'DISABLED'),
  ];
}

const fargate = 'FARGATE';

/** Capacity providers stand in for a launch type: FARGATE by provider is FARGATE, and groups of instances are EC2. */
function compareCapacity(
  { launchType, capacityProviders, specHash }: DesiredService,
  { launchType: actual, capacityProviderStrategy }: EcsRevision,
  mark: AppliedMark,
): readonly Difference[] {
  const shown = providersShown(capacityProviderStrategy);
  if (capacityProviders !== undefined) {
    // Of hosts elsewhere there is no way to providers.
    const effect = actual === 'EXTERNAL' ? 'outage' : 'replace';
    const has = shown.length === 0 ? actual : capacityText(shown);
    // Some endpoints take a strategy and never show it.
    if (has === undefined && mark.specHash === specHash && !mark.isRejected) return [];
    return difference('capacityProviderStrategy', capacityText(capacityProviders), has, effect);
  }
  if (launchType === undefined) return [];
  if (shown.length === 0) {
    if (actual === undefined || actual === launchType) return [];
    return [{ path: 'launchType', desired: launchType, actual, effect: moveEffect(launchType, actual) }];
  }
  const providers = shown.map(({ capacityProvider }) => capacityProvider);
  const isMet = {
    FARGATE: providers.every((provider) => provider === fargate),
    EC2: providers.every((provider) => !isFargateProvider(provider)),
    EXTERNAL: false,
  }[launchType];
  if (isMet) return [];
  // Without a strategy a service has the launch type that it was made with: ours, where that is what was asked for.
  const effect = mark.capacity === launchType ? 'replace' : moveEffect(launchType, undefined);
  const named = `capacity provider ${providers.join(', ')}`;
  return [{ path: 'launchType', desired: launchType, actual: named, effect }];
}

/** To FARGATE there is a capacity provider of that name; of instances, and of hosts elsewhere, ECS can't tell which. */
function moveEffect(launchType: string, actual: string | undefined): Effect {
  return launchType === fargate && actual !== 'EXTERNAL' ? 'replace' : 'outage';
}

function setText(values: readonly string[] | undefined): string {
  return (values ?? []).toSorted().join(', ');
}
