import { expect, test } from 'vitest';
import { createRateLimiter } from '../../../../../../src/compute/providers/ecs/engine/limits/rate-limiter.ts';
import {
  ecsRateLimits,
  limitsFor,
} from '../../../../../../src/compute/providers/ecs/engine/limits/rate-limits.ts';

const region = 'us-west-2';
const role = (account: string, name: string) => `arn:aws:iam::${account}:role/${name}`;

test('a token queue belongs to an account, a region and a family, whichever role is used', () => {
  const queueOf = createRateLimiter({
    limits: ecsRateLimits,
    ownAccount: '111111111111',
    now: () => 0,
    maxWaitMs: 1,
  });
  const own = queueOf({ region }, 'serviceReads');
  expect(queueOf({ region, roleArn: role('111111111111', 'a') }, 'serviceReads')).toBe(own);
  expect(queueOf({ region, roleArn: role('222222222222', 'a') }, 'serviceReads')).not.toBe(own);
  expect(queueOf({ region: 'eu-west-1' }, 'serviceReads')).not.toBe(own);
  expect(queueOf({ region }, 'serviceWrites')).not.toBe(own);
});

test('two operators with half of an account each take what one takes alone, and a small share still makes one call', () => {
  expect(limitsFor(1)).toEqual(ecsRateLimits);
  for (const [family, { burst, perSecond }] of Object.entries(ecsRateLimits))
    expect(limitsFor(0.5)).toMatchObject({ [family]: { burst: burst / 2, perSecond: perSecond / 2 } });
  expect(limitsFor(0.05).taskDefinitionWrites.burst).toBe(1);
});
