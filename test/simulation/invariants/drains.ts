import { markOf } from '../models/docker-engine.ts';
import { isUp } from '../models/docker-container.ts';
import { knownRevisions } from './what-runs.ts';
import type { Invariant } from './invariant.ts';

/** What is behind the proxy of a tenant, which leads new connections to whoever bears a name. */
export const drains: Invariant = {
  name: 'drains',
  promise:
    'what was succeeded behind an edge is stopped once its name has led elsewhere for the time that connections have',
  watch(world, broken) {
    const namedMs = new Map<string, number>();
    return {
      onEngineChange(engine, { by, call, container }) {
        if (container === undefined || container.madeBy === 'person') return;
        const nowMs = world.time.now();
        if (call === 'create' || call === 'rename') namedMs.set(container.id, nowMs);
        if (by === 'person' || call !== 'stop' || !isUp(container) || !container.name.endsWith('_old'))
          return;
        const seconds = Number(markOf(container.labels, 'drain') ?? 0);
        const revisions = knownRevisions(world, container.tenant);
        if (revisions.some((one) => one === undefined || one.metadata.deletionTimestamp !== undefined))
          return;
        const heir = engine.find(container.name.replace(/_old$/, ''));
        if (heir === undefined || markOf(heir.labels, 'drain') === undefined) return;
        const sinceMs = Math.max(namedMs.get(container.id) ?? 0, namedMs.get(heir.id) ?? 0);
        if (nowMs - sinceMs < seconds * 1_000)
          broken(`${by} stops ${container.name} of ${container.tenant} after ${nowMs - sinceMs} ms`);
      },
    };
  },
};
