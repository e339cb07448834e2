import { expect, test } from 'vitest';
import { createRateLimiter } from '../../../../../../src/compute/providers/ecs/engine/limits/rate-limiter.ts';
import { ecsRateLimits } from '../../../../../../src/compute/providers/ecs/engine/limits/rate-limits.ts';

const region = 'us-west-2';
const role = (account: string, name: string) => `arn:aws:iam::${account}:role/${name}`;

test('a bucket belongs to an account, a region and a family, whichever role is used', () => {
  const bucketOf = createRateLimiter({
    limits: ecsRateLimits,
    ownAccount: '111111111111',
    now: () => 0,
    maxWaitMs: 1,
  });
  const own = bucketOf({ region }, 'serviceReads');
  expect(bucketOf({ region, roleArn: role('111111111111', 'a') }, 'serviceReads')).toBe(own);
  expect(bucketOf({ region, roleArn: role('222222222222', 'a') }, 'serviceReads')).not.toBe(own);
  expect(bucketOf({ region: 'eu-west-1' }, 'serviceReads')).not.toBe(own);
  expect(bucketOf({ region }, 'serviceWrites')).not.toBe(own);
});
