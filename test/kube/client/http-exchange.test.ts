import type { Dispatcher } from 'undici';
import { describe, expect, test } from 'vitest';
import type { Answer } from '../../../src/kube/client/exchange.ts';
import {
  apiError,
  readJson,
  resourceOf,
  toDispatch,
  unreachable,
} from '../../../src/kube/client/http-exchange.ts';
import type { RequestOptions } from '../../../src/kube/client/http-exchange.ts';
import { KubeUnreachableError } from '../../../src/kube/client/kube-api-error.ts';

const { signal } = new AbortController();
const get: RequestOptions = { method: 'GET', path: '/api/v1/pods' };

function dispatch(request: RequestOptions, isStream = false): Dispatcher.DispatchOptions {
  return toDispatch(request, {
    origin: 'https://server',
    pathPrefix: '/prefix',
    userAgent: 'landlord/1',
    credentials: { headers: { authorization: 'Bearer t' }, tls: {}, tlsFingerprint: '' },
    isStream,
  });
}

function answer(statusCode: number, text: string, headers = {}): Answer {
  return { statusCode, headers, body: Buffer.from(text) };
}

describe('a request', () => {
  test('bears the credentials, and wants a compressed answer', () => {
    expect(dispatch(get)).toEqual({
      origin: 'https://server',
      path: '/prefix/api/v1/pods',
      method: 'GET',
      headers: {
        authorization: 'Bearer t',
        accept: 'application/json',
        'user-agent': 'landlord/1',
        'accept-encoding': 'gzip',
      },
      body: null,
      idempotent: false,
    });
  });

  test('with a body says what it is', () => {
    const { headers, body } = dispatch({ ...get, method: 'POST', body: { a: 1 } });
    expect(body).toBe('{"a":1}');
    expect(headers).toHaveProperty('content-type', 'application/json');
    expect(headers).not.toHaveProperty('accept-encoding');
    const patch = dispatch({
      ...get,
      method: 'PATCH',
      body: {},
      contentType: 'application/merge-patch+json',
    });
    expect(patch.headers).toHaveProperty('content-type', 'application/merge-patch+json');
  });

  test('for a stream wants it uncompressed, event by event', () => {
    expect(dispatch(get, true).headers).not.toHaveProperty('accept-encoding');
  });

  test('asks for another form of the answer where that is wanted', () => {
    expect(dispatch({ ...get, accept: 'text/plain' }).headers).toHaveProperty('accept', 'text/plain');
  });

  test('has its query escaped, without what is undefined, and no question mark for nothing', () => {
    expect(dispatch({ ...get, query: { a: 'x y', b: false, c: 0, d: undefined } }).path).toBe(
      '/prefix/api/v1/pods?a=x+y&b=false&c=0',
    );
    expect(dispatch({ ...get, query: { a: undefined } }).path).toBe('/prefix/api/v1/pods');
  });
});

test('an empty answer is undefined, any other is its JSON', async () => {
  expect(await readJson(answer(200, ''))).toBeUndefined();
  expect(await readJson(answer(200, '{"a":[1]}'))).toEqual({ a: [1] });
});

describe('a refusal', () => {
  test('bears what the server said', async () => {
    const status = { message: 'modified', reason: 'Conflict', details: { name: 'x' } };
    expect(await apiError(get, answer(409, JSON.stringify(status)))).toMatchObject({
      status: 409,
      message: 'GET /api/v1/pods: 409 modified',
      reason: 'Conflict',
      details: { name: 'x' },
      retryAfterMs: undefined,
    });
  });

  test('in plain text keeps its first 300 characters', async () => {
    const { message } = await apiError(get, answer(502, ` ${'x'.repeat(500)}`));
    expect(message).toBe(`GET /api/v1/pods: 502 ${'x'.repeat(300)}`);
  });

  test.each([
    ['3', 3_000],
    ['0', 0],
    ['Wed, 21 Oct 2026 07:28:00 GMT', undefined],
  ])('with Retry-After %s asks for %s ms', async (header, retryAfterMs) => {
    const error = await apiError(get, answer(429, '{}', { 'retry-after': header }));
    expect(error.retryAfterMs).toBe(retryAfterMs);
  });
});

describe('no answer', () => {
  const failed = (code: string, message = 'broke') => Object.assign(new Error(message), { code });

  test.each([
    'ECONNREFUSED',
    'ENOTFOUND',
    'EAI_AGAIN',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'UND_ERR_CONNECT_TIMEOUT',
  ])('for %s: nothing was sent, so nothing can have happened', (code) => {
    const error = unreachable(get, signal, failed(code));
    expect(error).toMatchObject({ outcomeUnknown: false, message: 'GET /api/v1/pods: broke' });
  });

  test.each(['ECONNRESET', 'UND_ERR_SOCKET', ''])('for %j: nobody knows what happened', (code) => {
    const cause = failed(code);
    expect(unreachable(get, signal, cause)).toMatchObject({
      outcomeUnknown: true,
      cause,
    });
  });

  test('names the code where there are no words, and the deadline where that was the cause', () => {
    expect(unreachable(get, signal, failed('ECONNRESET', '')).message).toBe('GET /api/v1/pods: ECONNRESET');
    const late = AbortSignal.abort(new Error('no answer within 5 ms'));
    expect(unreachable(get, late, failed('UND_ERR_ABORTED')).message).toBe(
      'GET /api/v1/pods: no answer within 5 ms',
    );
    const odd = AbortSignal.abort('late');
    expect(unreachable(get, odd, failed('UND_ERR_ABORTED')).message).toBe('GET /api/v1/pods: late');
  });

  test('that has been told already stays what it is', () => {
    const error = new KubeUnreachableError('no credentials');
    expect(unreachable(get, signal, error)).toBe(error);
  });
});

test.each([
  ['/api/v1/nodes', 'nodes'],
  ['/api/v1/nodes/n1', 'nodes'],
  ['/api/v1/namespaces', 'namespaces'],
  ['/api/v1/namespaces/a', 'namespaces'],
  ['/api/v1/namespaces/a/pods', 'pods'],
  ['/api/v1/namespaces/a/pods/p/log', 'pods/log'],
  ['/apis/landlord.dev/v1/tenants', 'tenants'],
  ['/apis/landlord.dev/v1/namespaces/a/tenants/b/status', 'tenants/status'],
  ['/apis/landlord.dev/v1', '/apis/landlord.dev/v1'],
  ['/version', '/version'],
  ['/api', '/api'],
])('%s is counted as %s', (path, resource) => {
  expect(resourceOf(path)).toBe(resource);
});
