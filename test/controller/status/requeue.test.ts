import { describe, expect, test, vi, onTestFinished } from 'vitest';
import type { TenantStatus } from '../../../src/api/status.ts';
import { ComputeError, errorCodes, errorPolicies } from '../../../src/compute/errors.ts';
import type { ErrorCode } from '../../../src/compute/errors.ts';
import type { Verdict } from '../../../src/controller/pass.ts';
import { requeue, unavailableGraceLeftMs } from '../../../src/controller/status/requeue.ts';
import type { TenantMemory } from '../../../src/controller/tenant-memory.ts';
import { passOver } from '../pass-fixture.ts';
import { statusOf, tenantWith } from '../tenant-fixture.ts';

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

  test.each(otherCodes)('after %s backs off, or waits as long as the engine asked for', (code) => {
    withRandom(0);
    expect(next(failed(code))).toEqual({ failed: true });
    expect(next(failed(code, 7000))).toEqual({ failed: true, requeueAfterMs: 7000 });
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

describe('the grace of an engine that is out of reach', () => {
  const atMs = (seconds: number): Date => new Date(1_700_000_000_000 + seconds * 1000);
  const ready = statusOf('True', 'Running');

  function graceLeft(status: TenantStatus, verdict: Verdict, memory: TenantMemory = {}, seconds = 0): number {
    const pass = passOver({ tenant: tenantWith(status), now: atMs(seconds), memory });
    return unavailableGraceLeftMs(pass, verdict);
  }

  test('of a Ready tenant is 60 s, counted from its first failure', () => {
    const memory: TenantMemory = {};
    const left = [0, 1, 59, 60, 61].map((seconds) =>
      graceLeft(ready, failed('ProviderUnavailable'), memory, seconds),
    );
    expect(left).toEqual([60_000, 59_000, 1000, 0, 0]);
  });

  test('begins anew once the engine was reached', () => {
    const memory: TenantMemory = {};
    graceLeft(ready, failed('ProviderUnavailable'), memory, 0);
    expect(graceLeft(ready, { kind: 'ready', message: 'm' }, memory, 30)).toBe(0);
    expect(graceLeft(ready, failed('ProviderUnavailable'), memory, 50)).toBe(60_000);
  });

  test('ends with any other failure', () => {
    const memory: TenantMemory = {};
    graceLeft(ready, failed('ProviderUnavailable'), memory, 0);
    expect(graceLeft(ready, failed('Throttled'), memory, 30)).toBe(0);
    expect(memory.unavailableSince).toBeUndefined();
  });

  test.each<[name: string, status: TenantStatus]>([
    ['one that never was Ready', statusOf('False', 'Provisioning')],
    ['one that is Unknown already', statusOf('Unknown', 'ProviderUnavailable')],
    ['a generation that was not applied yet', statusOf('True', 'Running', { observedGeneration: 1 })],
  ])('is not given to %s', (_name, status) => {
    expect(graceLeft(status, failed('ProviderUnavailable'))).toBe(0);
  });
});
