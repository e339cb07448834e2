import { isOld } from '../../state/container-name.ts';
import { leadsNobody } from '../../state/edge/drain.ts';
import type { ObservedContainer } from '../../state/observed-container.ts';

/**
 * For how long containers behind a proxy have borne their names, and run, as far as was seen here; the engine dates no rename. Lost with
 * the process, it costs one time to drain.
 */
export interface BorneNames {
  /** The container; with that time, where it is behind a proxy. */
  addTo(container: ObservedContainer): ObservedContainer;
  /** It is gone. */
  forget(containerId: string): void;
}

export function createBorneNames(now: () => number = () => performance.now()): BorneNames {
  const known = new Map<string, { readonly name: string; readonly sinceMs: number }>();
  return {
    addTo(container) {
      const { id, name, made } = container;
      if (made.drain === undefined) return container;
      if (!isOld(name) && leadsNobody(container)) {
        known.delete(id);
        return { ...container, namedForMs: 0 };
      }
      const last = known.get(id);
      const borne = last?.name === name ? last : { name, sinceMs: now() };
      known.set(id, borne);
      return { ...container, namedForMs: now() - borne.sinceMs };
    },
    forget: (containerId) => void known.delete(containerId),
  };
}
