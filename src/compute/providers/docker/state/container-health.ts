import type { ComputeHealth, ComputeState } from '../../../../api/status.ts';
import { crashLoopRestarts, isCompleted, recentRestarts } from './container-end.ts';
import { youngMs } from './observed-container.ts';
import type { ContainerState, ObservedContainer } from './observed-container.ts';
import { overrunWords } from './release/release-time.ts';

/** How well a container does, and for how long it must have run to be believed. Pure. */

export interface Clock {
  /** The engine's time, in milliseconds since the epoch. */
  readonly nowMs: number;
  /** How long a container without health check must run without exiting to count as healthy, in milliseconds. */
  readonly settleMs: number;
}

export interface ContainerHealth {
  readonly state: ComputeState;
  readonly health: ComputeHealth;
  readonly message?: string;
  readonly lookAgainAfterMs?: number;
}

/** A health check reports by an event; this is for when the event is lost. */
const healthLookAgainMs = 5_000;

/** An inspect is due at once; this is what the next look may cost. */
const uninspectedLookAgainMs = 1_000;

export function containerHealth(container: ObservedContainer, clock: Clock): ContainerHealth {
  return healthByState[container.state](container, clock);
}

/** A job that is done. Its end is remembered by this word. */
export const completed: ContainerHealth = { state: 'stopped', health: 'healthy', message: 'completed' };

type HealthOf = (container: ObservedContainer, clock: Clock) => ContainerHealth;

const healthByState: Readonly<Record<ContainerState, HealthOf>> = {
  running: (container, clock) => healthOfRunning(container, clock),
  restarting: (container, { settleMs }) => ({ ...crashing(container), lookAgainAfterMs: settleMs }),
  created: ({ inspected }) =>
    (inspected?.error ?? '') === ''
      ? { state: 'starting', health: 'unknown' }
      : { state: 'failed', health: 'unhealthy', message: 'could not be started' },
  paused: () => ({ state: 'stopped', health: 'unhealthy', message: 'is paused' }),
  // An event tells when it is gone.
  removing: () => ({ state: 'stopping', health: 'unknown' }),
  dead: () => ({ state: 'failed', health: 'unhealthy', message: 'is dead' }),
  exited: (container) =>
    isCompleted(container)
      ? completed
      : {
          state: container.exitCode === 0 ? 'stopped' : 'failed',
          health: 'unhealthy',
          message: endWords(container),
        },
};

function healthOfRunning(container: ObservedContainer, clock: Clock): ContainerHealth {
  const { health, inspected, young } = container;
  const waitMs = inspected === undefined ? uninspectedLookAgainMs : unsettledMs(container, clock);
  const unsettled = waitMs > 0 && (young || inspected !== undefined);
  const restarts = unsettled ? recentRestarts(container) : 0;
  // A check that passes for a moment between two crashes says little.
  if (health === 'healthy' && restarts < crashLoopRestarts) return { state: 'running', health: 'healthy' };
  if (health === 'unhealthy') {
    const again = container.restartDueInMs === undefined ? '' : ', also after a restart';
    return { state: 'running', health: 'unhealthy', message: `fails its health check${again}` };
  }
  if (restarts > 0) return { ...crashing(container), lookAgainAfterMs: waitMs };
  if (health === 'starting') {
    return { state: 'starting', health: 'unknown', lookAgainAfterMs: healthLookAgainMs };
  }
  if (unsettled) return { state: 'starting', health: 'unknown', lookAgainAfterMs: waitMs };
  return { state: 'running', health: 'healthy' };
}

/** One wording for the moments between two restarts and the ones in which it runs, so that nothing flaps. */
function crashing(container: ObservedContainer): ContainerHealth {
  const restarts = container.inspected === undefined ? 1 : recentRestarts(container);
  const failed = restarts >= crashLoopRestarts;
  const code = container.exitCode === undefined ? '' : ` with code ${container.exitCode}`;
  const hint = inWords(container.hint);
  // The engine counts anew from each start that is not its own.
  const isByEngine = container.state === 'restarting' || container.inspected?.restartCount !== 0;
  return {
    state: failed ? 'failed' : 'starting',
    health: 'unhealthy',
    message: failed
      ? `keeps exiting${code}${hint}${isByEngine ? '; the engine restarts it' : ''}${outputWords(container)}`
      : `exited${code}${hint} and was ${isByEngine ? 'restarted by the engine' : 'started again'}`,
  };
}

/** By the shells' convention, which the engine's init keeps. */
const knownCodes: Readonly<Record<number, string>> = {
  126: ': its command can not be executed',
  127: ': the image has no such command',
};

/** `exited with code 137, killed because it ran out of memory`. */
export function describeExit({ exitCode, inspected, hint }: ObservedContainer): string {
  const code = exitCode ?? inspected?.exitCode;
  const memory = inspected?.oomKilled === true ? ', killed because it ran out of memory' : '';
  return `exited${code === undefined ? '' : ` with code ${code}${knownCodes[code] ?? ''}`}${memory}${inWords(hint)}`;
}

/** `exited with code 1: its last lines`. */
export function endWords(container: ObservedContainer): string {
  return `${overrunWords(container) ?? describeExit(container)}${outputWords(container)}`;
}

/** `: its last lines`, of a job that failed. */
export function outputWords({ lastOutput = '' }: ObservedContainer): string {
  return lastOutput === '' ? '' : `: ${lastOutput}`;
}

function inWords(hint: string | undefined): string {
  return hint === undefined ? '' : ` (by its output, ${hint})`;
}

/** How long it still must run without exiting, in milliseconds; 0: it is settled. */
export function unsettledMs(container: ObservedContainer, { nowMs, settleMs }: Clock): number {
  const { inspected } = container;
  if (inspected === undefined) return settleMs;
  const needed = Math.min(youngMs, settleMs * 2 ** recentRestarts(container));
  return Math.max(0, Math.ceil(needed - Math.max(0, nowMs - inspected.startedMs)));
}
