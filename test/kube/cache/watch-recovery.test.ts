import { expect, test } from 'vitest';
import { KubeApiError, KubeUnreachableError } from '../../../src/kube/client/kube-api-error.ts';
import { createWatchRecovery } from '../../../src/kube/cache/watch-recovery.ts';

const unreachable = new KubeUnreachableError('refused');
const startingUp = new KubeApiError('watch', 503, {}, 5_000);
const throttled = new KubeApiError('watch', 429, {}, 1_000);
const forbidden = new KubeApiError('watch', 403, {});
const expired = new KubeApiError('watch', 410, {});
const unserved = new KubeApiError('watch', 404, { message: '404 page not found' });

/** Without jitter: `random` of 1 gives the upper bounds. */
function recoveryWithoutJitter() {
  return createWatchRecovery({
    errorBackoff: { baseMs: 500, capMs: 30_000 },
    unservedBackoff: { baseMs: 500, capMs: 5_000 },
    unreachableBackoff: { baseMs: 500, capMs: 2_000 },
    random: () => 1,
  });
}

function waits(errors: Error[]): number[] {
  const recovery = recoveryWithoutJitter();
  return errors.map((error) => recovery.broke(error).waitMs);
}

test('a server that is away is tried every two seconds at most, however long it stays away', () => {
  expect(waits(Array.from({ length: 6 }, () => unreachable))).toEqual([
    500, 1_000, 2_000, 2_000, 2_000, 2_000,
  ]);
});

test('a refusal is tried again ever more seldom, up to half a minute', () => {
  expect(waits(Array.from({ length: 9 }, () => forbidden))).toEqual([
    500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000,
  ]);
});

test('a kind that is not served is asked for every five seconds at most: somebody may be about to install it', () => {
  expect(waits(Array.from({ length: 6 }, () => unserved))).toEqual([500, 1_000, 2_000, 4_000, 5_000, 5_000]);
});

test('what was said of being served holds until an answer says otherwise, and a server that is away says nothing', () => {
  const recovery = recoveryWithoutJitter();
  expect(recovery.isServed).toBe(true);
  recovery.broke(unserved);
  expect([recovery.isServed, recovery.refusal]).toEqual([false, 'watch: 404 404 page not found']);
  for (const error of [unreachable, startingUp]) recovery.broke(error);
  expect(recovery.isServed).toBe(false);
  recovery.broke(forbidden);
  expect(recovery.isServed).toBe(true);
  recovery.broke(unserved);
  recovery.works();
  expect([recovery.isServed, recovery.refusal]).toEqual([true, undefined]);
});

test('a watch that was opened is refused no more, but has yet to work before its errors are forgotten', () => {
  const recovery = recoveryWithoutJitter();
  recovery.broke(forbidden);
  recovery.opened();
  expect([recovery.refusal, recovery.failures]).toEqual([undefined, 1]);
});

test('each stage of a restart starts anew, so that the whole outage is not paid for at its end', () => {
  const outage = [unreachable, unreachable, unreachable, unreachable, startingUp, throttled, expired];
  expect(waits(outage).slice(4)).toEqual([500, 1_500, 0]);
});

test('Retry-After of a 429 is kept, with jitter; the 5 s that a starting apiserver asks for are not', () => {
  expect(waits([throttled])).toEqual([1_500]);
  expect(waits([startingUp, startingUp])).toEqual([500, 1_000]);
});

test('a 410 is answered by reading afresh at once, and a second one in a row by a pause', () => {
  expect(waits([expired, expired, expired])).toEqual([0, 1_000, 2_000]);
});

test.each<[what: string, error: Error, kind: string]>([
  ['no answer', unreachable, 'unreachable'],
  ['an error that is none of ours', new TypeError('terminated'), 'unreachable'],
  ['a 503', startingUp, 'starting'],
  ['a 429', throttled, 'starting'],
  ['a 410', expired, 'expired'],
  ['the reason Expired, whatever the status', new KubeApiError('x', 500, { reason: 'Expired' }), 'expired'],
  [
    'a version that the server has not reached',
    new KubeApiError('x', 504, { details: { causes: [{}, { reason: 'ResourceVersionTooLarge' }] } }),
    'expired',
  ],
  [
    'a 504 for another cause',
    new KubeApiError('x', 504, { details: { causes: [{ reason: 'x' }] } }),
    'refused',
  ],
  ['a 403', forbidden, 'refused'],
  ['a 404 without a reason', unserved, 'unserved'],
  ['a 404 with one', new KubeApiError('x', 404, { reason: 'NotFound' }), 'refused'],
])('%s is told apart from the others', (_what, error, kind) => {
  expect(recoveryWithoutJitter().broke(error)).toMatchObject({ kind, failures: 1 });
});

test('breaks of one kind in a row are counted, and a watch that works ends the row', () => {
  const recovery = recoveryWithoutJitter();
  expect(recovery.failures).toBe(0);
  recovery.broke(forbidden);
  expect(recovery.broke(forbidden)).toEqual({ kind: 'refused', failures: 2, waitMs: 1_000 });
  expect(recovery.failures).toBe(2);
  recovery.works();
  expect(recovery.failures).toBe(0);
  expect(recovery.broke(forbidden)).toEqual({ kind: 'refused', failures: 1, waitMs: 500 });
});
