import { expect, it } from 'vitest';
import { createRetreats } from '../../../../../src/compute/providers/docker/converge/retreats.ts';
import { desiredTenant } from '../../../../../src/compute/providers/docker/state/desired-tenant.ts';
import { settings, tenantSpec } from '../docker-fixture.ts';

const acme = desiredTenant(tenantSpec(), settings());
const changed = desiredTenant(tenantSpec({ image: 'app:2' }), settings());

function bench() {
  const time = { ms: 0 };
  return { time, retreats: createRetreats(() => time.ms) };
}

it('the wait grows with each attempt that was taken back, from a second to 5 minutes', () => {
  const { time, retreats } = bench();
  const waits = Array.from({ length: 12 }, () => {
    const waitMs = retreats.note(acme, 'no way');
    expect(retreats.pending(acme)).toEqual({ message: 'no way', waitMs });
    time.ms += waitMs;
    expect(retreats.pending(acme)).toBeUndefined();
    return waitMs;
  });
  waits.forEach((waitMs, attempt) => {
    const wholeMs = Math.min(300_000, 1_000 * 2 ** attempt);
    expect(waitMs).toBeGreaterThanOrEqual(wholeMs / 2);
    expect(waitMs).toBeLessThanOrEqual(wholeMs);
  });
});

it('another desired state does not wait, and neither does one that has been at its end since', () => {
  const { time, retreats } = bench();
  time.ms += retreats.note(acme, 'no way') + retreats.note(acme, 'no way');
  retreats.note(acme, 'no way');
  expect(retreats.pending(changed)).toBeUndefined();
  retreats.forget(acme.tenantId);
  expect(retreats.pending(acme)).toBeUndefined();
  expect(retreats.note(acme, 'no way')).toBeLessThanOrEqual(1_000);
});

it('what somebody undoes is made again at a quarter of the pace', () => {
  const { time, retreats } = bench();
  const waits = Array.from({ length: 6 }, () => {
    const waitMs = retreats.note(acme, 'removed', 'undone');
    time.ms += waitMs;
    return waitMs;
  });
  waits.forEach((waitMs, attempt) => {
    const wholeMs = Math.min(300_000, 1_000 * 4 ** attempt);
    expect(waitMs).toBeGreaterThanOrEqual(wholeMs / 2);
    expect(waitMs).toBeLessThanOrEqual(wholeMs);
  });
});

it('what serves is stopped again for an attempt that mostly fails no sooner than half a minute later', () => {
  const { time, retreats } = bench();
  for (const wholeMs of [32_000, 64_000, 128_000, 256_000, 300_000, 300_000]) {
    const waitMs = retreats.note(acme, 'the port is busy', 'gap');
    expect(waitMs).toBeGreaterThanOrEqual(wholeMs / 2);
    expect(waitMs).toBeLessThanOrEqual(wholeMs);
    time.ms += waitMs;
  }
});

it('a successor counts as made until something is done to it, and for its own desired state alone', () => {
  const { retreats } = bench();
  const successor = { id: '1', name: 'app_next' };
  retreats.noteMade(acme, successor);
  expect(retreats.wasMade(acme, 'app_next')).toBe(true);
  expect(retreats.wasMade(acme, 'db_next')).toBe(false);
  expect(retreats.wasMade(changed, 'app_next')).toBe(false);
  retreats.forgetMade(acme.tenantId, [{ id: '2' }]);
  expect(retreats.wasMade(acme, 'app_next')).toBe(true);
  retreats.forgetMade(acme.tenantId, [successor]);
  expect(retreats.wasMade(acme, 'app_next')).toBe(false);
  retreats.noteMade(acme, successor);
  retreats.forget(acme.tenantId);
  expect(retreats.wasMade(acme, 'app_next')).toBe(false);
});
