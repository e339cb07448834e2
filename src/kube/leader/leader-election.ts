import { onAbort } from '../../async/on-abort.ts';
import { sleep } from '../../async/sleep.ts';
import { untilAborted } from '../../async/until-aborted.ts';
import { createLeaseCandidate } from './lease-candidate.ts';
import type { CandidateOptions, LeaseCandidate } from './lease-candidate.ts';

export interface LeaderElectionOptions extends CandidateOptions {
  /** Between two tries. 2 s. */
  readonly retryPeriodMs: number;
  /**
   * The work of the leader. `signal` aborts when the lease is lost or is to be given back; it is given back only after
   * the promise has settled, so that the next leader never works beside this one.
   */
  readonly onStarted: (signal: AbortSignal, tenure: Tenure) => Promise<void> | void;
  /** How long the work may take to end; a lease is not renewed for what hangs. */
  readonly windUpMs: number;
  /** Abort it to step down. */
  readonly signal: AbortSignal;
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<unknown>;
  readonly random?: () => number;
}

/** As the work of the leader sees it. */
export interface Tenure {
  /** Aborts when the lease is lost, also while the work winds up: another may lead, so that nothing may go on. */
  readonly lost: AbortSignal;
  /**
   * Whether the lease is held for certain. To be asked before each write: a process that was frozen learns of its loss
   * by this, and not only when it comes to its timers.
   */
  isHeld(): boolean;
}

/** client-go's: candidates spread over up to 1.2 periods more, so that they don't ask in step. */
const jitterFactor = 1.2;

/**
 * Waits until it leads, leads, and resolves with `released` after `signal` aborted, or with `lost`: then another
 * may lead, and the process must end. Rejects where `onStarted` does, after giving the lease back, and at once
 * where the durations contradict each other.
 */
export async function runLeaderElection(options: LeaderElectionOptions): Promise<'released' | 'lost'> {
  checkDurations(options);
  const {
    logger,
    signal,
    identity,
    retryPeriodMs,
    now = () => performance.now(),
    wait = sleep,
    random = Math.random,
  } = options;
  const candidate = createLeaseCandidate(options);
  let askedAtMs = now();
  while (!(await candidate.tryAcquireOrRenew(signal))) {
    await wait(retryPeriodMs * (1 + random() * jitterFactor), signal);
    if (signal.aborted) break;
    askedAtMs = now();
  }
  if (signal.aborted) {
    await candidate.release();
    return 'released';
  }
  logger.info({ identity }, 'leading');
  const term = startTerm(options, askedAtMs);
  const outcome = await keepRenewing(candidate, options, term);
  if (outcome === 'released') await candidate.release();
  logger.info({ identity, outcome }, 'no longer leading');
  if (term.failure) throw term.failure.error;
  return outcome;
}

interface Term {
  /** The work has settled. */
  readonly ended: AbortSignal;
  readonly lost: AbortController;
  readonly stop: AbortController;
  renewedAtMs: number;
  /** When the work was told to stop. */
  stoppedAtMs: number | undefined;
  failure: { error: unknown } | undefined;
}

function startTerm(options: LeaderElectionOptions, renewedAtMs: number): Term {
  const { onStarted, signal, renewDeadlineMs, now = () => performance.now() } = options;
  const ended = new AbortController();
  const [stop, lost] = [new AbortController(), new AbortController()];
  const term: Term = {
    ended: ended.signal,
    lost,
    stop,
    renewedAtMs,
    stoppedAtMs: undefined,
    failure: undefined,
  };
  const stopFollowing = onAbort(signal, () => {
    term.stoppedAtMs = now();
    stop.abort(signal.reason);
  });
  const tenure: Tenure = {
    lost: lost.signal,
    isHeld() {
      if (ended.signal.aborted || lost.signal.aborted) return false;
      if (now() < term.renewedAtMs + renewDeadlineMs) return true;
      lose(term, options, notRenewed(options));
      return false;
    },
  };
  const run = async (): Promise<void> => {
    try {
      await onStarted(stop.signal, tenure);
      // Work without a promise lasts until it is told to stop.
      await untilAborted(stop.signal);
    } catch (error) {
      term.failure = { error };
    }
    stopFollowing();
    ended.abort();
  };
  void run();
  return term;
}

function lose(term: Term, { logger }: LeaderElectionOptions, why: string, fields: object = {}): 'lost' {
  if (term.lost.signal.aborted) return 'lost';
  logger.error(fields, `the lease is lost: ${why}`);
  const reason = new Error('the lease is lost');
  term.lost.abort(reason);
  term.stop.abort(reason);
  return 'lost';
}

function notRenewed({ renewDeadlineMs }: LeaderElectionOptions): string {
  return `it could not be renewed for ${renewDeadlineMs / 1000} s`;
}

async function keepRenewing(
  candidate: LeaseCandidate,
  options: LeaderElectionOptions,
  term: Term,
): Promise<'released' | 'lost'> {
  const { renewDeadlineMs, retryPeriodMs, windUpMs, now = () => performance.now(), wait = sleep } = options;
  const { ended } = term;
  const over = AbortSignal.any([ended, term.lost.signal]);
  while (!ended.aborted) {
    await wait(retryPeriodMs, over);
    if (term.lost.signal.aborted) return 'lost';
    if (ended.aborted) break;
    if (term.stoppedAtMs !== undefined && now() - term.stoppedAtMs >= windUpMs)
      return lose(term, options, `its work has not ended within ${windUpMs / 1000} s, and is given up`);
    const leftMs = term.renewedAtMs + renewDeadlineMs - now();
    // Not the caller's signal: while the work is winding up, the lease must be kept.
    const sentAtMs = now();
    // Counted from before the request: the others' clocks start when it reaches the server, not when we hear of it.
    if (leftMs > 0 && (await candidate.tryAcquireOrRenew(ended, leftMs))) term.renewedAtMs = sentAtMs;
    else if (ended.aborted) break;
    else if (candidate.overtaken())
      return lose(term, options, 'another replica leads', { holder: candidate.holder() });
    else if (now() >= term.renewedAtMs + renewDeadlineMs)
      return lose(term, options, notRenewed(options), {
        error: candidate.lastError(),
        holder: candidate.holder(),
      });
  }
  return 'released';
}

function checkDurations({ leaseDurationMs, renewDeadlineMs, retryPeriodMs }: LeaderElectionOptions): void {
  if (renewDeadlineMs >= leaseDurationMs)
    throw new RangeError('the lease duration must be longer than the renew deadline');
  if (retryPeriodMs * jitterFactor >= renewDeadlineMs) {
    throw new RangeError(`the renew deadline must be longer than ${jitterFactor} retry periods`);
  }
}
