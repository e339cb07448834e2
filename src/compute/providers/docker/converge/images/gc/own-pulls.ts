import type { Logger } from 'pino';
import { asComputeError } from '../../../../../errors.ts';
import { parseImageReference, pinnedImage } from '../../../../../spec/image-reference.ts';
import type { Engine } from '../../../engine/engine.ts';
import { clockSlackMs } from '../../../state/image/image-standing.ts';
import type { ImageRecords } from './image-records.ts';

/** Our own pulls, so that what they bring can be told from what was there, and they from pulls of others. */
export interface OwnPulls {
  /** Pulls, and writes down what that has brought. What can't be written down counts as somebody else's. */
  readonly pullImage: Engine['pullImage'];
  /** Names that are being pulled; see `pinnedImage`. */
  underWay(): readonly string[];
  /**
   * Whose a pull of this name is that the engine tells of: `own`, or `beside` one of ours. Undefined: there was none of ours
   * at that time, by the engine's clock.
   */
  heard(image: string, atMs: number): 'own' | 'beside' | undefined;
  /** Whether some pull of ours was under way at that time, by the engine's clock. */
  wasAt(atMs: number): boolean;
}

interface OwnPull {
  readonly image: string;
  readonly beganMs: number;
  endedMs: number;
  /** When the engine told of it: it may do so again. */
  heardMs: number | undefined;
  /** Whether it was told of another one meanwhile. */
  wasAlone: boolean;
}

/** So long after its end an event may still come. What the engine tells of later than that is older than what is written. */
const eventLagMs = 60_000;

export function createOwnPulls(engine: Engine, records: ImageRecords, logger: Logger): OwnPulls {
  const pulls = new Set<OwnPull>();

  const begin = (image: string): OwnPull => {
    const nowMs = engine.time.nowMs();
    for (const pull of pulls) if (pull.endedMs + eventLagMs < nowMs) pulls.delete(pull);
    const pull = { image, beganMs: nowMs, endedMs: Infinity, heardMs: undefined, wasAlone: true };
    pulls.add(pull);
    return pull;
  };

  const note = async (pull: OwnPull, before: ReadonlySet<string>, signal: AbortSignal): Promise<void> => {
    const { image } = pull;
    const imageId = (await engine.inspectImage(image, signal))?.Id;
    if (imageId === undefined || !pull.wasAlone) return;
    const isNew =
      !before.has(imageId) || (await records.read(signal)).some((record) => record.imageId === imageId);
    if (isNew) await records.write({ imageId, image, pulledMs: engine.time.nowMs() }, signal);
  };

  const at = (atMs: number): readonly OwnPull[] =>
    [...pulls].filter(
      ({ beganMs, endedMs }) => beganMs - clockSlackMs <= atMs && atMs <= endedMs + clockSlackMs,
    );

  return {
    async pullImage(reference, terms, onProgress, signal) {
      const pull = begin(pinnedImage(parseImageReference(reference)));
      const unknown = (error: unknown): undefined => {
        if (signal.aborted) return;
        const { message } = asComputeError(error);
        logger.warn({ image: reference, error: message }, 'the image is never removed: who has brought it?');
      };
      try {
        const before = await idsOf(engine, signal).catch(unknown);
        await engine.pullImage(reference, terms, onProgress, signal).catch((error: unknown) => {
          // What the engine tells of it, for it may have gone on there, is no sign that another one is ours.
          pulls.delete(pull);
          throw error;
        });
        if (before !== undefined) await note(pull, before, signal).catch(unknown);
      } finally {
        pull.endedMs = engine.time.nowMs();
      }
    },
    underWay: () => [...pulls].filter(({ endedMs }) => endedMs === Infinity).map(({ image }) => image),
    heard(image, atMs) {
      const fitting = at(atMs).filter((pull) => pull.image === image);
      const own = fitting.find(({ heardMs }) => heardMs === undefined || heardMs === atMs);
      if (own !== undefined) own.heardMs = atMs;
      else for (const pull of fitting) pull.wasAlone = false;
      if (own !== undefined) return 'own';
      return fitting.length === 0 ? undefined : 'beside';
    },
    wasAt: (atMs) => at(atMs).length > 0,
  };
}

async function idsOf(engine: Engine, signal: AbortSignal): Promise<ReadonlySet<string>> {
  return new Set((await engine.listImages(signal)).map(({ Id }) => Id));
}
