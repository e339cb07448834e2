import type { Observation } from '../../../provider.ts';
import { revisionKey } from '../address/arns.ts';
import { diffService } from './diff.ts';
import type { DesiredService } from './desired.ts';
import type { ReachedService } from './balancing/compare-rules.ts';
import { groupIds } from './balancing/known-groups.ts';
import { isThere } from './ecs-service.ts';
import type { EcsService } from './ecs-service.ts';
import { scalingNotes } from './scaling/compare-scaling.ts';
import type { EcsTask } from './ecs-task.ts';
import { endpointsOf } from './endpoints.ts';
import { noPast, tasksOf } from './evidence.ts';
import type { Clock, Past } from './evidence.ts';
import { healthOf } from './health.ts';
import type { ServiceOnEcs, Subject } from './health.ts';
import { rolloutOf } from './rollout.ts';
import type { Rollout } from './rollout.ts';
import { lateRollout } from './service/late-rollout.ts';
import { failuresOf, taskText } from './task-failure.ts';
import type { TaskFailure } from './task-failure.ts';

/** What the answers of ECS mean for the tenant's status. */

export interface EcsObservation extends Observation {
  /** Nothing runs, for the image can't be had, and no breaker ends it: ECS tries on by itself. */
  readonly imageUnavailable?: string;
}

export function observe(
  desired: DesiredService | undefined,
  there: ServiceOnEcs,
  clock: Clock,
  past: Past = noPast,
): EcsObservation {
  const { service, tasks = [] } = there;
  if (!isThere(service)) return nothingThere(desired);
  const rollout = rolloutOf(service, desired);
  const changes = desired === undefined ? [] : changesOf(desired, service, rollout);
  const notes = scalingNotes(service.scaling);
  const isForeign = rollout.kind === 'other';
  const subject = { desired, service, tasks, rollout, isForeign, clock, past };
  const { state, health, message, lookAgainAfterMs, imageUnavailable } = healthOf(subject);
  const rolledBack = rollout.kind === 'failed' ? rollbackOf(rollout, desired, tasks) : undefined;
  const overdue = health === 'healthy' ? undefined : lateOf(subject, { changes, why: message });
  return {
    exists: true,
    changes,
    compute: {
      state,
      health,
      running: service.runningCount ?? 0,
      // What drains has none: the status remembers the count for the one that is made next.
      desired: (service.status === 'DRAINING' ? desired?.firstCount : undefined) ?? service.desiredCount ?? 0,
      ...(there.endpoints === undefined
        ? endpointsOf(there.tasks, there.ports)
        : { endpoints: [...there.endpoints] }),
      resourceIds: { ...resourceIds(service, rollout), ...(desired && groupIds(desired, service)) },
    },
    ...(health === 'healthy' && isScaling(service) ? { scaling: true } : {}),
    ...(notes.length === 0 ? {} : { notes }),
    ...(message === undefined ? {} : { message }),
    ...(lookAgainAfterMs === undefined ? {} : { lookAgainAfterMs }),
    ...(overdue === undefined ? {} : { overdue }),
    ...(rolledBack === undefined || desired === undefined ? {} : { rolledBack }),
    // What is about to be changed is no longer waited for.
    ...(imageUnavailable === undefined || changes.length > 0 ? {} : { imageUnavailable }),
  };
}

/** What is about to be changed has another rollout next. */
function lateOf(
  { desired, service, rollout, clock }: Subject,
  { changes, why }: Pick<Observation, 'changes'> & { readonly why: string | undefined },
): string | undefined {
  if (desired === undefined || rollout.kind !== 'ours') return undefined;
  // What goes with the tasks of before waits for the rollout as well.
  if (changes.some(({ path }) => path !== 'listenerRules')) return undefined;
  if (service.status === 'DRAINING') return undefined;
  const { progressDeadlineMs: deadlineMs } = desired;
  return lateRollout({ service, deployment: rollout.deployment, deadlineMs, why }, clock);
}

function isScaling({ desiredCount = 0, runningCount = 0 }: EcsService): boolean {
  return desiredCount > 0 && runningCount !== desiredCount;
}

function nothingThere(desired: DesiredService | undefined): EcsObservation {
  return {
    exists: false,
    changes: [],
    compute: {
      state: 'stopped',
      health: 'unknown',
      running: 0,
      desired: desired?.firstCount ?? 0,
    },
  };
}

function changesOf(
  desired: DesiredService,
  service: ReachedService,
  rollout: Rollout,
): Observation['changes'] {
  const { changes } = diffService(desired, service, rollout.kind === 'failed');
  if (service.status === 'DRAINING') {
    return [
      { path: 'service', desired: 'ACTIVE', actual: 'DRAINING', cause: 'drift', effect: 'live' },
      ...changes,
    ];
  }
  if (rollout.kind === 'failed' && rollout.previous === undefined) {
    return [
      { path: 'deployment', desired: 'COMPLETED', actual: 'FAILED', cause: 'spec', effect: 'replace' },
      ...changes,
    ];
  }
  return changes;
}

function rollbackOf(
  rollout: Extract<Rollout, { kind: 'failed' }>,
  desired: DesiredService | undefined,
  tasks: readonly EcsTask[],
): NonNullable<Observation['rolledBack']> {
  const { deployment, taskDefinition, previous, why = '' } = rollout;
  const own = tasks.filter(({ taskDefinitionArn = '' }) => revisionKey(taskDefinitionArn) === taskDefinition);
  const failure = failuresOf(tasksOf(own, deployment))[0] ?? imageFailure(why, desired);
  const because = failure?.message ?? (why === '' ? 'its tasks did not come up' : taskText(why));
  const before = previous === taskDefinition ? 'its network and launch type from before' : previous;
  const after = before === undefined ? 'there is none before it to go back to' : `ECS went back to ${before}`;
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
  return { reason: 'ImageUnavailable', message: `image ${which} can't be pulled: ${taskText(why)}` };
}

function resourceIds(service: EcsService, { deployment }: Rollout): Record<string, string> {
  const ids = {
    service: service.serviceArn,
    taskDefinition: service.taskDefinition,
    deployment: deployment?.id ?? service.deployments?.find(({ status }) => status === 'PRIMARY')?.id,
  };
  return Object.fromEntries(
    Object.entries(ids).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
