import { describeLive } from '../state/live-settings.ts';
import type { LiveSettings } from '../state/live-settings.ts';
import type { ObservedContainer } from '../state/observed-container.ts';

/**
 * What became of live settings, which no label can tell: labels stay what they were at the container's creation. It is
 * lost with the process, and then found out anew.
 */
export interface LiveMemory {
  /** They were given to the container, or seen to be in place. */
  noteApplied(containerId: string, live: LiveSettings): void;
  /** The engine took them and left the container as it is observed. Returns whether that is news. */
  noteUnkept(container: ObservedContainer, live: LiveSettings): boolean;
  /** The container with what is known. */
  addTo(container: ObservedContainer): ObservedContainer;
  /** It is gone. */
  forget(containerId: string): void;
}

export function createLiveMemory(): LiveMemory {
  const applied = new Map<string, string>();
  const unkept = new Map<string, NonNullable<ObservedContainer['unkept']>>();
  return {
    noteApplied: (containerId, live) => void applied.set(containerId, describeLive(live)),
    noteUnkept({ id, inspected }, live) {
      if (inspected === undefined) return false;
      const before = unkept.get(id);
      const now = { desired: describeLive(live), actual: describeLive(inspected.live) };
      unkept.set(id, now);
      return before?.desired !== now.desired || before.actual !== now.actual;
    },
    addTo(container) {
      const [known, refused] = [applied.get(container.id), unkept.get(container.id)];
      return {
        ...container,
        ...(known === undefined ? {} : { applied: known }),
        ...(refused === undefined ? {} : { unkept: refused }),
      };
    },
    forget(containerId) {
      applied.delete(containerId);
      unkept.delete(containerId);
    },
  };
}
