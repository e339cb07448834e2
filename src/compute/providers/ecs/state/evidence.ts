import { longestHealthCheckMs } from '../../../observation/health-check-time.ts';
import { servedCheck } from './task-definition/fields/health-check.ts';
import type { DesiredService } from './desired.ts';
import type { EcsDeployment, EcsService } from './ecs-service.ts';
import type { EcsTask } from './ecs-task.ts';

/** What proves that tasks run as they should, by the clock of ECS. */

export interface Clock {
  /** ECS' own time, in milliseconds since the epoch: what it tells of is dated by it. */
  readonly nowMs: number;
  /**
   * For how long the tasks of a deployment that is not called COMPLETED must have run to count as good all the same,
   * in milliseconds, where it may never be called so.
   */
  readonly settleMs: number;
  /** Whether what answers is sure to call a deployment COMPLETED once it is, and not before: AWS does. Default: no. */
  readonly callsCompleted?: boolean;
}

/** What earlier looks have shown of the service. Forgetting it costs no more than some patience. */
export interface Past {
  /** The desired state that was seen to run as it should, with nothing done to the service since. */
  readonly proven: string | undefined;
  /** For how long fewer tasks have run than are asked for, in milliseconds. */
  readonly shortForMs: number;
  /** Whether it was not seen to run as it should since fewer ran. */
  readonly isRisen: boolean;
}

export const noPast: Past = { proven: undefined, shortForMs: 0, isRisen: false };

/** So long tasks must have run where what answers calls a deployment COMPLETED too soon, in milliseconds. */
const completedSettleMs = 3_000;
/** A deployment of that age has shown what it can, in milliseconds. */
const youngMs = 300_000;

export function isCompleted(deployment: EcsDeployment | undefined): boolean {
  const { rolloutState = 'COMPLETED' } = deployment ?? {};
  return rolloutState === 'COMPLETED';
}

/** Whether the tasks themselves must be seen to have run for a while, because nobody's word can be taken for it. */
export function needsProof(deployment: EcsDeployment | undefined, clock: Clock, past: Past): boolean {
  if (clock.callsCompleted === true) return false;
  const age = ageMs(deployment?.createdAt, clock);
  // A fleet at rest must cost no call, also where nothing is known of it yet.
  const isSuspect = !isCompleted(deployment) || past.isRisen;
  return age < (isSuspect ? youngMs : Math.min(completedSettleMs, clock.settleMs));
}

export interface Proving {
  readonly desired: DesiredService | undefined;
  readonly tasks: readonly EcsTask[];
  readonly clock: Clock;
  readonly needed: number;
}

export type Proof = 'proven' | 'unhealthy' | { readonly leftMs: number };

/** Whether `needed` of its tasks have run for long enough, counted from when they began to run. */
export function proofOf(
  deployment: EcsDeployment | undefined,
  { desired, tasks, clock, needed }: Proving,
): Proof {
  const running = tasksOf(tasks, deployment).filter(isRunning);
  if (running.some(({ healthStatus }) => healthStatus === 'UNHEALTHY')) return 'unhealthy';
  const isSoon = isCompleted(deployment) && clock.callsCompleted !== true;
  const settleMs = isSoon ? Math.min(completedSettleMs, clock.settleMs) : clock.settleMs;
  const checkMs = healthCheckMs(desired);
  // Some endpoints count tasks and show none: then the deployment has to stand for them.
  const shown =
    running.length > 0 ? running : [{ healthStatus: undefined, startedAt: deployment?.createdAt }];
  const lefts = shown.map(({ startedAt = deployment?.createdAt, healthStatus }) => {
    const neededMs = Math.max(settleMs, healthStatus === 'HEALTHY' ? 0 : checkMs);
    return neededMs - ageMs(startedAt, clock);
  });
  // Tasks beyond those that are needed may be as new as they like.
  const leftMs = lefts.toSorted((a, b) => a - b)[Math.min(needed, lefts.length) - 1] ?? 0;
  return leftMs > 0 ? { leftMs } : 'proven';
}

function isRunning({ lastStatus, desiredStatus }: EcsTask): boolean {
  return lastStatus === 'RUNNING' && desiredStatus !== 'STOPPED';
}

/** Those of the deployment: by its id where the tasks bear one, as those of AWS do, else by its task definition. */
export function tasksOf(
  tasks: readonly EcsTask[],
  deployment: EcsDeployment | undefined,
): readonly EcsTask[] {
  if (deployment === undefined) return tasks;
  return tasks.filter((task) =>
    isDeploymentId(task.startedBy)
      ? task.startedBy === deployment.id
      : task.taskDefinitionArn === deployment.taskDefinition && !endedBefore(task, deployment),
  );
}

function isDeploymentId(startedBy: string | undefined): boolean {
  return startedBy?.startsWith('ecs-svc/') === true;
}

function endedBefore({ stoppedAt }: EcsTask, { createdAt }: EcsDeployment): boolean {
  return stoppedAt !== undefined && createdAt !== undefined && stoppedAt < createdAt;
}

/** When the newest of the running tasks began to run, in milliseconds since the epoch; none has: long ago. */
export function lastStartMs(tasks: readonly EcsTask[]): number {
  return Math.max(0, ...tasks.filter(isRunning).map(({ startedAt }) => startedAt?.getTime() ?? 0));
}

/** Tasks that are being started, lately enough for a start to take so long. */
export function startingTasks(tasks: readonly EcsTask[], clock: Clock): number {
  return tasks.filter(
    ({ lastStatus, desiredStatus, createdAt }) =>
      lastStatus !== 'RUNNING' &&
      lastStatus !== 'STOPPED' &&
      desiredStatus !== 'STOPPED' &&
      ageMs(createdAt, clock) < youngMs,
  ).length;
}

/** Running tasks of deployments that ECS has called COMPLETED, as far as they are of the primary's revision or `any`. */
export function establishedCount(service: EcsService, any: boolean): number {
  const { deployments = [], networkConfiguration } = service;
  const primary = deployments.find(({ status }) => status === 'PRIMARY');
  // Some endpoints don't tell what network a deployment is of: then nobody knows whether it is the same.
  const isKnown = networkConfiguration === undefined || primary?.networkConfiguration !== undefined;
  if (!any && !isKnown) return 0;
  return deployments
    .filter(({ rolloutState }) => rolloutState === 'COMPLETED')
    .filter((deployment) => any || revisionText(deployment) === revisionText(primary))
    .reduce((sum, { runningCount = 0 }) => sum + runningCount, 0);
}

function revisionText(deployment: EcsDeployment | undefined): string {
  const { taskDefinition, launchType, capacityProviderStrategy, networkConfiguration } = deployment ?? {};
  return JSON.stringify([
    taskDefinition,
    launchType,
    capacityProviderStrategy,
    networkConfiguration?.awsvpcConfiguration,
  ]);
}

/** How long the slowest health check may take to say something, in milliseconds; 0: there is none. */
export function healthCheckMs(desired: DesiredService | undefined): number {
  const checks = (desired?.containers ?? []).flatMap(({ healthCheck }) => healthCheck ?? []);
  return Math.max(0, ...checks.map((check) => longestHealthCheckMs(servedCheck(check))));
}

/** What has no date is old. */
export function ageMs(at: Date | undefined, { nowMs }: Clock): number {
  return nowMs - (at?.getTime() ?? 0);
}
