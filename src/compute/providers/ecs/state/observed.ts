import type { Service, Task } from '@aws-sdk/client-ecs';
import type { ComputeHealth, ComputeState } from '../../../../api/status.ts';
import type { Observation } from '../../../provider.ts';
import { revisionKey } from '../arns.ts';
import { compareService } from './diff.ts';
import { defaultDesiredCount } from './desired.ts';
import type { DesiredService } from './desired.ts';
import { endpointsOf } from './endpoints.ts';
import type { PortNames } from './endpoints.ts';
import { rolloutOf } from './rollout.ts';
import type { Rollout } from './rollout.ts';
import { lastFailure, tidy } from './stopped-tasks.ts';
import type { TaskFailure } from './stopped-tasks.ts';

/** What the answers of ECS mean for the tenant's status. Pure. */

export interface ServiceOnEcs {
  readonly service: Service | undefined;
  /** Undefined: not asked for, because nothing looked wrong. */
  readonly tasks?: readonly Task[] | undefined;
  /** Ports of its task definition that are endpoints. */
  readonly ports?: readonly PortNames[] | undefined;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /**
   * For how long a deployment that ECS does not call COMPLETED must have run in full, without a failed task, to count
   * as good all the same, in milliseconds: some endpoints never call it so.
   */
  readonly settleMs: number;
}

/** How often a service in transition is looked at, in milliseconds. */
const transitionLookMs = 3_000;
/** The scheduler tries again ever more slowly. */
const failingLookMs = 10_000;
/** A service whose task failed so lately is not believed to run, whatever its count says, in milliseconds. */
export const failureMs = 30_000;

export interface EcsObservation extends Observation {
  /** Nothing runs, for the image can't be had, and no breaker ends it: ECS tries on by itself. */
  readonly imageUnavailable?: string;
}

/** For how long a failed task explains why there are too few, in milliseconds: later ones came up. */
const newsMs = 300_000;

/** A service that is there, whether or not it is on its way out. INACTIVE ones are memories of ECS. */
export function isThere(service: Service | undefined): service is Service {
  return service !== undefined && service.status !== 'INACTIVE';
}

export function observe(
  desired: DesiredService | undefined,
  there: ServiceOnEcs,
  clock: Clock,
): EcsObservation {
  const { service } = there;
  if (!isThere(service)) return nothingThere(desired);
  const rollout = rolloutOf(service, desired);
  const assessment = assess({ desired, there, service, rollout, clock });
  const rolledBack = rollout.kind === 'failed' ? rollbackOf(rollout, desired, there.tasks ?? []) : undefined;
  return {
    exists: true,
    changes: desired === undefined ? [] : changesOf(desired, service, rollout),
    compute: {
      state: assessment.state,
      health: assessment.health,
      running: service.runningCount ?? 0,
      desired: service.desiredCount ?? 0,
      ...endpointsOf(there.tasks, there.ports),
      resourceIds: resourceIds(service, rollout),
    },
    ...(assessment.message === undefined ? {} : { message: assessment.message }),
    ...(assessment.lookAgainAfterMs === undefined ? {} : { lookAgainAfterMs: assessment.lookAgainAfterMs }),
    ...(rolledBack === undefined || desired === undefined ? {} : { rolledBack }),
    ...(assessment.imageUnavailable === undefined ? {} : { imageUnavailable: assessment.imageUnavailable }),
  };
}

function nothingThere(desired: DesiredService | undefined): EcsObservation {
  return {
    exists: false,
    changes: [],
    compute: {
      state: 'stopped',
      health: 'unknown',
      running: 0,
      desired: desired === undefined ? 0 : (desired.desiredCount ?? defaultDesiredCount),
    },
  };
}

function changesOf(desired: DesiredService, service: Service, rollout: Rollout): Observation['changes'] {
  const { changes } = compareService(desired, service, rollout.kind === 'failed');
  if (service.status === 'DRAINING') {
    return [{ path: 'service', desired: 'ACTIVE', actual: 'DRAINING', cause: 'drift' }, ...changes];
  }
  if (rollout.kind === 'failed' && rollout.previous === undefined) {
    return [{ path: 'deployment', desired: 'COMPLETED', actual: 'FAILED', cause: 'spec' }, ...changes];
  }
  return changes;
}

/** Whether the tasks can tell more than the service does. */
export function needsTasks(
  desired: DesiredService | undefined,
  { service }: ServiceOnEcs,
  clock: Clock,
): boolean {
  if (!isThere(service) || service.status === 'DRAINING') return false;
  const { desiredCount = 0, runningCount = 0 } = service;
  const rollout = rolloutOf(service, desired);
  if (rollout.kind === 'failed') return true;
  if (runningCount < desiredCount) return true;
  if (!isUnproven(rollout)) return false;
  return hasFailedTasks(rollout) || healthCheckMs(desired) > ageMs(rollout, clock);
}

interface Assessment {
  readonly state: ComputeState;
  readonly health: ComputeHealth;
  readonly message?: string | undefined;
  readonly lookAgainAfterMs?: number;
  readonly imageUnavailable?: string;
}

interface Subject {
  readonly desired: DesiredService | undefined;
  readonly there: ServiceOnEcs;
  readonly service: Service;
  readonly rollout: Rollout;
  readonly clock: Clock;
}

function assess({ desired, there, service, rollout, clock }: Subject): Assessment {
  const { desiredCount = 0, runningCount = 0 } = service;
  const tasks = there.tasks ?? [];
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
  const failure = lastFailure(tasks, currentRevision(service));
  const newMs = runningCount < desiredCount ? newsMs : Math.min(failureMs, clock.settleMs * 10);
  const isFailing = failure !== undefined && (runningCount === 0 || clock.nowMs - failure.atMs < newMs);
  if (rollout.kind === 'failed') return assessFailed(service, failure);
  if (isFailing) return failing(service, failure);
  if (runningCount !== desiredCount || !runsInFull(rollout, desiredCount)) {
    return {
      state: 'starting',
      health: 'unknown',
      message: trouble(service),
      lookAgainAfterMs: transitionLookMs,
    };
  }
  return assessRunning(rollout, { desired, tasks, clock });
}

function assessFailed(service: Service, failure: TaskFailure | undefined): Assessment {
  const { desiredCount = 0, runningCount = 0 } = service;
  if (runningCount === desiredCount) return { state: 'running', health: 'healthy' };
  return {
    state: runningCount === 0 ? 'failed' : 'starting',
    health: 'unhealthy',
    message: failure?.message,
    lookAgainAfterMs: failingLookMs,
  };
}

function failing(service: Service, failure: TaskFailure): Assessment {
  const nothingRuns = (service.runningCount ?? 0) === 0;
  const only = (service.deployments ?? []).length <= 1;
  return {
    state: nothingRuns ? 'failed' : 'starting',
    health: 'unhealthy',
    message: failure.message,
    lookAgainAfterMs: failingLookMs,
    ...(nothingRuns && only && failure.reason === 'ImageUnavailable'
      ? { imageUnavailable: failure.message }
      : {}),
  };
}

function assessRunning(
  rollout: Exclude<Rollout, { kind: 'failed' }>,
  { desired, tasks, clock }: Pick<Subject, 'desired' | 'clock'> & { readonly tasks: readonly Task[] },
): Assessment {
  if (!isUnproven(rollout)) return { state: 'running', health: 'healthy' };
  const verdict = healthOf(tasks);
  if (verdict === 'unhealthy') {
    const message = 'a task fails its health check';
    return { state: 'running', health: 'unhealthy', message, lookAgainAfterMs: transitionLookMs };
  }
  const neededMs = Math.max(clock.settleMs, verdict === 'healthy' ? 0 : healthCheckMs(desired));
  const leftMs = neededMs - ageMs(rollout, clock);
  if (leftMs > 0) {
    const lookAgainAfterMs = Math.max(100, Math.min(leftMs, transitionLookMs));
    return { state: 'starting', health: 'unknown', lookAgainAfterMs };
  }
  return { state: 'running', health: 'healthy' };
}

/** Our tasks, not the old ones that still run, are as many as there should be. */
function runsInFull(rollout: Rollout, desiredCount: number): boolean {
  const { deployment } = rollout;
  return (
    (deployment?.runningCount ?? desiredCount) >= desiredCount || deployment?.rolloutState === 'COMPLETED'
  );
}

function isUnproven(rollout: Rollout): boolean {
  return rollout.kind === 'ours' && rollout.inProgress;
}

function hasFailedTasks({ deployment }: Rollout): boolean {
  return (deployment?.failedTasks ?? 0) > 0;
}

function ageMs({ deployment }: Rollout, { nowMs }: Clock): number {
  return nowMs - (deployment?.createdAt?.getTime() ?? 0);
}

function healthOf(tasks: readonly Task[]): ComputeHealth {
  const healths = tasks
    .filter(({ lastStatus }) => lastStatus === 'RUNNING')
    .map(({ healthStatus }) => healthStatus);
  if (healths.includes('UNHEALTHY')) return 'unhealthy';
  return healths.length > 0 && healths.every((health) => health === 'HEALTHY') ? 'healthy' : 'unknown';
}

/** How long the slowest health check may take to say something, in milliseconds; 0: there is none. */
function healthCheckMs(desired: DesiredService | undefined): number {
  const needed = (desired?.containers ?? []).flatMap(({ healthCheck }) => {
    if (healthCheck === undefined) return [];
    const { intervalSeconds, retries, startPeriodSeconds, timeoutSeconds = intervalSeconds } = healthCheck;
    return [1000 * (startPeriodSeconds + (retries + 1) * (intervalSeconds + timeoutSeconds))];
  });
  return Math.max(0, ...needed);
}

function currentRevision({ taskDefinition }: Service): string | undefined {
  return taskDefinition === undefined ? undefined : revisionKey(taskDefinition);
}

/** Of the service's events only those that tell of trouble: the others name a task each. */
function trouble({ events = [] }: Service): string | undefined {
  const told = events.find(({ message = '' }) => /unable|failed|error|insufficient/i.test(message))?.message;
  return told === undefined ? undefined : tidy(told.replace(/^\(service [^)]+\) /, ''));
}

function rollbackOf(
  rollout: Extract<Rollout, { kind: 'failed' }>,
  desired: DesiredService | undefined,
  tasks: readonly Task[],
): NonNullable<Observation['rolledBack']> {
  const { taskDefinition, previous, why = '' } = rollout;
  const failure = lastFailure(tasks, taskDefinition) ?? imageFailure(why, desired);
  const because = failure?.message ?? (why === '' ? 'its tasks did not come up' : tidy(why));
  const after =
    previous === undefined ? 'there is none before it to go back to' : `ECS went back to ${previous}`;
  return {
    reason: failure?.reason ?? 'RolledBack',
    message: `the deployment of ${taskDefinition} failed: ${because}; ${after}`,
  };
}

/** Where ECS tells no more than that an image could not be resolved. */
function imageFailure(
  why: string,
  desired: DesiredService | undefined,
): Pick<TaskFailure, 'reason' | 'message'> | undefined {
  if (!/image/i.test(why)) return undefined;
  const images = (desired?.containers ?? []).map(({ image }) => image);
  const which = images.length === 0 ? 'of the task definition' : images.join(', ');
  return { reason: 'ImageUnavailable', message: `image ${which} can't be pulled: ${tidy(why)}` };
}

function resourceIds(service: Service, { deployment }: Rollout): Record<string, string> {
  const ids = {
    service: service.serviceArn,
    taskDefinition: service.taskDefinition,
    deployment: deployment?.id ?? service.deployments?.find(({ status }) => status === 'PRIMARY')?.id,
  };
  return Object.fromEntries(
    Object.entries(ids).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
