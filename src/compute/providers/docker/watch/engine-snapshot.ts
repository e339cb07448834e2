import { createSeenCache } from '../../../observation/seen-cache.ts';
import type { SeenCache } from '../../../observation/seen-cache.ts';
import type { ObservedContainer } from '../state/observed-container.ts';

/** What the provider has seen of each tenant, and whether something has happened since. Calls nothing. */
export interface EngineSnapshot {
  /** Take it before asking the engine, and hand it over with the answer. */
  moment(): number;
  /** Something happened to that container of the tenant; without an id, to whichever: what is known of it is stale. */
  touch(tenantId: string, containerId?: string): void;
  /** What the engine answered about all of one tenant's containers. */
  store(tenantId: string, containers: readonly ObservedContainer[], moment: number): void;
  /** The tenant's containers; undefined where any of them must be asked for. */
  read(tenantId: string): readonly ObservedContainer[] | undefined;
  /** The tenant's containers, and which of them must be asked for; undefined: nobody knows which there are. */
  known(tenantId: string): KnownContainers | undefined;
  /** What the engine answered about those that had to be asked for, by id. Returns all of the tenant's. */
  merge(tenantId: string, answers: Answers, moment: number): readonly ObservedContainer[];
  /** What an answer to a call of our own, or an event, says has become of a container; undefined: it is gone. */
  put(tenantId: string, containerId: string, container: ObservedContainer | undefined): void;
  /** Puts `after` in the place of `before`, unless that has been replaced meanwhile. */
  amend(tenantId: string, before: ObservedContainer, after: ObservedContainer): void;
  /**
   * Takes in a list of everything. Returns the tenants of which it tells something new; none the first time.
   * `afterGap`: for a while, nobody has heard what happened.
   */
  storeAll(list: WholeList, moment: number, afterGap: boolean): readonly string[];
  tenantIds(): readonly string[];
}

export interface KnownContainers {
  readonly containers: readonly ObservedContainer[];
  /** Ids of those of which what is known is stale, and of those of which nothing is known. */
  readonly doubted: ReadonlySet<string>;
}

export type Answers = ReadonlyMap<string, ObservedContainer | undefined>;

type WholeList = ReadonlyMap<string, readonly ObservedContainer[]>;

export function createSnapshot(): EngineSnapshot {
  const cache = createSeenCache<readonly ObservedContainer[]>();
  const doubts = createDoubts(cache);
  let filled = false;

  const known: EngineSnapshot['known'] = (tenantId) => {
    const { value = [], moment = 0 } = cache.last(tenantId) ?? {};
    if (cache.isStale(tenantId, moment)) return undefined;
    return { containers: value, doubted: doubts.since(tenantId, moment) };
  };
  const replace = (tenantId: string, answers: Answers): readonly ObservedContainer[] =>
    replaced(cache.last(tenantId)?.value ?? [], answers);

  return {
    moment: () => cache.moment(),
    touch(tenantId, containerId) {
      if (containerId === undefined) cache.touch(tenantId);
      else doubts.add(tenantId, containerId);
    },
    store(tenantId, containers, moment) {
      if (cache.store(tenantId, containers, moment)) doubts.settle(tenantId, moment);
    },
    read(tenantId) {
      const found = known(tenantId);
      return found === undefined || found.doubted.size > 0 ? undefined : found.containers;
    },
    known,
    merge(tenantId, answers, moment) {
      const containers = replace(tenantId, answers);
      if (cache.store(tenantId, containers, moment)) doubts.settle(tenantId, moment);
      return containers;
    },
    put(tenantId, containerId, container) {
      const containers = replace(tenantId, new Map([[containerId, container]]));
      cache.store(tenantId, containers, cache.last(tenantId)?.moment ?? 0);
      doubts.answered(tenantId, containerId);
    },
    amend(tenantId, before, after) {
      const seen = cache.last(tenantId);
      if (seen === undefined) return;
      const containers = seen.value.map((one) => (one === before ? after : one));
      cache.store(tenantId, containers, seen.moment);
    },
    storeAll(found, moment, afterGap) {
      forgetGone({ cache, doubts }, found, moment);
      const news = storeNews({ cache, doubts }, found, { moment, afterGap });
      if (filled) return news;
      filled = true;
      return [];
    },
    tenantIds: () => [...cache.entries()].map(([tenantId]) => tenantId),
  };
}

function replaced(containers: readonly ObservedContainer[], answers: Answers): readonly ObservedContainer[] {
  const known = new Set(containers.map(({ id }) => id));
  const kept = containers.flatMap((one) => (answers.has(one.id) ? (answers.get(one.id) ?? []) : [one]));
  const added = [...answers].flatMap(([id, one]) => (known.has(id) ? [] : (one ?? [])));
  return [...kept, ...added];
}

/** Containers to which something has happened, each by itself. */
interface Doubts {
  add(tenantId: string, containerId: string): void;
  since(tenantId: string, moment: number): ReadonlySet<string>;
  /** What happened until then has been seen. */
  settle(tenantId: string, moment: number): void;
  /** What has become of this one is known. Whoever has listed before does not know it. */
  answered(tenantId: string, containerId: string): void;
  /** When something was last said of one of the tenant's containers. */
  last(tenantId: string): number;
  forget(tenantId: string): void;
  tenantIds(): IterableIterator<string>;
}

function createDoubts(cache: Pick<Cache, 'tick'>): Doubts {
  const all = new Map<string, { readonly ids: Map<string, number>; last: number }>();
  const note = (tenantId: string): { readonly ids: Map<string, number>; readonly now: number } => {
    const now = cache.tick();
    const own = all.get(tenantId) ?? { ids: new Map<string, number>(), last: now };
    own.last = now;
    all.set(tenantId, own);
    return { ids: own.ids, now };
  };
  return {
    add(tenantId, containerId) {
      const { ids, now } = note(tenantId);
      ids.set(containerId, now);
    },
    since: (tenantId, moment) =>
      new Set([...(all.get(tenantId)?.ids ?? [])].flatMap(([id, at]) => (at > moment ? [id] : []))),
    settle(tenantId, moment) {
      const own = all.get(tenantId);
      if (own === undefined) return;
      for (const [id, at] of own.ids) if (at <= moment) own.ids.delete(id);
      if (own.ids.size === 0 && own.last <= moment) all.delete(tenantId);
    },
    answered: (tenantId, containerId) => void note(tenantId).ids.delete(containerId),
    last: (tenantId) => all.get(tenantId)?.last ?? 0,
    forget: (tenantId) => void all.delete(tenantId),
    tenantIds: () => all.keys(),
  };
}

type Cache = SeenCache<readonly ObservedContainer[]>;

interface Seen {
  readonly cache: Cache;
  readonly doubts: Doubts;
}

/** An entry of a tenant that is gone is kept until now, so that no late answer brings the tenant back. */
function forgetGone({ cache, doubts }: Seen, found: WholeList, moment: number): void {
  for (const [tenantId, seen] of cache.entries()) {
    const isOver = seen.moment < moment && doubts.last(tenantId) < moment;
    if (seen.value.length === 0 && isOver && !found.has(tenantId)) cache.forget(tenantId);
  }
  for (const tenantId of doubts.tenantIds()) {
    const isOver = doubts.last(tenantId) < moment && cache.last(tenantId) === undefined;
    if (isOver && !found.has(tenantId)) doubts.forget(tenantId);
  }
}

interface Listing {
  readonly moment: number;
  readonly afterGap: boolean;
}

/** Takes in what the list tells anew, and returns of whom. */
function storeNews(
  { cache, doubts }: Seen,
  found: WholeList,
  { moment, afterGap }: Listing,
): readonly string[] {
  const known = [...cache.entries()].map(([tenantId]) => tenantId);
  const news: string[] = [];
  for (const tenantId of new Set([...known, ...found.keys()])) {
    const containers = found.get(tenantId) ?? [];
    const seen = cache.last(tenantId);
    // One that ended and was started again in the gap looks the same in a list.
    const mayHaveRestarted = afterGap && containers.some(({ young }) => young);
    const isSame = seen !== undefined && signature(seen.value) === signature(containers);
    if (seen !== undefined && (seen.moment > moment || (isSame && !mayHaveRestarted))) continue;
    // Something was made or removed while the list was under way: it knows the one, and not the other.
    const isLate = doubts.last(tenantId) > moment;
    if (isLate) cache.touch(tenantId);
    else cache.store(tenantId, containers, moment);
    // The list tells less than the inspects that may be due now.
    if (!isLate && seen !== undefined) for (const { id } of containers) doubts.add(tenantId, id);
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
