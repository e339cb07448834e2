import { expect, test } from 'vitest';
import { longestHealthCheckMs } from '../../../src/compute/observation/health-check-time.ts';

const check = { command: ['/ok'], intervalSeconds: 10, retries: 3, startPeriodSeconds: 0 };

test.each([
  ['each of four tries may take as long as the interval, on top of it', {}, 80_000],
  ['or as long as its own timeout', { timeoutSeconds: 3 }, 52_000],
  ['the start period comes first', { startPeriodSeconds: 30 }, 110_000],
  ['without retries there is one try', { retries: 0 }, 20_000],
  [
    'what it does not say is as engines have it by default',
    { intervalSeconds: undefined, timeoutSeconds: 3 },
    52_000,
  ],
  ['of one that is switched off there is none', { disable: true }, 0],
  ['all together', { intervalSeconds: 5, timeoutSeconds: 2, retries: 1, startPeriodSeconds: 1 }, 15_000],
])('a judgement is late because %s', (_why, over, ms) => {
  expect(longestHealthCheckMs({ ...check, ...over })).toBe(ms);
});
