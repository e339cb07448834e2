import { describe, expect, test } from 'vitest';
import { candidatesOf, sample } from '../../dev/mutant-candidates.ts';

const afterOf = (line: string): string[] => candidatesOf('src/a.ts', line).map(({ after }) => after);

describe('mutants of a line', () => {
  test('negate a whole condition, whatever stands in it and behind it', () => {
    expect(afterOf('if (isOpen(a) && b) return;')).toEqual([
      'if (isOpen(a) || b) return;',
      'if (!(isOpen(a) && b)) return;',
    ]);
  });

  test('leave out a condition that ends on a later line', () => {
    expect(afterOf('if (')).toEqual([]);
  });

  test.each([
    ['a === b', 'a !== b'],
    ['a < b', 'a <= b'],
    ['a + 1', 'a - 1'],
    ['a ?? b', 'a && b'],
    ['Math.min(a)', 'Math.max(a)'],
    ['f(true)', 'f(false)'],
  ])('make of %s: %s', (before, after) => {
    expect(afterOf(before)).toEqual([after]);
  });

  test.each([
    '// a === b',
    ' * a === b',
    "import { a } from 'b || c';",
    'export type A = true;',
    'readonly a: true;',
    "logger.warn({ a: true }, 'b');",
    'f(`${a === b}`);',
  ])('are not made of %s', (line) => {
    expect(afterOf(line)).toEqual([]);
  });

  test('say where they are', () => {
    expect(candidatesOf('src/a.ts', 'a;\nb && c;')).toEqual([
      { file: 'src/a.ts', line: 2, before: 'b && c;', after: 'b || c;' },
    ]);
  });
});

describe('a sample of them', () => {
  const all = Array.from({ length: 100 }, (_, index) => index);

  test('is the same for the same seed, another for another, and names none twice', () => {
    expect(sample(all, 10, 3)).toEqual(sample(all, 10, 3));
    expect(sample(all, 10, 3)).not.toEqual(sample(all, 10, 4));
    expect(new Set(sample(all, 100, 3)).size).toBe(100);
  });

  test('is all there is where that is fewer', () => {
    expect(sample([1, 2], 10, 1)).toHaveLength(2);
  });
});
