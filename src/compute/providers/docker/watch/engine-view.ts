import { isNext } from '../state/diff.ts';
import { describeLive } from '../state/desired.ts';
import { createSnapshot } from './engine-snapshot.ts';
import type { EngineSnapshot } from './engine-snapshot.ts';
import type { EngineGuard } from '../engine/engine-guard.ts';
import type { Engine } from '../engine/engine.ts';
import { observeContainer, withInspect } from '../state/observed-container.ts';
import type { ObservedContainer } from '../state/observed-container.ts';
import { labelFilter } from '../state/ownership.ts';
import type { Owner } from '../state/ownership.ts';
import { abortable } from '../../../../async/abortable.ts';
import { sharedRun } from '../../../../async/shared-run.ts';

/** The containers of this instance, from what was seen where that can't be stale, else from the engine. */
export interface EngineView {
  readonly snapshot: EngineSnapshot;
  /** As cheaply as may be: inspects only where the list does not tell enough. */
  tenant(tenantId: string, signal: AbortSignal): Promise<readonly ObservedContainer[]>;
  /** A list of this tenant's containers and an inspect of each, now. */
  fresh(tenantId: string, signal: AbortSignal): Promise<readonly ObservedContainer[]>;
  /** One list of everything, by tenant. For the watch: not guarded. */
  all(signal: AbortSignal): Promise<ReadonlyMap<string, readonly ObservedContainer[]>>;
  /** For the watch: not guarded. */
  inspect(container: ObservedContainer, signal: AbortSignal): Promise<ObservedContainer | undefined>;
  /** The code of a container's last exit, which the engine forgets when it restarts it. */
  noteExit(containerId: string, exitCode: number | undefined): void;
  /**
   * What the watch is at: `live` (it hears of every change), `starting` (it soon will: a promise that settles then),
   * or `off`.
   */
  setWatch(state: WatchState): void;
}

export type WatchState = 'live' | 'off' | { readonly starting: Promise<void> };

/** `guard` refuses calls while the engine is known to be down; `engine` is the same without it. */
export function createEngineView(
  { engine, guard }: { readonly engine: Engine; readonly guard: EngineGuard },
  prefix: string,
  owner: Owner,
): EngineView {
  const snapshot = createSnapshot();
  const exits = new Map<string, number>();
  let watch: WatchState = 'off';

  const inspect = async (
    asked: Engine,
    container: ObservedContainer,
    signal: AbortSignal,
  ): Promise<ObservedContainer | undefined> => {
    const found = await asked.inspectContainer(container.id, signal);
    if (found === undefined) return undefined;
    const inspected = withInspect(container, found);
    const lastExit = exits.get(container.id);
    return inspected.exitCode === undefined && lastExit !== undefined
      ? { ...inspected, exitCode: lastExit }
      : inspected;
  };

  const inspectAll = async (
    containers: readonly ObservedContainer[],
    signal: AbortSignal,
  ): Promise<readonly ObservedContainer[]> => {
    const found = await Promise.all(containers.map((container) => inspect(guard.engine, container, signal)));
    return found.filter((container) => container !== undefined);
  };

  const fresh = async (tenantId: string, signal: AbortSignal): Promise<readonly ObservedContainer[]> => {
    const moment = snapshot.moment();
    const infos = await guard.engine.listContainers(labelFilter(prefix, owner, tenantId), signal);
    const containers = await inspectAll(infos.map(observeContainer), signal);
    snapshot.store(tenantId, containers, moment);
    return containers;
  };

  const listAll = async (
    asked: Engine,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, readonly ObservedContainer[]>> => {
    const infos = await asked.listContainers(labelFilter(prefix, owner), signal);
    return byTenant(infos.map(observeContainer), prefix);
  };

  /** No caller's signal: the list serves many. The engine's own deadline ends it. */
  const sharedList = sharedRun(() => listAll(guard.engine, new AbortController().signal));

  const known = async (tenantId: string, signal: AbortSignal): Promise<readonly ObservedContainer[]> => {
    if (typeof watch === 'object') await abortable(watch.starting, signal);
    if (watch !== 'live') return (await sharedList(signal)).get(tenantId) ?? [];
    return snapshot.read(tenantId) ?? fresh(tenantId, signal);
  };

  return {
    snapshot,
    fresh,
    all: (signal) => listAll(engine, signal),
    inspect: (container, signal) => inspect(engine, container, signal),
    async tenant(tenantId, signal) {
      guard.check();
      const moment = snapshot.moment();
      const containers = await known(tenantId, signal);
      if (!containers.some(tellsTooLittle)) return containers;
      const inspected = await inspectAll(containers, signal);
      if (watch === 'live') snapshot.store(tenantId, inspected, moment);
      return inspected;
    },
    noteExit(containerId, exitCode) {
      if (exitCode === undefined) exits.delete(containerId);
      else exits.set(containerId, exitCode);
    },
    setWatch: (state) => void (watch = state),
  };
}

function byTenant(
  containers: readonly ObservedContainer[],
  prefix: string,
): ReadonlyMap<string, readonly ObservedContainer[]> {
  const tenants = new Map<string, ObservedContainer[]>();
  for (const container of containers) {
    const tenantId = container.labels[`${prefix}.tenant_id`];
    if (tenantId === undefined) continue;
    const others = tenants.get(tenantId);
    if (others === undefined) tenants.set(tenantId, [container]);
    else others.push(container);
  }
  return tenants;
}

/** Restarts, the start's time and the reason of an exit stand in the inspect alone; they matter for these. */
function tellsTooLittle({ inspected, state, health, young, name }: ObservedContainer): boolean {
  if (inspected !== undefined) return false;
  return state !== 'running' || young || health === 'unhealthy' || health === 'starting' || isNext(name);
}

/** Whether the limits are those that the container was made with; a label says which those were. */
export function hasLabelledLimits({ inspected, labels }: ObservedContainer, prefix: string): boolean {
  return inspected === undefined || describeLive(inspected.live) === labels[`${prefix}.live`];
}
