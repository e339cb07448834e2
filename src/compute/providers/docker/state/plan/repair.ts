import { restartPolicyOf } from '../container-end.ts';
import type { DesiredContainer } from '../desired-tenant.ts';
import { endsForGood } from '../live-settings.ts';
import type { RestartPolicy } from '../live-settings.ts';
import { lostNames } from '../network/names-among-others.ts';
import { missingNetworks } from '../network/tenant-network.ts';
import type { ContainerState, ObservedContainer } from '../observed-container.ts';

/** What brings a container back that does not do as it should. Pure. */

export type Repair =
  /** Nothing to mend, or nothing that the restart policy lets us mend. */
  | 'none'
  | 'start'
  | 'unpause'
  /** It fails its health check, and the spec asks for that. */
  | 'restart'
  /** It runs, and is not in a network of its, or not by its names there. */
  | 'join'
  /** Beyond repair: it must be made anew. */
  | 'remove'
  /** The engine is at work on it. */
  | 'wait';

const repairs: Readonly<Record<Exclude<ContainerState, 'exited'>, Repair>> = {
  running: 'none',
  restarting: 'none',
  created: 'start',
  paused: 'unpause',
  removing: 'wait',
  dead: 'remove',
};

export function repairOfServing(current: ObservedContainer, desired: DesiredContainer): Repair {
  const repair = repairOf(current, desired.live.restartPolicy);
  if (repair !== 'none') return repair;
  if (missingNetworks(current).length > 0 || lostNames(current).length > 0) return 'join';
  return isToRestart(current, desired) ? 'restart' : 'none';
}

/** What is not started again once it has ended is not ended for its health either. */
function isToRestart(
  { state, health, pauseCountsInMs, restartDueInMs = 0 }: ObservedContainer,
  { restartsUnhealthy, live: { restartPolicy } }: DesiredContainer,
): boolean {
  // Of one that is paused no check can succeed.
  const isUnhealthy = state === 'running' && pauseCountsInMs === undefined && health === 'unhealthy';
  return restartsUnhealthy && !endsForGood(restartPolicy) && isUnhealthy && restartDueInMs <= 0;
}

/** What brings a container of an earlier spec back, under the restart policy that it has itself. */
export function oldRepair(container: ObservedContainer): Repair {
  return repairOf(container, restartPolicyOf(container));
}

/** What brings a container back that should run under this restart policy. */
export function repairOf({ state, exitCode }: ObservedContainer, policy: RestartPolicy): Repair {
  if (state !== 'exited') return repairs[state];
  if (policy === 'no') return 'none';
  return policy === 'on-failure' && exitCode === 0 ? 'none' : 'start';
}
