import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

/** vitest's import binds to the test that began last: among concurrent ones, mostly to another than the caller. */
function mixesUpEnds(source: string): boolean {
  const concurrent = /\b(describe|it|test)\.concurrent\b/.test(source);
  return concurrent && /^import [^;]*\bonTestFinished\b[^;]*;$/m.test(source);
}

test('concurrent tests have what they end ended by their own context', () => {
  const files = globSync('**/*.test.ts', { cwd: root });
  expect(files.length).toBeGreaterThan(100);
  expect(files.filter((file) => mixesUpEnds(readFileSync(join(root, file), 'utf8')))).toEqual([]);
});

test('the import of vitest among concurrent tests is found', () => {
  const imported = "import { it, onTestFinished } from 'vitest';";
  expect(mixesUpEnds(`${imported}\nit.concurrent('a', () => onTestFinished(stop));`)).toBe(true);
  expect(mixesUpEnds(`${imported}\nit('a', () => onTestFinished(stop));`)).toBe(false);
  expect(mixesUpEnds("it.concurrent('a', ({ onTestFinished }) => onTestFinished(stop));")).toBe(false);
});
