import { describe, expect, test } from 'vitest';
import { conditionTypes, findCondition, setConditions } from '../../src/api/conditions.ts';
import type { Condition, ConditionUpdate } from '../../src/api/conditions.ts';

const now = new Date('2026-02-03T04:05:06.789Z');
const before = '2026-01-01T00:00:00Z';

const ready = (update: Partial<ConditionUpdate> = {}): ConditionUpdate => ({
  type: 'Ready',
  status: 'True',
  reason: 'Running',
  message: 'runs',
  observedGeneration: 1,
  ...update,
});
const earlier = (update: Partial<Condition> = {}): Condition => ({
  ...ready(),
  lastTransitionTime: before,
  ...update,
});

describe('setConditions', () => {
  test('dates a new condition, in whole seconds', () => {
    expect(setConditions([], [ready()], now)).toEqual([
      { ...ready(), lastTransitionTime: '2026-02-03T04:05:06Z' },
    ]);
  });

  test('keeps the time while the status stays, whatever else changes', () => {
    const update = ready({ reason: 'Updating', message: 'rolls', observedGeneration: 2 });
    expect(setConditions([earlier()], [update], now)).toEqual([{ ...update, lastTransitionTime: before }]);
  });

  test('dates a changed status', () => {
    const [changed] = setConditions([earlier()], [ready({ status: 'False' })], now);
    expect(changed?.lastTransitionTime).toBe('2026-02-03T04:05:06Z');
  });

  test('drops what is not said any more, and orders the rest', () => {
    const updates = conditionTypes.map((type) => ready({ type })).toReversed();
    expect(setConditions([earlier({ type: 'Stalled' })], updates, now).map(({ type }) => type)).toEqual(
      conditionTypes,
    );
    expect(setConditions([earlier({ type: 'Stalled' })], [ready()], now).map(({ type }) => type)).toEqual([
      'Ready',
    ]);
  });
});

test('findCondition finds the one of a type, or none', () => {
  expect(findCondition([earlier()], 'Ready')).toEqual(earlier());
  expect(findCondition([earlier()], 'Drifted')).toBeUndefined();
  expect(findCondition(undefined, 'Ready')).toBeUndefined();
});
