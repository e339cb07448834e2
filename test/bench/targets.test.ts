import { describe, expect, test } from 'vitest';
import { shellCommand } from '../../bench/operator-command.ts';
import { judge } from '../../bench/targets.ts';
import type { Comparison } from '../../bench/targets.ts';
import { runCommand } from '../../dev/run-command.ts';

function comparison(subject: Readonly<Record<string, readonly number[]>>, minRatio = 1): Comparison {
  const rows = Object.entries(subject).map(([key, values]) => ({
    key,
    ref: [1],
    subject: values,
    minRatio,
    medianRatio: minRatio,
  }));
  return { rows };
}

describe('the targets', () => {
  test('take the best ratio of times, and the worst figure of counts', () => {
    expect(judge(comparison({ 'create.seconds': [9, 20] }, 1.2)).isMet).toBe(true);
    expect(judge(comparison({ 'create.seconds': [9, 20] }, 1.21)).isMet).toBe(false);
    expect(judge(comparison({ 'create.writesPer': [2, 2] })).isMet).toBe(true);
    expect(judge(comparison({ 'create.writesPer': [2, 2.001] })).isMet).toBe(false);
  });

  test('say of each how it stands', () => {
    const { text } = judge(comparison({ 'update.writesPer': [1.5], 'delete.writesPer': [1] }));
    expect(text.split('\n')).toEqual([
      'MISSED  writes per change: 1.5 (at most 1)',
      'met     writes per deletion: 1 (at most 1)',
    ]);
  });

  test('are not met where nothing was measured', () => {
    expect(judge({ rows: [] }).isMet).toBe(false);
  });
});

test('a shell takes each part of a command as it is', async () => {
  const parts = ['/bin/echo', "it's", '$HOME', 'a  b'];
  expect(await runCommand('sh', ['-c', shellCommand(parts)])).toBe("it's $HOME a  b\n");
});
