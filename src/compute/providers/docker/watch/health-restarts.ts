import { backoffMs } from '../../../../async/backoff.ts';
import { youngMs } from '../state/observed-container.ts';
import type { ObservedContainer } from '../state/observed-container.ts';

/**
 * Containers that were restarted because they failed their health check: the engine counts no restart that it was asked for.
 * Lost with the process, it costs one restart too soon.
 */
export interface HealthRestarts {
  note(containerId: string): void;
  /** The container; with the time that it still has, where it fails again so soon. */
  addTo(container: ObservedContainer): ObservedContainer;
  /** It is gone. */
  forget(containerId: string): void;
}

interface Restarts {
  /** Without five good minutes in between. */
  readonly count: number;
  /** When the last one was. */
  readonly atMs: number;
}

/** The first at once, the next no sooner than 10 s after it, then 20 s, 40 s … up to 5 min. */
const spacing = { baseMs: 10_000, capMs: youngMs, jitter: 'none' } as const;

export function createHealthRestarts(now: () => number = Date.now): HealthRestarts {
  const known = new Map<string, Restarts>();
  return {
    note(containerId) {
      known.set(containerId, { count: (known.get(containerId)?.count ?? 0) + 1, atMs: now() });
    },
    addTo(container) {
      const { id, health } = container;
      const last = known.get(id);
      if (last === undefined) return container;
      if (health === 'healthy' && now() - last.atMs > youngMs) known.delete(id);
      if (health !== 'unhealthy') return container;
      return { ...container, restartDueInMs: last.atMs + backoffMs(last.count - 1, spacing) - now() };
    },
    forget: (containerId) => void known.delete(containerId),
  };
}
