import { doneWithin } from '../../../../../async/done-within.ts';
import { ComputeError } from '../../../../errors.ts';
import { denied, matchesOneOf } from '../../../../policy.ts';
import { parseImageReference, pinnedImage } from '../../../../spec/image-reference.ts';
import type { DockerPolicy } from '../../config.ts';
import type { Engine } from '../../engine/engine.ts';
import { createImagePulls } from './image-pulls.ts';
import type { PullRequest } from './image-pulls.ts';
import type { PresentImage } from './present-image.ts';
import { withEach } from './registry-credentials.ts';
import { createRepeatedPull } from './repeated-pull.ts';
import type { RepeatedPull } from './repeated-pull.ts';
import type { Logger } from 'pino';

/**
 * What a tenant may make containers of. That an image is on the engine says nothing of who may have it: another tenant's
 * credentials may have brought it there. So a tenant has it once its own credentials, or none where it has none, were
 * accepted for it: by a pull, or by a look at the registry that changes nothing.
 */
export interface ImageAccess {
  /**
   * The image; otherwise what goes on in the background, or is to. Rejects with why it can't be had
   * (ImageUnavailable, …) until it can; with PolicyDenied where it may not be.
   */
  ensure(
    request: ImageRequest,
    signal: AbortSignal,
  ): Promise<PresentImage | 'pulling' | 'waiting' | 'asking'>;
  /** See `ImagePulls.keepOnly`. */
  keepOnly(tenantId: string, images: ReadonlySet<string>): void;
  /** Forgets what is kept for a tenant. */
  forget(tenantId: string): void;
  /** Gives up what is under way. */
  close(): Promise<void>;
}

export interface ImageRequest extends PullRequest {
  /** Ids of the images that the tenant's own containers were made of: what it may use was seen to then. */
  readonly ownImages: ReadonlySet<string>;
  readonly policy: Pick<DockerPolicy, 'allow_local_images' | 'unverified_images'>;
  /** The operator's config names it, for this very purpose: whose it is needs nobody's word. */
  readonly isOperators?: boolean;
}

/** So long a step waits for a registry's answer, before it is left to come in the background. */
const briefMs = 2_000;

/** As many answers of registries are remembered: each is asked for again at worst. */
const maxAccepted = 10_000;

export function createImageAccess(
  engine: Engine,
  logger: Logger,
  onDone: (tenantId: string) => void,
): ImageAccess {
  /** Names and credentials of pulls that have succeeded, the image of which was not seen yet. */
  const pulled = new Set<string>();
  const asked = createAskedRegistries(engine, onDone);
  const pulls = createImagePulls(engine, logger, onDone, (request) => void pulled.add(rightOf(request)));
  return {
    async ensure(request, signal) {
      const present = await pulls.ensure(request, signal);
      if (typeof present === 'string') return present;
      const right = rightOf(request);
      const key = `${right}\n${present.id}`;
      if (pulled.delete(right)) asked.accept(key);
      return isFree(request, present) || (await asked.accepts(key, request)) ? present : 'asking';
    },
    keepOnly: (tenantId, images) => pulls.keepOnly(tenantId, images),
    forget(tenantId) {
      pulls.forget(tenantId);
      asked.forget(tenantId);
    },
    async close() {
      await Promise.all([pulls.close(), asked.close()]);
    },
  };
}

/** What registries have said, by name, credential and id of an image. */
interface AskedRegistries extends Pick<ImageAccess, 'forget' | 'close'> {
  accept(key: string): void;
  /** False: it is being asked. Rejects with why it refuses, until it does not. */
  accepts(key: string, request: ImageRequest): Promise<boolean>;
}

interface Asking {
  readonly tenants: Set<string>;
  readonly look: RepeatedPull;
}

function createAskedRegistries(engine: Engine, onDone: (tenantId: string) => void): AskedRegistries {
  const accepted = new Set<string>();
  const asking = new Map<string, Asking>();
  const closing = new AbortController();

  const accept = (key: string): void => {
    accepted.add(key);
    const [oldest] = accepted;
    if (accepted.size > maxAccepted && oldest !== undefined) accepted.delete(oldest);
  };
  const whoAsks = (key: string): Asking => {
    const known = asking.get(key);
    if (known !== undefined) return known;
    const tenants = new Set<string>();
    const look = createRepeatedPull(() => {
      if (!closing.signal.aborted) for (const tenantId of tenants) onDone(tenantId);
    });
    const added = { tenants, look };
    asking.set(key, added);
    return added;
  };

  return {
    accept,
    async accepts(key, { tenantId, image, credentials }) {
      if (accepted.has(key)) return true;
      if (closing.signal.aborted)
        throw new ComputeError('ProviderUnavailable', 'the operator is shutting down');
      const { tenants, look } = whoAsks(key);
      tenants.add(tenantId);
      look.advance(async () => {
        await withEach(credentials, (auth) => engine.askRegistry(image, auth, closing.signal));
        accept(key);
      });
      await doneWithin(look.ended(), briefMs);
      if (accepted.has(key)) asking.delete(key);
      return accepted.has(key);
    },
    forget(tenantId) {
      for (const [key, { tenants, look }] of asking) {
        tenants.delete(tenantId);
        if (tenants.size === 0 && !look.isRunning()) asking.delete(key);
      }
    },
    async close() {
      closing.abort();
      for (const { look } of asking.values()) await look.ended();
    },
  };
}

/** Whether nobody needs to be asked. Throws PolicyDenied where nobody can be, and that is not allowed. */
function isFree(
  { image, ownImages, policy, isOperators }: ImageRequest,
  { id, isPulled }: PresentImage,
): boolean {
  if (isOperators === true || ownImages.has(id) || matchesOneOf(policy.unverified_images, image)) return true;
  if (isPulled) return false;
  if (policy.allow_local_images) return true;
  throw denied(
    'docker.allow_local_images',
    `image ${image} comes from no registry: it was built or loaded on the engine`,
    'Use one of a registry',
  );
}

function rightOf({ image, credentials }: PullRequest): string {
  return `${pinnedImage(parseImageReference(image))}\n${credentials?.identity ?? ''}`;
}
