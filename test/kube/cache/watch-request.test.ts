import { describe, expect, test } from 'vitest';
import { nextWatchRequest } from '../../../src/kube/cache/watch-request.ts';

const timing = {
  silenceMs: 10_000,
  openTimeoutMs: 3_000,
  errorBackoff: { baseMs: 500, capMs: 30_000 },
  unservedBackoff: { baseMs: 500, capMs: 5_000 },
  unreachableBackoff: { baseMs: 500, capMs: 2_000 },
  random: () => 0.5,
};

describe('the next watch', () => {
  test.each([
    [
      'without a version asks for the whole state, and is patient',
      { version: undefined, quiet: false, proven: false, failures: 3 },
      {
        resourceVersionMatch: 'NotOlderThan',
        sendInitialEvents: true,
        timeoutSeconds: 360,
        openTimeoutMs: 30_000,
      },
    ],
    [
      'goes on from the version',
      { version: '7', quiet: false, proven: false, failures: 0 },
      { resourceVersion: '7', timeoutSeconds: 360, openTimeoutMs: 3_000 },
    ],
    [
      'waits longer for an answer with each failure',
      { version: '7', quiet: false, proven: false, failures: 2 },
      { resourceVersion: '7', timeoutSeconds: 360, openTimeoutMs: 9_000 },
    ],
    [
      'waits ten times as long at most',
      { version: '7', quiet: false, proven: false, failures: 100 },
      { resourceVersion: '7', timeoutSeconds: 360, openTimeoutMs: 30_000 },
    ],
    [
      'after a silent one is asked to end soon',
      { version: '7', quiet: true, proven: false, failures: 0 },
      { resourceVersion: '7', timeoutSeconds: 10, openTimeoutMs: 3_000, quiet: true },
    ],
    [
      'after a silent one is long where its connection tells that it lives',
      { version: '7', quiet: true, proven: true, failures: 0 },
      { resourceVersion: '7', timeoutSeconds: 360, openTimeoutMs: 3_000, quiet: true },
    ],
  ])('%s', (_what, situation, options) => {
    expect(nextWatchRequest(situation, timing).options).toEqual(options);
  });

  test.each([
    ['one that goes on', { version: '7', quiet: false, proven: false, failures: 0 }, 10_000],
    [
      'one after a silent one: until it has ended',
      { version: '7', quiet: true, proven: false, failures: 0 },
      13_000,
    ],
    [
      'one whose connection tells that it lives',
      { version: '7', quiet: true, proven: true, failures: 0 },
      10_000,
    ],
  ])('may be silent for a while: %s', (_what, situation, limitMs) => {
    const { silenceLimitMs } = nextWatchRequest(situation, timing);
    expect(silenceLimitMs(false)).toBe(limitMs);
    expect(silenceLimitMs(true)).toBe(30_000);
  });
});
