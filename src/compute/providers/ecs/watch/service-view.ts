import { createHash } from 'node:crypto';
import { createSeenCache } from '../../../observation/seen-cache.ts';
import { serviceKey } from '../address/service-target.ts';
import type { ServiceTarget } from '../address/service-target.ts';
import { isThere } from '../state/ecs-service.ts';
import type { EcsService } from '../state/ecs-service.ts';
import type { EcsTask } from '../state/ecs-task.ts';
import type { PortNames } from '../state/endpoints.ts';
import { shownSettings } from '../state/service/compare-settings.ts';
import { keptService, keptTask } from './kept.ts';
import { createContact } from './contact.ts';
import type { Contact } from './contact.ts';
import { createServiceNotes } from './service-notes.ts';
import type { ServiceNotes } from './service-notes.ts';

/** What was seen of each service, and what may have happened since. Calls nothing; forgetting it costs only looks. */
export interface ServiceView extends ServiceNotes {
  readonly contact: Contact;
  /** Take it before asking ECS, and hand it over with the answer. */
  moment(): number;
  /** The last answer; undefined where ECS must be asked: while nothing sweeps, and where it was out of reach since. */
  settled(target: ServiceTarget): { readonly service: EcsService | undefined } | undefined;
  /** The service as it was seen last, at most a sweep ago; undefined: it was not, or not there. */
  last(target: ServiceTarget): EcsService | undefined;
  /** What ECS answered about the tenant's service; `settled`: nothing is on its way that a sweep would be too slow for. */
  store(seen: SeenService, moment: number): void;
  /** What was seen before was looked at again, for what it means now. */
  settle(target: ServiceTarget, again: Pick<SeenService, 'service' | 'settled'>): void;
  /** Something was done to it: ECS must be asked. */
  touch(target: ServiceTarget): void;
  /** Whether something was done to it after the moment. */
  isStale(target: ServiceTarget, moment: number): boolean;
  /** Takes in what a sweep found. Returns whether it differs from what was known, or was lost. */
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

export function createServiceView(now: () => number): ServiceView {
  const seen = createSeenCache<SeenService & { readonly signature: string }>();
  const tasks = new Map<string, SeenTasks>();
  const notes = createServiceNotes(now);
  const contact = createContact(now);
  let sweeps = 0;

  return {
    ...notes,
    contact,
    moment: () => seen.moment(),
    settled(target) {
      const known = seen.fresh(serviceKey(target))?.value;
      return sweeps > 0 && known?.settled === true && contact.isHeld(target) ? known : undefined;
    },
    last: (target) => seen.last(serviceKey(target))?.value.service,
    store(answer, moment) {
      const key = serviceKey(answer.target);
      contact.note(answer.target);
      const isNews = seen.store(key, remembered(answer), moment);
      if (isNews && answer.service !== undefined) notes.appeared(answer.target);
    },
    settle(target, { service, settled }) {
      const known = seen.last(serviceKey(target));
      if (known === undefined || known.value.service !== service) return;
      seen.store(serviceKey(target), { ...known.value, settled }, known.moment);
    },
    isStale: (target, moment) => seen.isStale(serviceKey(target), moment),
    touch: (target) => seen.touch(serviceKey(target)),
    sweep(found, moment) {
      const key = serviceKey(found.target);
      const known = seen.last(key);
      const isBack = contact.note(found.target);
      if (known === undefined || known.moment > moment || seen.isStale(key, moment)) return isBack;
      const next = remembered({ ...found, settled: known.value.settled });
      const differs = next.signature !== known.value.signature;
      // A new state is fresh enough for the look that it is reason for.
      seen.store(key, { ...next, settled: differs || next.settled }, moment);
      return differs || isBack;
    },
    beginSweeps() {
      sweeps += 1;
      return () => void (sweeps -= 1);
    },
    forget(target) {
      const key = serviceKey(target);
      seen.forget(key);
      tasks.delete(key);
      notes.forgetNotes(target);
      contact.forget(target);
    },
    watched: () => watchedServices(seen.entries()),
    find: (...name) => watchedServices(seen.entries()).find(isNamed(...name)),
    tasks: (target) => tasks.get(serviceKey(target)),
    storeTasks(target, those) {
      if (those === undefined) tasks.delete(serviceKey(target));
      else tasks.set(serviceKey(target), { ...those, tasks: those.tasks.map(keptTask) });
    },
  };
}

function remembered(answer: SeenService): SeenService & { readonly signature: string } {
  const { service } = answer;
  return { ...answer, service: service && keptService(service), signature: signatureOf(service) };
}

function isNamed(cluster: string, service: string) {
  return ({ target }: WatchedService): boolean => target.cluster === cluster && target.service === service;
}

function watchedServices(
  entries: Iterable<readonly [string, { readonly value: SeenService }]>,
): readonly WatchedService[] {
  return Array.from(entries, ([, { value }]) => ({ target: value.target, tenantId: value.tenantId }));
}

/** The hash of all that tells something of the tenant: not of the events, which come by themselves. */
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
  const { capacityProviderStrategy: providers, deploymentConfiguration } = service;
  const settings = shownSettings(service);
  const told = JSON.stringify([fields, providers, deploymentConfiguration, settings, deployments, tags]);
  return createHash('sha256').update(told).digest('base64');
}
