import { abortable } from '../../../../async/abortable.ts';
import { sharedRun } from '../../../../async/shared-run.ts';
import type { Ownership } from '../../../ownership.ts';
import type { EngineGuard } from '../engine/engine-guard.ts';
import type { EngineReads } from '../engine/engine.ts';
import { isNext } from '../state/container-name.ts';
import type { ObservedContainer } from '../state/observed-container.ts';
import { inspectAll, inspectOne, lookAtAll, lookAtTenant } from './engine-look.ts';
import { createSnapshot } from './engine-snapshot.ts';
import type { EngineSnapshot } from './engine-snapshot.ts';
import { createHeardExits } from './heard-exits.ts';
import type { HeardExits } from './heard-exits.ts';
import { createHealthRestarts } from './health-restarts.ts';
import type { HealthRestarts } from './health-restarts.ts';
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
  /** A list of this tenant's containers and an inspect of each, now. */
  readonly fresh: Look;
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
  let watch: WatchState = 'off';

  const lookAt: Look = async (tenantId, signal) => {
    const moment = snapshot.moment();
    const found = await lookAtTenant(guard.engine, ownership, tenantId, signal);
    const containers = found.map((container) => exits.addTo(container));
    snapshot.store(tenantId, containers, moment);
    return containers;
  };

  /** No caller's signal: the list serves many. The engine's own deadline ends it. */
  const sharedList = sharedRun(() => lookAtAll(guard.engine, ownership, new AbortController().signal));

  const listed = async (tenantId: string, signal: AbortSignal) => {
    if (typeof watch === 'object') await abortable(watch.starting, signal);
    return watch === 'live' ? snapshot.read(tenantId) : ((await sharedList(signal)).get(tenantId) ?? []);
  };

  const lookCheaply = async (tenantId: string, signal: AbortSignal) => {
    guard.check();
    const moment = snapshot.moment();
    const containers = await listed(tenantId, signal);
    if (containers?.some(tellsTooLittle) !== true) return containers;
    const found = await inspectAll(guard.engine, containers, signal);
    const inspected = found.map((container) => exits.addTo(container));
    if (watch === 'live') snapshot.store(tenantId, inspected, moment);
    return inspected;
  };

  return {
    snapshot,
    exits,
    live: memories.live,
    restarts: memories.restarts,
    forget: memories.forget,
    fresh: async (tenantId, signal) => memories.addTo(await lookAt(tenantId, signal), signal),
    async known(tenantId, signal) {
      const containers = await lookCheaply(tenantId, signal);
      return containers && memories.addTo(containers, signal);
    },
    all: (signal) => lookAtAll(engine, ownership, signal),
    async inspect(container, signal) {
      const found = await inspectOne(engine, container, signal);
      return found === undefined ? undefined : exits.addTo(found);
    },
    setWatch: (state) => void (watch = state),
  };
}

/** What is known of containers besides what the engine says. Not put into the snapshot: it is added to each answer, as it is by then. */
function createMemories(engine: EngineReads, lastingPauseMs: number | undefined) {
  const pauses = createPauses(lastingPauseMs);
  const live = createLiveMemory();
  const restarts = createHealthRestarts();
  const lastWords = createLastWords(engine);
  const added = (container: ObservedContainer): ObservedContainer =>
    restarts.addTo(live.addTo(pauses.addTo(container)));
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
      lastWords.forget(containerId);
    },
  };
}

/** Restarts, the start's time and the reason of an exit stand in the inspect alone; they matter for these. */
function tellsTooLittle({ inspected, state, health, young, name }: ObservedContainer): boolean {
  if (inspected !== undefined) return false;
  return state !== 'running' || young || health === 'unhealthy' || health === 'starting' || isNext(name);
}
