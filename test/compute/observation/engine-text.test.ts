import { expect, test } from 'vitest';
import { cutText, maxTextLength, saysInOrder } from '../../../src/compute/observation/engine-text.ts';

test('a text that is longer than it may be is cut; another one stays', () => {
  const longest = 'x'.repeat(maxTextLength);
  expect(cutText(longest)).toBe(longest);
  expect(cutText(`${longest}y`)).toBe(longest);
});

test.each([
  ['task x: already exists', true],
  ['task already exists', true],
  ['already exists: task', false],
  ['task', false],
  ['already exists', false],
])('%j says of a task that it exists: %s', (text, says) => {
  expect(saysInOrder(text, /task/, /already exists/)).toBe(says);
});
