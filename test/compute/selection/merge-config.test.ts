import { assert, dictionary, jsonValue, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergeConfig } from '../../../src/compute/selection/merge-config.ts';

const anyBlocks = dictionary(string(), jsonValue({ maxDepth: 3 }), { noNullPrototype: true, maxKeys: 6 });
/** As defaults are: without null. */
const blocks = anyBlocks.map((block) => mergeConfig({}, block));

describe('mergeConfig', () => {
  test('merges objects by key, at any depth', () => {
    const base = { labels: { a: '1', b: '1' }, resources: { cpu: '1', memory: '1Gi' } };
    const over = { labels: { b: '2', c: '2' }, resources: { cpu: '2' } };
    expect(mergeConfig(base, over)).toEqual({
      labels: { a: '1', b: '2', c: '2' },
      resources: { cpu: '2', memory: '1Gi' },
    });
  });

  test.each([
    ['a list', { a: [1, 2] }, { a: [3] }, { a: [3] }],
    ['a list by an empty one', { a: [1] }, { a: [] }, { a: [] }],
    ['a scalar', { a: 1 }, { a: 0 }, { a: 0 }],
    ['an object by a scalar', { a: { b: 1 } }, { a: 'x' }, { a: 'x' }],
    ['an object by a list', { a: { b: 1 } }, { a: [1] }, { a: [1] }],
    ['a list by an object', { a: [1] }, { a: { b: 1 } }, { a: { b: 1 } }],
  ])('replaces %s', (_what, base, over, merged) => {
    expect(mergeConfig(base, over)).toEqual(merged);
  });

  test.each([
    ['a scalar', { a: 1, b: 2 }, { a: null }, { b: 2 }],
    ['a list', { a: [1] }, { a: null }, {}],
    ['an object', { a: { b: 1 } }, { a: null }, {}],
    ['a key of an object', { a: { b: 1, c: 2 } }, { a: { b: null } }, { a: { c: 2 } }],
    ['what is not there', {}, { a: null, b: { c: null, d: 1 } }, { b: { d: 1 } }],
  ])('unsets %s by null', (_what, base, over, merged) => {
    expect(mergeConfig(base, over)).toEqual(merged);
  });

  test('leaves the base where there is undefined', () => {
    expect(mergeConfig({ a: 1, b: { c: 1 } }, { a: undefined, b: { c: undefined } })).toEqual({
      a: 1,
      b: { c: 1 },
    });
  });

  test('with nothing on either side, is the other', () => {
    assert(
      property(blocks, (block) => {
        expect(mergeConfig(block, {})).toEqual(block);
        expect(mergeConfig({}, block)).toEqual(block);
      }),
    );
  });

  test('laid over itself, or twice over the same, changes nothing more', () => {
    assert(
      property(blocks, anyBlocks, (base, over) => {
        const once = mergeConfig(base, over);
        expect(mergeConfig(base, base)).toEqual(base);
        expect(mergeConfig(once, over)).toEqual(once);
      }),
    );
  });

  test('has every value of the upper side, and keeps the lower one where the upper is silent', () => {
    assert(
      property(blocks, blocks, (base, over) => {
        const merged = mergeConfig(base, over);
        expect(new Set(Object.keys(merged))).toEqual(new Set([...Object.keys(base), ...Object.keys(over)]));
        const untouched = Object.entries(base).filter(([key]) => !Object.hasOwn(over, key));
        const replaced = Object.entries(over).filter(([, value]) => isScalar(value));
        for (const [key, value] of [...untouched, ...replaced]) expect(merged[key]).toEqual(value);
      }),
    );
  });

  test('changes neither side', () => {
    assert(
      property(blocks, blocks, (base, over) => {
        const before = structuredClone([base, over]);
        mergeConfig(base, over);
        expect([base, over]).toEqual(before);
      }),
    );
  });

  test('takes __proto__ for a key like any other, and pollutes no prototype', () => {
    const hostile: Readonly<Record<string, unknown>> = JSON.parse('{"__proto__": {"polluted": true}}');
    for (const merged of [
      mergeConfig({}, hostile),
      mergeConfig(hostile, hostile),
      mergeConfig(hostile, {}),
    ]) {
      expect(Object.entries(merged)).toEqual([['__proto__', { polluted: true }]]);
      expect('polluted' in merged).toBe(false);
    }
    expect('polluted' in {}).toBe(false);
  });
});

function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}
