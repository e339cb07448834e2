import type { Reason } from '../api/conditions.ts';

/** The standard error types: everything that a provider may reject with, and what follows from each. */

export const errorCodes = [
  'ProviderNotFound',
  'ProviderRequired',
  'ProviderConflict',
  'InvalidSpec',
  'SecretNotFound',
  'ProvisionFailed',
  'UpdateFailed',
  'DestroyFailed',
  'TenantNotFound',
  'ImageUnavailable',
  'AccessDenied',
  'Throttled',
  'ProviderUnavailable',
  'PolicyDenied',
  'ApprovalRequired',
  'InternalError',
] as const;
export type ErrorCode = (typeof errorCodes)[number];

export interface ErrorPolicy {
  /** The reason that the conditions bear. */
  readonly reason: Reason;
  /** Only the user can help: Stalled, looked at again every 5 minutes. Otherwise Reconciling, with back-off. */
  readonly stalled: boolean;
  /** Shortest wait before the next try, in milliseconds, for errors that trying again soon only makes worse. */
  readonly minRetryMs: number;
}

/** 30 s: a registry, an IAM change or a throttle does not mend within the first steps of the back-off. */
const slowRetryMs = 30_000;

export const errorPolicies = {
  ProviderNotFound: { reason: 'ProviderNotFound', stalled: true, minRetryMs: 0 },
  ProviderRequired: { reason: 'ProviderRequired', stalled: true, minRetryMs: 0 },
  ProviderConflict: { reason: 'ProviderConflict', stalled: true, minRetryMs: 0 },
  InvalidSpec: { reason: 'InvalidSpec', stalled: true, minRetryMs: 0 },
  PolicyDenied: { reason: 'PolicyDenied', stalled: true, minRetryMs: 0 },
  ApprovalRequired: { reason: 'ApprovalRequired', stalled: true, minRetryMs: 0 },
  SecretNotFound: { reason: 'SecretNotFound', stalled: false, minRetryMs: 0 },
  ProvisionFailed: { reason: 'ProvisionFailed', stalled: false, minRetryMs: 0 },
  UpdateFailed: { reason: 'UpdateFailed', stalled: false, minRetryMs: 0 },
  DestroyFailed: { reason: 'DestroyFailed', stalled: false, minRetryMs: 0 },
  TenantNotFound: { reason: 'ProvisionFailed', stalled: false, minRetryMs: 0 },
  ImageUnavailable: { reason: 'ImageUnavailable', stalled: false, minRetryMs: 0 },
  AccessDenied: { reason: 'AccessDenied', stalled: false, minRetryMs: slowRetryMs },
  Throttled: { reason: 'Throttled', stalled: false, minRetryMs: 0 },
  ProviderUnavailable: { reason: 'ProviderUnavailable', stalled: false, minRetryMs: 0 },
  InternalError: { reason: 'InternalError', stalled: false, minRetryMs: 0 },
} as const satisfies Record<ErrorCode, ErrorPolicy>;

export interface ComputeErrorOptions {
  /** When the engine asked to be left alone, in milliseconds. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
  /** See `ComputeError.silentForMs`. */
  readonly silentForMs?: number | undefined;
  /** See `ComputeError.forLog`. */
  readonly forLog?: string | undefined;
}

/**
 * What a provider rejects with, and nothing else. The message says what is wrong, where, and what would mend it; it
 * stands in the Tenant's status as it is, so it holds no secret, and nothing that differs between two tries of the
 * same thing (no durations, request ids or addresses of ephemeral ports).
 */
export class ComputeError extends Error {
  override readonly name = 'ComputeError';
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;
  /**
   * For how long the engine had answered nothing when this was thrown, in milliseconds: what was seen is that old, and
   * older than the first call that failed. Undefined: unknown.
   */
  readonly silentForMs: number | undefined;
  /** What the operator's log may say besides, and a Tenant's status may not: who else is concerned. */
  readonly forLog: string | undefined;

  constructor(code: ErrorCode, message: string, options: ComputeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
    this.silentForMs = options.silentForMs;
    this.forLog = options.forLog;
  }

  /** Whether trying again without a change by the user can help. */
  get retriable(): boolean {
    return !errorPolicies[this.code].stalled;
  }
}

/** Any rejection as a ComputeError: what a provider let slip through counts as the engine being unavailable. */
export function asComputeError(error: unknown, fallback: ErrorCode = 'ProviderUnavailable'): ComputeError {
  if (error instanceof ComputeError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new ComputeError(fallback, message, { cause: error });
}

export interface ErrorMapping {
  /** How messages name the engine: `Docker`. */
  readonly engine: string;
  /** What the provider itself knows of an error. Undefined: nothing. */
  readonly known?: (error: unknown) => ComputeError | undefined;
  /** See `ComputeError.silentForMs`. */
  readonly silentForMs?: () => number;
}

/** Runs an operation of a provider, out of which nothing but a ComputeError may come. */
export async function asComputeErrors<T>(mapping: ErrorMapping, operation: () => Promise<T> | T): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    const standard = standardError(mapping, error);
    const silentForMs = mapping.silentForMs?.();
    throw silentForMs === undefined ? standard : afterSilence(standard, silentForMs);
  }
}

function standardError({ engine, known }: ErrorMapping, error: unknown): ComputeError {
  if (error instanceof ComputeError) return error;
  const mapped = known?.(error);
  if (mapped !== undefined) return mapped;
  if (isDefect(error)) return internalError(error.name, error);
  const { message, code } = asComputeError(error);
  return new ComputeError(code, `${engine}: ${message}`, { cause: error });
}

function afterSilence(error: ComputeError, silentForMs: number): ComputeError {
  return new ComputeError(error.code, error.message, { ...optionsOf(error), silentForMs });
}

/** The same error in other words. */
export function withMessage(error: ComputeError, message: string): ComputeError {
  return message === error.message ? error : new ComputeError(error.code, message, optionsOf(error));
}

function optionsOf({ cause, retryAfterMs, silentForMs, forLog }: ComputeError): ComputeErrorOptions {
  return { cause, silentForMs, forLog, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** `what` went wrong is not for the status, where nothing but its kind is known to be no secret; the log has the cause. */
export function internalError(what: string, cause: unknown): ComputeError {
  const message = `the operator could not go on (${what}); its log says more, and it is tried again`;
  return new ComputeError('InternalError', message, { cause });
}

/** What the language throws where the code is wrong. Node and its libraries mark theirs with a code, or a cause. */
function isDefect(error: unknown): error is Error {
  const isOfLanguage = [TypeError, ReferenceError, RangeError].some((kind) => error instanceof kind);
  return isOfLanguage && !('code' in (error as Error)) && (error as Error).cause === undefined;
}
