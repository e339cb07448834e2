import type { Ownership } from '../../../ownership.ts';
import type { EngineReads } from '../engine/engine.ts';
import type { ObservedContainer } from '../state/observed-container.ts';
import { inspectById, lookAtTenant } from './engine-look.ts';
import type { EngineSnapshot, KnownContainers } from './engine-snapshot.ts';
import type { HeardExits } from './heard-exits.ts';

/**
 * A look at one tenant's containers that asks the engine. While the watch hears of whatever is made or removed, it needs no
 * list for that: each container is asked for by its id.
 */

/** What the engine has said within the last second, while the watch has heard nothing since, is what it would say now. */
const recentMs = 1_000;

export interface LookAnew {
  readonly engine: EngineReads;
  readonly snapshot: EngineSnapshot;
  readonly exits: Pick<HeardExits, 'addTo'>;
  readonly ownership: Ownership;
}

/** A list of them, and an inspect of each. */
export async function listAnew(
  { engine, snapshot, exits, ownership }: LookAnew,
  tenantId: string,
  signal: AbortSignal,
): Promise<readonly ObservedContainer[]> {
  const moment = snapshot.moment();
  const found = await lookAtTenant(engine, ownership, tenantId, signal);
  const containers = found.map((container) => exits.addTo(container));
  snapshot.store(tenantId, containers, moment);
  return containers;
}

/**
 * Undefined: only a list can tell. `made`: of those that an answer to a call of our own has told of, that is enough, though
 * it tells less than an inspect.
 */
export async function askAnew(
  { engine, snapshot, exits, ownership }: LookAnew,
  { tenantId, made }: { readonly tenantId: string; readonly made: boolean },
  signal: AbortSignal,
): Promise<readonly ObservedContainer[] | undefined> {
  const known = snapshot.known(tenantId);
  if (known === undefined) return undefined;
  const moment = snapshot.moment();
  const due = dueOf(known, (container) => isRecent(container) && (made || container.inspected !== undefined));
  const answers = await Promise.all(
    due.map(async ({ id, name }) => {
      const found = await inspectById(engine, ownership, { tenantId, id, name }, signal);
      return [id, found && exits.addTo(found)] as const;
    }),
  );
  return snapshot.merge(tenantId, new Map(answers), moment);
}

interface Due {
  readonly id: string;
  readonly name?: string;
}

function dueOf(
  { containers, doubted }: KnownContainers,
  isEnough: (container: ObservedContainer) => boolean,
): readonly Due[] {
  const known = new Set(containers.map(({ id }) => id));
  const unknown = [...doubted].filter((id) => !known.has(id));
  return [
    ...containers.filter((container) => doubted.has(container.id) || !isEnough(container)),
    ...unknown.map((id) => ({ id })),
  ];
}

function isRecent({ askedMs }: ObservedContainer): boolean {
  return askedMs !== undefined && performance.now() - askedMs < recentMs;
}
