import { describe, expect, test } from 'vitest';
import { KubeApiError, KubeUnreachableError } from '../../../src/kube/client/kube-api-error.ts';
import { retryDelayMs } from '../../../src/kube/client/retry-delay.ts';

const refusal = (status: number, retryAfterMs?: number) => new KubeApiError('x', status, {}, retryAfterMs);
const lost = new KubeUnreachableError('reset', { outcomeUnknown: true });
const notSent = new KubeUnreachableError('refused');

/** The wait after each of the first attempts, at its longest, until there is no further one. */
function waits(error: unknown, idempotent: boolean): number[] {
  const delays: number[] = [];
  for (let attempts = 1; attempts < 50; attempts += 1) {
    const delayMs = retryDelayMs(error, { attempts, idempotent }, () => 1);
    if (delayMs === undefined) break;
    delays.push(delayMs);
  }
  return delays;
}

const thrice = [100, 200, 400];
const never: number[] = [];

describe('what may be sent again is sent', () => {
  test.each<[what: string, error: unknown, idempotent: number[], other: number[]]>([
    ['a connection that could not be made', notSent, thrice, thrice],
    ['a connection that broke in mid-request', lost, thrice, never],
    ['a 500, which may have been carried out', refusal(500), thrice, never],
    ['a 504 in the same way', refusal(504), thrice, never],
    [
      'a 503 with Retry-After, turned away at the door',
      refusal(503, 1_000),
      [1_100, 1_200, 1_300],
      [1_100, 1_200, 1_300],
    ],
    ['a 401, once, with fresh credentials', refusal(401), [0], [0]],
    ['a 404', refusal(404), never, never],
    ['a 409', refusal(409), never, never],
    ['a 499', refusal(499), never, never],
    ['an error that is none of ours', new TypeError('a bug'), never, never],
  ])('%s', (_what, error, idempotent, other) => {
    expect(waits(error, true)).toEqual(idempotent);
    expect(waits(error, false)).toEqual(other);
  });

  test('a 429 nine times, when the server says, and a little later each time', () => {
    const asked = Array.from({ length: 9 }, (_, index) => 1_000 + 100 * (index + 1));
    expect(waits(refusal(429, 1_000), false)).toEqual(asked);
    expect(waits(refusal(429), true)).toEqual([100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000, 2_000]);
  });
});

test('what the server asked for is the shortest wait, not the longest', () => {
  expect(retryDelayMs(refusal(429, 1_000), { attempts: 3, idempotent: true }, () => 0)).toBe(1_000);
});
