import type { Logger } from 'pino';
import { asComputeError, ComputeError } from '../../errors.ts';
import type { RegistryCredential } from '../../tenant-compute-spec.ts';
import type { Engine } from './engine.ts';

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
   * Whether the image is there; where not, it is being pulled. Rejects with ImageUnavailable (or what else came of
   * it), once per failed pull; the call after that pulls again.
   */
  ensure(request: PullRequest, signal: AbortSignal): Promise<'present' | 'pulling'>;
  /** Forgets what is kept for a tenant. */
  forget(tenantId: string): void;
  /** Gives up what is under way. */
  close(): Promise<void>;
}

interface Pull {
  readonly tenants: Set<string>;
  readonly done: Promise<void>;
}

export function createImagePulls(
  engine: Engine,
  logger: Logger,
  onDone: (tenantId: string) => void,
): ImagePulls {
  const running = new Map<string, Pull>();
  /** By tenant, then by pull. */
  const failures = new Map<string, Map<string, ComputeError>>();
  const closing = new AbortController();

  const takeFailure = (tenantId: string, key: string): ComputeError | undefined => {
    const error = failures.get(tenantId)?.get(key);
    failures.get(tenantId)?.delete(key);
    return error;
  };

  const pull = async ({ image, credential }: PullRequest): Promise<void> => {
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

  const start = (request: PullRequest, key: string): Pull => {
    const tenants = new Set<string>();
    const run = async (): Promise<void> => {
      let failure: ComputeError | undefined;
      try {
        await pull(request);
      } catch (error) {
        failure = asComputeError(error, 'ImageUnavailable');
        logger.warn({ image: request.image, err: failure.message }, 'pull failed');
      }
      running.delete(key);
      if (closing.signal.aborted) return;
      for (const tenantId of tenants) {
        if (failure !== undefined) {
          if (!failures.has(tenantId)) failures.set(tenantId, new Map());
          failures.get(tenantId)?.set(key, failure);
        }
        onDone(tenantId);
      }
    };
    return { tenants, done: Promise.resolve().then(run) };
  };

  return {
    async ensure(request, signal) {
      const { tenantId, image, credential } = request;
      const key = `${image}\n${credential?.identity ?? ''}`;
      if ((await engine.inspectImage(image, signal)) !== undefined) {
        takeFailure(tenantId, key);
        return 'present';
      }
      const failure = takeFailure(tenantId, key);
      if (failure !== undefined) throw failure;
      if (closing.signal.aborted)
        throw new ComputeError('ProviderUnavailable', 'the operator is shutting down');
      const pull = running.get(key) ?? start(request, key);
      running.set(key, pull);
      pull.tenants.add(tenantId);
      return 'pulling';
    },
    forget: (tenantId) => void failures.delete(tenantId),
    async close() {
      closing.abort();
      await Promise.all([...running.values()].map(({ done }) => done));
    },
  };
}
