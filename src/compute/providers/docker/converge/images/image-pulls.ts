import type { Logger } from 'pino';
import { onAbort } from '../../../../../async/on-abort.ts';
import { abortable } from '../../../../../async/abortable.ts';
import { ComputeError } from '../../../../errors.ts';
import { parseImageReference, pinnedImage } from '../../../../spec/image-reference.ts';
import type { Engine } from '../../engine/engine.ts';
import type { OnPullProgress } from '../../engine/images/pull-progress.ts';
import { imageKey, presentImage } from './present-image.ts';
import type { NamedImage, PresentImage } from './present-image.ts';
import { createPullTurns } from './pull-turns.ts';
import { withEach } from './registry-credentials.ts';
import type { PullCredentials } from './registry-credentials.ts';
import { createSlowPulls } from './slow-pulls.ts';
import type { SlowPulls } from './slow-pulls.ts';
import { createWantedImages } from './wanted-images.ts';
import type { WantedImage } from './wanted-images.ts';

/** Pulls go on in the background; each caller is told how its own stands. */

export interface PullRequest {
  readonly tenantId: string;
  readonly namespace: string;
  readonly image: string;
  /** `linux/arm64`. Undefined: the one for the engine, or whichever is there. */
  readonly platform?: string | undefined;
  /** Asked for when the pull begins, not before. Undefined: anonymously. */
  readonly credentials: PullCredentials | undefined;
}

/** The image; otherwise how its pull stands. `waiting`: other pulls come first. */
export type PullState = PresentImage | 'pulling' | 'waiting';

export interface ImagePulls {
  /**
   * The image, where it is there; where not, it is being pulled. Once a pull has failed, rejects with why until one
   * succeeds (ImageUnavailable, or what else came of it; `retryAfterMs` says when the next pull is due): a status
   * that went back to "pulling" with each try would never stand still.
   */
  ensure(request: PullRequest, signal: AbortSignal): Promise<PullState>;
  /** The tenant wants these images and no others: what is pulled for nobody else is given up. */
  keepOnly(tenantId: string, images: ReadonlySet<string>): void;
  /** Forgets what is kept for a tenant, and gives up what is pulled for it alone. */
  forget(tenantId: string): void;
  /** Gives up what is under way. */
  close(): Promise<void>;
}

export function createImagePulls(
  engine: Engine,
  logger: Logger,
  onNews: (tenantId: string) => void,
  onPulled: (request: PullRequest) => void = () => undefined,
): ImagePulls {
  const turns = createPullTurns();
  const hintAll = ({ tenants }: WantedImage): void => {
    for (const tenantId of tenants.keys()) onNews(tenantId);
  };
  const all = createWantedImages(turns, (wanted, failure) => {
    if (failure !== undefined) logger.warn({ image: wanted.image, error: failure.message }, 'pull failed');
    hintAll(wanted);
  });
  const slow = createSlowPulls((registry) => turns.isWanted(registry));
  let isClosing = false;

  const pullInTurn = async (request: PullRequest, wanted: WantedImage): Promise<void> => {
    const { over } = wanted;
    const turn = turns.take(wanted);
    wanted.turn = turn;
    try {
      if (!turn.hasCome()) {
        await abortable(turn.come, over.signal);
        hintAll(wanted);
      }
      await givingWay(slow, wanted, (onProgress, signal) =>
        pullImage({ engine, logger, onProgress }, request, signal),
      );
      onPulled(request);
    } finally {
      turn.end();
    }
  };

  return {
    async ensure(request, signal) {
      const { tenantId, namespace, credentials } = request;
      const asked = imageKey(request);
      const key = `${asked}\n${credentials?.identity ?? ''}`;
      const present = await presentImage(engine, request, signal);
      if (present !== undefined) {
        all.arrived(key);
        return present;
      }
      if (isClosing) throw new ComputeError('ProviderUnavailable', 'the operator is shutting down');
      // The same with another credential is another pull.
      all.leave(tenantId, (other, otherKey) => imageKey(other) === asked && otherKey !== key);
      const wanted = all.join(key, request, { tenantId, namespace });
      wanted.pull.advance(() => pullInTurn(request, wanted));
      return wanted.turn?.hasCome() === false ? 'waiting' : 'pulling';
    },
    keepOnly: (tenantId, images) => all.leave(tenantId, ({ image }) => !images.has(image)),
    forget: (tenantId) => all.leave(tenantId, () => true),
    async close() {
      isClosing = true;
      await all.close();
    },
  };
}

/** Longer than others may need to get what they wait for. */
const gaveWayRetryMs = 120_000;

/** The pull; it ends, and is to be made later, where it is so slow that others wait for it. */
async function givingWay(
  slow: SlowPulls,
  { image, registry, over }: WantedImage,
  pull: (onProgress: OnPullProgress, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const ends = new AbortController();
  let gaveWay: ComputeError | undefined;
  const watch = slow.watch(registry, () => {
    const message = `Image ${image} can't be pulled: registry ${registry} is slow, and the pull gave way to others that wait`;
    gaveWay = new ComputeError('ImageUnavailable', message, { retryAfterMs: gaveWayRetryMs });
    ends.abort(gaveWay);
  });
  const stopFollowing = onAbort(over.signal, () => ends.abort(over.signal.reason));
  try {
    await pull((_line, standing) => watch.report(standing), ends.signal);
  } catch (error) {
    throw gaveWay ?? error;
  } finally {
    stopFollowing();
    watch.end();
  }
}

interface PullTools {
  readonly engine: Engine;
  readonly logger: Logger;
  readonly onProgress: OnPullProgress;
}

async function pullImage(
  { engine, logger, onProgress }: PullTools,
  { image, platform, credentials }: PullRequest,
  signal: AbortSignal,
): Promise<void> {
  logger.info({ image }, 'pulling image');
  const report: OnPullProgress = (progress, standing) => {
    logger.info({ image, progress }, 'pulling image');
    onProgress(progress, standing);
  };
  await withEach(credentials, (auth) => engine.pullImage(image, { auth, platform }, report, signal));
  logger.info({ image }, 'pulled image');
  if (platform !== undefined) await assertPlatform(engine, { image, platform }, signal);
}

/** A registry that has one image of that name gives it to whoever asks, whatever for. */
async function assertPlatform(engine: Engine, wanted: NamedImage, signal: AbortSignal): Promise<void> {
  const { image, platform } = wanted;
  const found = await engine.inspectImage(pinnedImage(parseImageReference(image)), signal);
  if (found === undefined || (await presentImage(engine, wanted, signal)) !== undefined) return;
  throw new ComputeError(
    'ImageUnavailable',
    `Image ${image} can't be had for ${platform}: the registry gave one for ${found.Os}/${found.Architecture}`,
  );
}
