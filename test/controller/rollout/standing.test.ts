import { expect, test } from 'vitest';
import type { Verdict } from '../../../src/controller/pass.ts';
import { standingAfter } from '../../../src/controller/rollout/standing.ts';

const since = '2026-01-01T00:00:00Z';
const known = { specHash: 'v1:new', state: 'Updating', since } as const;
const now = new Date('2026-01-01T00:09:59Z');
const late = new Date('2026-01-01T00:10:00Z');
const verdicts = {
  ready: { kind: 'ready', message: '' },
  progressing: { kind: 'progressing', reason: 'Updating', message: '', underWay: true },
  rolledBack: { kind: 'rolledBack', reason: 'RolledBack', message: '' },
  suspended: { kind: 'suspended' },
  deleting: { kind: 'deleting', message: '' },
} satisfies Record<string, Verdict>;
const after = (verdict: keyof typeof verdicts, over: object = {}) =>
  standingAfter(known, { verdict: verdicts[verdict], specHash: 'v1:new', now, ...over });

test('one is at work until it is Ready, suspended or deleted', () => {
  expect(after('progressing')).toEqual(known);
  expect([after('ready'), after('suspended'), after('deleting')]).toEqual([undefined, undefined, undefined]);
});

test('one fails by a rollback, and by not being Ready in time, until it is', () => {
  const failed = { ...known, state: 'Failed' };
  expect(after('rolledBack')).toEqual(failed);
  expect(after('progressing', { now: late })).toEqual(failed);
  expect(after('ready', { now: late })).toBeUndefined();
});

test('what comes after it before it has arrived is another rollout', () => {
  const next = { specHash: 'v1:next', state: 'Updating', since: '2026-01-01T00:10:00Z' };
  expect(after('progressing', { now: late, specHash: 'v1:next' })).toEqual(next);
});

test('who has no part in any gets none', () => {
  const verdict = verdicts.progressing;
  expect(standingAfter(undefined, { verdict, specHash: 'v1:new', now })).toBeUndefined();
});
