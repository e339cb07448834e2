import { backoffMs } from '../../../../../async/backoff.ts';
import { asComputeError, ComputeError } from '../../../../errors.ts';

/** Pulls of one image, one at a time, with a back-off between those that fail. */
export interface RepeatedPull {
  /** Begins a pull where none runs and one is due. Throws why the last one failed, until one succeeds. */
  advance(pull: () => Promise<void>): void;
  isRunning(): boolean;
  /** Settles once none runs. */
  ended(): Promise<void>;
}

interface Failure {
  readonly error: ComputeError;
  /** In a row. */
  readonly count: number;
  /** Date.now() from which on the next pull is due. */
  readonly retryAt: number;
}

/** Kubernetes' own for images has the same cap: a registry that lacks an image is not asked every few seconds. */
const retryBackoff = { baseMs: 1000, capMs: 300_000 };

/** `onNews`: a pull has succeeded, or failed otherwise than the one before. */
export function createRepeatedPull(onNews: (failure: ComputeError | undefined) => void): RepeatedPull {
  let running: Promise<void> | undefined;
  let failure: Failure | undefined;

  const run = async (pull: () => Promise<void>): Promise<void> => {
    const before = failure;
    try {
      await pull();
      failure = undefined;
    } catch (error) {
      failure = nextFailure(asComputeError(error, 'ImageUnavailable'), before?.count ?? 0);
    }
    running = undefined;
    // The same failure again is no news: a hint would only cut the back-off short.
    if (failure === undefined || failure.error.message !== before?.error.message) onNews(failure?.error);
  };

  return {
    advance(pull) {
      const last = failure;
      if (last === undefined || Date.now() >= last.retryAt) {
        running ??= run(pull);
      }
      if (last === undefined) return;
      const retryAfterMs = Math.max(retryBackoff.baseMs, last.retryAt - Date.now());
      throw new ComputeError(last.error.code, last.error.message, { retryAfterMs, cause: last.error });
    },
    isRunning: () => running !== undefined,
    ended: async () => running,
  };
}

function nextFailure(error: ComputeError, failuresBefore: number): Failure {
  // Spread out, so that images that failed together are not asked for together.
  const waitMs = Math.max(backoffMs(failuresBefore, retryBackoff), error.retryAfterMs ?? 0);
  return { error, count: failuresBefore + 1, retryAt: Date.now() + waitMs };
}
