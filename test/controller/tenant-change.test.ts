import { describe, expect, test } from 'vitest';
import { engineKey, finalizer, providerKeys, reconcileRequestedAt } from '../../src/api/names.ts';
import type { TenantStatus } from '../../src/api/status.ts';
import type { Tenant } from '../../src/api/tenant.ts';
import { isWorthALook } from '../../src/controller/tenant-change.ts';
import { statusOf, tenantWith } from './tenant-fixture.ts';

const status = statusOf('True', 'Running');
const other = statusOf('False', 'Unhealthy');
const changed = (metadata: Partial<Tenant['metadata']>, next: TenantStatus = status): Tenant =>
  tenantWith(next, { resourceVersion: '8', ...metadata });
const before = tenantWith(status, { labels: { a: '1' }, annotations: { a: '1' }, finalizers: [finalizer] });
const same = { labels: { a: '1' }, annotations: { a: '1' }, finalizers: [finalizer] };

describe('a Tenant that changed', () => {
  test.each<[name: string, now: Tenant]>([
    ['its spec', changed({ ...same, generation: 3 })],
    ['by its deletion', changed({ ...same, deletionTimestamp: '2026-01-01T00:00:00Z' })],
    ['by the loss of our finalizer', changed({ ...same, finalizers: ['other'] })],
    ['by the loss of all finalizers', changed({ labels: same.labels, annotations: same.annotations })],
    ...[...providerKeys, engineKey].map((key): [string, Tenant] => [
      `its label ${key}`,
      changed({ ...same, labels: { a: '1', [key]: 'docker' } }),
    ]),
    ...[...providerKeys, engineKey].map((key): [string, Tenant] => [
      `its annotation ${key}`,
      changed({ ...same, annotations: { a: '1', [key]: 'docker' } }),
    ]),
    ['by a requested reconcile', changed({ ...same, annotations: { [reconcileRequestedAt]: 'noon' } })],
    ['by a status that somebody else wrote', changed(same, other)],
  ])('%s is worth a look', (_name, now) => {
    expect(isWorthALook(before, now, undefined)).toBe(true);
  });

  test.each<[name: string, now: Tenant, written?: TenantStatus]>([
    ['in its resource version alone', changed(same)],
    ['in other labels and annotations', changed({ ...same, labels: { a: '2' }, annotations: { b: '1' } })],
    ['by another finalizer', changed({ ...same, finalizers: [finalizer, 'other'] })],
    ['by a status that we wrote', changed(same, other), other],
  ])('%s is not', (_name, now, written) => {
    expect(isWorthALook(before, now, written)).toBe(false);
  });

  test('by the loss of our finalizer is not while it is being deleted: it is we who take it away', () => {
    const deletionTimestamp = '2026-01-01T00:00:00Z';
    const leaving = tenantWith(status, { finalizers: [finalizer, 'other'], deletionTimestamp });
    const left = tenantWith(status, { finalizers: ['other'], deletionTimestamp });
    expect(isWorthALook(leaving, left, undefined)).toBe(false);
  });

  test('by our own finalizer is not, whatever other finalizers go', () => {
    const without = tenantWith(status, { finalizers: ['other'] });
    expect(isWorthALook(without, tenantWith(status, { finalizers: ['other', finalizer] }), undefined)).toBe(
      false,
    );
    expect(isWorthALook(without, tenantWith(status, {}), undefined)).toBe(false);
  });

  test('loses a label that chose the provider: worth a look', () => {
    const chosen = tenantWith(status, { labels: { compute_provider: 'docker' } });
    expect(isWorthALook(chosen, tenantWith(status), undefined)).toBe(true);
  });

  test('and was not known before is worth a look', () => {
    expect(isWorthALook(undefined, before, status)).toBe(true);
  });
});
