import type { ObservedContainer } from '../state/observed-container.ts';

/** The codes of containers' last exits, which the engine forgets when it restarts them. */
export interface ExitCodes {
  /** Undefined: the container is gone. */
  note(containerId: string, exitCode: number | undefined): void;
  /** The container with the code of its last exit, where the engine does not tell it itself. */
  addTo(container: ObservedContainer): ObservedContainer;
}

export function createExitCodes(): ExitCodes {
  const codes = new Map<string, number>();
  return {
    note(containerId, exitCode) {
      if (exitCode === undefined) codes.delete(containerId);
      else codes.set(containerId, exitCode);
    },
    addTo(container) {
      const exitCode = codes.get(container.id);
      return container.exitCode === undefined && exitCode !== undefined
        ? { ...container, exitCode }
        : container;
    },
  };
}
