import type { EcsDeployment, EcsService } from '../ecs-service.ts';
import { ageMs, isCompleted } from '../evidence.ts';
import type { Clock } from '../evidence.ts';
import { lastWords } from '../service-events.ts';

/** A rollout that has not come to its end in its time. Nothing is done about it but to say so. */

export interface Late {
  readonly service: EcsService;
  /** Of what is desired: it is not COMPLETED, and what runs is not healthy. */
  readonly deployment: EcsDeployment | undefined;
  readonly deadlineMs: number;
  /** What is wrong with its tasks, where that is known. */
  readonly why: string | undefined;
}

/** What is told of a rollout that has not come to its end in its time, stable while it lasts; undefined: it has time left. */
export function lateRollout(
  { service, deployment, deadlineMs, why }: Late,
  clock: Clock,
): string | undefined {
  const { desiredCount = 0 } = service;
  if (desiredCount === 0 || deployment?.createdAt === undefined || isCompleted(deployment)) return undefined;
  if (ageMs(deployment.createdAt, clock) < deadlineMs) return undefined;
  const running = `${deployment.runningCount ?? 0} of ${desiredCount} tasks run`;
  const said = why ?? lastWords(service, clock) ?? 'ECS tells of no trouble';
  return `the rollout has not come to its end within ${deadlineMs / 1_000} seconds, and goes on: ${running}; ${said}`;
}
