import { abortable } from '../../../../async/abortable.ts';
import { sharedRun } from '../../../../async/shared-run.ts';
import type { Ownership } from '../../../ownership.ts';
import type { EngineGuard } from '../engine/engine-guard.ts';
import type { EngineReads } from '../engine/engine.ts';
import { isNext } from '../state/container-name.ts';
import { isInAnothers } from '../state/network/joined-containers.ts';
import type { ObservedContainer } from '../state/observed-container.ts';
import { inspectAll, inspectOne, lookAtAll, lookAtParts, lookAtTenant } from './engine-look.ts';
import { createSnapshot } from './engine-snapshot.ts';
import type { EngineSnapshot, Parts } from './engine-snapshot.ts';
import { createHeardExits } from './heard-exits.ts';
import type { HeardExits } from './heard-exits.ts';
import { createHealthRestarts } from './health-restarts.ts';
import type { HealthRestarts } from './health-restarts.ts';
import { createBorneNames } from './names/borne-names.ts';
import { createPauses } from './pauses.ts';
import { createLastWords } from './last-words.ts';
import { createLiveMemory } from './live-memory.ts';
import type { LiveMemory } from './live-memory.ts';

/** How a tenant's containers are got to know. */
export type Look = (tenantId: string, signal: AbortSignal) => Promise<readonly ObservedContainer[]>;

/** The containers of this instance, from what was seen where that can't be stale, else from the engine. */
export interface EngineView {
  readonly snapshot: EngineSnapshot;
  readonly exits: Pick<HeardExits, 'note'>;
  readonly live: LiveMemory;
  readonly restarts: Pick<HealthRestarts, 'note'>;
  /** What is remembered of a container is over: it is no longer paused, or gone. */
  forget(containerId: string, what: 'pause' | 'all'): void;
  /** As cheaply as may be: inspects only where the list does not tell enough. Undefined: only a fresh look can tell. */
  known(tenantId: string, signal: AbortSignal): Promise<readonly ObservedContainer[] | undefined>;
  /**
   * An inspect of each of this tenant's containers, now: no sooner than half a second ago, and nothing was heard of it since.
   * Where nobody hears, or only that tells which there are, after a list.
   */
  readonly fresh: Look;
  /**
   * The same of what was heard of since it was last asked for; the others as they were. `isFresh`: as a fresh look has it. `made`: what
   * the tenant has got since, which needs not be asked for.
   */
  lately(
    tenantId: string,
    made: readonly ObservedContainer[],
    signal: AbortSignal,
  ): Promise<{ readonly containers: readonly ObservedContainer[]; readonly isFresh: boolean }>;
  /** The tenant's containers as they were seen last, while the watch hears of every change on its engine; else none. */
  heard(tenantId: string): readonly ObservedContainer[];
  /** The same of all tenants of this instance. Undefined: nobody hears. */
  heardOfAll(): readonly ObservedContainer[] | undefined;
  /** One list of everything, by tenant. For the watch: not guarded. */
  all(signal: AbortSignal): Promise<ReadonlyMap<string, readonly ObservedContainer[]>>;
  /** For the watch: not guarded. */
  inspect(container: ObservedContainer, signal: AbortSignal): Promise<ObservedContainer | undefined>;
  /**
   * What the watch is at: `live` (it hears of every change), `starting` (it soon will: a promise that settles then),
   * or `off`.
   */
  setWatch(state: WatchState): void;
}

export type WatchState = 'live' | 'off' | { readonly starting: Promise<void> };

/** So long an answer counts as one of now, in milliseconds: a step follows upon the look before, and a look upon the step. */
const freshMs = 500;

export interface EngineViewDeps {
  readonly engine: EngineReads;
  /** Refuses calls while the engine is known to be down; `engine` is the same without it. */
  readonly guard: EngineGuard;
  /** See `createPauses`. */
  readonly lastingPauseMs?: number | undefined;
}

export function createEngineView(
  { engine, guard, lastingPauseMs }: EngineViewDeps,
  ownership: Ownership,
): EngineView {
  const snapshot = createSnapshot();
  const exits = createHeardExits();
  const memories = createMemories(guard.engine, lastingPauseMs);
  const looks = createLooks({ guard, snapshot, exits }, ownership);
  return {
    snapshot,
    exits,
    live: memories.live,
    restarts: memories.restarts,
    forget: memories.forget,
    fresh: async (tenantId, signal) =>
      memories.addTo(await looks.since(tenantId, looks.freshSince(), signal), signal),
    async lately(tenantId, made, signal) {
      const containers = await looks.since(tenantId, always, signal, made);
      return { containers: await memories.addTo(containers, signal), isFresh: looks.isFresh(tenantId) };
    },
    async known(tenantId, signal) {
      const containers = await looks.cheaply(tenantId, signal);
      return containers && memories.addTo(containers, signal);
    },
    heard: looks.heard,
    heardOfAll: looks.heardOfAll,
    all: (signal) => lookAtAll(engine, ownership, signal),
    async inspect(container, signal) {
      const found = await inspectOne(engine, container, signal);
      return found === undefined ? undefined : exits.addTo(found);
    },
    setWatch: looks.setWatch,
  };
}

/** Whenever it was last asked for. */
const always = -Infinity;

interface LookDeps extends Pick<EngineViewDeps, 'guard'> {
  readonly snapshot: EngineSnapshot;
  readonly exits: HeardExits;
}

/** What the watch is at. */
interface Watching {
  state: WatchState;
  /** What is asked in one is no answer for the next: nobody has heard what happened in between. */
  session: number;
  liveSinceMs: number;
}

/** Asks for those alone that have to be. */
function lookingSince({ guard, snapshot, exits }: LookDeps, ownership: Ownership, watching: Watching) {
  const byList: Look = async (tenantId, signal) => {
    const [begun, moment, askedMs] = [watching.session, snapshot.moment(), performance.now()];
    const found = await lookAtTenant(guard.engine, ownership, tenantId, signal);
    const containers = found.map((container) => exits.addTo(container));
    if (begun === watching.session) snapshot.store(tenantId, containers, moment, askedMs);
    return containers;
  };

  /** Undefined: only a list tells. */
  const partsSince = (tenantId: string, sinceMs: number): Parts | undefined =>
    watching.state === 'live' ? snapshot.parts(tenantId, sinceMs) : undefined;

  const since = async (
    tenantId: string,
    sinceMs: number,
    signal: AbortSignal,
    made: readonly ObservedContainer[] = [],
  ) => {
    guard.check();
    const [begun, moment, askedMs] = [watching.session, snapshot.moment(), performance.now()];
    const parts = partsWithout(made, partsSince(tenantId, sinceMs));
    if (parts === undefined) return byList(tenantId, signal);
    const found = await lookAtParts({ engine: guard.engine, ownership }, { tenantId, ...parts }, signal);
    if (begun !== watching.session) return byList(tenantId, signal);
    const told = found.map((container) => exits.addTo(container));
    const all = snapshot.storeParts(tenantId, parts, told, { moment, askedMs });
    // Whoever looks next has to ask for them.
    for (const { id } of made) snapshot.touchOne(tenantId, id);
    return [...all, ...made];
  };

  return { partsSince, since };
}

/** What the engine has to be asked for, by what is known and by what the watch is at. */
function createLooks(deps: LookDeps, ownership: Ownership) {
  const { guard, snapshot, exits } = deps;
  const watching: Watching = { state: 'off', session: 0, liveSinceMs: 0 };
  const { partsSince, since } = lookingSince(deps, ownership, watching);
  const freshSince = (): number => Math.max(performance.now() - freshMs, watching.liveSinceMs);

  /** No caller's signal: the list serves many. The engine's own deadline ends it. */
  const sharedList = sharedRun(() => lookAtAll(guard.engine, ownership, new AbortController().signal));

  const listed = async (tenantId: string, signal: AbortSignal) => {
    if (typeof watching.state === 'object') await abortable(watching.state.starting, signal);
    return watching.state === 'live'
      ? snapshot.read(tenantId)
      : ((await sharedList(signal)).get(tenantId) ?? []);
  };

  return {
    since,
    freshSince,
    heard: (tenantId: string) => partsSince(tenantId, always)?.known ?? [],
    heardOfAll: () => (watching.state === 'live' ? snapshot.all() : undefined),
    isFresh: (tenantId: string): boolean =>
      watching.state !== 'live' || partsSince(tenantId, freshSince())?.doubtful.length === 0,
    async cheaply(tenantId: string, signal: AbortSignal) {
      guard.check();
      const containers = await listed(tenantId, signal);
      if (containers?.some(tellsTooLittle) !== true) return containers;
      if (watching.state === 'live') return since(tenantId, always, signal);
      const found = await inspectAll(guard.engine, containers, signal);
      return found.map((container) => exits.addTo(container));
    },
    setWatch(this: void, state: WatchState): void {
      const session = watching.session + 1;
      Object.assign(watching, { state, session, liveSinceMs: performance.now() });
    },
  };
}

function partsWithout(made: readonly ObservedContainer[], parts: Parts | undefined): Parts | undefined {
  const ids = new Set(made.map(({ id }) => id));
  return (
    parts && {
      known: parts.known.filter(({ id }) => !ids.has(id)),
      doubtful: parts.doubtful.filter((id) => !ids.has(id)),
    }
  );
}

/** What is known of containers besides what the engine says. Not put into the snapshot: it is added to each answer, as it is by then. */
function createMemories(engine: EngineReads, lastingPauseMs: number | undefined) {
  const pauses = createPauses(lastingPauseMs);
  const live = createLiveMemory();
  const restarts = createHealthRestarts();
  const names = createBorneNames();
  const lastWords = createLastWords(engine);
  const added = (container: ObservedContainer): ObservedContainer =>
    names.addTo(restarts.addTo(live.addTo(pauses.addTo(container))));
  return {
    live,
    restarts,
    addTo: async (containers: readonly ObservedContainer[], signal: AbortSignal) =>
      lastWords.addTo(containers.map(added), signal),
    forget(this: void, containerId: string, what: 'pause' | 'all') {
      pauses.forget(containerId);
      if (what !== 'all') return;
      live.forget(containerId);
      restarts.forget(containerId);
      names.forget(containerId);
      lastWords.forget(containerId);
    },
  };
}

/** Restarts, the start's time and the reason of an exit stand in the inspect alone; they matter for these. */
function tellsTooLittle(container: ObservedContainer): boolean {
  const { inspected, state, health, young, name } = container;
  if (inspected !== undefined) return false;
  if (state !== 'running' || young || health === 'unhealthy' || health === 'starting') return true;
  // Whether it began after the one whose namespace it is in.
  return isNext(name) || isInAnothers(container);
}
