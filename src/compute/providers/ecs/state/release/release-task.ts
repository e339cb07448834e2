import type { EcsTag } from '../ecs-service.ts';
import type { EcsTask, EcsTaskContainer } from '../ecs-task.ts';
import { failuresOf, taskText } from '../task-failure.ts';
import type { DesiredRelease } from './desired-release.ts';

/** What has become of a task that is a release. Pure. */

/** What is read of such a task. */
export interface ReleaseTask extends Omit<EcsTask, 'containers'> {
  readonly taskArn?: string | undefined;
  /** When its containers had ended. */
  readonly executionStoppedAt?: Date | undefined;
  readonly tags?: readonly EcsTag[] | undefined;
  readonly containers?:
    readonly (EcsTaskContainer & { readonly lastStatus?: string | undefined })[] | undefined;
}

export type ReleaseEnd =
  | { readonly kind: 'running'; readonly leftMs: number }
  | { readonly kind: 'done' }
  /** By itself: the next one like it would fail as well. */
  | { readonly kind: 'failed'; readonly why: string }
  /** By ECS, its host or somebody's hand, or it never began. */
  | { readonly kind: 'interrupted'; readonly why: string; readonly isImage: boolean; readonly atMs: number };

/** Nobody's command has ended by itself that was ended so. */
const outsideCodes: ReadonlySet<string | undefined> = new Set([
  'UserInitiated',
  'SpotInterruption',
  'TerminationNotice',
  'ServiceSchedulerInitiated',
]);

/** Where its container has ended, that counts, whatever else of the task still runs. */
export function endOfRelease(
  task: ReleaseTask,
  { container: name, timeoutSeconds }: DesiredRelease,
  nowMs: number,
): ReleaseEnd {
  const container = task.containers?.find((one) => one.name === name);
  const startedMs = task.startedAt?.getTime();
  const allowedMs = timeoutSeconds * 1_000;
  if (task.lastStatus !== 'STOPPED' && container?.lastStatus !== 'STOPPED') {
    const leftMs = startedMs === undefined ? Infinity : Math.max(0, startedMs + allowedMs - nowMs);
    return { kind: 'running', leftMs };
  }
  const endedMs = (task.stoppingAt ?? task.executionStoppedAt ?? task.stoppedAt)?.getTime() ?? nowMs;
  if (startedMs !== undefined && endedMs - startedMs >= allowedMs)
    return { kind: 'failed', why: `did not end within ${timeoutSeconds} s` };
  const { exitCode, reason = '' } = container ?? {};
  if (exitCode === 0) return { kind: 'done' };
  if (exitCode !== undefined && !outsideCodes.has(task.stopCode)) {
    const said = reason === '' ? '' : `: ${taskText(reason)}`;
    return { kind: 'failed', why: `exited with code ${exitCode}${said}` };
  }
  const [failure] = failuresOf([task]);
  const why = failure?.message ?? `was ended: ${taskText(task.stoppedReason ?? 'ECS does not say why')}`;
  return { kind: 'interrupted', why, isImage: failure?.reason === 'ImageUnavailable', atMs: endedMs };
}
