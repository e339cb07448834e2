import { abortable } from '../../../../async/abortable.ts';
import { sharedRun } from '../../../../async/shared-run.ts';
import type { Ownership } from '../../../ownership.ts';
import type { EngineGuard } from '../engine/engine-guard.ts';
import type { EngineEvent, EngineReads } from '../engine/engine.ts';
import { isNext } from '../state/container-name.ts';
import type { ObservedContainer } from '../state/observed-container.ts';
import { madeContainer } from '../state/own-containers.ts';
import type { MadeContainer } from '../state/own-containers.ts';
import { inspectAll, inspectOne, lookAtAll } from './engine-look.ts';
import { createSnapshot } from './engine-snapshot.ts';
import type { EngineSnapshot } from './engine-snapshot.ts';
import { toldByEvent } from './event-news.ts';
import { createHeardExits } from './heard-exits.ts';
import type { HeardExits } from './heard-exits.ts';
import { createPauses } from './pauses.ts';
import { createLastWords } from './last-words.ts';
import { createLiveMemory } from './live-memory.ts';
import { askAnew, listAnew } from './look-anew.ts';
import type { LookAnew } from './look-anew.ts';
import type { LiveMemory } from './live-memory.ts';

/** How a tenant's containers are got to know. */
export type Look = (tenantId: string, signal: AbortSignal) => Promise<readonly ObservedContainer[]>;

/** The containers of this instance, from what was seen where that can't be stale, else from the engine. */
export interface EngineView {
  readonly snapshot: EngineSnapshot;
  readonly live: LiveMemory;
  /** What is remembered of a container is over: it is no longer paused, or gone. */
  forget(containerId: string, what: 'pause' | 'all'): void;
  /** As cheaply as may be: inspects only where the list does not tell enough. Undefined: only a fresh look can tell. */
  known(tenantId: string, signal: AbortSignal): Promise<readonly ObservedContainer[] | undefined>;
  /** As the engine says now. */
  readonly fresh: Look;
  /** The same in the middle of changing them: what calls of our own have done need not be asked for. */
  readonly betweenCalls: Look;
  /** The engine has answered that it made this one. */
  noteMade(tenantId: string, made: MadeContainer): void;
  /** It has answered that a container has this name now. */
  noteRenamed(tenantId: string, id: string, name: string): void;
  /** What an event tells. */
  hear(tenantId: string, event: EngineEvent): void;
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

  const anew: LookAnew = { engine: guard.engine, snapshot, exits, ownership };
  const lookAt =
    (made: boolean): Look =>
    async (tenantId, signal) => {
      const asked = watch === 'live' ? await askAnew(anew, { tenantId, made }, signal) : undefined;
      return memories.addTo(asked ?? (await listAnew(anew, tenantId, signal)), signal);
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
    live: memories.live,
    forget: memories.forget,
    fresh: lookAt(false),
    betweenCalls: lookAt(true),
    ...hearing({ snapshot, exits, ownership }),
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

/** What changes without a look. */
function hearing({
  snapshot,
  exits,
  ownership,
}: Pick<LookAnew, 'snapshot' | 'ownership'> & { readonly exits: HeardExits }): Pick<
  EngineView,
  'noteMade' | 'noteRenamed' | 'hear'
> {
  const find = (tenantId: string, id: string): ObservedContainer | undefined =>
    snapshot.known(tenantId)?.containers.find((container) => container.id === id);
  return {
    noteMade(tenantId, made) {
      snapshot.put(tenantId, made.id, { ...madeContainer(made, ownership), askedMs: performance.now() });
    },
    noteRenamed(tenantId, id, name) {
      const known = find(tenantId, id);
      if (known === undefined) snapshot.touch(tenantId, id);
      else snapshot.amend(tenantId, known, { ...known, name });
    },
    hear(tenantId, event) {
      exits.note(event);
      const known = find(tenantId, event.id);
      const told = known && toldByEvent(event, known);
      if (event.action === 'destroy') snapshot.put(tenantId, event.id, undefined);
      else if (known === undefined || told === undefined) snapshot.touch(tenantId, event.id);
      else snapshot.amend(tenantId, known, exits.addTo(told));
    },
  };
}

/** What is known of containers besides what the engine says. Not put into the snapshot: it is added to each answer, as it is by then. */
function createMemories(engine: EngineReads, lastingPauseMs: number | undefined) {
  const pauses = createPauses(lastingPauseMs);
  const live = createLiveMemory();
  const lastWords = createLastWords(engine);
  const added = (container: ObservedContainer): ObservedContainer => live.addTo(pauses.addTo(container));
  return {
    live,
    addTo: async (containers: readonly ObservedContainer[], signal: AbortSignal) =>
      lastWords.addTo(containers.map(added), signal),
    forget(this: void, containerId: string, what: 'pause' | 'all') {
      pauses.forget(containerId);
      if (what !== 'all') return;
      live.forget(containerId);
      lastWords.forget(containerId);
    },
  };
}

/** Restarts, the start's time and the reason of an exit stand in the inspect alone; they matter for these. */
function tellsTooLittle({ inspected, state, health, young, name }: ObservedContainer): boolean {
  if (inspected !== undefined) return false;
  return state !== 'running' || young || health === 'unhealthy' || health === 'starting' || isNext(name);
}
