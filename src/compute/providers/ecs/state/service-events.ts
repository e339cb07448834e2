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
export function presentTrouble(service: EcsService, clock: Clock): string | undefined {
  return toldOf(presentEvents(service, clock).find(isTrouble));
}

/** The same, or else what was done last. */
export function lastWords(service: EcsService, clock: Clock): string | undefined {
  return presentTrouble(service, clock) ?? toldOf(presentEvents(service, clock)[0]);
}

function presentEvents({ events = [] }: EcsService, clock: Clock): readonly EcsEvent[] {
  const rest = events.findIndex((event) => isOld(event, clock, presentMs) || isRest(event));
  return rest === -1 ? events : events.slice(0, rest);
}

function toldOf({ message }: EcsEvent = {}): string | undefined {
  return message === undefined ? undefined : taskText(message.replace(/^\(service [^)]+\) /, ''));
}

/** Whether a task of it started or stopped a moment ago. */
export function changedLately({ events = [] }: EcsService, clock: Clock): boolean {
  return events.some(
    (event) => event.createdAt !== undefined && !isOld(event, clock, changeMs) && isChange(event),
  );
}

/** Whether a task of it was started after that time, by the clock of ECS; where there is none, or no date, it may have been. */
export function hasStartedSince({ events = [] }: EcsService, sinceMs: number): boolean {
  return events.some(
    (event) => isStart(event) && !(event.createdAt !== undefined && event.createdAt.getTime() <= sinceMs),
  );
}

/**
 * As few of them as say the same to all that is asked here and of a rollout: whether it was a return, what is wrong unless
 * it was put right since, and that a task was started, or did something else, lately.
 */
export function tellingEvents({ deployments, events = [] }: EcsService): readonly EcsEvent[] {
  const rest = events.findIndex(isRest);
  const telling = new Set([
    events.find((event) => isReturnTo(deployments, event)),
    (rest === -1 ? events : events.slice(0, rest)).find(isTrouble),
    events[rest],
    events.find(isStart),
    events.find((event) => event.createdAt !== undefined && isChange(event)),
  ]);
  return events
    .filter((event) => telling.has(event))
    .map(({ message, createdAt }) => ({ message, createdAt }));
}

/** Whether it says that ECS went back to the deployment that is the present one. */
export function isReturnTo(deployments: EcsService['deployments'] = [], { message = '' }: EcsEvent): boolean {
  const { id } = deployments.find(({ status }) => status === 'PRIMARY') ?? {};
  return id !== undefined && /roll(ing|ed) back to/i.test(message) && message.includes(id);
}

function isTrouble({ message = '' }: EcsEvent): boolean {
  return /unable|failed|error|insufficient/i.test(message);
}

function isChange({ message = '' }: EcsEvent): boolean {
  return /has (started|stopped)|health check/i.test(message);
}

function isStart({ message = '' }: EcsEvent): boolean {
  return /has started/i.test(message);
}

function isRest({ message = '' }: EcsEvent): boolean {
  return /has reached a steady state|deployment completed/i.test(message);
}

/** What has no date is present. */
function isOld({ createdAt }: EcsEvent, clock: Clock, ms: number): boolean {
  return createdAt !== undefined && ageMs(createdAt, clock) >= ms;
}
