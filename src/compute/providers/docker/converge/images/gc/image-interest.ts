import type { Logger } from 'pino';
import { backoffMs } from '../../../../../../async/backoff.ts';
import { sleep } from '../../../../../../async/sleep.ts';
import { asComputeError } from '../../../../../errors.ts';
import type { Ownership } from '../../../../../ownership.ts';
import type { Engine, EngineEvent } from '../../../engine/engine.ts';
import { pinnedName } from '../../../state/image/image-names.ts';
import type { Interest } from '../../../state/image/image-standing.ts';
import type { OwnPulls } from './own-pulls.ts';

/**
 * Which images others have had to do with, as the engine tells it: a pull of what is there, and a container that has come and
 * gone, leave no other trace. What the engine still remembers it tells first, so that a restart of the operator misses little.
 */
export interface ImageInterest {
  listen(this: void, signal: AbortSignal): Promise<void>;
  /** Undefined while nobody hears, or not for long enough yet. `done`: it was taken into account, for good. */
  soFar(): { readonly interests: readonly Interest[]; done(): void } | undefined;
}

interface Hearing {
  readonly engine: Engine;
  readonly ownership: Ownership;
  readonly pulls: Pick<OwnPulls, 'heard' | 'wasAt'>;
  readonly logger: Logger;
  /** Milliseconds of a clock that is never set. */
  readonly now: () => number;
}

/** In this time the engine has told what it remembers, of what was done while nobody heard. */
const catchUpMs = 10_000;

const reconnectBackoff = { baseMs: 250, capMs: 30_000 };

export function createImageInterest({ engine, ownership, pulls, logger, now }: Hearing): ImageInterest {
  const interests = new Map<string, Interest>();
  let listeningSinceMs = Infinity;

  const take = ({ action, id, attributes, timeMs: atMs }: EngineEvent): void => {
    if (action === 'create' && ownership.isOurs(attributes)) return;
    const image = action === 'create' ? attributes['image'] : id;
    if (image === undefined) return;
    const whose = action === 'pull' ? pulls.heard(pinnedName(image) ?? image, atMs) : undefined;
    if (whose === 'own') return;
    // None of the others is ours: while we pull, it is about what is there already, or comes.
    const isBeside = action === 'pull' ? whose === 'beside' : pulls.wasAt(atMs);
    const beside = isBeside || interests.get(image)?.beside === true;
    interests.set(image, { image, atMs, beside });
  };

  return {
    async listen(signal) {
      for (let failures = 0; !signal.aborted; failures += 1) {
        const onOpen = (): void => {
          listeningSinceMs = now();
          failures = 0;
        };
        try {
          for await (const event of engine.imageEvents(ownership.filter(), onOpen, signal)) take(event);
        } catch (error) {
          logger.debug({ err: asComputeError(error).message }, 'what others do with images is not heard');
        }
        listeningSinceMs = Infinity;
        await sleep(backoffMs(failures, reconnectBackoff), signal);
      }
    },
    soFar() {
      if (now() - listeningSinceMs < catchUpMs || listeningSinceMs === Infinity) return undefined;
      const all = [...interests.values()];
      return {
        interests: all,
        done() {
          for (const one of all) if (interests.get(one.image) === one) interests.delete(one.image);
        },
      };
    },
  };
}
