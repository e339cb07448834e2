import type { EngineReads } from '../engine/engine.ts';
import { confinementHint } from '../state/confinement/confinement-hint.ts';
import { wasEnded } from '../state/container-end.ts';
import { endsForGood } from '../state/live-settings.ts';
import type { ObservedContainer } from '../state/observed-container.ts';
import { hasOverrun } from '../state/release/release-time.ts';

/** What the output of containers that fail says of why: read once of each, for one that crashes does so over and over. */
export interface LastWords {
  /** The containers with what is known; asks the engine for the output of those that were not known to fail. */
  addTo(containers: readonly ObservedContainer[], signal: AbortSignal): Promise<readonly ObservedContainer[]>;
  /** It is gone. */
  forget(containerId: string): void;
}

type Words = Pick<ObservedContainer, 'hint' | 'lastOutput'>;

export function createLastWords(engine: Pick<EngineReads, 'lastOutput'>): LastWords {
  const known = new Map<string, Words>();
  const withWords = async (container: ObservedContainer, signal: AbortSignal): Promise<ObservedContainer> => {
    const { id, inspected } = container;
    if (inspected !== undefined && !known.has(id) && hasFailed(container)) {
      // The rest of the look does not depend on it.
      const output = await engine.lastOutput(id, signal).catch(() => '');
      const hint = confinementHint(output, inspected);
      const isJob = endsForGood(inspected.live.restartPolicy);
      known.set(id, {
        ...(hint === undefined ? {} : { hint }),
        ...(isJob ? { lastOutput: output } : {}),
      });
    }
    const words = known.get(id);
    return words === undefined ? container : { ...container, ...words };
  };
  return {
    addTo: async (containers, signal) =>
      Promise.all(containers.map(async (container) => withWords(container, signal))),
    forget: (containerId) => void known.delete(containerId),
  };
}

function hasFailed(container: ObservedContainer): boolean {
  const { exitCode, inspected, state } = container;
  if (hasOverrun(container)) return true;
  if (wasEnded(container)) return false;
  if (state === 'running') return (inspected?.restartCount ?? 0) > 0;
  return exitCode !== undefined && exitCode !== 0;
}
