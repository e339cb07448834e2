import type { Effect } from '../../../../api/status.ts';
import type { Change } from '../../../provider.ts';
import { isRevisionOf, revisionKey } from '../address/arns.ts';
import { countBeforeDrain } from './drain-mark.ts';
import type { DesiredService } from './desired.ts';
import type { EcsService } from './ecs-service.ts';
import { deploymentConfiguration } from './service-input.ts';
import type { UpdatedParts } from './service-input.ts';
import { drainTag, keysFromSpec, serviceTags, taskDefinitionTag } from './service-tags.ts';
import { tagKeys, tagMap } from './tags.ts';
import type { Tags } from './tags.ts';

/** The one diff of desired and observed, over the fields that are ours alone: ECS fills in the others. */

export interface ServiceDiff {
  readonly changes: readonly Change[];
  readonly differs: UpdatedParts;
  /** What no UpdateService can change: the service must be made anew. */
  readonly replace: boolean;
  readonly untag: readonly string[];
  /** Whether the desired state that was applied last is this one, a rejected try of this one, or another one. */
  readonly applied: Applied;
}

export type Applied = 'this' | 'rejected' | 'other';

const rejectedPrefix = 'rejected:';

/** The spec_hash of a service whose spec was rolled back and is not to be tried: what it runs is another one's. */
export function rejectedHash(specHash: string): string {
  return `${rejectedPrefix}${specHash}`;
}

interface Difference {
  readonly path: string;
  readonly desired: string;
  readonly actual: string;
}

/** `rolledBack`: ECS took the task definition back by itself, so that its difference is nobody's edit. */
export function diffService(desired: DesiredService, service: EcsService, rolledBack = false): ServiceDiff {
  const tags = tagMap(service.tags);
  const applied = appliedState(desired, tags);
  const taskDefinition = compareTaskDefinition(desired, service, tags);
  const countBefore = countBeforeDrain(tags);
  const wantedCount = desired.desiredCount ?? (service.desiredCount === 0 ? countBefore : undefined);
  const count = compareCount(wantedCount, service);
  const network = compareNetwork(desired, service, applied);
  const deployment = compareDeployment(service);
  // Whoever changes what it runs on from outside has a plan; replacing the service for it would stop everything.
  const launchType = applied === 'other' ? compareLaunchType(desired, service) : undefined;
  const untag = keysFromSpec(tags).filter((key) => !(key in desired.tags));
  const foreign = applied === 'other' ? 'spec' : 'drift';
  const rollout = rolledBack || applied !== 'this' ? 'spec' : 'drift';
  return {
    changes: [
      ...withCause(rollout, taskDefinition),
      // A drain that was called off was nobody's edit.
      ...withCause(countBefore === undefined ? foreign : 'spec', count),
      ...withCause(foreign, [...network, ...deployment, ...compareTags(desired, tags, untag)]),
      ...withCause('spec', [...(launchType ?? []), ...compareMarks(desired, tags, applied)]),
    ],
    differs: {
      taskDefinition: taskDefinition.length > 0,
      desiredCount: count.length > 0 ? wantedCount : undefined,
      network: network.length > 0,
      deployment: deployment.length > 0,
    },
    replace: launchType !== undefined,
    untag,
    applied,
  };
}

function withCause(cause: Change['cause'], differences: readonly Difference[]): readonly Change[] {
  return differences.map((difference) => ({ ...difference, cause, effect: effectOf(difference) }));
}

/** New tasks come before old ones go; what ECS can't change needs another service, and of one name there is one. */
function effectOf({ path }: Difference): Effect {
  if (path === 'launchType') return 'outage';
  return path === 'taskDefinition' || path.startsWith('networkConfiguration.') ? 'replace' : 'live';
}

function appliedState({ specHash }: DesiredService, tags: Tags): Applied {
  const applied = tags[tagKeys.specHash];
  if (applied === specHash) return 'this';
  return applied === rejectedHash(specHash) ? 'rejected' : 'other';
}

/** Whether `actual` is what is desired; of an overlay only the service's own tag knows which revision that is. */
export function isDesiredRevision(desired: DesiredService, actual: string | undefined, tags: Tags): boolean {
  const { overlay, taskDefinition } = desired;
  if (overlay === undefined) return isRevisionOf(taskDefinition, actual);
  return (
    actual !== undefined && tags[tagKeys.taskDefinition] === taskDefinitionTag(overlay, revisionKey(actual))
  );
}

function compareTaskDefinition(
  desired: DesiredService,
  service: EcsService,
  tags: Tags,
): readonly Difference[] {
  const actual = service.taskDefinition;
  if (isDesiredRevision(desired, actual, tags)) return [];
  const [hash, revision] = tags[tagKeys.taskDefinition]?.split(' ') ?? [];
  const { overlay } = desired;
  const ownName =
    hash === overlay?.hash && revision !== undefined ? revision : `a new revision of ${overlay?.family}`;
  const name = overlay === undefined ? revisionKey(desired.taskDefinition) : ownName;
  return [
    { path: 'taskDefinition', desired: name, actual: actual === undefined ? 'none' : revisionKey(actual) },
  ];
}

function compareCount(desiredCount: number | undefined, service: EcsService): readonly Difference[] {
  if (desiredCount === undefined || desiredCount === service.desiredCount) return [];
  return [
    { path: 'desiredCount', desired: String(desiredCount), actual: String(service.desiredCount ?? 'none') },
  ];
}

function compareNetwork(
  { network }: DesiredService,
  service: EcsService,
  applied: Applied,
): readonly Difference[] {
  if (network === undefined) return [];
  const actual = service.networkConfiguration?.awsvpcConfiguration;
  // Some endpoints take the configuration and never show it.
  if (applied !== 'other' && service.networkConfiguration === undefined) return [];
  const { subnets, securityGroups, assignPublicIp } = network;
  return [
    ...difference('networkConfiguration.subnets', setText(subnets), setText(actual?.subnets)),
    ...(securityGroups === undefined
      ? []
      : difference(
          'networkConfiguration.securityGroups',
          setText(securityGroups),
          setText(actual?.securityGroups),
        )),
    ...difference(
      'networkConfiguration.assignPublicIp',
      assignPublicIp,
      actual?.assignPublicIp ?? 'DISABLED',
    ),
  ];
}

function compareDeployment({ deploymentConfiguration: actual }: EcsService): readonly Difference[] {
  if (actual === undefined) return [];
  const { deploymentCircuitBreaker, maximumPercent, minimumHealthyPercent } = deploymentConfiguration;
  const breaker = actual.deploymentCircuitBreaker;
  const path = 'deploymentConfiguration';
  return [
    ...difference(
      `${path}.deploymentCircuitBreaker.enable`,
      deploymentCircuitBreaker.enable,
      breaker?.enable,
    ),
    ...difference(
      `${path}.deploymentCircuitBreaker.rollback`,
      deploymentCircuitBreaker.rollback,
      breaker?.rollback,
    ),
    ...difference(`${path}.maximumPercent`, maximumPercent, actual.maximumPercent),
    ...difference(`${path}.minimumHealthyPercent`, minimumHealthyPercent, actual.minimumHealthyPercent),
  ];
}

function compareLaunchType(
  { launchType }: DesiredService,
  service: EcsService,
): readonly Difference[] | undefined {
  if (launchType === undefined || service.launchType === launchType) return undefined;
  const strategy = service.capacityProviderStrategy ?? [];
  if (service.launchType === undefined && strategy.length === 0) return undefined;
  const actual = service.launchType ?? `capacity provider ${strategy[0]?.capacityProvider}`;
  return [{ path: 'launchType', desired: launchType, actual }];
}

function compareTags(desired: DesiredService, tags: Tags, untag: readonly string[]): readonly Difference[] {
  return [
    ...Object.entries(desired.tags).flatMap(([key, value]) => difference(`tags.${key}`, value, tags[key])),
    ...untag.map((key) => ({ path: `tags.${key}`, desired: 'none', actual: tags[key] ?? '' })),
  ];
}

/** Our own marks: what is wrong with them is no news to anybody, it is put right with the next write. */
function compareMarks(desired: DesiredService, tags: Tags, applied: Applied): readonly Difference[] {
  const { specHash, ownerTags } = desired;
  const hash =
    applied === 'rejected' ? [] : difference(`tags.${tagKeys.specHash}`, specHash, tags[tagKeys.specHash]);
  const keys = serviceTags(desired, '')[tagKeys.tagKeys];
  const drain = drainTag(desired)[tagKeys.drain] ?? 'none';
  return [
    ...difference(`tags.${tagKeys.drain}`, drain, tags[tagKeys.drain] ?? 'none'),
    ...Object.entries(ownerTags).flatMap(([key, value]) => difference(`tags.${key}`, value, tags[key])),
    ...(keys === tags[tagKeys.tagKeys] || keys === undefined
      ? []
      : difference(`tags.${tagKeys.tagKeys}`, keys, tags[tagKeys.tagKeys])),
    ...hash,
  ];
}

/** The tags to write, which may include some that are there: one call writes them all. Empty: none. */
export function missingTags(wanted: Tags, actual: Tags): Tags {
  const missing = Object.entries(wanted).filter(([key, value]) => actual[key] !== value);
  return Object.fromEntries(missing);
}

type Scalar = string | number | boolean;

function difference(path: string, desired: Scalar, actual: Scalar | undefined): readonly Difference[] {
  return desired === actual ? [] : [{ path, desired: String(desired), actual: String(actual ?? 'none') }];
}

function setText(values: readonly string[] | undefined): string {
  return (values ?? []).toSorted().join(', ');
}
