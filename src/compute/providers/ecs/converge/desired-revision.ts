import { checkTasks, isBounded } from '../state/policy/tasks-size.ts';
import type { DesiredService } from '../state/desired.ts';
import type { TaskDefinition } from '../state/task-definition/task-definition.ts';
import type { Attempt, ServiceDeps } from './attempt.ts';
import { ensureRevision, noTaskDefinition } from './task-revisions.ts';

/** What is to run so many times. */
export interface Wanted extends Pick<Attempt, 'desired' | 'permit'> {
  readonly tasks: number;
}

/** As many as there may be by what is desired, where `count` of them run or are asked for. */
export function mostTasks({ autoscaling }: Pick<DesiredService, 'autoscaling'>, count: number): number {
  return autoscaling?.max ?? count;
}

/** ARN of what the service is to run. Rejects with InvalidSpec, PolicyDenied and ProviderConflict. */
export async function desiredRevision(
  { api, ownership, noteRevision }: ServiceDeps,
  { desired, permit, tasks }: Wanted,
  signal: AbortSignal,
): Promise<string> {
  const { overlay, taskDefinition, target, ownerTags, bounds } = desired;
  if (overlay === undefined) {
    await checkNamed({ api }, { desired, taskDefinition, tasks }, signal);
    return taskDefinition;
  }
  const admit = (definition: TaskDefinition, name: string): void =>
    checkTasks(bounds, { name, definition, tasks });
  const wanted = { scope: target.scope, overlay, tenant: desired, ownerTags, admit };
  const arn = await ensureRevision(api, ownership, wanted, signal);
  noteRevision(desired, permit);
  return arn;
}

/**
 * Throws PolicyDenied where so many tasks are more than the tenant may have. A task definition that runs as it is counts
 * like one of the tenant's own: the tenant says how often.
 */
export async function checkNamed(
  { api }: Pick<ServiceDeps, 'api'>,
  {
    desired,
    taskDefinition: name,
    tasks,
  }: Pick<Wanted, 'desired' | 'tasks'> & { readonly taskDefinition: string },
  signal: AbortSignal,
): Promise<void> {
  const { bounds, target } = desired;
  if (!isBounded(bounds)) return;
  const found = await api.describeTaskDefinition(target.scope, name, signal);
  if (found === undefined) throw noTaskDefinition(name);
  checkTasks(bounds, { name, definition: found.taskDefinition, tasks });
}
