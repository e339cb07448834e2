import { describe, expect, test } from 'vitest';
import {
  KubeApiError,
  KubeUnreachableError,
  isApiError,
  isConflict,
  isNotFound,
  isNotServed,
  messageOf,
} from '../../../src/kube/client/kube-api-error.ts';

describe('an answer that is no', () => {
  test("says what was asked, the status, and the server's words", () => {
    const { message } = new KubeApiError('GET /x', 404, { message: 'not found', reason: 'NotFound' });
    expect(message).toBe('GET /x: 404 not found');
    expect(new KubeApiError('GET /x', 404, { reason: 'NotFound' }).message).toBe('GET /x: 404 NotFound');
    expect(new KubeApiError('GET /x', 500, {}).message).toBe('GET /x: 500 without a message');
  });

  test('has a reason, which is empty where the server gave none', () => {
    expect(new KubeApiError('x', 409, { reason: 'Conflict' }).reason).toBe('Conflict');
    expect(new KubeApiError('x', 409, {}).reason).toBe('');
  });

  test.each([
    ['of the header', 2_000, { retryAfterSeconds: 7 }, 2_000],
    ['of the header, even if it is 0', 0, { retryAfterSeconds: 7 }, 0],
    ['of the body', undefined, { retryAfterSeconds: 7 }, 7_000],
    ['of none', undefined, {}, undefined],
  ])('keeps the Retry-After %s', (_where, header, details, retryAfterMs) => {
    expect(new KubeApiError('x', 429, { details }, header).retryAfterMs).toBe(retryAfterMs);
  });
});

test('a 404 of an object tells the reason; of a kind that is not served there is none', () => {
  const absent = new KubeApiError('x', 404, { reason: 'NotFound' });
  const unserved = new KubeApiError('x', 404, { message: '404 page not found' });
  expect([isNotFound(absent), isNotServed(absent)]).toEqual([true, false]);
  expect([isNotFound(unserved), isNotServed(unserved)]).toEqual([false, true]);
  expect(isNotServed(new KubeApiError('x', 403, {}))).toBe(false);
});

test('without an answer, the request counts as not carried out unless somebody says so', () => {
  expect(new KubeUnreachableError('x').outcomeUnknown).toBe(false);
  const cause = new Error('reset');
  expect(new KubeUnreachableError('x', { outcomeUnknown: true, cause })).toMatchObject({
    outcomeUnknown: true,
    cause,
  });
});

test('errors are told by their status, of any or of the named ones', () => {
  const notFound = new KubeApiError('x', 404, { reason: 'NotFound' });
  expect(isApiError(notFound)).toBe(true);
  expect(isApiError(notFound, 410, 404)).toBe(true);
  expect(isApiError(notFound, 410)).toBe(false);
  expect(isApiError(Object.assign(new Error('x'), { status: 404 }), 404)).toBe(false);
  expect([isNotFound(notFound), isConflict(notFound)]).toEqual([true, false]);
  expect(isConflict(new KubeApiError('x', 409, {}))).toBe(true);
});

test.each([
  [new Error('refused'), 'refused'],
  ['a string', 'a string'],
  [undefined, 'undefined'],
])('%s says %j', (thrown, message) => {
  expect(messageOf(thrown)).toBe(message);
});
