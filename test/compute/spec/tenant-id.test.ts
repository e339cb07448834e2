import { assert, property, stringMatching, tuple } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dnsLabel } from '../../../src/api/bounded.ts';
import { defaultTenantId, formerTenantId, strangeness } from '../../../src/compute/spec/tenant-id.ts';

/** What Kubernetes takes: a namespace is a DNS label, a custom resource's name a DNS subdomain of up to 253. */
const namespaces = stringMatching(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
const names = stringMatching(
  /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?){0,2}$/,
);
const tenants = tuple(namespaces, names);

describe('defaultTenantId', () => {
  test.each([
    ['demo', 'acme', 'demo-acme'],
    ['a', '1', 'a-1'],
    ['n'.repeat(31), 'm'.repeat(31), `${'n'.repeat(31)}-${'m'.repeat(31)}`],
  ])('of %s/%s is NAMESPACE-NAME, which only they make', (namespace, name, id) => {
    expect(defaultTenantId(namespace, name)).toBe(id);
  });

  // sha256 of `team-a/acme` and of the others, computed with sha256sum.
  test.each([
    ['team-a', 'acme', 'team-a-acme-9201d5e7'],
    ['team-a', 'acme.example', 'team-a-acme-example-bb49da7b46c97c23'],
    ['n'.repeat(63), 'm', `${'n'.repeat(46)}-d7be9bfbcf19e569`],
    ['demo', 'deadbeef', 'demo-deadbeef-aa4c1636'],
  ])('of %s/%s, of which others could be the same, has a hash', (namespace, name, id) => {
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

  test('differs for Tenants that differ', () => {
    assert(
      property(tenants, tenants, (one, other) => {
        expect(defaultTenantId(...one) === defaultTenantId(...other)).toBe(one.join('/') === other.join('/'));
      }),
    );
  });

  test('differs wherever the slash is put into one text', () => {
    assert(
      property(stringMatching(/^[a-z0-9]{1,3}(-[a-z0-9]{1,3}){1,6}$/), (text) => {
        const parts = text.split('-');
        const ids = parts
          .slice(1)
          .map((_part, at) =>
            defaultTenantId(parts.slice(0, at + 1).join('-'), parts.slice(at + 1).join('-')),
          );
        expect(new Set(ids).size).toBe(ids.length);
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

describe('formerTenantId', () => {
  test.each([
    ['team-a', 'acme', 'team-a-acme'],
    ['team-a', 'acme.example', 'team-a-acme-example-bb49da7b'],
    ['n'.repeat(63), 'm', `${'n'.repeat(54)}-d7be9bfb`],
  ])('of %s/%s is what it was for versions before', (namespace, name, id) => {
    expect(formerTenantId(namespace, name)).toBe(id);
  });
});

describe('an id of a Tenant’s own choice', () => {
  test.each([
    ['team-a-acme', 'team-a', undefined],
    ['team-a-acme-2', 'team-a', undefined],
    ['acme', 'team-a', 'does not begin with team-a-'],
    ['team-a', 'team-a', 'does not begin with team-a-'],
    ['team-b-acme', 'team-a', 'does not begin with team-a-'],
    ['team-ax', 'team-a', 'does not begin with team-a-'],
    [defaultTenantId('team-a', 'prod'), 'team', 'ends in 8 or 16 hex digits'],
    [defaultTenantId('team-a', 'pro.d'), 'team', 'ends in 8 or 16 hex digits'],
  ])('%s in the namespace %s: %s', (id, namespace, why) => {
    expect(strangeness(id, namespace)?.slice(0, why?.length)).toBe(why);
  });
});
