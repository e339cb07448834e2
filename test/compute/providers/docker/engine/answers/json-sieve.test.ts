import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  JsonSieve,
  maxStringBytes,
} from '../../../../../../src/compute/providers/docker/engine/answers/json-sieve.ts';
import type { Sieve } from '../../../../../../src/compute/providers/docker/engine/answers/json-sieve.ts';
import { sift as siftWhole } from '../../../../../../src/compute/providers/docker/engine/answers/sift.ts';

const word: Sieve = {};
const all: Sieve = {
  member: () => all,
  get item() {
    return all;
  },
};

interface Cut {
  readonly size?: number;
  readonly outside?: 'list' | 'none';
}

function sift(text: string, sieve: Sieve, { size = 7, outside = 'list' }: Cut = {}): unknown[] {
  const bytes = new TextEncoder().encode(text);
  const reader = new JsonSieve(sieve, outside);
  const values: unknown[] = [];
  for (let at = 0; at < bytes.length; at += size) values.push(...reader.take(bytes.subarray(at, at + size)));
  reader.end();
  return values;
}

const only = (key: string, sieve: Sieve = word): Sieve => ({
  member: (one) => (one === key ? sieve : undefined),
});

test('where all is kept, all comes out as it is, wherever the stream is cut', () => {
  const items = fc.array(fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue())));
  fc.assert(
    fc.property(items, fc.integer({ min: 1, max: 40 }), fc.boolean(), (values, size, isWide) => {
      const text = JSON.stringify(values, undefined, isWide ? 2 : 0);
      expect(sift(text, all, { size })).toEqual(JSON.parse(text));
      const lines = values.map((value) => `${JSON.stringify(value)}\n`).join('');
      expect(sift(lines, all, { size, outside: 'none' })).toEqual(JSON.parse(text));
    }),
  );
});

describe('of each value is kept', () => {
  test.each<[what: string, sieve: Sieve, item: unknown, kept: unknown]>([
    ['a member by its name', only('a'), { b: { a: [1] }, a: 2, c: '"a":3' }, { a: 2 }],
    ['a last member', only('a'), { b: 1, a: -2.5e3 }, { a: -2.5e3 }],
    ['a member with escapes in its name', only('a"\\'), { a: 1, 'a"\\': true }, { 'a"\\': true }],
    ['nothing of a part that is none of those asked for', only('a'), { a: { b: 1 } }, { a: {} }],
    ['nothing of a list where none is expected', only('a'), { a: [1, 'x', [2], { b: 1 }] }, { a: [] }],
    [
      'those items of a list that are asked for',
      only('a', { item: all, isKept: (item) => item !== 2 }),
      { a: [1, 2, 'x', 2] },
      { a: [1, 'x'] },
    ],
    ['none of them', only('a', { item: all, isKept: () => false }), { a: [1, { b: 1 }] }, { a: [] }],
    [
      'as many items as fit',
      only('a', { item: all, maxBytes: 8 }),
      { a: ['one', 'longer than that', 2, 3] },
      { a: ['one', 2] },
    ],
    [
      'as many members as fit',
      { ...all, maxBytes: 15 },
      { a: 'one', b: 'long', c: 1, d: 1 },
      { a: 'one', c: 1 },
    ],
    ['a long text as an empty one', only('a'), { a: 'x'.repeat(maxStringBytes), b: 1 }, { a: '' }],
    ['no member with a long name', all, { ['x'.repeat(maxStringBytes)]: 1, b: 1 }, { b: 1 }],
  ])('%s', (_what, sieve, item, kept) => {
    expect(sift(JSON.stringify([item, item]), sieve)).toEqual([kept, kept]);
    expect(siftWhole(item, sieve)).toEqual(kept);
  });
});

test('what was read as a whole is sifted to the same', () => {
  const names = fc.constantFrom('a', 'b', 'c', '__proto__', 'x"\\ü');
  const values = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.string(),
      fc.integer(),
      fc.constant(null),
      tie('list'),
      tie('object'),
    ),
    list: fc.array(tie('value'), { maxLength: 4 }),
    object: fc.dictionary(names, tie('value')),
  })).object;
  const bounds = fc.option(fc.integer({ min: 0, max: 40 }), { nil: Infinity });
  fc.assert(
    fc.property(
      fc.array(values),
      fc.subarray(['a', 'b', '__proto__', 'x"\\ü']),
      bounds,
      (items, keys, maxBytes) => {
        const sieve: Sieve = {
          member: (key) => (keys.includes(key) ? sieve : undefined),
          get item() {
            return sieve;
          },
          maxBytes,
        };
        const text = JSON.stringify(items);
        const whole = (JSON.parse(text) as unknown[]).map((item) => siftWhole(item, sieve));
        expect(JSON.stringify(whole)).toBe(JSON.stringify(sift(text, sieve)));
      },
    ),
  );
});

test('an empty list, and the word for one, have no values', () => {
  expect(sift('[]\n', all)).toEqual([]);
  expect(sift('null\n', all)).toEqual([]);
});

describe('what is no such JSON is told', () => {
  test.each<[text: string, outside: 'list' | 'none']>([
    ['<html>', 'list'],
    ['<html>', 'none'],
    ['"text"', 'list'],
    ['{"a":[1]}', 'list'],
    ['[1]', 'list'],
    ['[{"a":1}', 'list'],
    ['[{"a":1]', 'list'],
    [']', 'list'],
    ['{"a":"b', 'none'],
    ['{"a":fals}', 'none'],
    ['['.repeat(100_000), 'none'],
  ])('%.20s', (text, outside) => {
    expect(() => sift(text, all, { outside })).toThrow(SyntaxError);
  });
});
