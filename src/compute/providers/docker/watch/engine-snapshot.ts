import { createSeenCache } from '../../../observation/seen-cache.ts';
import type { SeenCache } from '../../../observation/seen-cache.ts';
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
  /**
   * Takes in a list of everything. Returns the tenants of which it tells something new; none the first time.
   * `afterGap`: for a while, nobody has heard what happened.
   */
  storeAll(list: WholeList, moment: number, afterGap: boolean): readonly string[];
  tenantIds(): readonly string[];
}

type WholeList = ReadonlyMap<string, readonly ObservedContainer[]>;

export function createSnapshot(): EngineSnapshot {
  const cache = createSeenCache<readonly ObservedContainer[]>();
  let filled = false;

  return {
    moment: () => cache.moment(),
    touch: (tenantId) => cache.touch(tenantId),
    store: (tenantId, containers, moment) => void cache.store(tenantId, containers, moment),
    read(tenantId) {
      const seen = cache.last(tenantId);
      if (cache.isStale(tenantId, seen?.moment ?? 0)) return undefined;
      return seen?.value ?? [];
    },
    amend(tenantId, before, after) {
      const seen = cache.last(tenantId);
      if (seen === undefined) return;
      const containers = seen.value.map((known) => (known === before ? after : known));
      cache.store(tenantId, containers, seen.moment);
    },
    storeAll(found, moment, afterGap) {
      forgetGone(cache, found, moment);
      const news = storeNews(cache, found, { moment, afterGap });
      if (filled) return news;
      filled = true;
      return [];
    },
    tenantIds: () => [...cache.entries()].map(([tenantId]) => tenantId),
  };
}

type Cache = SeenCache<readonly ObservedContainer[]>;

/** An entry of a tenant that is gone is kept until now, so that no late answer brings the tenant back. */
function forgetGone(cache: Cache, found: WholeList, moment: number): void {
  for (const [tenantId, seen] of cache.entries()) {
    if (seen.value.length === 0 && seen.moment < moment && !found.has(tenantId)) cache.forget(tenantId);
  }
}

interface Listing {
  readonly moment: number;
  readonly afterGap: boolean;
}

/** Takes in what the list tells anew, and returns of whom. */
function storeNews(cache: Cache, found: WholeList, { moment, afterGap }: Listing): readonly string[] {
  const known = [...cache.entries()].map(([tenantId]) => tenantId);
  const news: string[] = [];
  for (const tenantId of new Set([...known, ...found.keys()])) {
    const containers = found.get(tenantId) ?? [];
    const seen = cache.last(tenantId);
    // One that ended and was started again in the gap looks the same in a list.
    const mayHaveRestarted = afterGap && containers.some(({ young }) => young);
    const isSame = seen !== undefined && signature(seen.value) === signature(containers);
    if (seen !== undefined && (seen.moment > moment || (isSame && !mayHaveRestarted))) continue;
    cache.store(tenantId, containers, moment);
    // The list tells less than the inspects that may be due now.
    if (seen !== undefined) cache.touch(tenantId);
    news.push(tenantId);
  }
  return news;
}

/** All that a list tells and that does not change by itself. */
function signature(containers: readonly ObservedContainer[]): string {
  return JSON.stringify(
    containers
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      .map(({ id, name, state, health, ports, networks }) => [id, name, state, health, ports, networks]),
  );
}
