import { longestHealthCheckMs } from '../../../../observation/health-check-time.ts';
import { containerHealth, describeExit, recentRestarts, unsettledMs } from '../container-health.ts';
import type { Clock } from '../container-health.ts';
import type { DesiredContainer } from '../desired-tenant.ts';
import type { ObservedContainer } from '../observed-container.ts';

/** How long a health check may say nothing beyond what its own figures allow, in milliseconds. */
const healthGraceMs = 10_000;

/** How a successor does. `idle`: it was not started yet. `proven`: healthy, or without exit for the settling time. */
export type SuccessorHealth =
  | { readonly kind: 'idle' }
  | { readonly kind: 'proven' }
  | { readonly kind: 'wait'; readonly lookAgainAfterMs: number }
  | { readonly kind: 'failed'; readonly why: string };

export interface SuccessorContext {
  readonly clock: Clock;
  /** Containers, by id, of which this call has found that they don't do, and why: what follows may hide it. */
  readonly failed: ReadonlyMap<string, string>;
}

export function successorHealth(
  desired: DesiredContainer,
  next: ObservedContainer,
  { clock, failed }: SuccessorContext,
): SuccessorHealth {
  const { inspected, state, health } = next;
  const known = failed.get(next.id);
  if (known !== undefined) return { kind: 'failed', why: known };
  if (state === 'created') {
    const error = inspected?.error ?? '';
    return error === '' ? { kind: 'idle' } : { kind: 'failed', why: `could not be started: ${error}` };
  }
  if (state === 'paused') return { kind: 'failed', why: 'was paused while it was tried' };
  if (state !== 'running') return { kind: 'failed', why: describeExit(next) };
  if (inspected !== undefined && recentRestarts(inspected) > 0) {
    return {
      kind: 'failed',
      why: `${describeExit({ ...next, inspected: undefined })} and was restarted by the engine`,
    };
  }
  if (health === 'unhealthy') {
    const said = inspected?.lastProbe ?? '';
    return { kind: 'failed', why: `fails its health check${said === '' ? '' : `: ${said}`}` };
  }
  if (
    health === 'starting' &&
    inspected !== undefined &&
    clock.nowMs > provenBy(desired, inspected.startedMs)
  ) {
    return { kind: 'failed', why: 'did not become healthy in time' };
  }
  const { state: seen, health: judged, lookAgainAfterMs } = containerHealth(next, clock);
  if (seen === 'running' && judged === 'healthy') return { kind: 'proven' };
  const unsettled = inspected === undefined ? clock.settleMs : unsettledMs(inspected, clock);
  return { kind: 'wait', lookAgainAfterMs: lookAgainAfterMs ?? unsettled };
}

/** When the engine must have called it healthy or not, in milliseconds since the epoch. */
function provenBy({ spec: { healthCheck } }: DesiredContainer, startedMs: number): number {
  // A check that comes with the image has figures that only the engine knows; its verdict is waited for.
  if (healthCheck === undefined) return Infinity;
  return startedMs + longestHealthCheckMs(healthCheck) + healthGraceMs;
}
