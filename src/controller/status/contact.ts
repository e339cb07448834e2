import { withDeadline } from '../../async/deadline.ts';
import { ComputeError } from '../../compute/errors.ts';
import type { ErrorCode } from '../../compute/errors.ts';
import type { Outcome, Pass } from '../pass.ts';
import { isReady } from './ready.ts';

/** An engine that can't be reached, refuses a look or has no time for one says nothing about what runs. */
const silentCodes: readonly ErrorCode[] = ['ProviderUnavailable', 'AccessDenied', 'Throttled'];
/** How long what was last seen counts meanwhile: a restart of the engine is no outage. */
export const graceMs = 60_000;

export function isLostContact(error: unknown): boolean {
  return error instanceof ComputeError && silentCodes.includes(error.code);
}

export function isLostContactReason(reason: string | undefined): boolean {
  return silentCodes.some((code) => code === reason);
}

/** What a pass may say of what runs where its look has failed. */
export interface Contact {
  /** As far as it is known by now. */
  readonly outcome: Outcome;
  /** How long the last look still counts; undefined: there was one just now; 0: it is too old. */
  readonly countsForMs: number | undefined;
  /** Whether there is nothing to say yet: it was Ready a moment ago, and nothing else has been heard. */
  readonly quiet: boolean;
}

export function contactOf(pass: Pass, outcome: Outcome): Contact {
  const { deps, memory, tenant } = pass;
  const { verdict } = outcome;
  const error = verdict.kind === 'failed' ? verdict.error : undefined;
  const unseen = isLostContact(error) && (error === pass.failedLook || error?.code === 'ProviderUnavailable');
  if (!unseen && pass.failedLook === undefined) {
    memory.unseenSince = undefined;
    memory.unseenFor = undefined;
    return { outcome, countsForMs: undefined, quiet: false };
  }
  const nowMs = deps.now().getTime();
  const why = pass.failedLook ?? error;
  memory.unseenFor = why instanceof ComputeError ? why : undefined;
  memory.unseenSince = Math.min(memory.unseenSince ?? nowMs, nowMs - silenceBefore(why));
  const countsForMs = Math.max(0, memory.unseenSince + graceMs - nowMs);
  return {
    outcome:
      unseen && error !== undefined ? { ...outcome, verdict: { kind: 'failed', error, unseen } } : outcome,
    countsForMs,
    quiet: unseen && countsForMs > 0 && isReady(tenant),
  };
}

/** How long before this failure the engine answered last, in milliseconds: 0 where nobody knows. */
function silenceBefore(error: unknown): number {
  const { silentForMs = 0 } = error instanceof ComputeError ? error : {};
  return Number.isFinite(silentForMs) ? silentForMs : 0;
}

/** What an engine that does well answers in. */
const leastWaitMs = 5_000;

/**
 * `look`, which waits no longer than what was seen before counts, where the last one failed: its own deadline may be far
 * beyond that, and until it ends nobody says that nothing is known. Rejects with what the last look failed with then.
 */
export function lookWhileItCounts<T>(
  { deps, memory, tenant }: Pass,
  caller: AbortSignal,
  look: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { unseenSince, unseenFor } = memory;
  if (unseenSince === undefined || unseenFor === undefined || !isReady(tenant)) return look(caller);
  const timeoutMs = Math.max(leastWaitMs, unseenSince + graceMs - deps.now().getTime());
  return withDeadline({ timeoutMs, caller, late: () => unseenFor }, look);
}
