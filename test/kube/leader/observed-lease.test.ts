import { expect, test } from 'vitest';
import { observeLease } from '../../../src/kube/leader/observed-lease.ts';
import type { Lease } from '../../../src/kube/leader/observed-lease.ts';
import { object } from '../scripted-resource.ts';

const lease = (spec: Lease['spec']): Lease => ({ ...object('lease', 1), ...(spec && { spec }) });

test('a lease runs out by our own clock, counted from when it last changed', () => {
  const clock = { nowMs: 1_000 };
  const seen = observeLease(() => clock.nowMs);
  const spec = { holderIdentity: 'a', leaseDurationSeconds: 10, renewTime: '1' };
  expect([seen.holder(), seen.isValid()]).toEqual(['', false]);
  seen.observe(lease(spec));
  clock.nowMs += 9_999;
  seen.observe(lease({ ...spec }));
  expect([seen.holder(), seen.isValid()]).toEqual(['a', true]);
  clock.nowMs += 1;
  expect(seen.isValid()).toBe(false);
  seen.observe(lease({ ...spec, renewTime: '2' }));
  expect(seen.isValid()).toBe(true);
  seen.forget();
  expect([seen.lease(), seen.holder(), seen.isValid()]).toEqual([undefined, '', false]);
});
