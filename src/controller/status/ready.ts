import { findCondition } from '../../api/conditions.ts';
import type { ComputeStatusBlock, TenantStatus } from '../../api/status.ts';
import type { Tenant } from '../../api/tenant.ts';

/** Whether the generation that is asked for was Ready when it was last looked at. */
export function isReady({ status, metadata }: Tenant): boolean {
  const ready = findCondition(status?.conditions, 'Ready');
  return ready?.status === 'True' && readyGeneration(status) === metadata.generation;
}

/** The generation that the condition Ready speaks of; -1: none. */
export function readyGeneration(status: TenantStatus | undefined): number {
  const ready = findCondition(status?.conditions, 'Ready');
  return ready?.observedGeneration ?? status?.observedGeneration ?? -1;
}

/**
 * The generation that was seen to be in place, so that what differs from it is drift; undefined: none. A failure says
 * nothing about that, and hides what the condition told of it before.
 */
export function appliedGeneration(status: TenantStatus | undefined): number | undefined {
  if (status?.appliedGeneration !== undefined) return status.appliedGeneration;
  const ready = findCondition(status?.conditions, 'Ready');
  const isInPlace = ready?.status === 'True' || ready?.status === 'Unknown' || ready?.reason === 'Unhealthy';
  return isInPlace ? readyGeneration(status) : undefined;
}

/** Whether all that should run runs, or enough of it while `scaling`, and is healthy. */
export function isHealthy({ running, desired, state, health }: ComputeStatusBlock, scaling = false): boolean {
  if (running !== desired && !scaling) return false;
  return desired === 0 ? health !== 'unhealthy' : state === 'running' && health === 'healthy';
}
