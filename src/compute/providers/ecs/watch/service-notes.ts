import { serviceKey } from '../address/service-target.ts';
import type { ServiceTarget } from '../address/service-target.ts';

/** What this process knows of a service beside what it has seen. Forgetting it costs no more than some patience. */
export interface ServiceNotes {
  readonly noteCreate: (target: ServiceTarget) => void;
  /** Whether it was asked for so lately that ECS may not show it yet. */
  readonly mayAppear: (target: ServiceTarget) => boolean;
  /** It was seen. */
  readonly appeared: (target: ServiceTarget) => void;
  readonly noteFailure: (target: ServiceTarget) => void;
  readonly failedWithin: (target: ServiceTarget, ms: number) => boolean;
  /** Spec hash of what was seen to run as it should; undefined: something else is to run, or does. */
  readonly noteProven: (target: ServiceTarget, specHash: string | undefined) => void;
  readonly proven: (target: ServiceTarget) => string | undefined;
  /** For how long fewer tasks than asked for were seen to run, in milliseconds. */
  readonly shortForMs: (target: ServiceTarget, isShort: boolean) => number;
  readonly forgetNotes: (target: ServiceTarget) => void;
}

/** Long enough for what ECS calls eventual consistency: a second or two as a rule. In milliseconds. */
const appearMs = 60_000;

export function createServiceNotes(now: () => number): ServiceNotes {
  const creates = createNotes(now);
  const failures = createNotes(now);
  const shortSince = new Map<string, number>();
  const proven = new Map<string, string>();
  return {
    noteCreate: (target) => creates.note(serviceKey(target)),
    mayAppear: (target) => creates.within(serviceKey(target), appearMs),
    appeared: (target) => creates.drop(serviceKey(target)),
    noteFailure: (target) => failures.note(serviceKey(target)),
    failedWithin: (target, ms) => failures.within(serviceKey(target), ms),
    noteProven(target, specHash) {
      if (specHash === undefined) proven.delete(serviceKey(target));
      else proven.set(serviceKey(target), specHash);
    },
    proven: (target) => proven.get(serviceKey(target)),
    shortForMs(target, isShort) {
      const key = serviceKey(target);
      const since = isShort ? (shortSince.get(key) ?? now()) : undefined;
      if (since === undefined) shortSince.delete(key);
      else shortSince.set(key, since);
      return since === undefined ? 0 : now() - since;
    },
    forgetNotes(target) {
      const key = serviceKey(target);
      failures.drop(key);
      shortSince.delete(key);
      proven.delete(key);
    },
  };
}

interface Notes {
  note(key: string): void;
  /** Whether it was noted less than `ms` milliseconds ago. */
  within(key: string, ms: number): boolean;
  drop(key: string): void;
}

function createNotes(now: () => number): Notes {
  const noted = new Map<string, number>();
  return {
    note: (key) => void noted.set(key, now()),
    within: (key, ms) => now() - (noted.get(key) ?? -Infinity) < ms,
    drop: (key) => void noted.delete(key),
  };
}
