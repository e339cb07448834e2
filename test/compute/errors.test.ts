import { describe, expect, test } from 'vitest';
import { reasons } from '../../src/api/conditions.ts';
import {
  ComputeError,
  asComputeError,
  asComputeErrors,
  errorCodes,
  errorPolicies,
} from '../../src/compute/errors.ts';

const policies = Object.entries(errorPolicies);

describe('errorPolicies', () => {
  test('has one policy for each code, and none besides', () => {
    expect(policies.map(([code]) => code).toSorted()).toEqual([...errorCodes].toSorted());
  });

  test.each(policies)('%s leads to a reason of the closed set', (_code, { reason }) => {
    expect(reasons).toContain(reason);
  });

  test('stalls exactly what only the user can mend', () => {
    expect(
      policies
        .filter(([, { stalled }]) => stalled)
        .map(([code]) => code)
        .toSorted(),
    ).toEqual([
      'ApprovalRequired',
      'InvalidSpec',
      'PolicyDenied',
      'ProviderConflict',
      'ProviderNotFound',
      'ProviderRequired',
    ]);
  });

  test('has refused rights tried again no sooner than in half a minute, and all else by the back-off', () => {
    const slow = policies.filter(([, { minRetryMs }]) => minRetryMs > 0);
    expect(slow.map(([code, { minRetryMs }]) => [code, minRetryMs])).toEqual([['AccessDenied', 30_000]]);
  });

  test('bears the reason of its own name, but for an absence, which is a failed provisioning', () => {
    const renamed = policies.filter(([code, { reason }]) => code !== reason);
    expect(renamed.map(([code, { reason }]) => [code, reason])).toEqual([
      ['TenantNotFound', 'ProvisionFailed'],
    ]);
  });
});

describe('ComputeError', () => {
  test.each(errorCodes)('of %s is retriable unless it stalls', (code) => {
    expect(new ComputeError(code, 'm').retriable).toBe(!errorPolicies[code].stalled);
  });

  test('carries its cause and how long to leave the engine alone', () => {
    const cause = new Error('below');
    expect(new ComputeError('Throttled', 'm', { cause, retryAfterMs: 5 })).toMatchObject({
      cause,
      retryAfterMs: 5,
    });
    expect('cause' in new ComputeError('Throttled', 'm')).toBe(false);
  });

  test('is left as it is by asComputeError, which makes one of anything else', () => {
    const error = new ComputeError('InvalidSpec', 'm');
    expect(asComputeError(error)).toBe(error);
    const cause = new TypeError('x is not a function');
    expect(asComputeError(cause)).toMatchObject({
      code: 'ProviderUnavailable',
      message: cause.message,
      cause,
    });
    expect(asComputeError('text', 'DestroyFailed')).toMatchObject({ code: 'DestroyFailed', message: 'text' });
  });
});

describe('asComputeErrors', () => {
  const known = (error: unknown): ComputeError | undefined =>
    error instanceof RangeError ? new ComputeError('UpdateFailed', 'known', { cause: error }) : undefined;
  const fails = (thrown: unknown) =>
    asComputeErrors({ engine: 'Docker', known }, () => Promise.reject(thrown));

  test('hands on what the operation gives, at once or later', async () => {
    expect(await asComputeErrors({ engine: 'Docker' }, () => 1)).toBe(1);
    expect(await asComputeErrors({ engine: 'Docker' }, async () => 2)).toBe(2);
  });

  test('leaves a ComputeError as it is, also where the provider would know it', async () => {
    const error = new ComputeError('Throttled', 'm');
    await expect(fails(error)).rejects.toBe(error);
    const all = { engine: 'Docker', known: () => new ComputeError('InvalidSpec', 'other') };
    await expect(
      asComputeErrors(all, () => {
        throw error;
      }),
    ).rejects.toBe(error);
  });

  test('says for how long the engine had been silent, where the provider knows, and all else as it was', async () => {
    const cause = new Error('below');
    const error = new ComputeError('Throttled', 'm', { retryAfterMs: 5, cause });
    const silent = { engine: 'Docker', silentForMs: () => 12_000 };
    await expect(asComputeErrors(silent, () => Promise.reject(error))).rejects.toMatchObject({
      code: 'Throttled',
      message: 'm',
      retryAfterMs: 5,
      cause,
      silentForMs: 12_000,
    });
    expect(error.silentForMs).toBeUndefined();
  });

  test('asks the provider what it knows of anything else', async () => {
    const cause = new RangeError('below');
    await expect(fails(cause)).rejects.toMatchObject({ code: 'UpdateFailed', message: 'known', cause });
  });

  test.each([
    ['an error of no known kind', new Error('socket hang up'), 'Docker: socket hang up'],
    ['whatever else is thrown', 'boom', 'Docker: boom'],
  ])('takes %s for the engine being unavailable, named', async (_what, thrown, message) => {
    const unavailable = { code: 'ProviderUnavailable', message, cause: thrown };
    await expect(fails(thrown)).rejects.toMatchObject(unavailable);
    await expect(asComputeErrors({ engine: 'Docker' }, () => Promise.reject(thrown))).rejects.toMatchObject(
      unavailable,
    );
  });

  test.each([
    ['TypeError', TypeError],
    ['ReferenceError', ReferenceError],
  ])('tells a %s as a defect of the operator, without its words', async (_name, Kind) => {
    const thrown = new Kind('hunter2 is not a function');
    const defect = await fails(thrown).catch((error: unknown) => error);
    expect(defect).toMatchObject({ code: 'InternalError', cause: thrown });
    expect((defect as Error).message).not.toContain('hunter2');
  });

  test('tells what a library throws as the engine being unavailable, of whatever kind it is', async () => {
    const network = new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') });
    const url = Object.assign(new TypeError('Invalid URL'), { code: 'ERR_INVALID_URL' });
    for (const thrown of [network, url])
      await expect(fails(thrown)).rejects.toMatchObject({ code: 'ProviderUnavailable', cause: thrown });
  });
});
