import { describe, expect, test } from 'vitest';
import {
  isWithinShare,
  sshBounds,
  sshShares,
} from '../../../../../../src/compute/providers/docker/engine/ssh/ssh-shares.ts';
import { pullBounds } from '../../../../../../src/compute/providers/docker/converge/images/pull-turns.ts';

const withSessions = (sessions: number) => sshShares({ ...sshBounds, sessions });

test('of the places of four logins each traffic has its own', () => {
  expect(sshShares(sshBounds)).toEqual({ calls: 14, ends: 8, streams: 11, lasting: 18 });
});

test('all pulls that have a turn have a place beside the events, those of images and a question', () => {
  expect(sshShares(sshBounds).streams).toBe(pullBounds.engine + 3);
});

describe.each([1, 2, 3, 4, 8])('where sshd takes %i sessions into a login', (sessions) => {
  const shares = withSessions(sessions);

  test('calls and what lasts share all places, and neither goes without', () => {
    expect(shares.calls + shares.lasting).toBe(sshBounds.logins * sessions);
    expect(Math.min(shares.calls, shares.lasting)).toBeGreaterThanOrEqual(2);
  });

  test('beside what ends, there is a place for the events', () => {
    const there = { calls: shares.calls, ends: shares.ends, streams: 0 };
    expect(isWithinShare('streams', there, shares)).toBe(true);
    expect(isWithinShare('ends', there, shares)).toBe(false);
    expect(isWithinShare('calls', there, shares)).toBe(false);
  });
});
