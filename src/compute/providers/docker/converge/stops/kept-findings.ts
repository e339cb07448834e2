import type { DesiredTenant } from '../../state/desired-tenant.ts';
import type { ObservedContainer } from '../../state/observed-container.ts';
import type { Fault } from '../../state/plan/step.ts';

/** What one call has found out, and would do again without end if it forgot it. */
export interface Findings {
  /** Why containers don't do: by id, and by name those that can't be made. */
  readonly failed: Map<string, Fault>;
  /** Names of containers that were removed because they could not be started. */
  readonly remade: Set<string>;
  /** Whether what serves was stopped for the sake of a successor. */
  hasStopped: boolean;
  /** The live settings that were given to containers, by their ids; see `describeLive`. */
  readonly given: Map<string, string>;
  /** Containers that were seen, by their serving names: one that had to be removed leaves its volumes. */
  readonly lastSeen: Map<string, ObservedContainer>;
  /** Ids of the images that the tenant's containers were seen to be made of. */
  readonly seenImages: Set<string>;
  /** What was made since the last look, by its id: of what has not run, nobody needs to ask. */
  readonly made: Map<string, ObservedContainer>;
}

/** What a call is for: equal ones go on from each other. */
interface Aim {
  readonly desired: Pick<DesiredTenant, 'tenantId' | 'specHash'>;
  readonly hold: boolean;
}

/**
 * What a call has found out, over the time that a stop takes which it does not wait for: the call that goes on from there would
 * start anew what could not be started, and take for a fault what was stopped for its sake. Lost with the process, which costs one
 * try.
 */
export interface KeptFindings {
  /** What the last call for the same found out, where that was cut short; else nothing yet. */
  resume(aim: Aim): Findings;
  /** `lookAgainAfterMs`: when somebody goes on at the latest. What nobody has asked for a minute after that is out of date. */
  keep(aim: Aim, findings: Findings, lookAgainAfterMs: number): void;
  forget(tenantId: string): void;
}

const queuedMs = 60_000;

interface Kept {
  readonly specHash: string;
  readonly hold: boolean;
  readonly findings: Findings;
  readonly untilMs: number;
}

export function createKeptFindings(now: () => number = () => performance.now()): KeptFindings {
  const kept = new Map<string, Kept>();
  return {
    resume({ desired: { tenantId, specHash }, hold }) {
      const last = kept.get(tenantId);
      if (last === undefined || last.hold !== hold) return nothingFound();
      kept.delete(tenantId);
      if (last.specHash !== specHash || last.untilMs < now()) return nothingFound();
      // What was given may have been changed by somebody else meanwhile.
      return { ...last.findings, given: new Map(), made: new Map() };
    },
    keep({ desired: { tenantId, specHash }, hold }, findings, lookAgainAfterMs) {
      kept.set(tenantId, { specHash, hold, findings, untilMs: now() + lookAgainAfterMs + queuedMs });
    },
    forget: (tenantId) => void kept.delete(tenantId),
  };
}

function nothingFound(): Findings {
  return {
    failed: new Map(),
    remade: new Set(),
    hasStopped: false,
    given: new Map(),
    lastSeen: new Map(),
    seenImages: new Set(),
    made: new Map(),
  };
}
