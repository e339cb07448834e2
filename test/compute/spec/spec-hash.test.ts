import { assert, dictionary, jsonValue, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SecretValue } from '../../../src/compute/spec/secret-value.ts';
import { specHash } from '../../../src/compute/spec/spec-hash.ts';

const hash = (value: unknown): string => specHash('v1', 'cluster-uid', value);

describe('specHash', () => {
  test('bears its version and 32 hex digits', () => {
    expect(hash({})).toMatch(/^v1:[0-9a-f]{32}$/);
    expect(specHash('v2', 'cluster-uid', {})).toMatch(/^v2:/);
  });

  test('stays what it is from release to release: a change here rolls every tenant', () => {
    const value = { b: [1, 'x', null, true], a: { z: undefined, y: new SecretValue('s') } };
    expect(hash(value)).toBe('v1:b37350dc2e4fb80499d823bd9653e2c9');
  });

  test('does not depend on the order of keys, at any depth', () => {
    const reversed = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(reversed)
        : typeof value === 'object' && value !== null
          ? Object.fromEntries(
              Object.entries(value)
                .toReversed()
                .map(([key, member]) => [key, reversed(member)]),
            )
          : value;
    assert(
      property(dictionary(string(), jsonValue()), (value) => {
        expect(hash(reversed(value))).toBe(hash(value));
      }),
    );
  });

  test('takes an undefined member for an absent one', () => {
    expect(hash({ a: 1, b: undefined })).toBe(hash({ a: 1 }));
    expect(hash({ a: { b: undefined } })).toBe(hash({ a: {} }));
  });

  test.each([
    ['null and absence', { a: null }, {}],
    ['a number and its text', { a: 1 }, { a: '1' }],
    ['the order of a list', ['a', 'b'], ['b', 'a']],
    ['one item and a list of one', { a: 'x' }, { a: ['x'] }],
    ['an empty object and an empty list', { a: {} }, { a: [] }],
    ['what stands where', { a: { b: 1 } }, { a: {}, b: 1 }],
    ['keys with quotes', { 'a":1,"b': 1 }, { a: 1, b: 1 }],
  ])('tells %s apart', (_what, one, other) => {
    expect(hash(one)).not.toBe(hash(other));
  });

  test('covers secrets by their contents: a rotated one rolls the tenant', () => {
    const withSecret = (value: string): string =>
      hash({ env: [{ name: 'P', secret: new SecretValue(value) }] });
    expect(withSecret('old')).toBe(withSecret('old'));
    expect(withSecret('old')).not.toBe(withSecret('new'));
    expect(hash(new SecretValue('x'))).not.toBe(hash('x'));
    expect(hash(new SecretValue('x'))).not.toBe(hash('[redacted]'));
  });

  test('depends on the key, without which a weak secret could be guessed from it', () => {
    expect(specHash('v1', 'one', { a: 1 })).not.toBe(specHash('v1', 'other', { a: 1 }));
  });
});
