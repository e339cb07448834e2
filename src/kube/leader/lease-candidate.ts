import type { Logger } from 'pino';
import { withDeadline } from '../../async/deadline.ts';
import { isConflict, KubeApiError, messageOf } from '../client/kube-api-error.ts';
import type { KubeClient } from '../client/kube-client.ts';
import { microTime } from '../client/micro-time.ts';
import { resource } from '../client/resource.ts';
import type { CallOptions, Resource } from '../client/resource.ts';
import { observeLease } from './observed-lease.ts';
import type { Lease, LeaseSpec } from './observed-lease.ts';

export interface CandidateOptions {
  /** Its own, so that no queue of other requests ever stands before a renewal. */
  readonly client: KubeClient;
  readonly namespace: string;
  readonly name: string;
  /** Unique among the candidates: pod name and a random part. */
  readonly identity: string;
  /** Others wait this long after the last renewal they saw. 15 s in client-go. */
  readonly leaseDurationMs: number;
  /** The leader gives up when it couldn't renew for this long; must be shorter than the lease. 10 s. */
  readonly renewDeadlineMs: number;
  readonly logger: Logger;
  /** A monotonic clock in milliseconds. */
  readonly now?: () => number;
}

/** One that wants the lease. */
export interface LeaseCandidate {
  /** Never rejects. True while this candidate holds the lease. */
  tryAcquireOrRenew(signal: AbortSignal, timeoutMs?: number): Promise<boolean>;
  /** Whether the lease was seen in the hands of another. */
  overtaken(): boolean;
  holder(): string;
  /** What the last try failed by. */
  lastError(): string | undefined;
  /** Gives the lease back, so that others needn't wait for it to run out. Never rejects. */
  release(): Promise<void>;
}

const leasesResource = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', namespaced: true };

export function createLeaseCandidate(options: CandidateOptions): LeaseCandidate {
  const { namespace, name, identity, logger, renewDeadlineMs } = options;
  const leases: Resource<Lease> = resource(options.client, leasesResource);
  const seen = observeLease(options.now ?? (() => performance.now()));
  const writes = answeredWrites((lease) => seen.observe(lease));
  let lastError: string | undefined;
  const wantedSpec = (): LeaseSpec => claim(seen.lease(), options);

  async function attempt(call: CallOptions): Promise<boolean> {
    const known = seen.lease();
    // While we hold it, the version we know is the newest: no read is needed.
    if (known && seen.holder() === identity && seen.isValid()) {
      try {
        await writes.send(leases.replace({ ...known, spec: wantedSpec() }, call));
        return true;
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
    }
    const lease = await leases.get(name, namespace, call);
    if (!lease) {
      seen.forget();
      await writes.send(leases.create({ metadata: { name, namespace }, spec: wantedSpec() }, call));
      return true;
    }
    seen.observe(lease);
    if (seen.holder() !== '' && seen.holder() !== identity && seen.isValid()) return false;
    await writes.send(leases.replace({ ...lease, spec: wantedSpec() }, call));
    return true;
  }

  return {
    holder: () => seen.holder(),
    lastError: () => lastError,
    overtaken: () => seen.holder() !== '' && seen.holder() !== identity,
    async tryAcquireOrRenew(signal, timeoutMs = renewDeadlineMs) {
      try {
        // Of all its requests together: one that hangs must not keep the others waiting for the lease.
        return await withDeadline({ timeoutMs, caller: signal }, (within) =>
          attempt({ signal: within, timeoutMs }),
        );
      } catch (error) {
        lastError = messageOf(error);
        if (!signal.aborted) logger.warn({ error: lastError }, 'lease not updated');
        return false;
      }
    },
    async release() {
      const call = { timeoutMs: renewDeadlineMs };
      try {
        // A renewal that was under way as we were stopped has made the version that we know an old one.
        const held = writes.unanswered() ? await leases.get(name, namespace, call) : seen.lease();
        if (held?.spec?.holderIdentity !== identity) return;
        await leases.replace({ ...held, spec: givenBack(held.spec) }, call);
      } catch (error) {
        logger.warn({ error: messageOf(error) }, 'lease not given back: it runs out by itself');
      }
    },
  };
}

/** Writes of the lease whose answers are taken in, and whether the last one's never came: it may have been carried out. */
function answeredWrites(onAnswer: (lease: Lease) => void) {
  let unanswered = false;
  return {
    unanswered: () => unanswered,
    async send(answer: Promise<Lease>): Promise<void> {
      unanswered = true;
      try {
        onAnswer(await answer);
        unanswered = false;
      } catch (error) {
        unanswered = !(error instanceof KubeApiError);
        throw error;
      }
    },
  };
}

/** The spec by which `identity` takes the lease, or holds it for longer. */
function claim(
  seen: Lease | undefined,
  { identity, leaseDurationMs }: Pick<CandidateOptions, 'identity' | 'leaseDurationMs'>,
): LeaseSpec {
  const time = microTime(new Date());
  const spec = seen?.spec;
  const mine = spec?.holderIdentity === identity;
  const transitions = spec?.leaseTransitions ?? 0;
  return {
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(leaseDurationMs / 1000),
    acquireTime: mine ? (spec.acquireTime ?? time) : time,
    renewTime: time,
    leaseTransitions: mine || !seen ? transitions : transitions + 1,
  };
}

/** One second, as client-go: whoever sees an empty holder may take it anyway. */
function givenBack(spec: LeaseSpec | undefined): LeaseSpec {
  const time = microTime(new Date());
  return { ...spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: time, acquireTime: time };
}
