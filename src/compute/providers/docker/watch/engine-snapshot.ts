import { createSeenCache } from '../../../observation/seen-cache.ts';
import type { SeenCache } from '../../../observation/seen-cache.ts';
import type { ObservedContainer } from '../state/observed-container.ts';
import { createDoubts } from './doubts.ts';
import type { Doubts } from './doubts.ts';

/** What the provider has seen of each tenant, and whether something has happened since. Calls nothing. */
export interface EngineSnapshot {
  /** Take it before asking the engine, and hand it over with the answer. */
  moment(): number;
  /** Anything may have happened to the tenant: what is known of it is stale. */
  touch(tenantId: string): void;
  /** Something happened to this container, which is the tenant's or may be now: the others are as they were. */
  touchOne(tenantId: string, containerId: string): void;
  /** What the engine answered about one tenant: all that it has, each inspected. `askedMs`: see `parts`. */
  store(tenantId: string, containers: readonly ObservedContainer[], moment: number, askedMs?: number): void;
  /** The tenant's containers; undefined where they must be asked for. */
  read(tenantId: string): readonly ObservedContainer[] | undefined;
  /**
   * The tenant's containers, as far as they are known, and which of them must be asked for: something happened to them, or
   * they were last asked for before `sinceMs` (by `performance.now()`). Undefined where only a list tells which there are.
   */
  parts(tenantId: string, sinceMs: number): Parts | undefined;
  /** The container, where nothing has happened to it since the engine was asked for it. */
  certain(tenantId: string, containerId: string): ObservedContainer | undefined;
  /** What the engine answered about those that had to be asked for; returns all. What is not among `found` is the tenant's no more. */
  storeParts(
    tenantId: string,
    parts: Parts,
    found: readonly ObservedContainer[],
    when: { readonly moment: number; readonly askedMs: number },
  ): readonly ObservedContainer[];
  /** The engine has said that it is gone. Whatever else is told of it, before the next list but one, is of the time before. */
  removed(tenantId: string, containerId: string): void;
  /** We are giving the container this name; undefined: no more. */
  renaming(containerId: string, name: string | undefined): void;
  /** It has it now. */
  renamed(tenantId: string, containerId: string, name: string): void;
  /** Whether it is known that it has this name. */
  isNamed(tenantId: string, containerId: string, name: string): boolean;
  /** Puts `after` in the place of `before`, unless that has been replaced meanwhile. */
  amend(tenantId: string, before: ObservedContainer, after: ObservedContainer): void;
  /**
   * Takes in a list of everything. Returns the tenants of which it tells something new; none the first time.
   * `afterGap`: for a while, nobody has heard what happened.
   */
  storeAll(list: WholeList, moment: number, afterGap: boolean): readonly string[];
  tenantIds(): readonly string[];
  /** All containers, as they were seen last. */
  all(): readonly ObservedContainer[];
}

export interface Parts {
  readonly known: readonly ObservedContainer[];
  /** Ids of those that must be asked for; not each of them need be known. */
  readonly doubtful: readonly string[];
}

type WholeList = ReadonlyMap<string, readonly ObservedContainer[]>;

export function createSnapshot(): EngineSnapshot {
  const cache = createSeenCache<readonly ObservedContainer[]>();
  const doubts = createDoubts();
  const gone = createGone();
  const put = putting({ cache, doubts, gone });
  let filled = false;

  return {
    moment: () => cache.moment(),
    touch(tenantId) {
      cache.touch(tenantId);
      doubts.ofAll(tenantId, cache.moment());
    },
    touchOne(tenantId, containerId) {
      if (gone.has(containerId)) return;
      cache.touch(tenantId);
      doubts.ofOne(tenantId, containerId, cache.moment());
    },
    store(tenantId, containers, moment, askedMs = performance.now()) {
      if (!put(tenantId, containers, moment)) return;
      doubts.listed(tenantId, moment);
      const ids = idsOf(containers).filter((id) => !gone.has(id));
      doubts.asked(tenantId, ids, { moment, askedMs });
    },
    read(tenantId) {
      const seen = cache.last(tenantId);
      if (cache.isStale(tenantId, seen?.moment ?? 0)) return undefined;
      return seen?.value ?? [];
    },
    ...knownInParts({ cache, doubts, put }, gone),
    removed: (tenantId, containerId) => removeOne({ cache, doubts, put }, gone, { tenantId, containerId }),
    ...namesWeGive(cache),
    amend(tenantId, before, after) {
      const seen = cache.last(tenantId);
      if (seen === undefined) return;
      const containers = seen.value.map((known) => (known === before ? after : known));
      cache.store(tenantId, containers, seen.moment);
    },
    storeAll(found, moment, afterGap) {
      forgetGone(cache, found, moment);
      const news = storeNews({ cache, put }, found, { moment, afterGap });
      doubts.listedAll(found, moment);
      gone.listed(moment);
      if (filled) return news;
      filled = true;
      return [];
    },
    tenantIds: () => [...cache.entries()].map(([tenantId]) => tenantId),
    all: () => [...cache.entries()].flatMap(([, { value }]) => value),
  };
}

interface Kept {
  readonly cache: Cache;
  readonly doubts: Doubts;
  /** As the cache stores it; what is left out is forgotten. */
  readonly put: Cache['store'];
}

/** Ids of containers that the engine has said to be gone. An id never comes back. */
interface Gone {
  has(containerId: string): boolean;
  add(containerId: string, moment: number): void;
  /** A list was asked for at this moment: who was asked before the one before it has answered. */
  listed(moment: number): void;
}

function createGone(): Gone {
  const since = new Map<string, number>();
  let lastListed = -1;
  return {
    has: (containerId) => since.has(containerId),
    add: (containerId, moment) => void since.set(containerId, moment),
    listed(moment) {
      for (const [id, goneAt] of since) if (goneAt <= lastListed) since.delete(id);
      lastListed = moment;
    },
  };
}

/** What was asked before it was gone may still be answered: hence the tick of the clock. */
function removeOne(
  { cache, doubts, put }: Kept,
  gone: Gone,
  { tenantId, containerId }: { readonly tenantId: string; readonly containerId: string },
): void {
  if (gone.has(containerId)) return;
  cache.touch(tenantId);
  gone.add(containerId, cache.moment());
  doubts.gone(tenantId, containerId);
  const seen = cache.last(tenantId);
  if (seen === undefined) return;
  const isCertain = doubts.about(tenantId, [], -Infinity)?.length === 0;
  put(tenantId, seen.value, isCertain ? cache.moment() : seen.moment);
}

function putting({ cache, doubts, gone }: Omit<Kept, 'put'> & { readonly gone: Gone }): Cache['store'] {
  return (tenantId, found, moment) => {
    const before = cache.last(tenantId)?.value ?? [];
    const containers = found.filter(({ id }) => !gone.has(id));
    if (!cache.store(tenantId, containers, moment)) return false;
    const ids = new Set(idsOf(containers));
    for (const { id } of before) if (!ids.has(id)) doubts.forget(id);
    return true;
  };
}

function knownInParts(
  { cache, doubts, put }: Kept,
  gone: Pick<Gone, 'has'>,
): Pick<EngineSnapshot, 'parts' | 'certain' | 'storeParts'> {
  return {
    certain(tenantId, containerId) {
      const known = cache.last(tenantId)?.value ?? [];
      const doubtful = doubts.about(tenantId, known, -Infinity);
      if (doubtful === undefined || doubtful.includes(containerId)) return undefined;
      return known.find(({ id }) => id === containerId);
    },
    parts(tenantId, sinceMs) {
      const known = cache.last(tenantId)?.value ?? [];
      const doubtful = doubts.about(tenantId, known, sinceMs);
      return doubtful && { known, doubtful };
    },
    storeParts(tenantId, { known, doubtful }, found, when) {
      const asked = new Set(doubtful);
      const containers = [
        ...known.flatMap((one) => (asked.has(one.id) ? found.filter(({ id }) => id === one.id) : [one])),
        ...found.filter(({ id }) => known.every((one) => one.id !== id)),
      ].filter(({ id }) => !gone.has(id));
      if (!put(tenantId, containers, when.moment)) return containers;
      doubts.asked(tenantId, doubtful, when);
      const ids = new Set(idsOf(containers));
      for (const id of doubtful) if (!ids.has(id)) doubts.forget(id);
      return containers;
    },
  };
}

function namesWeGive(cache: Cache): Pick<EngineSnapshot, 'renaming' | 'renamed' | 'isNamed'> {
  const naming = new Map<string, string>();
  return {
    renaming(containerId, name) {
      if (name === undefined) naming.delete(containerId);
      else naming.set(containerId, name);
    },
    renamed(tenantId, containerId, name) {
      const seen = cache.last(tenantId);
      if (seen === undefined) return;
      const containers = seen.value.map((known) => (known.id === containerId ? { ...known, name } : known));
      cache.store(tenantId, containers, seen.moment);
    },
    isNamed(tenantId, containerId, name) {
      if (naming.get(containerId) === name) return true;
      return cache.last(tenantId)?.value.some((one) => one.id === containerId && one.name === name) === true;
    },
  };
}

type Cache = SeenCache<readonly ObservedContainer[]>;

function idsOf(containers: readonly ObservedContainer[]): readonly string[] {
  return containers.map(({ id }) => id);
}

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
function storeNews(
  { cache, put }: { readonly cache: Cache; readonly put: Cache['store'] },
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
    put(tenantId, containers, moment);
    // The list tells less than the inspects that may be due now.
    if (seen !== undefined) cache.touch(tenantId);
    news.push(tenantId);
  }
  return news;
}

/** All that a list tells and that does not change by itself. Of the health of one that does not run, only an inspect tells. */
function signature(containers: readonly ObservedContainer[]): string {
  return JSON.stringify(
    containers
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      .map(({ id, name, state, health, ports, networks }) => {
        return [id, name, state, state === 'running' ? health : 'none', ports, networks];
      }),
  );
}
