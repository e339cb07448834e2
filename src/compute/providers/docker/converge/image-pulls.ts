import type { Logger } from 'pino';
import { backoffMs } from '../../../../async/backoff.ts';
import { asComputeError, ComputeError } from '../../../errors.ts';
import type { RegistryCredential } from '../../../spec/tenant-compute-spec.ts';
import type { Engine } from '../engine/engine.ts';

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

interface Pull {
  /** Who waits for it. */
  readonly tenants: Set<string>;
  running?: Promise<void> | undefined;
  failure?: Failure | undefined;
}

interface Failure {
  readonly error: ComputeError;
  /** In a row. */
  readonly count: number;
  /** Date.now() from which on the next pull is due. */
  readonly retryAt: number;
}

/** Kubernetes' own for images has the same cap: a registry that lacks an image is not asked every few seconds. */
const firstRetryMs = 1000;
const lastRetryMs = 300_000;

export function createImagePulls(
  engine: Engine,
  logger: Logger,
  onDone: (tenantId: string) => void,
): ImagePulls {
  const pulls = new Map<string, Pull>();
  const closing = new AbortController();

  const pullImage = async ({ image, credential }: PullRequest): Promise<void> => {
    const auth = credential === undefined ? undefined : await credential.read();
    logger.info({ image }, 'pulling image');
    await engine.pullImage(
      image,
      auth === undefined
        ? undefined
        : { username: auth.username, password: auth.password.reveal(), serveraddress: auth.registry },
      (progress) => logger.info({ image, progress }, 'pulling image'),
      closing.signal,
    );
    logger.info({ image }, 'pulled image');
  };

  const run = async (pull: Pull, request: PullRequest): Promise<void> => {
    const before = pull.failure;
    try {
      await pullImage(request);
      pull.failure = undefined;
    } catch (error) {
      pull.failure = nextFailure(asComputeError(error, 'ImageUnavailable'), before?.count ?? 0);
    }
    pull.running = undefined;
    if (closing.signal.aborted) return;
    // The same failure again is no news: a hint would only cut the back-off short.
    if (pull.failure !== undefined && pull.failure.error.message === before?.error.message) return;
    if (pull.failure !== undefined) {
      logger.warn({ image: request.image, error: pull.failure.error.message }, 'pull failed');
    }
    for (const tenantId of pull.tenants) onDone(tenantId);
  };

  return {
    async ensure(request, signal) {
      const { tenantId, image, credential } = request;
      const key = `${image}\n${credential?.identity ?? ''}`;
      if ((await engine.inspectImage(image, signal)) !== undefined) {
        if (pulls.get(key)?.running === undefined) pulls.delete(key);
        return 'present';
      }
      if (closing.signal.aborted)
        throw new ComputeError('ProviderUnavailable', 'the operator is shutting down');
      const pull: Pull = pulls.get(key) ?? { tenants: new Set() };
      pulls.set(key, pull);
      pull.tenants.add(tenantId);
      const { failure } = pull;
      if (failure === undefined || Date.now() >= failure.retryAt) {
        pull.running ??= Promise.resolve().then(() => run(pull, request));
      }
      if (failure === undefined) return 'pulling';
      const retryAfterMs = Math.max(firstRetryMs, failure.retryAt - Date.now());
      const { code, message } = failure.error;
      throw new ComputeError(code, message, { retryAfterMs, cause: failure.error });
    },
    forget(tenantId) {
      for (const [key, { tenants, running }] of pulls) {
        tenants.delete(tenantId);
        if (tenants.size === 0 && running === undefined) pulls.delete(key);
      }
    },
    async close() {
      closing.abort();
      for (const { running } of pulls.values()) await running;
    },
  };
}

function nextFailure(error: ComputeError, failuresBefore: number): Failure {
  // Spread out, so that images that failed together are not asked for together.
  const delayMs = backoffMs(failuresBefore, { baseMs: firstRetryMs, capMs: lastRetryMs });
  return { error, count: failuresBefore + 1, retryAt: Date.now() + delayMs };
}
