import type { Clock } from './evidence.ts';
import { ageMs } from './evidence.ts';
import type { EcsEvent, EcsService } from './ecs-service.ts';
import { taskText } from './task-failure.ts';

/** What the events of a service, newest first, say of the present. ECS keeps the last 100, however old. */

/** The scheduler tries again at least every 15 minutes, and says so, in milliseconds. */
const presentMs = 20 * 60_000;
/** A task that was started or stopped so lately may tell more than the service does, in milliseconds. */
const changeMs = 300_000;

/** What goes wrong: told lately, and not put right since. */
export function presentTrouble({ events = [] }: EcsService, clock: Clock): string | undefined {
  const rest = events.findIndex((event) => isOld(event, clock, presentMs) || isRest(event));
  const present = rest === -1 ? events : events.slice(0, rest);
  const told = present.find(({ message = '' }) => /unable|failed|error|insufficient/i.test(message))?.message;
  return told === undefined ? undefined : taskText(told.replace(/^\(service [^)]+\) /, ''));
}

/** Whether a task of it started or stopped a moment ago. */
export function changedLately({ events = [] }: EcsService, clock: Clock): boolean {
  return events.some(
    (event) =>
      event.createdAt !== undefined &&
      !isOld(event, clock, changeMs) &&
      /has (started|stopped)|health check/i.test(event.message ?? ''),
  );
}

function isRest({ message = '' }: EcsEvent): boolean {
  return /has reached a steady state|deployment completed/i.test(message);
}

/** What has no date is present. */
function isOld({ createdAt }: EcsEvent, clock: Clock, ms: number): boolean {
  return createdAt !== undefined && ageMs(createdAt, clock) >= ms;
}
