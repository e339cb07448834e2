/** The apiserver's answer to a refused request: `metav1.Status` as it comes over the wire. */
export interface KubeStatus {
  readonly kind?: string;
  readonly status?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: {
    name?: string;
    group?: string;
    kind?: string;
    retryAfterSeconds?: number;
    causes?: { reason?: string; message?: string; field?: string }[];
  };
}

/** The apiserver answered, and the answer is no. */
export class KubeApiError extends Error {
  override readonly name = 'KubeApiError';
  /** HTTP status, or the code of a watch's ERROR event. */
  readonly status: number;
  /** `metav1.StatusReason`, for example `NotFound`, `Conflict`, `Expired`; empty where the server gave none. */
  readonly reason: string;
  /** What the server asked for by Retry-After. */
  readonly retryAfterMs: number | undefined;
  readonly details: KubeStatus['details'];

  constructor(what: string, status: number, body: KubeStatus, retryAfterMs?: number) {
    super(`${what}: ${status} ${body.message ?? body.reason ?? 'without a message'}`);
    this.status = status;
    this.reason = body.reason ?? '';
    this.details = body.details;
    const bodySeconds = body.details?.retryAfterSeconds;
    this.retryAfterMs = retryAfterMs ?? (bodySeconds === undefined ? undefined : bodySeconds * 1000);
  }
}

/** No answer: the connection failed, broke, or stayed silent past the deadline; or no credentials could be got. */
export class KubeUnreachableError extends Error {
  override readonly name = 'KubeUnreachableError';
  /** Whether the server may have carried the request out all the same. */
  readonly outcomeUnknown: boolean;

  constructor(message: string, options: { cause?: unknown; outcomeUnknown?: boolean } = {}) {
    super(message, { cause: options.cause });
    this.outcomeUnknown = options.outcomeUnknown ?? false;
  }
}

/** A write that was not sent: this process may not write any more, for another one may have taken its place. */
export class WriteFencedError extends Error {
  override readonly name = 'WriteFencedError';
}

/** What an error says, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function isApiError(error: unknown, ...statuses: number[]): error is KubeApiError {
  return error instanceof KubeApiError && (statuses.length === 0 || statuses.includes(error.status));
}

/** The object, or one that it is to be in, is not there. */
export function isNotFound(error: unknown): boolean {
  return isApiError(error, 404) && !isNotServed(error);
}

/**
 * The apiserver does not serve the kind in that version: its CRD is not installed. The answer to that is a bare
 * `404 page not found`, and so tells nothing of any object; where the kind is served, a 404 gives a reason.
 */
export function isNotServed(error: unknown): error is KubeApiError {
  return isApiError(error, 404) && error.reason === '';
}

export function isConflict(error: unknown): boolean {
  return isApiError(error, 409);
}
