import type { ObservedContainer } from '../state/observed-container.ts';

/**
 * Which of a tenant's containers must be asked for before anything is said of them, and whether it is certain which there
 * are. Moments are those of the snapshot's logical clock. Calls nothing.
 */
export interface Doubts {
  /** Anything may have happened to the tenant: there may be others of its containers. */
  ofAll(tenantId: string, moment: number): void;
  /** Something happened to this one. One that nobody knew may be the tenant's from now on. */
  ofOne(tenantId: string, containerId: string, moment: number): void;
  /** A list asked for at `moment` has told which there are of this tenant, each of them inspected. */
  listed(tenantId: string, moment: number): void;
  /** Such a list has told it of all tenants, and of no more than which there are. */
  listedAll(list: ReadonlyMap<string, readonly ObservedContainer[]>, moment: number): void;
  /** They were inspected: asked for at `moment`, which is `askedMs` by `performance.now()`. */
  asked(
    tenantId: string,
    containerIds: Iterable<string>,
    when: { readonly moment: number; readonly askedMs: number },
  ): void;
  /** It is gone, or none of the tenant's. */
  forget(containerId: string): void;
  /** It is gone: nothing can happen to it any more. */
  gone(tenantId: string, containerId: string): void;
  /**
   * Ids of those among `known`, and of others, that something happened to, or that were last asked for before `sinceMs`, if ever.
   * Undefined: only a list tells which there are.
   */
  about(
    tenantId: string,
    known: readonly ObservedContainer[],
    sinceMs: number,
  ): readonly string[] | undefined;
}

export function createDoubts(): Doubts {
  /** Moments, by tenant. */
  const doubted = new Map<string, number>();
  const told = new Map<string, number>();
  let allTold = -1;
  /** Moments, by container, by tenant. */
  const ones = new Map<string, Map<string, number>>();
  const askedAt = new Map<string, number>();

  const settle = (tenantId: string, isOver: (containerId: string, moment: number) => boolean): void => {
    const doubtful = ones.get(tenantId);
    for (const [id, moment] of doubtful ?? []) if (isOver(id, moment)) doubtful?.delete(id);
    if (doubtful?.size === 0) ones.delete(tenantId);
  };

  return {
    ofAll: (tenantId, moment) => void doubted.set(tenantId, moment),
    ofOne(tenantId, containerId, moment) {
      const doubtful = ones.get(tenantId) ?? new Map<string, number>();
      ones.set(tenantId, doubtful.set(containerId, moment));
    },
    listed(tenantId, moment) {
      told.set(tenantId, Math.max(moment, told.get(tenantId) ?? -1));
      settle(tenantId, (_id, touched) => touched <= moment);
    },
    listedAll(list, moment) {
      allTold = Math.max(allTold, moment);
      const isOver = (touched: number): boolean => touched <= moment;
      for (const tenantId of ones.keys()) {
        const ids = new Set(list.get(tenantId)?.map(({ id }) => id));
        // Of what is in it, a list tells less than the inspect that is due.
        settle(tenantId, (id, touched) => isOver(touched) && !ids.has(id));
      }
      for (const [tenantId, touched] of doubted) if (isOver(touched)) doubted.delete(tenantId);
      for (const [tenantId, at] of told) if (isOver(at)) told.delete(tenantId);
    },
    asked(tenantId, containerIds, { moment, askedMs }) {
      const ids = new Set(containerIds);
      for (const id of ids) askedAt.set(id, askedMs);
      settle(tenantId, (id, touched) => touched <= moment && ids.has(id));
    },
    forget: (containerId) => void askedAt.delete(containerId),
    gone(tenantId, containerId) {
      askedAt.delete(containerId);
      settle(tenantId, (id) => id === containerId);
    },
    about(tenantId, known, sinceMs) {
      const lastTold = Math.max(allTold, told.get(tenantId) ?? -1);
      if (lastTold === -1 || (doubted.get(tenantId) ?? -1) > lastTold) return undefined;
      const old = known.filter(
        ({ id, inspected }) => inspected === undefined || (askedAt.get(id) ?? -Infinity) < sinceMs,
      );
      return [...new Set([...old.map(({ id }) => id), ...(ones.get(tenantId)?.keys() ?? [])])];
    },
  };
}
