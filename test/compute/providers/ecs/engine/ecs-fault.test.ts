import { describe, expect, test } from 'vitest';
import { faultOf } from '../../../../../src/compute/providers/ecs/engine/ecs-fault.ts';
import { awsError } from '../aws-error.ts';

describe('what became of a call that brought no answer to work with', () => {
  test.each([
    ['ThrottlingException', 400],
    ['Throttling', 400],
    ['TooManyRequestsException', 400],
    ['RequestLimitExceeded', 400],
    ['SlowDown', 503],
    ['Whatever', 429],
  ])('%s with %i was throttled', (name, status) => {
    expect(faultOf(awsError(name, { status }))).toEqual({ kind: 'throttled' });
  });

  test.each([
    ['40', 40_000],
    ['0', 0],
    ['0.5', 500],
  ])('a throttle that says retry-after %s asks for %i ms', (header, retryAfterMs) => {
    const error = awsError('ThrottlingException', { headers: { 'retry-after': header } });
    expect(faultOf(error)).toEqual({ kind: 'throttled', retryAfterMs });
  });

  test.each(['-1', 'soon', ''])('a retry-after of %j asks for nothing', (header) => {
    const error = awsError('ThrottlingException', { headers: { 'retry-after': header } });
    expect(faultOf(error)).toEqual({ kind: 'throttled' });
  });

  test.each<[name: string, status: number | undefined, kind: string]>([
    ['ExpiredTokenException', 400, 'credentials'],
    ['UnrecognizedClientException', 403, 'credentials'],
    ['CredentialsProviderError', undefined, 'credentials'],
    ['AccessDeniedException', 400, 'denied'],
    ['OptInRequired', undefined, 'denied'],
    ['SomethingElse', 403, 'denied'],
    ['SomethingElse', 401, 'denied'],
    ['InvalidParameterException', 400, 'refused'],
    ['NotFound', 404, 'refused'],
    ['NotFound', 499, 'refused'],
  ])('%s with %s is %s', (name, status, kind) => {
    expect(faultOf(awsError(name, { status }))).toEqual({ kind });
  });

  test.each<[what: string, error: unknown]>([
    ['a 4xx that is no JSON', Object.assign(new SyntaxError('<'), { $metadata: { httpStatusCode: 404 } })],
    ['a 4xx without a name', awsError('Unknown', { status: 400 })],
    ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOENT'].map(
      (code): [string, unknown] => [code, awsError('Error', { code })],
    ),
  ])('after %s the call was not carried out', (_what, error) => {
    expect(faultOf(error)).toEqual({ kind: 'unavailable', isLost: false });
  });

  test.each([
    ['a 500', awsError('ServerException', { status: 500 })],
    ['a redirect', awsError('Unknown', { status: 399 })],
    ['ECONNRESET', awsError('Error', { code: 'ECONNRESET' })],
    ['a code that is none', Object.assign(new Error('x'), { code: 7 })],
    ['silence', awsError('TimeoutError')],
    ['what is no error', undefined],
    ['text', 'broken'],
  ])('after %s it may have been carried out', (_what, error) => {
    expect(faultOf(error)).toEqual({ kind: 'unavailable', isLost: true });
  });
});
