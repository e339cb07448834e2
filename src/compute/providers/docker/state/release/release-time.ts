import type { ObservedContainer } from '../observed-container.ts';
import { readRelease } from './release-mark.ts';

/** For how long a release runs, by the engine's clock. Pure. */

/** How long one that runs may go on, in milliseconds; 0: it has had its time. Of others, Infinity. */
export function releaseLeftMs(container: ObservedContainer, { nowMs }: { readonly nowMs: number }): number {
  const { startedMs, allowedMs } = timesOf(container);
  return Math.max(0, startedMs + allowedMs - nowMs);
}

/** An event tells of its end; this is for one that is lost, in milliseconds. */
const lostEventMs = 30_000;

/** When one that runs is to be looked at again, in milliseconds. */
export function lookAtReleaseAfterMs(
  container: ObservedContainer,
  clock: { readonly nowMs: number },
): number {
  return Math.min(lostEventMs, releaseLeftMs(container, clock));
}

/** Whether one that has ended took longer than it may: whoever ended it, and whatever it said at its end. */
export function hasOverrun(container: ObservedContainer): boolean {
  const { startedMs, allowedMs } = timesOf(container);
  return container.state === 'exited' && (container.inspected?.finishedMs ?? 0) - startedMs >= allowedMs;
}

/** `did not end within 600 s`. Undefined: it did, or is no release. */
export function overrunWords(container: ObservedContainer): string | undefined {
  if (!hasOverrun(container)) return undefined;
  return `did not end within ${readRelease(container)?.timeoutSeconds} s`;
}

function timesOf(container: ObservedContainer): { readonly startedMs: number; readonly allowedMs: number } {
  const release = readRelease(container);
  const { startedMs = 0 } = container.inspected ?? {};
  const allowedMs = release === undefined || startedMs === 0 ? Infinity : release.timeoutSeconds * 1_000;
  return { startedMs, allowedMs };
}
