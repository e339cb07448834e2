import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonEqual, mergePatchDiff } from '../../../src/kube/client/merge-patch.ts';

/** RFC 7386, section 2, as it stands there. */
function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const isObject = typeof target === 'object' && target !== null && !Array.isArray(target);
  const result = new Map<string, unknown>(isObject ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) result.delete(key);
    else result.set(key, applyMergePatch(result.get(key), value));
  }
  return Object.fromEntries(result);
}

const scalar = fc.oneof(fc.string({ maxLength: 3 }), fc.integer({ min: 0, max: 3 }), fc.boolean());
// Few keys, so that before and after overlap; some that a careless copy would treat as special.
const key = fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor', 'toString');
const { object } = fc.letrec<{ value: unknown; object: Record<string, unknown> }>((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, scalar, tie('object'), fc.array(tie('value'), { maxLength: 3 })),
  object: fc.dictionary(key, tie('value'), { maxKeys: 4 }),
}));

test('applying the patch to before gives after', () => {
  fc.assert(
    fc.property(object, object, (before, after) => {
      const patch = mergePatchDiff(before, after);
      const result = patch === undefined ? before : applyMergePatch(before, patch);
      expect(jsonEqual(result, after)).toBe(true);
      expect(JSON.parse(JSON.stringify(result))).toEqual(JSON.parse(JSON.stringify(after)));
    }),
    { numRuns: 500 },
  );
});

test('there is no patch between a value and its copy with the keys in another order', () => {
  fc.assert(
    fc.property(object, (before) => {
      const reversed = Object.fromEntries(Object.entries(before).toReversed());
      expect(mergePatchDiff(before, reversed)).toBeUndefined();
    }),
  );
});

test('the patch holds only what changed', () => {
  const before = { phase: 'Ready', compute: { state: 'running', running: 1 }, list: [1, 2], gone: 1 };
  const after = { phase: 'Ready', compute: { state: 'running', running: 2 }, list: [1, 3] };
  expect(mergePatchDiff(before, after)).toEqual({ compute: { running: 2 }, list: [1, 3], gone: null });
});

test.each<[what: string, a: unknown, b: unknown, equal: boolean]>([
  ['a list and its copy', [1, [2]], [1, [2]], true],
  ['a list and a longer one', [1], [1, 2], false],
  ['a list and an object of the same members', [1], { 0: 1 }, false],
  ['an object and a list of the same members', { 0: 1 }, [1], false],
  ['an object and null', {}, null, false],
  ['nothing and nothing', null, null, true],
  ['null and undefined', null, undefined, false],
  ['a number and its text', 1, '1', false],
  ['0 and -0, which JSON does not tell apart', 0, -0, true],
  ['a number that is none, and itself', Number.NaN, Number.NaN, true],
  ['objects of which one has a key more', { a: 1 }, { a: 1, b: 2 }, false],
  ['objects of as many other keys', { a: undefined, b: 1 }, { a: 1, b: undefined }, false],
  ['a key that is undefined and one that is absent', { a: 1, b: undefined }, { a: 1 }, true],
  ['a key that is inherited and one of its own', { toString: 1 }, { valueOf: 1 }, false],
])('%s: equal or not', (_what, a, b, equal) => {
  expect(jsonEqual(a, b)).toBe(equal);
  expect(jsonEqual(b, a)).toBe(equal);
});

test('undefined and null mean absent', () => {
  expect(mergePatchDiff({ a: 1 }, { a: 1, b: undefined, c: null })).toBeUndefined();
  expect(mergePatchDiff({ a: 1, b: { c: 1 } }, { a: 1, b: undefined })).toEqual({ b: null });
  const absent = { b: undefined, c: 1, d: null, e: { f: null }, g: [1] };
  const present = { c: 1, e: {}, g: [1] };
  expect(mergePatchDiff(undefined, { a: absent })).toStrictEqual({ a: present });
  expect(mergePatchDiff({ a: 'x' }, { a: absent })).toStrictEqual({ a: present });
  expect(mergePatchDiff({ a: null }, { a: null })).toBeUndefined();
  expect(mergePatchDiff('x', null)).toBeNull();
});
