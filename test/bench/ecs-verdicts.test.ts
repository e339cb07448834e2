import { expect, test } from 'vitest';
import { sweepVerdicts } from '../../bench/ecs-verdicts.ts';
import type { Verdict } from '../../bench/verdict.ts';

const missed = (verdicts: readonly Verdict[]): string[] =>
  verdicts.filter(({ isMet }) => !isMet).map(({ text }) => text);

test('sweeps over ECS are a call for ten services, and lists of what there is', () => {
  const describes = (...sizes: readonly number[]) =>
    sizes.map((size) => ({
      operation: 'DescribeServices',
      names: Array.from({ length: size }, (_, index) => `s-${index}`),
    }));
  const list = { operation: 'ListServices', names: [] };
  expect(missed(sweepVerdicts([...describes(10, 10, 5, 10, 10, 5), list], 25))).toEqual([]);
  expect(
    missed(sweepVerdicts([...describes(5, 5, 5, 5, 5), { operation: 'ListTasks', names: [] }], 25)),
  ).toEqual([
    'MISSED  DescribeServices of a sweep over 25: 5 (at most 4)',
    'MISSED  other calls in sweeps: 1 (at most 0)',
  ]);
});
