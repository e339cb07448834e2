import { expect, test } from 'vitest';
import { plainText, plainTexts } from '../../src/api/plain-text.ts';

test.each([
  ['plain, with ümlaut, 漢字 and 🐳', 'plain, with ümlaut, 漢字 and 🐳'],
  ['two\nlines\r\nand\ta tab', 'two lines and a tab'],
  ['\u001b[2K', '\\u{1b}[2K'],
  ['a\u202eb', 'a\\u{202e}b'],
  ['a\ud83d', 'a\\u{d83d}'],
])('%j becomes %j', (text, plain) => {
  expect(plainText(text)).toBe(plain);
  expect(plainText(plain)).toBe(plain);
});

test('all strings of a value are made plain, and nothing else of it is changed', () => {
  expect(plainTexts({ a: ['\u0007', 1, null, true], b: { c: '\u009b' } })).toEqual({
    a: ['\\u{7}', 1, null, true],
    b: { c: '\\u{9b}' },
  });
  expect(plainTexts(undefined)).toBeUndefined();
});
