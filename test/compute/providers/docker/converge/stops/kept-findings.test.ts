import { expect, test } from 'vitest';
import { createKeptFindings } from '../../../../../../src/compute/providers/docker/converge/stops/kept-findings.ts';

function bench() {
  const time = { ms: 0 };
  const kept = createKeptFindings(() => time.ms);
  const aim = (specHash = 'h1', hold = false) => ({ desired: { tenantId: 'acme', specHash }, hold });
  const found = () => {
    const findings = kept.resume(aim('none'));
    findings.failed.set('c1', { why: 'it could not be started', own: false });
    findings.given.set('c1', 'limits');
    findings.hasStopped = true;
    return findings;
  };
  return { time, kept, aim, found };
}

test('what was found out is there for the next call, once, but for what others may have changed', () => {
  const { kept, aim, found } = bench();
  kept.keep(aim(), found(), 15_000);
  const next = kept.resume(aim());
  expect([...next.failed.keys()]).toEqual(['c1']);
  expect(next.hasStopped).toBe(true);
  expect(next.given.size).toBe(0);
  expect(kept.resume(aim()).failed.size).toBe(0);
});

test('a call for something else begins with nothing, and one that keeps what ran before leaves it', () => {
  const { kept, aim, found } = bench();
  kept.keep(aim(), found(), 15_000);
  expect(kept.resume(aim('h1', true)).failed.size).toBe(0);
  expect(kept.resume(aim()).failed.size).toBe(1);
  kept.keep(aim(), found(), 15_000);
  expect(kept.resume(aim('h2')).failed.size).toBe(0);
  expect(kept.resume(aim()).failed.size).toBe(0);
});

test('what nobody has asked for in time is out of date, and a tenant that goes is forgotten', () => {
  const { kept, aim, found, time } = bench();
  kept.keep(aim(), found(), 15_000);
  time.ms = 75_001;
  expect(kept.resume(aim()).failed.size).toBe(0);
  kept.keep(aim(), found(), 15_000);
  kept.forget('acme');
  expect(kept.resume(aim()).failed.size).toBe(0);
});
