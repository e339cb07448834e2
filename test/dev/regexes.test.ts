import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { regexesIn } from '../../dev/regexes.ts';

async function regexesOf(...texts: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'landlord-regexes-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const files = texts.map((text, index) => {
    const file = join(folder, `${index}.ts`);
    writeFileSync(file, text);
    return file;
  });
  const { found, hidden } = await regexesIn(files);
  return { found: found.map(({ line, source, flags }) => [line, source, flags]), hidden: hidden.length };
}

test('finds literals wherever they stand, and takes no division, text or comment for one', async () => {
  const source = [
    '// not /a/',
    'const half = 1 / 2 / 3;',
    "const text = '/b/';",
    'x(/c+/gi, [`${/d/.source}`]);',
  ];
  expect(await regexesOf(source.join('\n'))).toEqual({
    found: [
      [4, 'c+', 'gi'],
      [4, 'd', ''],
    ],
    hidden: 0,
  });
});

test('reads a pattern that is a constant, of another file as well', async () => {
  expect(await regexesOf("export const named = '^a$';", 'new RegExp(named); RegExp("b");')).toEqual({
    found: [
      [1, '^a$', ''],
      [1, 'b', ''],
    ],
    hidden: 0,
  });
});

test('tells of a pattern that only a run shows', async () => {
  expect((await regexesOf('new RegExp(`${one}*`); new RegExp(one + two); RegExp(given);')).hidden).toBe(3);
});
