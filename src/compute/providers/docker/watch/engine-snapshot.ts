import type { ObservedContainer } from '../state/observed-container.ts';

/** What the provider has seen of each tenant, and whether something has happened since. Calls nothing. */
export interface EngineSnapshot {
  /** Take it before asking the engine, and hand it over with the answer. */
  moment(): number;
  /** Something happened to the tenant: what is known of it is stale. */
  touch(tenantId: string): void;
  /** What the engine answered about one tenant. */
  store(tenantId: string, containers: readonly ObservedContainer[], moment: number): void;
  /** The tenant's containers; undefined where they must be asked for. */
  read(tenantId: string): readonly ObservedContainer[] | undefined;
  /** Puts `after` in the place of `before`, unless that has been replaced meanwhile. */
  amend(tenantId: string, before: ObservedContainer, after: ObservedContainer): void;
  /** Takes in a list of everything. Returns the tenants of which it tells something new; none the first time. */
  storeAll(containers: ReadonlyMap<string, readonly ObservedContainer[]>, moment: number): readonly string[];
  tenantIds(): readonly string[];
}

interface Entry {
  readonly containers: readonly ObservedContainer[];
  readonly moment: number;
}

export function createSnapshot(): EngineSnapshot {
  const entries = new Map<string, Entry>();
  const touched = new Map<string, number>();
  let now = 0;
  let filled = false;

  const isStale = (tenantId: string, moment: number): boolean => (touched.get(tenantId) ?? 0) > moment;

  const touch = (tenantId: string): void => {
    now += 1;
    touched.set(tenantId, now);
  };

  const store = (tenantId: string, containers: readonly ObservedContainer[], moment: number): void => {
    if ((entries.get(tenantId)?.moment ?? -1) > moment) return;
    entries.set(tenantId, { containers, moment });
  };

  return {
    moment: () => now,
    touch,
    store,
    read(tenantId) {
      const entry = entries.get(tenantId);
      if (isStale(tenantId, entry?.moment ?? 0)) return undefined;
      return entry?.containers ?? [];
    },
    amend(tenantId, before, after) {
      const entry = entries.get(tenantId);
      if (entry === undefined) return;
      const containers = entry.containers.map((known) => (known === before ? after : known));
      entries.set(tenantId, { ...entry, containers });
    },
    storeAll(found, moment) {
      const news: string[] = [];
      // An entry of a tenant that is gone is kept until now, so that no late answer brings the tenant back.
      for (const [tenantId, { containers, moment: seen }] of entries) {
        if (containers.length > 0 || seen >= moment || found.has(tenantId)) continue;
        entries.delete(tenantId);
        touched.delete(tenantId);
      }
      for (const tenantId of new Set([...entries.keys(), ...found.keys()])) {
        const containers = found.get(tenantId) ?? [];
        const known = entries.get(tenantId);
        if (known !== undefined && known.moment > moment) continue;
        if (known !== undefined && signature(known.containers) === signature(containers)) continue;
        store(tenantId, containers, moment);
        // The list tells less than the inspects that may be due now.
        if (known !== undefined) touch(tenantId);
        news.push(tenantId);
      }
      if (filled) return news;
      filled = true;
      return [];
    },
    tenantIds: () => [...entries.keys()],
  };
}

/** All that a list tells and that does not change by itself. */
function signature(containers: readonly ObservedContainer[]): string {
  return JSON.stringify(
    containers
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      .map(({ id, name, state, health, ports }) => [id, name, state, health, ports]),
  );
}
