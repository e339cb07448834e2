import type { Logger } from 'pino';
import { onAbort } from '../../async/on-abort.ts';
import { sleep } from '../../async/sleep.ts';
import { untilAborted } from '../../async/until-aborted.ts';
import { isConflict } from '../client/kube-api-error.ts';
import type { KubeClient } from '../client/kube-client.ts';
import type { KubeObject } from '../client/kube-object.ts';
import { jsonEqual } from '../client/merge-patch.ts';
import { microTime } from '../client/micro-time.ts';
import { resource, type Resource } from '../client/resource.ts';

export interface LeaseSpec {
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  acquireTime?: string;
  renewTime?: string;
  leaseTransitions?: number;
}

interface Lease extends KubeObject {
  spec?: LeaseSpec;
}

export interface LeaderElectionOptions {
  /** Its own, so that no queue of other requests ever stands before a renewal. */
  client: KubeClient;
  namespace: string;
  name: string;
  /** Unique among the candidates: pod name and a random part. */
  identity: string;
  /** Others wait this long after the last renewal they saw. 15 s in client-go. */
  leaseDurationMs: number;
  /** The leader gives up when it couldn't renew for this long; must be shorter than the lease. 10 s. */
  renewDeadlineMs: number;
  /** Between two tries. 2 s. */
  retryPeriodMs: number;
  /**
   * The work of the leader. `signal` aborts when the lease is lost or given back; it is given back only after the
   * promise has settled, so that the next leader never works beside this one.
   */
  onStarted: (signal: AbortSignal) => Promise<void> | void;
  logger: Logger;
  /** Abort it to step down. */
  signal: AbortSignal;
  /** A monotonic clock in milliseconds. */
  now?: () => number;
  wait?: (ms: number, signal: AbortSignal) => Promise<unknown>;
  random?: () => number;
}

/** client-go's: candidates spread over up to 1.2 periods more, so that they don't ask in step. */
const JITTER_FACTOR = 1.2;

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
  const candidate = createCandidate(options);
  let askedAtMs = now();
  while (!(await candidate.tryAcquireOrRenew(signal))) {
    await wait(retryPeriodMs * (1 + random() * JITTER_FACTOR), signal);
    if (signal.aborted) return 'released';
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
  work: Work;
  acquiredAtMs: number;
}

interface Work {
  ended: AbortSignal;
  stop: AbortController;
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
  candidate: Candidate,
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

interface Candidate {
  /** Never rejects. True while this candidate holds the lease. */
  tryAcquireOrRenew(signal: AbortSignal, timeoutMs?: number): Promise<boolean>;
  /** Whether the lease was seen in the hands of another. */
  overtaken(): boolean;
  holder(): string;
  /** Gives the lease back, so that others needn't wait for it to run out. Never rejects. */
  release(): Promise<void>;
}

function createCandidate(options: LeaderElectionOptions): Candidate {
  const {
    client,
    namespace,
    name,
    identity,
    logger,
    renewDeadlineMs,
    now = () => performance.now(),
  } = options;
  const leases: Resource<Lease> = resource(client, {
    group: 'coordination.k8s.io',
    version: 'v1',
    plural: 'leases',
    namespaced: true,
  });
  /** The lease as last seen, and by our own clock when it last changed: others' clocks are never compared. */
  let observed: Lease | undefined;
  let observedAtMs = 0;

  function observe(lease: Lease): void {
    if (!jsonEqual(observed?.spec, lease.spec)) observedAtMs = now();
    observed = lease;
  }

  function holder(): string {
    return observed?.spec?.holderIdentity ?? '';
  }

  function isValid(): boolean {
    const durationMs = (observed?.spec?.leaseDurationSeconds ?? 0) * 1000;
    return observedAtMs + durationMs > now();
  }

  function wantedSpec(): LeaseSpec {
    const time = microTime(new Date());
    const spec = observed?.spec;
    const mine = holder() === identity;
    const transitions = spec?.leaseTransitions ?? 0;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(options.leaseDurationMs / 1000),
      acquireTime: mine ? (spec?.acquireTime ?? time) : time,
      renewTime: time,
      leaseTransitions: mine || !observed ? transitions : transitions + 1,
    };
  }

  async function attempt(call: { signal: AbortSignal; timeoutMs: number }): Promise<boolean> {
    // While we hold it, the version we know is the newest: no read is needed.
    if (observed && holder() === identity && isValid()) {
      try {
        observe(await leases.replace({ ...observed, spec: wantedSpec() }, call));
        return true;
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
    }
    const lease = await leases.get(name, namespace, call);
    if (!lease) {
      observed = undefined;
      observe(await leases.create({ metadata: { name, namespace }, spec: wantedSpec() }, call));
      return true;
    }
    observe(lease);
    if (holder() !== '' && holder() !== identity && isValid()) return false;
    observe(await leases.replace({ ...lease, spec: wantedSpec() }, call));
    return true;
  }

  return {
    holder,
    overtaken: () => holder() !== '' && holder() !== identity,
    async tryAcquireOrRenew(signal, timeoutMs = renewDeadlineMs) {
      try {
        return await attempt({ signal, timeoutMs });
      } catch (error) {
        if (!signal.aborted)
          logger.warn({ error: error instanceof Error ? error.message : String(error) }, 'lease not updated');
        return false;
      }
    },
    async release() {
      if (!observed || holder() !== identity) return;
      const time = microTime(new Date());
      // One second, as client-go: whoever sees an empty holder may take it anyway.
      const spec = {
        ...observed.spec,
        holderIdentity: '',
        leaseDurationSeconds: 1,
        renewTime: time,
        acquireTime: time,
      };
      try {
        await leases.replace({ ...observed, spec }, { timeoutMs: renewDeadlineMs });
      } catch (error) {
        logger.warn(
          { error: error instanceof Error ? error.message : String(error) },
          'lease not given back: it runs out by itself',
        );
      }
    },
  };
}

function checkDurations({ leaseDurationMs, renewDeadlineMs, retryPeriodMs }: LeaderElectionOptions): void {
  if (renewDeadlineMs >= leaseDurationMs)
    throw new RangeError('the lease duration must be longer than the renew deadline');
  if (retryPeriodMs * JITTER_FACTOR >= renewDeadlineMs) {
    throw new RangeError(`the renew deadline must be longer than ${JITTER_FACTOR} retry periods`);
  }
}
