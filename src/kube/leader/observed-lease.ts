import type { KubeObject } from '../client/kube-object.ts';
import { jsonEqual } from '../client/merge-patch.ts';

export interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

export interface Lease extends KubeObject {
  readonly spec?: LeaseSpec;
}

/** The lease as last seen, and by our own clock when it last changed: others' clocks are never compared. */
export interface ObservedLease {
  observe(lease: Lease): void;
  /** It is not there. */
  forget(): void;
  lease(): Lease | undefined;
  /** Empty where nobody holds it. */
  holder(): string;
  /** Whether it has not run out since it last changed. */
  isValid(): boolean;
}

export function observeLease(now: () => number): ObservedLease {
  let observed: Lease | undefined;
  let observedAtMs = 0;
  return {
    observe(lease) {
      if (!jsonEqual(observed?.spec, lease.spec)) observedAtMs = now();
      observed = lease;
    },
    forget() {
      observed = undefined;
    },
    lease: () => observed,
    holder: () => observed?.spec?.holderIdentity ?? '',
    isValid() {
      const durationMs = (observed?.spec?.leaseDurationSeconds ?? 0) * 1000;
      return observedAtMs + durationMs > now();
    },
  };
}
