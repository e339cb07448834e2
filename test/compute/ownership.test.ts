import { describe, expect, test } from 'vitest';
import { ownershipOf } from '../../src/compute/ownership.ts';

const owner = { instance: 'default', clusterUid: 'cluster-1', adoptClusters: ['cluster-0'] };
const ownership = ownershipOf(owner, 'docker', 'landlord');
const tenant = { namespace: 'team-a', name: 'shop', uid: 'u' };
const marks = ownership.of({ tenantId: 'acme', tenant });

describe('the marks', () => {
  test('of a tenant tell the operator, and the tenant', () => {
    expect(marks).toEqual({
      'landlord.owner': 'default',
      'landlord.cluster': 'cluster-1',
      'landlord.provider': 'docker',
      'landlord.tenant_id': 'acme',
      'landlord.tenant_namespace': 'team-a',
      'landlord.tenant_name': 'shop',
      'landlord.tenant_uid': 'u',
    });
  });

  test('of what serves all tenants tell the operator alone', () => {
    expect(ownership.shared()).toEqual({
      'landlord.owner': 'default',
      'landlord.cluster': 'cluster-1',
      'landlord.provider': 'docker',
    });
  });

  test('are found by operator, or by tenant', () => {
    expect(ownership.filter()).toEqual(['landlord.owner=default']);
    expect(ownership.filter('acme')).toEqual(['landlord.owner=default', 'landlord.tenant_id=acme']);
  });

  test('of an earlier prefix are the same operator’s', () => {
    const earlier = ownership.withPrefix('earlier');
    expect(earlier.prefix).toBe('earlier');
    expect(earlier.shared()).toEqual({
      'earlier.owner': 'default',
      'earlier.cluster': 'cluster-1',
      'earlier.provider': 'docker',
    });
    expect(earlier.isOurs(marks)).toBe(false);
  });
});

test.each([
  [undefined, 'was not made by Landlord'],
  [{}, 'was not made by Landlord'],
  [marks, 'belongs to the tenant shop of this namespace'],
  [{ ...marks, 'landlord.tenant_namespace': 'team-b' }, 'belongs to a tenant of another namespace'],
  [ownership.shared(), 'serves all tenants'],
  [{ ...marks, 'landlord.cluster': 'cluster-9' }, 'belongs to another Kubernetes cluster'],
  [{ ...marks, 'landlord.owner': 'other' }, 'belongs to another instance of Landlord'],
])('of what is marked %j a tenant reads that it %s', (of, told) => {
  expect(ownership.describe({ namespace: 'team-a', name: 'acme' }, of)).toBe(told);
});

test.each([
  [undefined, 'was not made by Landlord'],
  [marks, 'belongs to the tenant team-a/shop of the instance default in the Kubernetes cluster cluster-1'],
  [
    { 'landlord.owner': 'other' },
    'belongs to the tenant ?/? of the instance other in the Kubernetes cluster ?',
  ],
])('of what is marked %j the log has that it %s', (of, told) => {
  expect(ownership.identify(of)).toBe(told);
});

test.each([
  [{}, true],
  [{ 'landlord.tenant_uid': 'another' }, true],
  [{ 'landlord.provider': 'another' }, true],
  [{ 'landlord.cluster': 'cluster-0' }, true],
  [{ 'landlord.cluster': 'cluster-9' }, false],
  [{ 'landlord.owner': 'other' }, false],
  [{ 'landlord.tenant_namespace': 'team-b' }, false],
  [{ 'landlord.tenant_name': 'other' }, false],
])('with the marks %j over its own it is the tenant’s: %j', (over, isIts) => {
  expect(ownership.belongsTo(tenant, { ...marks, ...over })).toBe(isIts);
});

test.each<[string, Record<string, string> | undefined, boolean]>([
  ['nothing', undefined, false],
  ['no marks', {}, false],
  ['those of all tenants', { ...ownership.shared() }, true],
  ['those of an adopted cluster', { ...marks, 'landlord.cluster': 'cluster-0' }, true],
  ['no cluster', { 'landlord.owner': 'default' }, false],
])('ours is what bears %s: %j', (_what, of, isOurs) => {
  expect(ownership.isOurs(of)).toBe(isOurs);
  expect(ownership.belongsTo(tenant, of)).toBe(isOurs && of?.['landlord.tenant_name'] === 'shop');
});

test.each<[string, Record<string, string> | undefined, unknown]>([
  ['a tenant’s', marks, { tenantId: 'acme', namespace: 'team-a', name: 'shop' }],
  [
    'half a tenant’s',
    { ...ownership.shared(), 'landlord.tenant_id': 'x' },
    { tenantId: 'x', namespace: '', name: '' },
  ],
  ['all tenants’', { ...ownership.shared() }, undefined],
  ['another operator’s', { ...marks, 'landlord.owner': 'other' }, undefined],
  ['none', undefined, undefined],
])('the tenant of marks that are %s', (_what, of, expected) => {
  expect(ownership.tenantOf(of)).toEqual(expected);
});
