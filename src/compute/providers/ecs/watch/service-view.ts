import { createSeenCache } from '../../../observation/seen-cache.ts';
import { serviceKey } from '../address/service-target.ts';
import type { ServiceTarget } from '../address/service-target.ts';
import { isThere } from '../state/ecs-service.ts';
import type { EcsService } from '../state/ecs-service.ts';
import type { EcsTask } from '../state/ecs-task.ts';
import type { PortNames } from '../state/endpoints.ts';

/** What was seen of each service, and what may have happened since. Calls nothing; forgetting it costs only looks. */
export interface ServiceView {
  /** Take it before asking ECS, and hand it over with the answer. */
  moment(): number;
  /** The last answer; undefined where ECS must be asked, as it must be while nothing sweeps. */
  settled(target: ServiceTarget): { readonly service: EcsService | undefined } | undefined;
  /** The service as it was seen last, at most a sweep ago; undefined: it was not, or not there. */
  last(target: ServiceTarget): EcsService | undefined;
  /** What ECS answered about the tenant's service; `settled`: nothing is on its way that a sweep would be too slow for. */
  store(seen: SeenService, moment: number): void;
  /** Something was done to it: ECS must be asked. */
  touch(target: ServiceTarget): void;
  /** Takes in what a sweep found. Returns whether it differs from what was known. */
  sweep(seen: Omit<SeenService, 'settled'>, moment: number): boolean;
  /** Sweeps go on until the returned function is called: without them, what was seen grows old unnoticed. */
  beginSweeps(): () => void;
  /** Nothing is left at the place: it is none to look at. */
  forget(target: ServiceTarget): void;
  /** All places looked at so far. */
  watched(): readonly WatchedService[];
  find(cluster: string, service: string): WatchedService | undefined;
  /** Tasks whose addresses are endpoints, as they were seen last. */
  tasks(target: ServiceTarget): SeenTasks | undefined;
  /** Undefined: none to remember. */
  storeTasks(target: ServiceTarget, tasks: SeenTasks | undefined): void;
  noteCreate(target: ServiceTarget): void;
  /** Whether it was asked for so lately that ECS may not show it yet. */
  mayAppear(target: ServiceTarget): boolean;
  noteFailure(target: ServiceTarget): void;
  failedWithin(target: ServiceTarget, ms: number): boolean;
}

export interface WatchedService {
  readonly target: ServiceTarget;
  readonly tenantId: string;
}

export interface SeenService extends WatchedService {
  readonly service: EcsService | undefined;
  readonly settled: boolean;
}

/** Tasks with their endpoints as they were when the service looked like `of`. */
export interface SeenTasks {
  readonly of: string;
  readonly tasks: readonly EcsTask[];
  readonly ports: readonly PortNames[];
}

/** Long enough for what ECS calls eventual consistency: a second or two as a rule. In milliseconds. */
const appearMs = 60_000;

export function createServiceView(now: () => number): ServiceView {
  const seen = createSeenCache<SeenService & { readonly signature: string }>();
  const tasks = new Map<string, SeenTasks>();
  const creates = createNotes(now);
  const failures = createNotes(now);
  let sweeps = 0;

  return {
    moment: () => seen.moment(),
    settled(target) {
      const known = seen.fresh(serviceKey(target))?.value;
      return sweeps > 0 && known?.settled === true ? known : undefined;
    },
    last: (target) => seen.last(serviceKey(target))?.value.service,
    store(answer, moment) {
      const key = serviceKey(answer.target);
      const isNews = seen.store(key, { ...answer, signature: signatureOf(answer.service) }, moment);
      if (isNews && answer.service !== undefined) creates.drop(key);
    },
    touch: (target) => seen.touch(serviceKey(target)),
    sweep(found, moment) {
      const key = serviceKey(found.target);
      const known = seen.last(key);
      if (known === undefined || known.moment > moment || seen.isStale(key, moment)) return false;
      const signature = signatureOf(found.service);
      const differs = signature !== known.value.signature;
      // A new state is fresh enough for the look that it is reason for.
      seen.store(key, { ...found, settled: differs || known.value.settled, signature }, moment);
      return differs;
    },
    beginSweeps() {
      sweeps += 1;
      return () => void (sweeps -= 1);
    },
    forget(target) {
      const key = serviceKey(target);
      seen.forget(key);
      tasks.delete(key);
      failures.drop(key);
    },
    watched: () => watchedServices(seen.entries()),
    find: (cluster, service) =>
      watchedServices(seen.entries()).find(
        ({ target }) => target.cluster === cluster && target.service === service,
      ),
    tasks: (target) => tasks.get(serviceKey(target)),
    storeTasks(target, those) {
      if (those === undefined) tasks.delete(serviceKey(target));
      else tasks.set(serviceKey(target), those);
    },
    noteCreate: (target) => creates.note(serviceKey(target)),
    mayAppear: (target) => creates.within(serviceKey(target), appearMs),
    noteFailure: (target) => failures.note(serviceKey(target)),
    failedWithin: (target, ms) => failures.within(serviceKey(target), ms),
  };
}

function watchedServices(
  entries: Iterable<readonly [string, { readonly value: SeenService }]>,
): readonly WatchedService[] {
  return Array.from(entries, ([, { value }]) => ({ target: value.target, tenantId: value.tenantId }));
}

interface Notes {
  note(key: string): void;
  /** Whether it was noted less than `ms` milliseconds ago. */
  within(key: string, ms: number): boolean;
  drop(key: string): void;
}

function createNotes(now: () => number): Notes {
  const noted = new Map<string, number>();
  return {
    note: (key) => void noted.set(key, now()),
    within: (key, ms) => now() - (noted.get(key) ?? -Infinity) < ms,
    drop: (key) => void noted.delete(key),
  };
}

/** All that tells something of the tenant: not the events, which come by themselves. */
function signatureOf(service: EcsService | undefined): string {
  if (!isThere(service)) return 'none';
  const { status, taskDefinition, desiredCount, runningCount, launchType, networkConfiguration } = service;
  const deployments = (service.deployments ?? []).map((deployment) => [
    deployment.id,
    deployment.status,
    deployment.taskDefinition,
    deployment.rolloutState,
    deployment.runningCount,
    deployment.failedTasks,
  ]);
  const tags = (service.tags ?? []).map(({ key, value }) => `${key}=${value}`).toSorted();
  const fields = { status, taskDefinition, desiredCount, runningCount, launchType, networkConfiguration };
  return JSON.stringify([fields, service.deploymentConfiguration, deployments, tags]);
}
