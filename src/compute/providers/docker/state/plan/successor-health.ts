import { longestHealthCheckMs } from '../../../../observation/health-check-time.ts';
import { crashLoopRestarts, endedByItself, isCompleted, recentRestarts, wasEnded } from '../container-end.ts';
import { containerHealth, describeExit, endWords, outputWords, unsettledMs } from '../container-health.ts';
import type { Clock } from '../container-health.ts';
import type { DesiredContainer } from '../desired-tenant.ts';
import type { ObservedContainer } from '../observed-container.ts';
import { isRelease } from '../release/release-mark.ts';
import { lookAtReleaseAfterMs } from '../release/release-time.ts';
import type { Fault } from './step.ts';

/** How long a health check may say nothing beyond what its own figures allow, in milliseconds. */
const healthGraceMs = 10_000;

/**
 * How a successor does. `idle`: it was not started yet. `proven`: healthy, without exit for the settling time, or done.
 * `ailing`: it does not run well, and may yet, for the engine tries on and what it needs may be on its way. `spared`: it was
 * started, and is not essential.
 */
export type SuccessorHealth =
  | { readonly kind: 'idle' }
  | { readonly kind: 'proven' }
  | { readonly kind: 'spared' }
  | { readonly kind: 'wait'; readonly lookAgainAfterMs: number }
  | { readonly kind: 'ailing'; readonly why: string; readonly lookAgainAfterMs: number }
  | ({ readonly kind: 'failed' } & Fault);

export interface SuccessorContext {
  readonly clock: Clock;
  /** When the engine itself was started, by the same clock; 0: unknown. */
  readonly engineStartedMs: number;
  /** Containers, by id, of which this call has found that they don't do, and why: what follows may hide it. */
  readonly failed: ReadonlyMap<string, Fault>;
}

export function successorHealth(
  desired: DesiredContainer,
  next: ObservedContainer,
  context: SuccessorContext,
): SuccessorHealth {
  const known = context.failed.get(next.id);
  if (known !== undefined) return { kind: 'failed', ...known };
  switch (next.state) {
    // What an earlier start has said of it is no verdict: the next one says whether it is so still.
    case 'created':
      return { kind: 'idle' };
    case 'running':
      return healthOfRunning(desired, next, context.clock);
    case 'restarting':
      return whileRestarted(next, context.clock);
    case 'paused':
      return { kind: 'failed', why: 'was paused while it was tried', own: false };
    case 'exited':
    case 'dead':
    case 'removing':
      return healthOfEnded(next, context.engineStartedMs);
    default:
      return next.state satisfies never;
  }
}

function healthOfEnded(next: ObservedContainer, engineStartedMs: number): SuccessorHealth {
  const own = endedByItself(next, engineStartedMs);
  // By its code alone: one that was done before the engine was started anew must not be run again.
  if ((own || isRelease(next)) && isCompleted(next)) return { kind: 'proven' };
  const error = next.inspected?.error ?? '';
  return {
    kind: 'failed',
    why: error === '' ? endWords(next) : `could not be started: ${error}`,
    own,
  };
}

function healthOfRunning(desired: DesiredContainer, next: ObservedContainer, clock: Clock): SuccessorHealth {
  if (desired.release !== undefined)
    return { kind: 'wait', lookAgainAfterMs: lookAtReleaseAfterMs(next, clock) };
  const { inspected, health } = next;
  if (recentRestarts(next) > 0 && unsettledMs(next, clock) > 0) return whileRestarted(next, clock);
  const lookAgainAfterMs = clock.settleMs;
  if (health === 'unhealthy') {
    const said = inspected?.lastProbe ?? '';
    return {
      kind: 'ailing',
      why: `fails its health check${said === '' ? '' : `: ${said}`}`,
      lookAgainAfterMs,
    };
  }
  const isLate = inspected !== undefined && clock.nowMs > provenBy(desired, inspected.startedMs);
  if (health === 'starting' && isLate) {
    return { kind: 'ailing', why: 'did not become healthy in time', lookAgainAfterMs };
  }
  const seen = containerHealth(next, clock);
  if (seen.state === 'running' && seen.health === 'healthy') return { kind: 'proven' };
  return { kind: 'wait', lookAgainAfterMs: seen.lookAgainAfterMs ?? unsettledMs(next, clock) };
}

/** Once or twice may be for want of something that comes up beside it; what others ended is no sign of anything. */
function whileRestarted(next: ObservedContainer, clock: Clock): SuccessorHealth {
  const lookAgainAfterMs = clock.settleMs;
  if (recentRestarts(next) < crashLoopRestarts || wasEnded(next)) return { kind: 'wait', lookAgainAfterMs };
  // Of one that runs again, the inspect says code 0.
  const ended = next.state === 'running' ? { ...next, inspected: undefined } : next;
  return {
    kind: 'ailing',
    why: `${describeExit(ended)} each time that the engine started it${outputWords(next)}`,
    lookAgainAfterMs,
  };
}

/** When the engine must have called it healthy or not, in milliseconds since the epoch. */
function provenBy({ spec: { healthCheck } }: DesiredContainer, startedMs: number): number {
  // A check that comes with the image has figures that only the engine knows; its verdict is waited for.
  if (healthCheck === undefined) return Infinity;
  return startedMs + longestHealthCheckMs(healthCheck) + healthGraceMs;
}
