import type { Service } from '@aws-sdk/client-ecs';
import { serviceKey } from '../service-target.ts';
import type { ServiceTarget } from '../service-target.ts';
import { isThere } from '../state/observed.ts';

/** What was seen of each service, and what may have happened since. Calls nothing; forgetting it costs only looks. */
export interface ServiceView {
  /** Take it before asking ECS, and hand it over with the answer. */
  moment(): number;
  /** The last answer; undefined where ECS must be asked. */
  settled(target: ServiceTarget): { readonly service: Service | undefined } | undefined;
  /** The service as it was seen last, at most a sweep ago; undefined: it was not, or not there. */
  last(target: ServiceTarget): Service | undefined;
  /** What ECS answered about the tenant's service; `settled`: nothing is on its way that a sweep would be too slow for. */
  store(seen: Seen, moment: number): void;
  /** Something was done to it: ECS must be asked. */
  touch(target: ServiceTarget): void;
  /** Takes in what a sweep found. Returns whether it differs from what was known. */
  sweep(seen: Omit<Seen, 'settled'>, moment: number): boolean;
  /** Nothing is left at the place: it is none to look at. */
  forget(target: ServiceTarget): void;
  /** All places looked at so far. */
  watched(): readonly { readonly target: ServiceTarget; readonly tenantId: string }[];
  find(
    cluster: string,
    service: string,
  ): { readonly target: ServiceTarget; readonly tenantId: string } | undefined;
  noteCreate(target: ServiceTarget): void;
  mayAppear(target: ServiceTarget): boolean;
  noteFailure(target: ServiceTarget): void;
  failedWithin(target: ServiceTarget, ms: number): boolean;
}

export interface Seen {
  readonly target: ServiceTarget;
  readonly tenantId: string;
  readonly service: Service | undefined;
  readonly settled: boolean;
}

interface Entry extends Seen {
  readonly signature: string;
  readonly moment: number;
}

/** Long enough for what ECS calls eventual consistency: a second or two as a rule. In milliseconds. */
const appearMs = 60_000;

export function createServiceView(now: () => number): ServiceView {
  const entries = new Map<string, Entry>();
  const touched = new Map<string, number>();
  const creates = new Map<string, number>();
  const failures = new Map<string, number>();
  let clock = 0;

  const isStale = (key: string, moment: number): boolean => (touched.get(key) ?? 0) > moment;

  return {
    moment: () => clock,
    settled(target) {
      const key = serviceKey(target);
      const entry = entries.get(key);
      return entry?.settled === true && !isStale(key, entry.moment) ? entry : undefined;
    },
    last: (target) => entries.get(serviceKey(target))?.service,
    store(seen, moment) {
      const key = serviceKey(seen.target);
      if ((entries.get(key)?.moment ?? -1) > moment) return;
      if (seen.service !== undefined) creates.delete(key);
      entries.set(key, { ...seen, signature: signatureOf(seen.service), moment });
    },
    touch(target) {
      clock += 1;
      touched.set(serviceKey(target), clock);
    },
    sweep(seen, moment) {
      const key = serviceKey(seen.target);
      const known = entries.get(key);
      if (known === undefined || known.moment > moment || isStale(key, moment)) return false;
      const signature = signatureOf(seen.service);
      const differs = signature !== known.signature;
      // A new state is fresh enough for the look that it is reason for.
      entries.set(key, { ...seen, settled: differs || known.settled, signature, moment });
      return differs;
    },
    forget(target) {
      const key = serviceKey(target);
      for (const memory of [entries, touched, failures]) memory.delete(key);
    },
    watched: () => [...entries.values()].map(({ target, tenantId }) => ({ target, tenantId })),
    find: (cluster, service) =>
      [...entries.values()].find(({ target }) => target.cluster === cluster && target.service === service),
    noteCreate: (target) => void creates.set(serviceKey(target), now()),
    mayAppear: (target) => now() - (creates.get(serviceKey(target)) ?? -Infinity) < appearMs,
    noteFailure: (target) => void failures.set(serviceKey(target), now()),
    failedWithin: (target, ms) => now() - (failures.get(serviceKey(target)) ?? -Infinity) < ms,
  };
}

/** All that tells something of the tenant: not the events, which come by themselves. */
function signatureOf(service: Service | undefined): string {
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
