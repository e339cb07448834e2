import type { EngineReads } from '../engine/engine.ts';
import { confinementHint } from '../state/confinement/confinement-hint.ts';
import { wasEnded } from '../state/container-end.ts';
import type { ObservedContainer } from '../state/observed-container.ts';

/** What the output of containers that fail says of why: read once of each, for one that crashes does so over and over. */
export interface LastWords {
  /** The containers with what is known; asks the engine for the output of those that were not known to fail. */
  addTo(containers: readonly ObservedContainer[], signal: AbortSignal): Promise<readonly ObservedContainer[]>;
  /** It is gone. */
  forget(containerId: string): void;
}

export function createLastWords(engine: Pick<EngineReads, 'lastOutput'>): LastWords {
  const hints = new Map<string, string | undefined>();
  const withHint = async (container: ObservedContainer, signal: AbortSignal): Promise<ObservedContainer> => {
    const { id, inspected } = container;
    if (inspected !== undefined && !hints.has(id) && hasFailed(container)) {
      // The rest of the look does not depend on it.
      const output = await engine.lastOutput(id, signal).catch(() => '');
      hints.set(id, confinementHint(output, inspected));
    }
    const hint = hints.get(id);
    return hint === undefined ? container : { ...container, hint };
  };
  return {
    addTo: async (containers, signal) =>
      Promise.all(containers.map(async (container) => withHint(container, signal))),
    forget: (containerId) => void hints.delete(containerId),
  };
}

function hasFailed(container: ObservedContainer): boolean {
  const { exitCode, inspected, state } = container;
  if (wasEnded(container)) return false;
  if (state === 'running') return (inspected?.restartCount ?? 0) > 0;
  return exitCode !== undefined && exitCode !== 0;
}
