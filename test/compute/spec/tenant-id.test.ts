import { assert, property, stringMatching, tuple } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dnsLabel } from '../../../src/api/compute-fields.ts';
import { defaultTenantId } from '../../../src/compute/spec/tenant-id.ts';

/** What Kubernetes takes: a namespace is a DNS label, a custom resource's name a DNS subdomain of up to 253. */
const namespaces = stringMatching(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
const names = stringMatching(
  /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?){0,2}$/,
);
const tenants = tuple(namespaces, names);

describe('defaultTenantId', () => {
  test.each([
    ['team-a', 'acme', 'team-a-acme'],
    ['a', '1', 'a-1'],
    ['n'.repeat(31), 'm'.repeat(31), `${'n'.repeat(31)}-${'m'.repeat(31)}`],
  ])('of %s/%s is NAMESPACE-NAME', (namespace, name, id) => {
    expect(defaultTenantId(namespace, name)).toBe(id);
  });

  // sha256 of `team-a/acme.example` and of the other, computed with sha256sum.
  test.each([
    ['team-a', 'acme.example', 'team-a-acme-example-bb49da7b'],
    ['n'.repeat(63), 'm', `${'n'.repeat(54)}-d7be9bfb`],
  ])('of %s/%s, which is no DNS label, is its sanitised start and a hash', (namespace, name, id) => {
    expect(defaultTenantId(namespace, name)).toBe(id);
  });

  test('is always a DNS label', () => {
    assert(
      property(tenants, ([namespace, name]) => {
        expect(dnsLabel.safeParse(defaultTenantId(namespace, name)).success).toBe(true);
      }),
    );
  });

  test('is the same every time', () => {
    assert(
      property(tenants, ([namespace, name]) => {
        expect(defaultTenantId(namespace, name)).toBe(defaultTenantId(namespace, name));
      }),
    );
  });

  test('differs for Tenants that differ, but where NAMESPACE-NAME itself is the same', () => {
    assert(
      property(tenants, tenants, (one, other) => {
        const same = one.join('-') === other.join('-');
        expect(defaultTenantId(...one) === defaultTenantId(...other)).toBe(
          (same && /^[^.]{1,63}$/.test(one.join('-'))) || one.join('/') === other.join('/'),
        );
      }),
    );
  });

  test.each<[one: [string, string], other: [string, string]]>([
    [
      ['a', 'x.y'],
      ['a', 'x-y'],
    ],
    [
      ['a', 'x.y-z'],
      ['a', 'x-y.z'],
    ],
    [
      ['a', `${'x'.repeat(70)}1`],
      ['a', `${'x'.repeat(70)}2`],
    ],
    [
      ['a-b', 'c.d'],
      ['a', 'b-c.d'],
    ],
  ])('tells %j from %j, whose sanitised names are alike', (one, other) => {
    expect(defaultTenantId(...one)).not.toBe(defaultTenantId(...other));
  });
});
