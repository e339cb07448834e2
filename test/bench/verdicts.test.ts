import { describe, expect, test } from 'vitest';
import { costVerdicts, rateVerdicts } from '../../bench/docker-verdicts.ts';
import type { Operated } from '../../bench/docker-verdicts.ts';
import { median, quantile } from '../../bench/median.ts';
import { cpuSeconds, memoryOf } from '../../bench/usage.ts';
import { atLeast, atMost, figure } from '../../bench/verdict.ts';
import type { Verdict } from '../../bench/verdict.ts';

const missed = (verdicts: readonly Verdict[]): string[] =>
  verdicts.filter(({ isMet }) => !isMet).map(({ text }) => text);

test('a figure is held to its target, and one that is none misses it', () => {
  expect(atMost('calls', 2, 2)).toEqual({ text: 'met     calls: 2 (at most 2)', isMet: true });
  expect(atMost('calls', 2.5, 2)).toEqual({ text: 'MISSED  calls: 2.5 (at most 2)', isMet: false });
  expect(atLeast('rate', 0.8999, 0.9)).toEqual({ text: 'MISSED  rate: 0.9 (at least 0.9)', isMet: false });
  expect([atMost('none', NaN, 1).isMet, atLeast('none', NaN, 1).isMet]).toEqual([false, false]);
  expect(figure('as it is', 7)).toEqual({ text: '        as it is: 7', isMet: true });
});

test('a quantile is one of the values, and a median is in the middle', () => {
  const values = Array.from({ length: 20 }, (_, index) => 20 - index);
  expect([quantile(values, 0.5), quantile(values, 0.95), quantile(values, 1)]).toEqual([10, 19, 20]);
  expect(median(values)).toBe(10.5);
  expect([quantile([], 0.5), median([])]).toEqual([NaN, NaN]);
});

test("a process' CPU time and memory are read as Linux tells them", async () => {
  const before = await cpuSeconds(process.pid);
  const spent = process.cpuUsage();
  expect(before).toBeCloseTo((spent.user + spent.system) / 1e6, -1);
  const { now, peak } = await memoryOf(process.pid);
  expect(now).toBeGreaterThan(10);
  expect(peak).toBeGreaterThanOrEqual(now);
});

function operated(over: Partial<Operated> = {}): Operated {
  const cost = { calls: 10, cpuMs: 20 };
  return {
    count: 100,
    seconds: { create: 10, replace: 10, remove: 10 },
    costs: { create: cost, replace: cost, remove: cost },
    sweepCalls: [],
    restartCalls: ['GET /containers/json', 'GET /containers/…/json'],
    firstEdit: 1,
    ...over,
  };
}

describe('on Docker', () => {
  test('creates and replacements are as quick as nine tenths of a bare loop, removals as they are', () => {
    const bare = { create: 9, replace: 8, remove: 1 };
    expect(missed(rateVerdicts(bare, operated()))).toEqual([
      'MISSED  replace 100, 10.0 s, bare loop 8.0 s, 10.0 calls and 20 ms of CPU each: of its rate: 0.8 (at least 0.9)',
    ]);
  });

  test('a restart lists containers once, and is there for an edit within two seconds', () => {
    const bare = { create: 10, replace: 10, remove: 10 };
    const restartCalls = ['GET /containers/json', 'GET /containers/json'];
    expect(missed(rateVerdicts(bare, operated({ restartCalls, firstEdit: 2.1 })))).toEqual([
      'MISSED  lists of containers in a restart over 100: 2 (at most 1)',
      'MISSED  first edit applied after a restart over 100, s: 2.1 (at most 2)',
    ]);
  });

  test('one of many costs what one of few does', () => {
    const { costs } = operated();
    const many = operated({ count: 1_000, costs: { ...costs, replace: { calls: 11, cpuMs: 24 } } });
    expect(missed(costVerdicts(operated(), many))).toEqual([
      'MISSED  CPU of the operator for each replace at 1000, times that at 100: 1.2 (at most 1.15)',
    ]);
  });
});
