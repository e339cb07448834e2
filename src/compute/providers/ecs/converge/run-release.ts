import { createHash } from 'node:crypto';
import { ComputeError } from '../../../errors.ts';
import { consentTo } from '../../../permit.ts';
import type { Consent } from '../../../permit.ts';
import type { StepResult, TenantPlace } from '../../../provider.ts';
import type { ServiceTarget } from '../address/service-target.ts';
import type { DesiredService } from '../state/desired.ts';
import { isThere } from '../state/ecs-service.ts';
import type { EcsService } from '../state/ecs-service.ts';
import { tagKeys, tagList, tagMap } from '../state/marks/tags.ts';
import { overridesOf, releaseBegun, releaseStarter, releaseTag } from '../state/release/desired-release.ts';
import type { DesiredRelease } from '../state/release/desired-release.ts';
import { endOfRelease } from '../state/release/release-task.ts';
import type { ReleaseTask } from '../state/release/release-task.ts';
import { networkConfiguration } from '../state/service-input.ts';
import { noCluster } from './attempt.ts';
import type { Attempt, ServiceDeps } from './attempt.ts';

/**
 * A release is run as a task of its own. Its tags tell what it was run for, and ECS how it has ended, for an hour; after that the
 * tag of the service does. So a process that dies at any call runs none twice.
 */

/** How often a task that runs, or is stopped, is looked at, in milliseconds. */
const lookMs = 5_000;

/** After the first that did not come to its end, the next one follows; then ever later, in milliseconds. */
const firstPauseMs = 10_000;
const longestPauseMs = 300_000;

export interface Releasing {
  readonly attempt: Attempt;
  readonly service: EcsService | undefined;
  /** ARN of what the service is to run. */
  readonly taskDefinition: string;
}

/** Undefined: there is none to wait for. Rejects where it could not be run, or has failed and nothing ran before. */
export async function runRelease(
  deps: ServiceDeps,
  releasing: Releasing,
  signal: AbortSignal,
): Promise<StepResult | undefined> {
  const { attempt, service } = releasing;
  const { desired } = attempt;
  const { release, target } = desired;
  const tag = tagMap(service?.tags)[tagKeys.release];
  if (tag === release?.mark) return undefined;
  const consent = consentTo(attempt.permit, 'live', `ending a release of ${target.service}`);
  const tasks = await releasesOf(deps, { at: desired, target }, signal);
  const unwanted = tasks.filter((task) => release === undefined || releaseOf(task) !== releaseTag(release));
  const ending = await endTasks(deps, { target, tasks: unwanted, consent }, signal);
  if (ending !== undefined || release === undefined) return ending;
  const [newest] = tasks;
  const before = tasks.filter((task) => releaseOf(task) === releaseTag(release)).length;
  // What was done for a state that others have followed does not count for a way back to it.
  if (newest === undefined || releaseOf(newest) !== releaseTag(release))
    return startRelease(deps, { ...releasing, release, before }, signal);
  return followRelease(deps, { ...releasing, release, newest, before, consent }, signal);
}

/** Ends whatever runs of a tenant's releases. Undefined: nothing does. */
export async function endReleases(
  deps: Pick<ServiceDeps, 'api' | 'ownership'>,
  {
    at,
    target,
    consent,
  }: { readonly at: TenantPlace; readonly target: ServiceTarget; readonly consent: Consent },
  signal: AbortSignal,
): Promise<StepResult | undefined> {
  const tasks = await releasesOf(deps, { at, target }, signal);
  return endTasks(deps, { target, tasks, consent }, signal);
}

/** Newest first. */
async function releasesOf(
  { api, ownership }: Pick<ServiceDeps, 'api' | 'ownership'>,
  { at, target }: { readonly at: Pick<TenantPlace, 'namespace' | 'name'>; readonly target: ServiceTarget },
  signal: AbortSignal,
): Promise<readonly ReleaseTask[]> {
  const tasks = await api.describeStartedTasks(target, releaseStarter(target), signal);
  return tasks
    .filter(({ tags }) => ownership.belongsTo(at, tagMap(tags)))
    .toSorted((a, b) => (b.createdAt?.getTime() ?? 0) - (a.createdAt?.getTime() ?? 0));
}

function releaseOf({ tags }: ReleaseTask): string | undefined {
  return tagMap(tags)[tagKeys.release];
}

async function endTasks(
  { api }: Pick<ServiceDeps, 'api'>,
  {
    target,
    tasks,
    consent,
  }: { readonly target: ServiceTarget; readonly tasks: readonly ReleaseTask[]; readonly consent: Consent },
  signal: AbortSignal,
): Promise<StepResult | undefined> {
  const there = tasks.filter(({ lastStatus }) => lastStatus !== 'STOPPED');
  if (there.length === 0) return undefined;
  for (const { taskArn = '', desiredStatus } of there) {
    if (desiredStatus !== 'STOPPED') await api.stopTask(target, taskArn, consent, signal);
  }
  const message = `Ending a release of service ${target.service}`;
  return { outcome: 'in_progress', message, lookAgainAfterMs: lookMs };
}

interface Starting extends Releasing {
  readonly release: DesiredRelease;
  /** How many were run for this before. */
  readonly before: number;
}

async function startRelease(
  { api }: ServiceDeps,
  { attempt, service, taskDefinition, release, before }: Starting,
  signal: AbortSignal,
): Promise<StepResult> {
  const { desired } = attempt;
  const { scope } = desired.target;
  const tags = tagMap(service?.tags);
  // Whoever deletes the service, or drops the release, no longer has the spec that told of it.
  if (isThere(service) && !(tagKeys.release in tags))
    await api.tagResource(
      scope,
      service.serviceArn ?? '',
      tagList({ [tagKeys.release]: releaseBegun }),
      signal,
    );
  const input = runTaskInput(desired, { release, taskDefinition, before });
  const answer = await api.runTask(scope, input, signal);
  if (answer === 'cluster-gone') throw noCluster(attempt);
  if ('failure' in answer)
    throw new ComputeError(
      attempt.failure,
      `ECS has no place for the release command of ${release.container}: ${answer.failure}`,
    );
  return waiting(release);
}

function waiting({ container }: DesiredRelease): StepResult {
  const message = `Waiting until the release command of ${container} has ended`;
  return { outcome: 'in_progress', message, lookAgainAfterMs: lookMs };
}

interface Following extends Starting {
  readonly newest: ReleaseTask;
  readonly consent: Consent;
}

async function followRelease(
  deps: ServiceDeps,
  following: Following,
  signal: AbortSignal,
): Promise<StepResult | undefined> {
  const { api } = deps;
  const { attempt, service, release, newest, before, consent } = following;
  const { target } = attempt.desired;
  const nowMs = api.now(target.scope);
  const end = endOfRelease(newest, release, nowMs);
  const words = `The release command of ${release.container}`;
  switch (end.kind) {
    case 'running':
      if (end.leftMs > 0) return { ...waiting(release), lookAgainAfterMs: Math.min(lookMs, end.leftMs) };
      return endTasks(deps, { target, tasks: [newest], consent }, signal);
    case 'done':
      await endTasks(deps, { target, tasks: [newest], consent }, signal);
      return undefined;
    case 'failed': {
      await endTasks(deps, { target, tasks: [newest], consent }, signal);
      const message = `${words} ${end.why}. Nothing was replaced`;
      if (isThere(service)) return { outcome: 'rolled_back', reason: 'RolledBack', message };
      throw new ComputeError(attempt.failure, `${words} ${end.why}. No service is made after it`);
    }
    case 'interrupted': {
      const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (before - 1));
      const retryAfterMs = end.atMs + pauseMs - nowMs;
      if (retryAfterMs <= 0) return startRelease(deps, following, signal);
      const code = end.isImage ? 'ImageUnavailable' : attempt.failure;
      throw new ComputeError(code, `${words}: ${end.why}. It is run again`, { retryAfterMs });
    }
    default:
      return end satisfies never;
  }
}

function runTaskInput(
  { target, ownerTags, launchType, capacityProviders, network, settings }: DesiredService,
  { release, taskDefinition, before }: Pick<Starting, 'release' | 'taskDefinition' | 'before'>,
) {
  const { platformVersion, placementConstraints, placementStrategy } = settings;
  const tags = { ...ownerTags, [tagKeys.release]: releaseTag(release) };
  return {
    cluster: target.cluster,
    taskDefinition,
    count: 1,
    startedBy: releaseStarter(target),
    ...(launchType === undefined ? {} : { launchType }),
    ...(capacityProviders === undefined ? {} : { capacityProviderStrategy: [...capacityProviders] }),
    ...(network === undefined ? {} : { networkConfiguration: networkConfiguration(network) }),
    ...(platformVersion === undefined ? {} : { platformVersion }),
    ...(placementConstraints === undefined ? {} : { placementConstraints: [...placementConstraints] }),
    ...(placementStrategy === undefined ? {} : { placementStrategy: [...placementStrategy] }),
    overrides: overridesOf(release),
    tags: tagList(tags),
    clientToken: token([target, ownerTags, releaseTag(release), taskDefinition, before]),
  };
}

/** One whose answer got lost, and that no list shows yet, is not run twice. At most 64 ASCII characters. */
function token(identity: unknown): string {
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 36);
}
