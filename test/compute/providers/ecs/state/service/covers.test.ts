import { describe, expect, test } from 'vitest';
import { covers, equals } from '../../../../../../src/compute/providers/ecs/state/service/covers.ts';

describe('what ECS has', () => {
  test.each<[what: string, wanted: unknown, actual: unknown, isCovered: boolean]>([
    ['the same', { a: 1, b: ['x'] }, { a: 1, b: ['x'] }, true],
    ['more than was asked for', { a: 1 }, { a: 1, b: 2 }, true],
    ['less', { a: 1, b: 2 }, { a: 1 }, false],
    ['what was left open', { a: 1, b: undefined }, { a: 1 }, true],
    ['another value', { a: 1 }, { a: 2 }, false],
    ['a value for an object', { a: { b: 1 } }, { a: 1 }, false],
    ['nothing for an object', { a: { b: 1 } }, { a: null }, false],
    ['an object for a list', { a: [] }, { a: {} }, false],
    ['a list in another order', ['x', 'y'], ['y', 'x'], true],
    ['a longer list', ['x'], ['x', 'y'], false],
    ['a shorter list', ['x', 'y'], ['x'], false],
    ['an empty list for a full one', ['x'], [], false],
    ['a list with another item', ['x', 'y'], ['x', 'z'], false],
    ['an item once that is wanted twice', ['x', 'x'], ['x', 'y'], false],
    ['items of which one says more', [{ a: 1 }, { a: 1, b: 2 }], [{ a: 1, b: 2 }, { a: 1 }], true],
    ['items of which none says as much', [{ a: 1 }, { a: 1, b: 2 }], [{ a: 1, b: 3 }, { a: 1 }], false],
  ])('covers what is wanted with %s: %j, %j', (_what, wanted, actual, isCovered) => {
    expect(covers(wanted, actual)).toBe(isCovered);
  });

  test('covers a list whose order counts in that order alone', () => {
    expect(covers(['x', 'y'], ['x', 'y'], true)).toBe(true);
    expect(covers(['x', 'y'], ['y', 'x'], true)).toBe(false);
  });

  test('equals what is wanted where neither says more', () => {
    expect(equals({ a: [1, 2] }, { a: [2, 1] })).toBe(true);
    expect(equals({ a: 1 }, { a: 1, b: 2 })).toBe(false);
    expect(equals({ a: 1, b: 2 }, { a: 1 })).toBe(false);
  });
});
