import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { TenantStatus } from '../../../src/api/status.ts';
import { ComputeError } from '../../../src/compute/errors.ts';
import type { ErrorCode } from '../../../src/compute/errors.ts';
import type { Verdict } from '../../../src/controller/pass.ts';
import { contactOf, lookWhileItCounts } from '../../../src/controller/status/contact.ts';
import type { TenantMemory } from '../../../src/controller/tenant-memory.ts';
import { passOver } from '../pass-fixture.ts';
import { statusOf, tenantWith } from '../tenant-fixture.ts';

const ready = statusOf('True', 'Running');
const seen: Verdict = { kind: 'ready', message: 'm' };

/** What a pass may say at that second, whose look, or whose step, ended in this. */
function contact(
  { status = ready, memory = {} as TenantMemory, at = 0 },
  ended: Verdict | ErrorCode,
  where: 'look' | 'step' = 'look',
) {
  const error = typeof ended === 'string' ? new ComputeError(ended, 'm') : undefined;
  const now = new Date(1_700_000_000_000 + at * 1000);
  const pass = passOver({ tenant: tenantWith(status), now, memory });
  if (where === 'look') pass.failedLook = error;
  const verdict: Verdict = error === undefined ? (ended as Verdict) : { kind: 'failed', error };
  return contactOf(pass, { verdict, repaired: [] });
}

describe('a look that fails', () => {
  test.each(['ProviderUnavailable', 'AccessDenied', 'Throttled'] as const)(
    'with %s leaves a Ready tenant as it is for 60 s, counted from the first one',
    (code) => {
      const memory: TenantMemory = {};
      const all = [0, 1, 59, 60, 61].map((at) => contact({ memory, at }, code));
      expect(all.map(({ countsForMs }) => countsForMs)).toEqual([60_000, 59_000, 1000, 0, 0]);
      expect(all.map(({ quiet }) => quiet)).toEqual([true, true, true, false, false]);
      expect(all[4]?.outcome.verdict).toMatchObject({ kind: 'failed', unseen: true });
    },
  );

  test('begins its 60 s anew after one that did not', () => {
    const memory: TenantMemory = {};
    contact({ memory }, 'Throttled');
    expect(contact({ memory, at: 30 }, seen)).toMatchObject({ countsForMs: undefined, quiet: false });
    expect(contact({ memory, at: 50 }, 'Throttled').countsForMs).toBe(60_000);
  });

  test('goes on with another reason why it fails', () => {
    const memory: TenantMemory = {};
    contact({ memory }, 'ProviderUnavailable');
    expect(contact({ memory, at: 30 }, 'AccessDenied').countsForMs).toBe(30_000);
  });

  test.each<[name: string, status: TenantStatus]>([
    ['one that never was Ready', statusOf('False', 'Provisioning')],
    ['one that is Unknown already', statusOf('Unknown', 'ProviderUnavailable')],
    ['a generation that was not applied yet', statusOf('True', 'Running', { observedGeneration: 1 })],
  ])('is told at once of %s', (_name, status) => {
    expect(contact({ status }, 'Throttled').quiet).toBe(false);
  });
});

describe('a step that fails', () => {
  test.each(['AccessDenied', 'Throttled', 'UpdateFailed'] as const)('with %s is told at once', (code) => {
    expect(contact({}, code, 'step')).toMatchObject({ countsForMs: undefined, quiet: false });
    expect(contact({}, code, 'step').outcome.verdict).not.toHaveProperty('unseen');
  });

  test('because the engine is away is no news for 60 s', () => {
    expect(contact({}, 'ProviderUnavailable', 'step').quiet).toBe(true);
  });
});

describe('a look after one that failed', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const error = new ComputeError('ProviderUnavailable', 'no answer');
  const caller = new AbortController().signal;
  /** One that is never answered, by what it came to after that many seconds. */
  async function unanswered(status: TenantStatus, memory: TenantMemory, seconds: number): Promise<unknown> {
    const now = new Date(1_700_000_000_000);
    const pass = passOver({ tenant: tenantWith(status), now, memory });
    let end: unknown = 'waits';
    lookWhileItCounts(pass, caller, () => new Promise(() => undefined)).catch((e: unknown) => (end = e));
    await vi.advanceTimersByTimeAsync(seconds * 1000);
    return end;
  }
  const failed = (secondsAgo: number): TenantMemory => ({
    unseenSince: 1_700_000_000_000 - secondsAgo * 1000,
    unseenFor: error,
  });

  test('waits until what was seen counts no more, and fails for the same reason then', async () => {
    expect(await unanswered(ready, failed(45), 14)).toBe('waits');
    expect(await unanswered(ready, failed(45), 15)).toBe(error);
  });

  test('has five seconds at the least', async () => {
    expect(await unanswered(ready, failed(70), 4)).toBe('waits');
    expect(await unanswered(ready, failed(70), 5)).toBe(error);
  });

  test('has its own deadline alone where nothing is put off by it', async () => {
    expect(await unanswered(ready, {}, 600)).toBe('waits');
    expect(await unanswered(statusOf('Unknown', 'ProviderUnavailable'), failed(45), 600)).toBe('waits');
  });

  test('tells the engine by its signal that nobody waits any more', async () => {
    const now = new Date(1_700_000_000_000);
    const pass = passOver({ tenant: tenantWith(ready), now, memory: failed(45) });
    const signals: AbortSignal[] = [];
    const look = lookWhileItCounts(pass, caller, (signal) => {
      signals.push(signal);
      return new Promise<never>(() => undefined);
    });
    await Promise.all([expect(look).rejects.toBe(error), vi.advanceTimersByTimeAsync(15_000)]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  test('leaves no word of the failure behind once one is answered', () => {
    const memory: TenantMemory = {};
    contact({ memory }, 'Throttled');
    expect(memory.unseenFor?.code).toBe('Throttled');
    contact({ memory, at: 30 }, seen);
    expect(memory).toMatchObject({ unseenSince: undefined, unseenFor: undefined });
  });
});
