import type { ObservedContainer } from '../state/observed-container.ts';

/**
 * How long containers have been paused, as far as was seen here; the engine dates no pause. `docker commit` and backups
 * pause a container for a moment: one that is undone by whoever made it is none of ours.
 */
export interface Pauses {
  /** The container; as running still, where its pause has not lasted yet. */
  addTo(container: ObservedContainer): ObservedContainer;
  /** Its pause is over, or it is gone. */
  forget(containerId: string): void;
}

/** 5 s: `docker commit` mostly takes one or two. */
const defaultLastingMs = 5_000;

/** `lastingMs`: from when on a pause counts. */
export function createPauses(lastingMs: number = defaultLastingMs, now: () => number = Date.now): Pauses {
  const since = new Map<string, number>();
  return {
    addTo(container) {
      if (container.state !== 'paused') {
        since.delete(container.id);
        return container;
      }
      const firstSeen = since.get(container.id) ?? now();
      since.set(container.id, firstSeen);
      const leftMs = firstSeen + lastingMs - now();
      return leftMs > 0 ? { ...container, state: 'running', pauseCountsInMs: leftMs } : container;
    },
    forget: (containerId) => void since.delete(containerId),
  };
}
