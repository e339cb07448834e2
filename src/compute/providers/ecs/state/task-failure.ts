import { stableText } from '../../../observation/stable-text.ts';
import type { TextRule } from '../../../observation/stable-text.ts';
import type { EcsTask } from './ecs-task.ts';

/** Why tasks don't run, in words. */

export interface TaskFailure {
  readonly reason: 'ImageUnavailable' | 'RolledBack';
  /** Stable while it lasts: no task ids or times. */
  readonly message: string;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
}

/** What a deployment or a scheduler stops on purpose tells nothing. */
const failureCodes = new Set<string | undefined>([
  'TaskFailedToStart',
  'EssentialContainerExited',
  undefined,
]);

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html */
const pullErrors = /CannotPull|CannotPullContainer|pull image|image manifest|ImageNotFound|manifest unknown/i;

/** The failures among the tasks, newest first. */
export function failuresOf(tasks: readonly EcsTask[]): readonly TaskFailure[] {
  return tasks.flatMap((task) => failureOf(task) ?? []).toSorted((a, b) => b.atMs - a.atMs);
}

function failureOf(task: EcsTask): TaskFailure | undefined {
  const { stoppedReason = '', stopCode } = task;
  if (task.lastStatus !== 'STOPPED' && task.desiredStatus !== 'STOPPED') return undefined;
  const unhealthy = /health check/i.test(stoppedReason);
  if (!failureCodes.has(stopCode) && !unhealthy) return undefined;
  if (stopCode === undefined && stoppedReason === '') return undefined;
  const atMs = (task.stoppedAt ?? task.stoppingAt ?? task.createdAt)?.getTime() ?? 0;
  const { reason, message } = explain(task);
  return { reason, message, atMs };
}

function explain(task: EcsTask): Omit<TaskFailure, 'atMs'> {
  const containers = task.containers ?? [];
  const { stoppedReason = '' } = task;
  const unpulled = containers.find(({ reason = '' }) => pullErrors.test(reason));
  if (unpulled !== undefined || pullErrors.test(stoppedReason)) {
    const blamed = containers.find(({ image = '' }) => image !== '' && stoppedReason.includes(image));
    const image = (unpulled ?? blamed ?? containers[0])?.image ?? 'of the task definition';
    const said = taskText(unpulled?.reason ?? stoppedReason);
    return { reason: 'ImageUnavailable', message: `image ${image} can't be pulled: ${said}` };
  }
  const killed = containers.find(({ reason = '' }) => /OutOfMemory/i.test(reason));
  if (killed !== undefined || /OutOfMemory/i.test(stoppedReason)) {
    return {
      reason: 'RolledBack',
      message: `container ${killed?.name ?? containers[0]?.name} ran out of memory`,
    };
  }
  const exited =
    containers.find(({ exitCode }) => (exitCode ?? 0) !== 0) ??
    containers.find(({ exitCode }) => exitCode === 0);
  if (exited !== undefined && !/health check/i.test(stoppedReason)) {
    const because = exited.reason === undefined || exited.reason === '' ? '' : `: ${taskText(exited.reason)}`;
    return {
      reason: 'RolledBack',
      message: `container ${exited.name} exited with code ${exited.exitCode}${because}`,
    };
  }
  return { reason: 'RolledBack', message: taskText(stoppedReason === '' ? 'its tasks stop' : stoppedReason) };
}

/** What differs from one task to the next: ids of tasks, deployments and requests. */
const taskTextRules: readonly TextRule[] = [
  [/\(?\btask\s[0-9a-f-]{32,36}\)?/g, 'a task'],
  [/\b[0-9a-f]{8}-[0-9a-f-]{27}\b/g, '…'],
  [/request id:\s\S+/gi, ''],
];

const textLength = 300;

/** What ECS says of tasks, without what differs from one to the next. */
export function taskText(text: string): string {
  return stableText(text, taskTextRules, textLength);
}
