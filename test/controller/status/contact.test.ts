import { describe, expect, test } from 'vitest';
import type { TenantStatus } from '../../../src/api/status.ts';
import { ComputeError } from '../../../src/compute/errors.ts';
import type { ErrorCode } from '../../../src/compute/errors.ts';
import type { Verdict } from '../../../src/controller/pass.ts';
import { contactOf } from '../../../src/controller/status/contact.ts';
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
