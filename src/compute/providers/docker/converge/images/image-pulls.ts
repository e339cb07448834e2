import type { Logger } from 'pino';
import { ComputeError } from '../../../../errors.ts';
import type { RegistryCredential } from '../../../../spec/tenant-compute-spec.ts';
import type { Engine } from '../../engine/engine.ts';
import { createRepeatedPull } from './repeated-pull.ts';
import type { RepeatedPull } from './repeated-pull.ts';

/** Pulls go on in the background; each caller is told how its own stands. */

export interface PullRequest {
  readonly tenantId: string;
  readonly image: string;
  /** Asked for when the pull begins, not before. Undefined: anonymously. */
  readonly credential: PullCredential | undefined;
}

export interface PullCredential {
  /** Tells credentials apart without showing them: a pull is shared by those who'd make the same one. */
  readonly identity: string;
  read(): Promise<RegistryCredential>;
}

export interface ImagePulls {
  /**
   * Whether the image is there; where not, it is being pulled. Once a pull has failed, rejects with why until one
   * succeeds (ImageUnavailable, or what else came of it; `retryAfterMs` says when the next pull is due): a status
   * that went back to "pulling" with each try would never stand still.
   */
  ensure(request: PullRequest, signal: AbortSignal): Promise<'present' | 'pulling'>;
  /** Forgets what is kept for a tenant. */
  forget(tenantId: string): void;
  /** Gives up what is under way. */
  close(): Promise<void>;
}

interface Waiting {
  readonly tenants: Set<string>;
  readonly pull: RepeatedPull;
}

export function createImagePulls(
  engine: Engine,
  logger: Logger,
  onDone: (tenantId: string) => void,
): ImagePulls {
  /** By image and credential. */
  const waiting = new Map<string, Waiting>();
  const closing = new AbortController();

  const whoWaitsFor = (image: string, key: string): Waiting => {
    const known = waiting.get(key);
    if (known !== undefined) return known;
    const tenants = new Set<string>();
    const pull = createRepeatedPull((failure) => {
      if (closing.signal.aborted) return;
      if (failure !== undefined) logger.warn({ image, error: failure.message }, 'pull failed');
      for (const tenantId of tenants) onDone(tenantId);
    });
    const added = { tenants, pull };
    waiting.set(key, added);
    return added;
  };

  return {
    async ensure(request, signal) {
      const { tenantId, image, credential } = request;
      const key = `${image}\n${credential?.identity ?? ''}`;
      if ((await engine.inspectImage(image, signal)) !== undefined) {
        if (waiting.get(key)?.pull.isRunning() !== true) waiting.delete(key);
        return 'present';
      }
      if (closing.signal.aborted)
        throw new ComputeError('ProviderUnavailable', 'the operator is shutting down');
      const { tenants, pull } = whoWaitsFor(image, key);
      tenants.add(tenantId);
      pull.advance(() => pullImage({ engine, logger }, request, closing.signal));
      return 'pulling';
    },
    forget(tenantId) {
      for (const [key, { tenants, pull }] of waiting) {
        tenants.delete(tenantId);
        if (tenants.size === 0 && !pull.isRunning()) waiting.delete(key);
      }
    },
    async close() {
      closing.abort();
      for (const { pull } of waiting.values()) await pull.ended();
    },
  };
}

async function pullImage(
  { engine, logger }: { readonly engine: Engine; readonly logger: Logger },
  { image, credential }: PullRequest,
  signal: AbortSignal,
): Promise<void> {
  const auth = credential === undefined ? undefined : await credential.read();
  logger.info({ image }, 'pulling image');
  await engine.pullImage(
    image,
    auth === undefined
      ? undefined
      : {
          username: auth.username,
          password: auth.password.reveal(),
          serveraddress: auth.registry.split('/')[0] ?? '',
        },
    (progress) => logger.info({ image, progress }, 'pulling image'),
    signal,
  );
  logger.info({ image }, 'pulled image');
}
