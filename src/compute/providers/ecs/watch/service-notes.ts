import { serviceKey } from '../address/service-target.ts';
import type { ServiceTarget } from '../address/service-target.ts';
import type { ShownScaling } from '../state/scaling/scaling.ts';
import type { Past } from '../state/evidence.ts';

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
  /** `isShort`: whether fewer tasks than are asked for run now. */
  readonly past: (target: ServiceTarget, isShort: boolean) => Past;
  /** What Application Auto Scaling knew of it last; undefined: it was not asked since something was done. */
  readonly scaling: (target: ServiceTarget) => ShownScaling | undefined;
  readonly storeScaling: (target: ServiceTarget, scaling: ShownScaling | undefined) => void;
  readonly forgetNotes: (target: ServiceTarget) => void;
}

/** Long enough for what ECS calls eventual consistency: a second or two as a rule. In milliseconds. */
const appearMs = 60_000;

export function createServiceNotes(now: () => number): ServiceNotes {
  const creates = createNotes(now);
  const failures = createNotes(now);
  const shortSince = new Map<string, number>();
  const proven = new Map<string, string>();
  const risen = new Set<string>();
  const scalings = new Map<string, ShownScaling>();
  return {
    noteCreate: (target) => creates.note(serviceKey(target)),
    mayAppear: (target) => creates.within(serviceKey(target), appearMs),
    appeared: (target) => creates.drop(serviceKey(target)),
    noteFailure: (target) => failures.note(serviceKey(target)),
    failedWithin: (target, ms) => failures.within(serviceKey(target), ms),
    noteProven(target, specHash) {
      const key = serviceKey(target);
      if (specHash === undefined) proven.delete(key);
      else proven.set(key, specHash);
      if (specHash !== undefined) risen.delete(key);
    },
    past(target, isShort) {
      const key = serviceKey(target);
      if (isShort) risen.add(key);
      const since = isShort ? (shortSince.get(key) ?? now()) : undefined;
      if (since === undefined) shortSince.delete(key);
      else shortSince.set(key, since);
      const shortForMs = since === undefined ? 0 : now() - since;
      return { proven: proven.get(key), shortForMs, isRisen: risen.has(key) };
    },
    scaling: (target) => scalings.get(serviceKey(target)),
    storeScaling(target, scaling) {
      if (scaling === undefined) scalings.delete(serviceKey(target));
      else scalings.set(serviceKey(target), scaling);
    },
    forgetNotes(target) {
      const key = serviceKey(target);
      scalings.delete(key);
      failures.drop(key);
      shortSince.delete(key);
      proven.delete(key);
      risen.delete(key);
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
