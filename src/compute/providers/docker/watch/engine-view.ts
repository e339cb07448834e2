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

/** The containers of this instance, from what was seen where that can't be stale, else from the engine. */
export interface EngineView {
  readonly snapshot: EngineSnapshot;
  readonly exits: Pick<HeardExits, 'note'>;
  /** As cheaply as may be: inspects only where the list does not tell enough. */
  tenant(tenantId: string, signal: AbortSignal): Promise<readonly ObservedContainer[]>;
  /** A list of this tenant's containers and an inspect of each, now. */
  fresh(tenantId: string, signal: AbortSignal): Promise<readonly ObservedContainer[]>;
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

/** `guard` refuses calls while the engine is known to be down; `engine` is the same without it. */
export function createEngineView(
  { engine, guard }: { readonly engine: EngineReads; readonly guard: EngineGuard },
  ownership: Ownership,
): EngineView {
  const snapshot = createSnapshot();
  const exits = createHeardExits();
  let watch: WatchState = 'off';

  const fresh = async (tenantId: string, signal: AbortSignal): Promise<readonly ObservedContainer[]> => {
    const moment = snapshot.moment();
    const found = await lookAtTenant(guard.engine, ownership, tenantId, signal);
    const containers = found.map((container) => exits.addTo(container));
    snapshot.store(tenantId, containers, moment);
    return containers;
  };

  /** No caller's signal: the list serves many. The engine's own deadline ends it. */
  const sharedList = sharedRun(() => lookAtAll(guard.engine, ownership, new AbortController().signal));

  const known = async (tenantId: string, signal: AbortSignal): Promise<readonly ObservedContainer[]> => {
    if (typeof watch === 'object') await abortable(watch.starting, signal);
    if (watch !== 'live') return (await sharedList(signal)).get(tenantId) ?? [];
    return snapshot.read(tenantId) ?? fresh(tenantId, signal);
  };

  return {
    snapshot,
    exits,
    fresh,
    all: (signal) => lookAtAll(engine, ownership, signal),
    async inspect(container, signal) {
      const found = await inspectOne(engine, container, signal);
      return found === undefined ? undefined : exits.addTo(found);
    },
    async tenant(tenantId, signal) {
      guard.check();
      const moment = snapshot.moment();
      const containers = await known(tenantId, signal);
      if (!containers.some(tellsTooLittle)) return containers;
      const found = await inspectAll(guard.engine, containers, signal);
      const inspected = found.map((container) => exits.addTo(container));
      if (watch === 'live') snapshot.store(tenantId, inspected, moment);
      return inspected;
    },
    setWatch: (state) => void (watch = state),
  };
}

/** Restarts, the start's time and the reason of an exit stand in the inspect alone; they matter for these. */
function tellsTooLittle({ inspected, state, health, young, name }: ObservedContainer): boolean {
  if (inspected !== undefined) return false;
  return state !== 'running' || young || health === 'unhealthy' || health === 'starting' || isNext(name);
}
