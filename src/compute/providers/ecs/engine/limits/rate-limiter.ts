import type { EcsScope } from '../ecs-api.ts';
import type { OperationFamily, RateLimit } from './rate-limits.ts';
import { createTokenBucket, type TokenBucket } from './token-bucket.ts';

export interface RateLimiterOptions {
  readonly limits: Readonly<Record<OperationFamily, RateLimit>>;
  /** Account that calls without a role go to. */
  readonly ownAccount: string;
  readonly now: () => number;
  readonly maxWaitMs: number;
}

/**
 * The bucket of a call: one for each account, region and family, whoever asks, because that is what AWS counts.
 * Two roles of one account share it.
 */
export function createRateLimiter(
  options: RateLimiterOptions,
): (scope: EcsScope, family: OperationFamily) => TokenBucket {
  const { limits, ownAccount, now, maxWaitMs } = options;
  const buckets = new Map<string, TokenBucket>();
  return ({ region, roleArn }, family) => {
    const account = roleArn === undefined ? ownAccount : accountOf(roleArn);
    const key = `${account} ${region} ${family}`;
    const bucket = buckets.get(key) ?? createTokenBucket(limits[family], { now, maxWaitMs });
    buckets.set(key, bucket);
    return bucket;
  };
}

/** arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE */
export function accountOf(arn: string): string {
  return arn.split(':')[4] ?? '';
}
