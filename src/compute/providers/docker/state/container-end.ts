import { endsForGood } from './live-settings.ts';
import type { RestartPolicy } from './live-settings.ts';
import { youngMs } from './observed-container.ts';
import type { Inspected, ObservedContainer } from './observed-container.ts';
import { hasOverrun } from './release/release-time.ts';

/** How a container ended, and whether that was its own doing. Pure. */

/** From this many recent restarts on, it is not one mishap any more: it does not run. */
export const crashLoopRestarts = 3;

/** The policy that it has itself, whatever the spec says now. */
export function restartPolicyOf({ inspected, made }: ObservedContainer): RestartPolicy {
  const labelled = made.live?.split('/')[2] as RestartPolicy | undefined;
  return inspected?.live.restartPolicy ?? labelled ?? 'unless-stopped';
}

/** A job that did what it was to do: nothing starts it again, and nothing is wrong. */
export function isCompleted(container: ObservedContainer): boolean {
  const { state, exitCode, inspected } = container;
  if (state !== 'exited' || (exitCode ?? inspected?.exitCode) !== 0 || hasOverrun(container)) return false;
  return endsForGood(restartPolicyOf(container));
}

/** 128 + SIGTERM and SIGKILL, and what the engine says of one that it has lost. */
const outsideCodes: ReadonlySet<number | undefined> = new Set([137, 143, 255]);

/** Whether its last exit looks like somebody else's doing: a signal, the host's want of memory, the engine's end. */
export function wasEnded(container: ObservedContainer): boolean {
  const { inspected, exitCode, killed } = container;
  if (killed === true) return true;
  // Without a limit of its own, it is the host that ran out of memory.
  if (inspected?.oomKilled === true) return inspected.live.memoryBytes === 0;
  return outsideCodes.has(exitCode ?? inspected?.exitCode);
}

/**
 * Whether what stands still does so by its own doing. Where the engine restarts what exits, it is not: the engine
 * leaves nothing standing but what was stopped through it, or what it had no time to restart. What was started before the engine
 * itself went down with it.
 */
export function endedByItself(container: ObservedContainer, engineStartedMs: number): boolean {
  const { inspected } = container;
  if (hasOverrun(container)) return true;
  if (inspected !== undefined && inspected.startedMs <= engineStartedMs) return false;
  if ((inspected?.error ?? '') !== '' || wasEnded(container)) return false;
  return restartPolicyOf(container) === 'no' || isCompleted(container);
}

/**
 * Restarts count while they come more often than every 5 minutes. The engine dates none of them, so those count that
 * were heard, and those that can be told: all of them where they come so often on the average of the container's
 * life; after a long good run, as many as the engine's delay before the last one shows, which doubles with each.
 * A start by hand, or by us, sets the engine's count to 0: what was heard before still counts.
 */
export function recentRestarts(container: ObservedContainer): number {
  const { inspected, exitsMs = [], crashesMs = [] } = container;
  if (inspected === undefined) return 0;
  const { restartCount, createdMs, startedMs } = inspected;
  const lastMs = Math.max(startedMs, inspected.finishedMs);
  const recent = (exitMs: number): boolean => lastMs - exitMs < youngMs;
  const crashes = crashesMs.filter((exitMs) => recent(exitMs) && exitMs <= startedMs).length;
  if (restartCount === 0) return crashes;
  if ((lastMs - createdMs) / restartCount < youngMs) return Math.max(restartCount, crashes);
  const counted = Math.min(restartCount, Math.max(exitsMs.filter(recent).length, restartsInARow(inspected)));
  return Math.max(counted, crashes);
}

/** The engine's delay before the fifth restart in a row; starting takes the better part of the ones before. */
const tellingDelayMs = 1_600;

function restartsInARow({ startedMs, finishedMs }: Inspected): number {
  const delayMs = startedMs - finishedMs;
  return delayMs < tellingDelayMs ? 1 : crashLoopRestarts + Math.floor(Math.log2(delayMs / tellingDelayMs));
}
