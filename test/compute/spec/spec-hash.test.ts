import { assert, dictionary, jsonValue, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SecretValue, UnreadSecret } from '../../../src/compute/spec/secret-value.ts';
import {
  combinedHash,
  compareHashes,
  formerSpecHash,
  HashKey,
  isSameHash,
  sealedHash,
  specHash,
  veiled,
} from '../../../src/compute/spec/spec-hash.ts';
import { hashKey, otherKey } from '../hash-key.ts';

const hash = (value: unknown): string => specHash('v1', 'cluster-uid', value);

const withSecret = (value: string) => ({ env: [{ name: 'P', secret: new SecretValue(value) }] });
const sealing = { version: 'v2', cluster: 'cluster-uid', key: hashKey, subject: ['team-a', 'acme'] };
const sealed = (value: unknown, over: Partial<typeof sealing> = {}): string =>
  sealedHash({ ...sealing, ...over }, value);

describe('sealedHash', () => {
  test('is a plain hash where no secret takes part, whatever the key', () => {
    expect(sealed({ a: 1 })).toBe(specHash('v2', 'cluster-uid', { a: 1 }));
    expect(sealed({ a: 1 }, { key: otherKey })).toBe(sealed({ a: 1 }));
  });

  test('covers secrets by their contents: a rotated one rolls the tenant', () => {
    expect(sealed(withSecret('old'))).toBe(sealed(withSecret('old')));
    expect(compareHashes(sealed(withSecret('old')), sealed(withSecret('new')))).toBe('different');
  });

  test.each<[what: string, over: Partial<typeof sealing>]>([
    ['the key', { key: otherKey }],
    ['whose it is', { subject: ['team-b', 'acme'] }],
  ])('seals secrets by %s', (_what, over) => {
    const [open, , seal] = sealed(withSecret('x')).split('.');
    const [otherOpen, , otherSeal] = sealed(withSecret('x'), over).split('.');
    expect(otherOpen).toBe(open);
    expect(otherSeal).not.toBe(seal);
  });

  test('of another key is the same but for what the secrets are, and is remembered as the same', () => {
    const lost = sealed(withSecret('x'), { key: otherKey });
    expect(compareHashes(sealed(withSecret('x')), lost)).toBe('unless-secrets-differ');
    expect(compareHashes(sealed(withSecret('new')), lost)).toBe('unless-secrets-differ');
    expect(compareHashes(sealed({ ...withSecret('x'), image: 'b' }), lost)).toBe('different');
    expect(isSameHash(sealed(withSecret('new')), lost)).toBe(true);
    expect(isSameHash(sealed(withSecret('new')), sealed(withSecret('x')))).toBe(false);
  });

  test('of what was not read is the remembered one, where all else and the key are as they were, and is not sealed else', () => {
    const unread = (over: object = {}) => ({ env: [{ name: 'P', secret: new UnreadSecret() }], ...over });
    const before = sealed(withSecret('x'));
    const [open] = before.split('.');
    expect(sealedHash(sealing, unread(), before)).toBe(before);
    expect(sealedHash(sealing, unread())).toBe(open);
    expect(sealedHash({ ...sealing, key: otherKey }, unread(), before)).toBe(open);
    const other = sealedHash(sealing, unread({ image: 'b' }), before);
    expect(other).toBe(sealed({ ...withSecret('x'), image: 'b' }).split('.')[0]);
    expect(isSameHash(other, before)).toBe(false);
  });

  test('combined is sealed where one of its parts is', () => {
    const whole = (...values: readonly unknown[]) =>
      combinedHash(
        sealing,
        values.map((value, at) => ({ hash: sealed(value), more: at })),
      );
    expect(whole({ a: 1 }, { b: 1 })).toMatch(/^v2:[0-9a-f]{32}$/);
    expect(whole({ a: 1 }, withSecret('x'))).toMatch(/^v2:[0-9a-f]{32}(\.[0-9a-f]{8})(\.[0-9a-f]{32})$/);
    expect(compareHashes(whole(withSecret('x'), {}), whole(withSecret('y'), {}))).toBe('different');
    expect(compareHashes(whole({ a: 1 }), whole({ a: 2 }))).toBe('different');
  });
});

test('a hash of before is veiled by the key, and one of now is shown as it is', () => {
  const former = formerSpecHash('cluster-uid', withSecret('4711'));
  expect(veiled(former, hashKey)).toMatch(/^k1:[0-9a-f]{32}$/);
  expect(veiled(former, otherKey)).not.toBe(veiled(former, hashKey));
  expect(veiled(sealed({}), hashKey)).toBe(sealed({}));
});

test('a key says nothing of itself', () => {
  const key = new HashKey(Buffer.from('0123456789abcdef0123456789abcdef'));
  expect(JSON.stringify(key)).toBe(`{"id":"${key.id}"}`);
});

describe('specHash', () => {
  test('bears its version and 32 hex digits', () => {
    expect(hash({})).toMatch(/^v1:[0-9a-f]{32}$/);
    expect(specHash('v2', 'cluster-uid', {})).toMatch(/^v2:/);
  });

  test('stays what it is from release to release: a change here rolls every tenant', () => {
    const value = { b: [1, 'x', null, true], a: { z: undefined, y: new SecretValue('s') } };
    expect(formerSpecHash('cluster-uid', value)).toBe('v1:b37350dc2e4fb80499d823bd9653e2c9');
    expect(hash(value)).toBe('v1:e8b9b7e89ba78c2afef5c7f0f23e208a');
    expect(sealed(value)).toBe(
      'v2:e8b9b7e89ba78c2afef5c7f0f23e208a.ee353224.8ffe8ff37f5f916c6466f6d3c2b789cf',
    );
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

  test('covers that there is a secret, and not which', () => {
    expect(hash(withSecret('old'))).toBe(hash(withSecret('new')));
    expect(hash(new SecretValue('x'))).not.toBe(hash('x'));
    expect(hash(new SecretValue('x'))).not.toBe(hash('[redacted]'));
    expect(hash(new SecretValue('x'))).not.toBe(hash(null));
  });

  test('tells clusters apart', () => {
    expect(specHash('v1', 'one', { a: 1 })).not.toBe(specHash('v1', 'other', { a: 1 }));
  });
});
