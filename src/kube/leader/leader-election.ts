import { onAbort } from '../../async/on-abort.ts';
import { sleep } from '../../async/sleep.ts';
import { untilAborted } from '../../async/until-aborted.ts';
import { createLeaseCandidate } from './lease-candidate.ts';
import type { CandidateOptions, LeaseCandidate } from './lease-candidate.ts';

export interface LeaderElectionOptions extends CandidateOptions {
  /** Between two tries. 2 s. */
  readonly retryPeriodMs: number;
  /**
   * The work of the leader. `signal` aborts when the lease is lost or given back; it is given back only after the
   * promise has settled, so that the next leader never works beside this one.
   */
  readonly onStarted: (signal: AbortSignal) => Promise<void> | void;
  /** Abort it to step down. */
  readonly signal: AbortSignal;
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<unknown>;
  readonly random?: () => number;
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
  const work = startWork(options);
  const outcome = await keepRenewing(candidate, options, { work, acquiredAtMs: askedAtMs });
  if (outcome === 'released') await candidate.release();
  logger.info({ identity, outcome }, 'no longer leading');
  if (work.failure) throw work.failure.error;
  return outcome;
}

interface Term {
  readonly work: Work;
  readonly acquiredAtMs: number;
}

interface Work {
  readonly ended: AbortSignal;
  readonly stop: AbortController;
  failure: { error: unknown } | undefined;
}

function startWork({ onStarted, signal }: LeaderElectionOptions): Work {
  const ended = new AbortController();
  const stop = new AbortController();
  const work: Work = { ended: ended.signal, stop, failure: undefined };
  const stopFollowing = onAbort(signal, () => stop.abort(signal.reason));
  const run = async (): Promise<void> => {
    try {
      await onStarted(stop.signal);
      // Work without a promise lasts until it is told to stop.
      await untilAborted(stop.signal);
    } catch (error) {
      work.failure = { error };
    }
    stopFollowing();
    ended.abort();
  };
  void run();
  return work;
}

async function keepRenewing(
  candidate: LeaseCandidate,
  options: LeaderElectionOptions,
  { work, acquiredAtMs }: Term,
): Promise<'released' | 'lost'> {
  const { renewDeadlineMs, retryPeriodMs, now = () => performance.now(), wait = sleep, logger } = options;
  let renewedAtMs = acquiredAtMs;
  while (!work.ended.aborted) {
    await wait(retryPeriodMs, work.ended);
    if (work.ended.aborted) break;
    const leftMs = renewedAtMs + renewDeadlineMs - now();
    // Not the caller's signal: while the work is winding up, the lease must be kept.
    const sentAtMs = now();
    // Counted from before the request: the others' clocks start when it reaches the server, not when we hear of it.
    if (leftMs > 0 && (await candidate.tryAcquireOrRenew(work.ended, leftMs))) renewedAtMs = sentAtMs;
    else if (work.ended.aborted) break;
    else if (candidate.overtaken() || now() >= renewedAtMs + renewDeadlineMs) {
      logger.error({ holder: candidate.holder() }, 'the lease is lost');
      work.stop.abort(new Error('the lease is lost'));
      return 'lost';
    }
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
