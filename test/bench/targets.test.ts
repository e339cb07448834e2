import { describe, expect, test } from 'vitest';
import { shellCommand } from '../../bench/operator-command.ts';
import { judge } from '../../bench/targets.ts';
import type { Comparison } from '../../bench/targets.ts';
import { runCommand } from '../../dev/run-command.ts';

function comparison(
  subject: Readonly<Record<string, readonly number[]>>,
  minRatio = 1,
  tenants = 1_000,
): Comparison {
  const rows = Object.entries(subject).map(([key, values]) => ({
    key,
    ref: [1],
    subject: values,
    minRatio,
    medianRatio: minRatio,
  }));
  return { subject: [{ n: tenants }], rows };
}

describe('the targets', () => {
  test('take the best ratio of times, the best figure, and the worst count', () => {
    expect(judge(comparison({ 'create.seconds': [9, 20] }, 1.05)).isMet).toBe(true);
    expect(judge(comparison({ 'create.seconds': [9, 20] }, 1.06)).isMet).toBe(false);
    expect(judge(comparison({ 'total.peakMB': [130, 100] })).isMet).toBe(true);
    expect(judge(comparison({ 'total.peakMB': [130, 101] })).isMet).toBe(false);
    expect(judge(comparison({ 'create.writesPer': [2, 2] })).isMet).toBe(true);
    expect(judge(comparison({ 'create.writesPer': [2, 2.001] })).isMet).toBe(false);
  });

  test('are those of as many Tenants as there are', () => {
    const memory = (tenants: number): string =>
      judge(comparison({ 'total.peakMB': [99] }, 1, tenants)).text.replace(/.*\(/, '(');
    expect([1_000, 5_000, 50_000, 50_001].map(memory)).toEqual([
      '(at most 100)',
      '(at most 180)',
      '(at most 600)',
      '',
    ]);
  });

  test('ask for less where the apiserver puts the finalizer on', () => {
    const created = comparison({ 'create.seconds': [7], 'create.writesPer': [1] }, 0.8);
    expect(judge(created).isMet).toBe(true);
    expect(judge(created, { hasFinalizerPolicy: true }).text.split('\n')).toEqual([
      'MISSED  create → all Ready, times the reference: 0.8 (at most 0.7)',
      'met     writes per tenant at create: 1 (at most 1)',
    ]);
  });

  test('hold no ratio to a reference that did not run', () => {
    const { subject, rows } = comparison({ 'create.seconds': [9], 'idle.writes': [0] }, 0);
    const alone = { subject, rows: rows.map((row) => ({ ...row, ref: null })) };
    expect(judge(alone).text).toBe('met     writes when idle: 0 (at most 0)');
  });

  test('say of each how it stands', () => {
    const { text } = judge(comparison({ 'update.writesPer': [1.5], 'delete.writesPer': [1] }));
    expect(text.split('\n')).toEqual([
      'MISSED  writes per change: 1.5 (at most 1)',
      'met     writes per deletion: 1 (at most 1)',
    ]);
  });

  test('are not met where nothing was measured', () => {
    expect(judge({ subject: [], rows: [] }).isMet).toBe(false);
  });
});

test('a shell takes each part of a command as it is', async () => {
  const parts = ['/bin/echo', "it's", '$HOME', 'a  b'];
  expect(await runCommand('sh', ['-c', shellCommand(parts)])).toBe("it's $HOME a  b\n");
});
