/** What became of a call that brought no answer to work with. Pure. */

export type EcsFault =
  /** Too many calls: not carried out. */
  | { readonly kind: 'throttled'; readonly retryAfterMs?: number }
  /** The credentials are none, expired, unknown or badly signed: not carried out. */
  | { readonly kind: 'credentials' }
  /** The credentials are good, and may not do this: not carried out. */
  | { readonly kind: 'denied' }
  /** No answer, or one that says nothing. `isLost`: it may have been carried out. */
  | { readonly kind: 'unavailable'; readonly isLost: boolean }
  /** Understood and refused: not carried out. */
  | { readonly kind: 'refused' };

/** Both AWS' common errors and those of ECS, SQS and STS, whose query protocol leaves out `Exception`. */
const credentialErrors = new Set([
  'CredentialsProviderError',
  'TokenProviderError',
  'ProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidClientTokenId',
  'InvalidIdentityToken',
  'InvalidIdentityTokenException',
  'InvalidSignatureException',
  'IncompleteSignature',
  'IncompleteSignatureException',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'RequestExpired',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
]);
const denials = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'UnauthorizedOperation',
  'NotAuthorized',
  'OptInRequired',
  'BlockedException',
]);
const throttles = /^(Throttl|TooManyRequests|RequestLimitExceeded|RequestThrottled|SlowDown|BandwidthLimit)/;
/** The request never left, so it was not carried out. */
const unsentCodes = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
]);

export function faultOf(error: unknown): EcsFault {
  const name = nameOf(error);
  const status = httpStatusOf(error);
  if (throttles.test(name) || status === 429) {
    const retryAfterMs = retryAfterOf(error);
    return { kind: 'throttled', ...(retryAfterMs !== undefined && { retryAfterMs }) };
  }
  if (credentialErrors.has(name)) return { kind: 'credentials' };
  if (denials.has(name)) return { kind: 'denied' };
  if (status !== undefined && status >= 400 && status < 500) {
    // A 403 without a name that is known, or without JSON, is mostly a proxy's or a firewall's.
    return status === 403 || status === 401 ? { kind: 'denied' } : refusedOrForeign(error);
  }
  return { kind: 'unavailable', isLost: !unsentCodes.has(codeOf(error) ?? '') };
}

/** A 4xx that is no JSON of AWS' comes from something in between. */
function refusedOrForeign(error: unknown): EcsFault {
  const isForeign = error instanceof SyntaxError || nameOf(error) === 'Unknown';
  return isForeign ? { kind: 'unavailable', isLost: false } : { kind: 'refused' };
}

export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

/** Node's or OpenSSL's: ECONNREFUSED. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { readonly code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** Undefined where no answer came. A non-JSON 503 is a SyntaxError that bears its status here, too. */
export function httpStatusOf(error: unknown): number | undefined {
  const { $metadata } = (error ?? {}) as { readonly $metadata?: { readonly httpStatusCode?: number } };
  return $metadata?.httpStatusCode;
}

function retryAfterOf(error: unknown): number | undefined {
  const { $response } = error as {
    readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
  };
  const seconds = Number.parseFloat($response?.headers?.['retry-after'] ?? '');
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}
