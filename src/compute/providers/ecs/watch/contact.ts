import { clusterKey, serviceKey } from '../address/service-target.ts';
import type { ClusterTarget, ServiceTarget } from '../address/service-target.ts';

/** Whether ECS still answers of what was seen. Without that, what was seen says nothing of the present. */
export interface Contact {
  /** ECS has answered of it. Returns whether it was lost until now. */
  readonly note: (target: ServiceTarget) => boolean;
  /** ECS does not answer of it. Returns whether that is news. */
  readonly lose: (target: ServiceTarget) => boolean;
  /** ECS answers there again, if not yet of this one. Returns whether that is news. */
  readonly regain: (target: ServiceTarget) => boolean;
  /** Whether the last look at it still counts. */
  readonly isHeld: (target: ServiceTarget) => boolean;
  /** Milliseconds since ECS answered last of anything in the cluster. */
  readonly silentForMs: (cluster: ClusterTarget) => number;
  readonly forget: (target: ServiceTarget) => void;
}

/** What was seen longer ago, with no word from its cluster since, no longer counts, in milliseconds. */
const heldMs = 60_000;

export function createContact(now: () => number): Contact {
  /** `back`: its cluster answers again, and nobody has looked at it yet. */
  const lost = new Map<string, 'lost' | 'back'>();
  const answeredAt = new Map<string, number>();
  const silentForMs: Contact['silentForMs'] = (cluster) =>
    now() - (answeredAt.get(clusterKey(cluster)) ?? -Infinity);
  return {
    note(target) {
      const wasLost = lost.get(serviceKey(target)) === 'lost';
      lost.delete(serviceKey(target));
      answeredAt.set(clusterKey(target), now());
      return wasLost;
    },
    lose(target) {
      const isNews = lost.get(serviceKey(target)) !== 'lost';
      lost.set(serviceKey(target), 'lost');
      return isNews;
    },
    regain(target) {
      const isNews = lost.get(serviceKey(target)) === 'lost';
      if (isNews) lost.set(serviceKey(target), 'back');
      return isNews;
    },
    isHeld: (target) => !lost.has(serviceKey(target)) && silentForMs(target) < heldMs,
    silentForMs,
    forget: (target) => void lost.delete(serviceKey(target)),
  };
}
