import { expect, test } from 'vitest';
import { longestSilence, overlapMs } from '../../dev/demo/rollout-watch.ts';

/** Looks 10 ms apart, each with who answered. */
function looks(...answers: string[][]) {
  return answers.map((texts, index) => ({ atMs: index * 10, answers: texts }));
}

test('two versions overlap from the first answer of the new one to the last of the old one', () => {
  const both = ['old', 'new'];
  expect(overlapMs(looks(['old'], both, [], both, ['new']), 'new')).toBe(20);
  expect(overlapMs(looks(['old'], ['new'], ['new']), 'new')).toBe(-10);
  expect(overlapMs(looks(['old'], ['old']), 'new')).toBe(-Infinity);
});

test('a silence is counted in looks in a row without the answer, whoever else answered', () => {
  expect(longestSilence(looks(['a'], ['a', 'b'], ['a']), 'a')).toBe(0);
  expect(longestSilence(looks(['a'], [], ['b'], ['a'], []), 'a')).toBe(2);
  expect(longestSilence(looks([], [], []), 'a')).toBe(3);
});
