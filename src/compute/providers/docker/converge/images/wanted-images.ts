import { parseImageReference } from '../../../../spec/image-reference.ts';
import type { ComputeError } from '../../../../errors.ts';
import type { NamedImage } from './present-image.ts';
import type { PullTurns, Turn } from './pull-turns.ts';
import { createRepeatedPull } from './repeated-pull.ts';
import type { RepeatedPull } from './repeated-pull.ts';

/** An image that is being pulled, or whose pull failed. */
export interface WantedImage extends NamedImage {
  readonly registry: string;
  /** For whom, each with its namespace. */
  readonly tenants: Map<string, string>;
  readonly pull: RepeatedPull;
  /** Aborts once nobody wants it any more. */
  readonly over: AbortController;
  turn?: Turn;
}

/** Which images are pulled, and for whom: what nobody wants any more is given up. */
export interface WantedImages {
  join(
    key: string,
    image: NamedImage,
    tenant: { readonly tenantId: string; readonly namespace: string },
  ): WantedImage;
  /** The tenant no longer wants those. */
  leave(tenantId: string, those: (wanted: WantedImage, key: string) => boolean): void;
  /** It is there: to wait for a turn to pull it is needless. */
  arrived(key: string): void;
  /** Gives up all of them. */
  close(): Promise<void>;
}

/** The pull has succeeded, or failed otherwise than the one before. */
type OnNews = (wanted: WantedImage, failure: ComputeError | undefined) => void;

export function createWantedImages(turns: PullTurns, onNews: OnNews): WantedImages {
  const all = new Map<string, WantedImage>();
  const keysOf = new Map<string, Set<string>>();
  const ending = new Set<Promise<void>>();

  const giveUp = (key: string, wanted: WantedImage): void => {
    all.delete(key);
    wanted.over.abort();
    const ended = wanted.pull.ended();
    ending.add(ended);
    void ended.finally(() => ending.delete(ended));
  };

  return {
    join(key, image, { tenantId, namespace }) {
      const wanted = all.get(key) ?? newlyWanted(image, onNews);
      all.set(key, wanted);
      if (wanted.tenants.has(tenantId)) return wanted;
      wanted.tenants.set(tenantId, namespace);
      keysOf.set(tenantId, (keysOf.get(tenantId) ?? new Set()).add(key));
      if (wanted.turn?.hasCome() === false) turns.review();
      return wanted;
    },
    leave(tenantId, those) {
      const keys = keysOf.get(tenantId);
      for (const key of keys ?? []) {
        const wanted = all.get(key);
        if (wanted !== undefined && !those(wanted, key)) continue;
        keys?.delete(key);
        wanted?.tenants.delete(tenantId);
        if (wanted?.tenants.size === 0) giveUp(key, wanted);
        else turns.review();
      }
      if (keys?.size === 0) keysOf.delete(tenantId);
    },
    arrived(key) {
      const wanted = all.get(key);
      if (wanted?.pull.isRunning() !== true) all.delete(key);
      else if (wanted.turn?.hasCome() === false) {
        onNews(wanted, undefined);
        giveUp(key, wanted);
      }
    },
    async close() {
      for (const [key, wanted] of all) giveUp(key, wanted);
      await Promise.all(ending);
    },
  };
}

function newlyWanted({ image, platform }: NamedImage, onNews: OnNews): WantedImage {
  const wanted: WantedImage = {
    image,
    platform,
    registry: parseImageReference(image).registry.toLowerCase(),
    tenants: new Map(),
    pull: createRepeatedPull((failure) => {
      if (!wanted.over.signal.aborted) onNews(wanted, failure);
    }),
    over: new AbortController(),
  };
  return wanted;
}
