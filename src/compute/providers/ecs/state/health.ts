import type { ComputeHealth, ComputeState } from '../../../../api/status.ts';
import { longestHealthCheckMs } from '../../../observation/health-check-time.ts';
import { revisionKey } from '../address/arns.ts';
import type { DesiredService } from './desired.ts';
import { isThere } from './ecs-service.ts';
import type { EcsService } from './ecs-service.ts';
import type { EcsTask } from './ecs-task.ts';
import type { PortNames } from './endpoints.ts';
import { rolloutOf } from './rollout.ts';
import type { Rollout } from './rollout.ts';
import { lastFailure, taskText } from './task-failure.ts';
import type { TaskFailure } from './task-failure.ts';

/** Whether a service runs as it should, and how sure that is. */

export interface ServiceOnEcs {
  readonly service: EcsService | undefined;
  /** Undefined: not asked for, because nothing looked wrong. */
  readonly tasks?: readonly EcsTask[] | undefined;
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

/** For how long a failed task explains why there are too few, in milliseconds: later ones came up. */
const newsMs = 300_000;

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

export interface ServiceHealth {
  readonly state: ComputeState;
  readonly health: ComputeHealth;
  readonly message?: string | undefined;
  readonly lookAgainAfterMs?: number;
  readonly imageUnavailable?: string;
}

interface Subject {
  readonly desired: DesiredService | undefined;
  readonly there: ServiceOnEcs;
  readonly service: EcsService;
  readonly rollout: Rollout;
  readonly clock: Clock;
}

export function healthOf({ desired, there, service, rollout, clock }: Subject): ServiceHealth {
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
  if (rollout.kind === 'failed') return afterFailure(service, failure);
  if (isFailing) return failing(service, failure);
  if (runningCount !== desiredCount || !runsInFull(rollout, desiredCount)) {
    return {
      state: 'starting',
      health: 'unknown',
      message: trouble(service),
      lookAgainAfterMs: transitionLookMs,
    };
  }
  return whileRunning(rollout, { desired, tasks, clock });
}

function afterFailure(service: EcsService, failure: TaskFailure | undefined): ServiceHealth {
  const { desiredCount = 0, runningCount = 0 } = service;
  if (runningCount === desiredCount) return { state: 'running', health: 'healthy' };
  return {
    state: runningCount === 0 ? 'failed' : 'starting',
    health: 'unhealthy',
    message: failure?.message,
    lookAgainAfterMs: failingLookMs,
  };
}

function failing(service: EcsService, failure: TaskFailure): ServiceHealth {
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

function whileRunning(
  rollout: Exclude<Rollout, { kind: 'failed' }>,
  { desired, tasks, clock }: Pick<Subject, 'desired' | 'clock'> & { readonly tasks: readonly EcsTask[] },
): ServiceHealth {
  if (!isUnproven(rollout)) return { state: 'running', health: 'healthy' };
  const health = tasksHealth(tasks);
  if (health === 'unhealthy') {
    const message = 'a task fails its health check';
    return { state: 'running', health: 'unhealthy', message, lookAgainAfterMs: transitionLookMs };
  }
  const neededMs = Math.max(clock.settleMs, health === 'healthy' ? 0 : healthCheckMs(desired));
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

function tasksHealth(tasks: readonly EcsTask[]): ComputeHealth {
  const healths = tasks
    .filter(({ lastStatus }) => lastStatus === 'RUNNING')
    .map(({ healthStatus }) => healthStatus);
  if (healths.includes('UNHEALTHY')) return 'unhealthy';
  return healths.length > 0 && healths.every((health) => health === 'HEALTHY') ? 'healthy' : 'unknown';
}

/** How long the slowest health check may take to say something, in milliseconds; 0: there is none. */
function healthCheckMs(desired: DesiredService | undefined): number {
  const checks = (desired?.containers ?? []).flatMap(({ healthCheck }) => healthCheck ?? []);
  return Math.max(0, ...checks.map(longestHealthCheckMs));
}

function currentRevision({ taskDefinition }: EcsService): string | undefined {
  return taskDefinition === undefined ? undefined : revisionKey(taskDefinition);
}

/** Of the service's events only those that tell of trouble: the others name a task each. */
function trouble({ events = [] }: EcsService): string | undefined {
  const told = events.find(({ message = '' }) => /unable|failed|error|insufficient/i.test(message))?.message;
  return told === undefined ? undefined : taskText(told.replace(/^\(service [^)]+\) /, ''));
}
