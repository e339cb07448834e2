import type { ComputeHealth, ComputeState, Endpoint } from '../../../../api/status.ts';
import type { DesiredService } from './desired.ts';
import { isThere } from './ecs-service.ts';
import type { EcsDeployment, EcsService } from './ecs-service.ts';
import type { ScaledService } from './scaling/compare-scaling.ts';
import type { EcsTask } from './ecs-task.ts';
import type { PortNames } from './endpoints.ts';
import {
  ageMs,
  establishedCount,
  healthCheckMs,
  isCompleted,
  lastStartMs,
  needsProof,
  noPast,
  proofOf,
  startingTasks,
  tasksOf,
} from './evidence.ts';
import type { Clock, Past } from './evidence.ts';
import { rolloutOf } from './rollout.ts';
import type { Rollout } from './rollout.ts';
import { changedLately, presentTrouble } from './service-events.ts';
import { failuresOf } from './task-failure.ts';
import type { TaskFailure } from './task-failure.ts';

/** Whether a service runs as it should, and how sure that is. */

export interface ServiceOnEcs {
  readonly service: ScaledService | undefined;
  /** Undefined: not asked for, because nothing looked wrong. */
  readonly tasks?: readonly EcsTask[] | undefined;
  /** Ports of its task definition that are endpoints. */
  readonly ports?: readonly PortNames[] | undefined;
  /** Its endpoints, where they are known without its tasks. */
  readonly endpoints?: readonly Endpoint[] | undefined;
}

/** How often a service in transition is looked at, in milliseconds. */
const transitionLookMs = 3_000;
/** The scheduler tries again ever more slowly; and what serves while something changes can be looked at as slowly. */
const slowLookMs = 10_000;
/** What has stood still for long is not about to move: an event or a sweep tells where it does. */
const longestLookMs = 60_000;
/** A service whose task failed so lately is not believed to run, whatever its count says, in milliseconds. */
const failureMs = 30_000;
/** For how long failed tasks explain why there are too few, and count as one story, in milliseconds. */
export const newsMs = 300_000;
/** ECS starts what it was asked for within seconds: until then, too few are no illness, in milliseconds. */
const scalingMs = 60_000;

/** Whether the tasks can tell more than the service does. */
export function needsTasks(
  desired: DesiredService | undefined,
  { service }: ServiceOnEcs,
  clock: Clock,
  past = noPast,
): boolean {
  if (!isThere(service) || service.status === 'DRAINING') return false;
  const { desiredCount = 0, runningCount = 0 } = service;
  const rollout = rolloutOf(service, desired);
  if (rollout.kind === 'failed') return true;
  if (runningCount < desiredCount) return true;
  if (desiredCount === 0) return false;
  const deployment = primaryOf(service);
  if (!isProvenBefore(desired, past) && needsProof(deployment, clock, past)) return true;
  if (changedLately(service, clock)) return true;
  if (isCompleted(deployment)) return past.isRisen;
  return (deployment?.failedTasks ?? 0) > 0 || healthCheckMs(desired) > 0;
}

export interface ServiceHealth {
  readonly state: ComputeState;
  readonly health: ComputeHealth;
  readonly message?: string | undefined;
  readonly lookAgainAfterMs?: number;
  readonly imageUnavailable?: string;
}

export interface Subject {
  readonly desired: DesiredService | undefined;
  readonly service: EcsService;
  readonly tasks: readonly EcsTask[];
  readonly rollout: Rollout;
  /** Somebody else's doing is being rolled out. */
  readonly isForeign: boolean;
  readonly clock: Clock;
  readonly past: Past;
}

export function healthOf(subject: Subject): ServiceHealth {
  const { service, rollout } = subject;
  const { desiredCount = 0, runningCount = 0 } = service;
  if (service.status === 'DRAINING') {
    return {
      state: 'stopping',
      health: 'unknown',
      message: 'the service is draining',
      lookAgainAfterMs: transitionLookMs,
    };
  }
  if (desiredCount === 0) {
    if (runningCount > 0) return { state: 'stopping', health: 'unknown', lookAgainAfterMs: transitionLookMs };
    return { state: 'stopped', health: 'unknown' };
  }
  if (rollout.kind === 'failed') return afterFailure(subject, rollout.deployment);
  if (isUndisturbed(subject)) return serving(subject);
  const failure = presentFailure(subject);
  if (failure !== undefined) return failing(service, failure);
  return runningCount < neededCount(subject) ? tooFew(subject) : whileRunning(subject);
}

/** Whatever becomes of a rollout that changes nothing of ours: what served before it serves on. */
function isUndisturbed(subject: Subject): boolean {
  const { service, isForeign } = subject;
  if (isCompleted(primaryOf(service))) return false;
  return establishedCount(service, isForeign) >= neededCount(subject);
}

function afterFailure({ service, tasks }: Subject, fallen: EcsDeployment | undefined): ServiceHealth {
  const { desiredCount = 0, runningCount = 0 } = service;
  if (runningCount >= desiredCount) return { state: 'running', health: 'healthy' };
  return {
    state: runningCount === 0 ? 'failed' : 'starting',
    health: 'unhealthy',
    message: failuresOf(tasksOf(tasks, fallen ?? primaryOf(service)))[0]?.message,
    lookAgainAfterMs: slowLookMs,
  };
}

/**
 * The newest failure of a task of the deployment, where it is news. The more of them there were lately, the longer it is,
 * and the longer those that took their place must have run.
 */
function presentFailure({ service, tasks, clock }: Subject): TaskFailure | undefined {
  const { desiredCount = 0, runningCount = 0 } = service;
  const deployment = primaryOf(service) ?? { taskDefinition: service.taskDefinition };
  const own = tasksOf(tasks, deployment);
  const failures = failuresOf(own);
  const [newest] = failures;
  if (newest === undefined || runningCount === 0) return newest;
  const isWithin = (atMs: number, ms: number): boolean => clock.nowMs - atMs < ms;
  if (runningCount < desiredCount) return isWithin(newest.atMs, newsMs) ? newest : undefined;
  const recent = failures.filter(({ atMs }) => isWithin(atMs, 2 * newsMs)).length;
  const doubtMs = (ms: number): number => Math.min(newsMs, ms * 2 ** Math.max(0, recent - 1));
  const isNews = isWithin(newest.atMs, doubtMs(Math.min(failureMs, clock.settleMs * 10)));
  const isUnsettled = recent > 0 && isWithin(lastStartMs(own), doubtMs(clock.settleMs));
  return isNews || isUnsettled ? newest : undefined;
}

function failing(service: EcsService, failure: TaskFailure): ServiceHealth {
  const nothingRuns = (service.runningCount ?? 0) === 0;
  const only = (service.deployments ?? []).length <= 1;
  return {
    state: nothingRuns ? 'failed' : 'starting',
    health: 'unhealthy',
    message: failure.message,
    lookAgainAfterMs: slowLookMs,
    ...(nothingRuns && only && failure.reason === 'ImageUnavailable'
      ? { imageUnavailable: failure.message }
      : {}),
  };
}

/** Fewer run than should. Where the count is not the spec's, that they are on their way is no illness. */
function tooFew(subject: Subject): ServiceHealth {
  const { service, tasks, clock, past, desired } = subject;
  const { desiredCount = 0, runningCount = 0 } = service;
  const message = presentTrouble(service, clock);
  const isOnItsWay =
    runningCount + startingTasks(tasks, clock) >= desiredCount || past.shortForMs < scalingMs;
  const isScaling = desired?.desiredCount === undefined && runningCount > 0 && isKnownGood(subject);
  if (isScaling && message === undefined && isOnItsWay) return serving(subject);
  return {
    state: 'starting',
    health: 'unknown',
    message,
    lookAgainAfterMs: patientLookMs(subject, past.shortForMs),
  };
}

/** A tenth of the time for which nothing has come, and that is no longer than since somebody changed it. */
function patientLookMs({ service, clock }: Subject, lastsForMs = Infinity): number {
  const ms = Math.min(lastsForMs, ageMs(primaryOf(service)?.createdAt, clock)) / 10;
  return Math.min(longestLookMs, Math.max(transitionLookMs, ms));
}

function whileRunning(subject: Subject): ServiceHealth {
  const { desired, service, tasks, clock, isForeign, past } = subject;
  const needed = neededCount(subject);
  const deployment = primaryOf(service);
  if (isForeign || isProvenBefore(desired, past)) return serving(subject);
  const starting = { state: 'starting', health: 'unknown', message: presentTrouble(service, clock) } as const;
  const isInFull = (deployment?.runningCount ?? Infinity) >= needed;
  if (!isCompleted(deployment) && (clock.callsCompleted === true || !isInFull || isShared(service))) {
    const unhealthy = proofOf(deployment, { desired, tasks, clock, needed }) === 'unhealthy';
    if (unhealthy) return checkFails;
    const isAwaited = deployment?.runningCount === 0;
    return { ...starting, lookAgainAfterMs: isAwaited ? patientLookMs(subject) : transitionLookMs };
  }
  // Those that are known are looked at all the same: they may have come after it was called COMPLETED.
  const isSure = isCompleted(deployment) && !needsProof(deployment, clock, past) && tasks.length === 0;
  const proof = isSure ? 'proven' : proofOf(deployment, { desired, tasks, clock, needed });
  if (proof === 'proven') return serving(subject);
  if (proof === 'unhealthy') return checkFails;
  const lookAgainAfterMs = Math.max(100, Math.min(proof.leftMs, transitionLookMs));
  return { ...starting, lookAgainAfterMs };
}

const checkFails: ServiceHealth = {
  state: 'running',
  health: 'unhealthy',
  message: 'a task fails its health check',
  lookAgainAfterMs: transitionLookMs,
};

/** More than are asked for may run meanwhile: tasks that move to another zone, or that are no longer needed. */
function serving({ service, clock }: Subject): ServiceHealth {
  const { desiredCount = 0, runningCount = 0 } = service;
  const isEnded = isCompleted(primaryOf(service)) || clock.callsCompleted !== true;
  const isAtRest = isEnded && runningCount === desiredCount && !isShared(service);
  return { state: 'running', health: 'healthy', ...(isAtRest ? {} : { lookAgainAfterMs: slowLookMs }) };
}

/** As many as the spec asks for; where somebody asks ECS for fewer, or the spec leaves that to others, as many as that. */
function neededCount({ desired, service }: Subject): number {
  const { desiredCount = 0 } = service;
  return Math.min(desired?.desiredCount ?? desiredCount, desiredCount);
}

/** Whether what runs was seen to be good before there were too few of it. */
function isKnownGood({ service, desired, past, isForeign, clock }: Subject): boolean {
  const deployment = primaryOf(service);
  const isGood = isCompleted(deployment) && !needsProof(deployment, clock, past);
  return isForeign || isGood || isProvenBefore(desired, past);
}

export function isProvenBefore(desired: DesiredService | undefined, past: Past): boolean {
  return desired !== undefined && past.proven === desired.specHash;
}

/** Whether tasks of an older deployment still run. */
function isShared({ deployments = [] }: EcsService): boolean {
  return deployments.some(
    ({ status, rolloutState, runningCount = 0 }) =>
      status !== 'PRIMARY' && rolloutState !== 'FAILED' && runningCount > 0,
  );
}

function primaryOf({ deployments = [] }: EcsService): EcsDeployment | undefined {
  return deployments.find(({ status }) => status === 'PRIMARY');
}
