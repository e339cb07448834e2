import { backoffMs } from '../../async/backoff.ts';
import type { BackoffOptions } from '../../async/backoff.ts';
import { KubeApiError, isNotServed, messageOf } from '../client/kube-api-error.ts';

/**
 * Why a watch broke: no answer; a server that isn't ready or sheds load; a version it no longer (or, after etcd was
 * restored, not yet) knows; a kind that it does not serve; any other refusal.
 */
export type BreakKind = 'unreachable' | 'starting' | 'expired' | 'unserved' | 'refused';

export interface Recovery {
  readonly kind: BreakKind;
  /** Breaks of this kind in a row, this one included. */
  readonly failures: number;
  readonly waitMs: number;
}

export interface RecoveryTiming {
  /** After a refusal that only a change elsewhere can end: missing rights. */
  readonly errorBackoff: BackoffOptions;
  /** While the kind is not served: that is cheap to answer, and somebody may be waiting for it. */
  readonly unservedBackoff: BackoffOptions;
  /** Where trying costs next to nothing, and coming back fast is worth much. */
  readonly unreachableBackoff: BackoffOptions;
  readonly random: () => number;
}

export interface WatchRecovery {
  broke(error: unknown): Recovery;
  /** A watch was opened that goes on from a state that is known: it is refused no longer, and has yet to prove itself. */
  opened(): void;
  /** A watch works: all is forgotten. */
  works(): void;
  readonly failures: number;
  /** What the apiserver said when it last refused the watch; undefined: it has worked since, or was never refused. */
  readonly refusal: string | undefined;
  /** Whether the kind is served, as far as the last answer that told. */
  readonly isServed: boolean;
}

export function createWatchRecovery(timing: RecoveryTiming): WatchRecovery {
  const { random } = timing;
  let last: BreakKind | undefined;
  let failures = 0;
  let refusal: string | undefined;
  let isServed = true;

  function waitMs(kind: BreakKind, error: unknown): number {
    const own = backoffOf(kind, timing);
    const backoff = backoffMs(failures - 1, own, random);
    if (!(error instanceof KubeApiError)) return backoff;
    // Reading afresh is the cure for a version that is gone; only if that doesn't cure it, it is an illness.
    if (kind === 'expired' && failures === 1) return 0;
    // A starting apiserver answers 503 and asks for 5 s, yet is ready after one: for a single watch that's too polite.
    if (error.status === 503) return backoff;
    return error.retryAfterMs === undefined ? backoff : error.retryAfterMs + random() * own.baseMs;
  }

  return {
    broke(error) {
      const kind = kindOf(error);
      // What comes next in the course of a restart mustn't pay for what was before: refused, 503, 429, 410.
      failures = kind === last ? failures + 1 : 1;
      last = kind;
      if (kind === 'refused' || kind === 'unserved') refusal = messageOf(error);
      if (kind === 'unserved') isServed = false;
      // Whoever starts, or is away, tells nothing of what it serves.
      else if (kind === 'refused' || kind === 'expired') isServed = true;
      return { kind, failures, waitMs: waitMs(kind, error) };
    },
    opened() {
      refusal = undefined;
      isServed = true;
    },
    works() {
      last = undefined;
      failures = 0;
      refusal = undefined;
      isServed = true;
    },
    get failures() {
      return failures;
    },
    get refusal() {
      return refusal;
    },
    get isServed() {
      return isServed;
    },
  };
}

function backoffOf(kind: BreakKind, timing: RecoveryTiming): BackoffOptions {
  if (kind === 'unserved') return timing.unservedBackoff;
  return kind === 'refused' || kind === 'expired' ? timing.errorBackoff : timing.unreachableBackoff;
}

function kindOf(error: unknown): BreakKind {
  if (!(error instanceof KubeApiError)) return 'unreachable';
  const tooLarge = (error.details?.causes ?? []).some(({ reason }) => reason === 'ResourceVersionTooLarge');
  if (error.status === 410 || error.reason === 'Expired' || tooLarge) return 'expired';
  if (error.status === 503 || error.status === 429) return 'starting';
  return isNotServed(error) ? 'unserved' : 'refused';
}
