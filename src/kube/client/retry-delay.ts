import { backoffMs } from '../../async/backoff.ts';
import { KubeApiError, KubeUnreachableError } from './kube-api-error.ts';

export interface RetryContext {
  /** How often the request was sent so far. */
  readonly attempts: number;
  /** Whether it may be sent again when nobody knows if it was carried out. */
  readonly idempotent: boolean;
}

/** client-go gives up after 10; a 429 tells us when to come back, so waiting is cheap. */
const maxThrottledAttempts = 10;
/** For all else: about a second in sum. The caller's own back-off takes over from there. */
const maxAttempts = 4;
const backoff = { baseMs: 100, capMs: 2_000 };

/** How long to wait before the same request is sent again; undefined where it must not be. */
export function retryDelayMs(
  error: unknown,
  context: RetryContext,
  random = Math.random,
): number | undefined {
  const { attempts, idempotent } = context;
  const ownDelayMs = backoffMs(attempts - 1, backoff, random);
  if (error instanceof KubeUnreachableError) {
    const allowed = idempotent || !error.outcomeUnknown;
    return allowed && attempts < maxAttempts ? ownDelayMs : undefined;
  }
  if (!(error instanceof KubeApiError)) return undefined;
  const { status, retryAfterMs } = error;
  // The credentials were invalidated: once more with fresh ones.
  if (status === 401) return attempts === 1 ? 0 : undefined;
  // Full jitter on top of what the server asked for, so that those it sent away don't return together.
  const askedDelayMs =
    retryAfterMs === undefined ? ownDelayMs : retryAfterMs + random() * backoff.baseMs * attempts;
  if (status === 429) return attempts < maxThrottledAttempts ? askedDelayMs : undefined;
  if (status < 500 || attempts >= maxAttempts) return undefined;
  // A 5xx with Retry-After was turned away at the door; without one it may have been carried out.
  return idempotent || retryAfterMs !== undefined ? askedDelayMs : undefined;
}
