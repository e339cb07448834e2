import { describe, expect, test } from 'vitest';
import type { TenantStatus } from '../../../src/api/status.ts';
import { repeatWaitMs } from '../../../src/controller/status/repeats.ts';
import { passOver } from '../pass-fixture.ts';
import { running, statusOf, tenantWith } from '../tenant-fixture.ts';

const nowMs = 1_700_000_000_000;
const ill = statusOf('False', 'Unhealthy', { message: 'app keeps exiting with code 1' });
const theirs = statusOf('False', 'UpdateFailed', { message: 'another writer replaces it' });
const restarting: TenantStatus = { ...ill, phase: 'Pending', compute: { ...running, state: 'starting' } };

interface Moment {
  readonly last?: TenantStatus;
  readonly stored?: TenantStatus;
  readonly next?: TenantStatus;
  /** Milliseconds since the last write. */
  readonly sinceMs?: number;
  /** Milliseconds for which an overwritten status is to stand. */
  readonly heldForMs?: number;
}

function waitMs({ last = ill, stored = last, next = restarting, sinceMs = 1000, heldForMs }: Moment): number {
  const overwritten =
    heldForMs === undefined ? undefined : { what: 'status', count: 3, heldUntil: nowMs + heldForMs };
  const memory = { lastWrite: { status: last, at: nowMs - sinceMs }, overwritten };
  return repeatWaitMs(passOver({ tenant: tenantWith(stored), now: new Date(nowMs), memory }), next);
}

describe('a status that tells the same', () => {
  test('of a container that fails waits until 5 s after the last, while another writer is at it', () => {
    expect(waitMs({ heldForMs: 64_000 })).toBe(4000);
    expect(waitMs({ heldForMs: 64_000, sinceMs: 5000 })).toBe(0);
    expect(waitMs({ heldForMs: -1 })).toBe(0);
    expect(waitMs({})).toBe(0);
  });

  test('of a container that fails waits as long while another try is waited for', () => {
    const retry = { since: new Date(nowMs - 60_000).toISOString() };
    const next = { ...restarting, retry };
    expect(waitMs({ next })).toBe(4000);
    expect(waitMs({ next, sinceMs: 5000 })).toBe(0);
    expect(waitMs({ next, stored: theirs })).toBe(0);
  });

  test('waits as long as what overwrote it may stand', () => {
    expect(waitMs({ stored: theirs, heldForMs: 64_000 })).toBe(64_000);
    expect(waitMs({ stored: theirs, next: ill, heldForMs: 64_000 })).toBe(64_000);
    expect(waitMs({ stored: theirs, heldForMs: -1 })).toBe(0);
    expect(waitMs({ stored: theirs })).toBe(0);
  });

  test('does not wait where it is Ready, nor where there is nothing to write', () => {
    const ready = statusOf('True', 'Running');
    const next = { ...ready, compute: { ...running, running: 2 } };
    expect(waitMs({ last: ready, next, heldForMs: 64_000 })).toBe(0);
    expect(waitMs({ next: ill, heldForMs: 64_000 })).toBe(0);
  });
});

test('a status that tells anything new does not wait', () => {
  const others: TenantStatus[] = [
    statusOf('False', 'Unhealthy', { message: 'app exits with code 2' }),
    { ...restarting, observedGeneration: 9 },
    { ...restarting, previousPlacements: [{ provider: 'docker' }] },
    { ...restarting, lastHandledReconcileAt: 'noon' },
    { ...restarting, rejected: { specHash: 'x', reason: 'RolledBack', message: 'no' } },
  ];
  for (const next of others) {
    expect(waitMs({ next, heldForMs: 64_000 })).toBe(0);
    expect(waitMs({ next, stored: theirs, heldForMs: 64_000 })).toBe(0);
  }
});
