import { describe, expect, test, vi, onTestFinished } from 'vitest';
import { ComputeError, errorCodes, errorPolicies } from '../../../src/compute/errors.ts';
import type { ErrorCode } from '../../../src/compute/errors.ts';
import type { Verdict } from '../../../src/controller/pass.ts';
import { requeue } from '../../../src/controller/status/requeue.ts';

function withRandom(value: number): void {
  vi.spyOn(Math, 'random').mockReturnValue(value);
  onTestFinished(() => void vi.restoreAllMocks());
}

const next = (verdict: Verdict, lookAgainAfterMs?: number) =>
  requeue({ verdict, repaired: [], lookAgainAfterMs });
const failed = (code: ErrorCode, retryAfterMs?: number): Verdict => ({
  kind: 'failed',
  error: new ComputeError(code, 'm', retryAfterMs === undefined ? {} : { retryAfterMs }),
});
const progressing: Verdict = { kind: 'progressing', reason: 'Updating', message: 'm', underWay: true };
const rolledBack: Verdict = { kind: 'rolledBack', reason: 'RolledBack', message: 'm' };
const stalledCodes = errorCodes.filter((code) => errorPolicies[code].stalled);
const slowCodes = errorCodes.filter((code) => errorPolicies[code].minRetryMs > 0);
const otherCodes = errorCodes.filter((code) => !stalledCodes.includes(code) && !slowCodes.includes(code));

describe('the next look', () => {
  test.each<[name: string, verdict: Verdict, asked: number | undefined, result: object]>([
    ['is left to hints once it is Ready', { kind: 'ready', message: 'm' }, undefined, {}],
    [
      'at what is Ready comes when it was asked for',
      { kind: 'ready', message: 'm' },
      900,
      { requeueAfterMs: 900 },
    ],
    ['is left to hints while suspended', { kind: 'suspended' }, undefined, {}],
    [
      'at what is suspended and can not be seen backs off as for any other',
      { kind: 'suspended', unseen: new ComputeError('Throttled', 'm', { retryAfterMs: 7000 }) },
      undefined,
      { failed: true, requeueAfterMs: 7000 },
    ],
    ['at what is under way comes every 10 s', progressing, undefined, { requeueAfterMs: 10_000 }],
    ['at what is under way comes when it was asked for', progressing, 900, { requeueAfterMs: 900 }],
    ['at what was rolled back comes after 5 minutes', rolledBack, undefined, { requeueAfterMs: 300_000 }],
    ['at what was rolled back comes when it was asked for', rolledBack, 900, { requeueAfterMs: 900 }],
    [
      'at what was rolled back comes after 5 minutes at the latest',
      rolledBack,
      900_000,
      { requeueAfterMs: 300_000 },
    ],
    [
      'at what is being deleted comes every 10 s',
      { kind: 'deleting', message: 'm' },
      undefined,
      { requeueAfterMs: 10_000 },
    ],
    [
      'at what is being deleted comes when it was asked for',
      { kind: 'deleting', message: 'm' },
      900,
      { requeueAfterMs: 900 },
    ],
  ])('%s', (_name, verdict, asked, result) => {
    withRandom(0);
    expect(next(verdict, asked)).toEqual(result);
  });

  test.each(stalledCodes)('at what is Stalled by %s comes after 5 minutes', (code) => {
    withRandom(0);
    expect(next(failed(code))).toEqual({ failed: true, requeueAfterMs: 300_000 });
    expect(next(failed(code, 1000))).toEqual({ failed: true, requeueAfterMs: 300_000 });
  });

  test.each(slowCodes)('after %s comes no sooner than its policy says', (code) => {
    withRandom(0);
    expect(next(failed(code))).toEqual({ failed: true, requeueAfterMs: errorPolicies[code].minRetryMs });
    expect(next(failed(code, 1))).toEqual({ failed: true, requeueAfterMs: errorPolicies[code].minRetryMs });
    expect(next(failed(code, 90_000))).toEqual({ failed: true, requeueAfterMs: 90_000 });
  });

  test.each(errorCodes)('after %s waits for the engine alone, where it could not be reached', (code) => {
    expect(next(failed(code)).isOutage === true).toBe(code === 'ProviderUnavailable');
  });

  test.each(otherCodes)('after %s backs off, or waits as long as the engine asked for', (code) => {
    withRandom(0);
    expect(next(failed(code))).toMatchObject({ failed: true });
    expect(next(failed(code))).not.toHaveProperty('requeueAfterMs');
    expect(next(failed(code, 7000))).toMatchObject({ failed: true, requeueAfterMs: 7000 });
  });

  test('at a fleet that stalled together is spread over a tenth of the time', () => {
    withRandom(0.5);
    expect(next(failed('InvalidSpec')).requeueAfterMs).toBeCloseTo(315_000);
  });

  test('at a deletion that fails follows its error', () => {
    withRandom(0);
    const error = new ComputeError('ProviderNotFound', 'm');
    expect(next({ kind: 'deleting', message: 'm', error }, 900)).toEqual({
      failed: true,
      requeueAfterMs: 300_000,
    });
    const busy = new ComputeError('DestroyFailed', 'm');
    expect(next({ kind: 'deleting', message: 'm', error: busy }, 900)).toEqual({ failed: true });
  });
});
