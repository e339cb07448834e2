import { accountOf } from '../../address/arns.ts';
import type { EcsScope } from '../../address/service-target.ts';
import type { OperationFamily, RateLimit } from './rate-limits.ts';
import { createTokenQueue } from './token-queue.ts';
import type { TokenQueue } from './token-queue.ts';

export interface RateLimiterOptions {
  readonly limits: Readonly<Record<OperationFamily, RateLimit>>;
  /** Account that calls without a role go to. */
  readonly ownAccount: string;
  readonly now: () => number;
  readonly maxWaitMs: number;
}

/**
 * The token queue of a call: one for each account, region and family, whoever asks, because that is what AWS counts.
 * Two roles of one account share it.
 */
export function createRateLimiter(
  options: RateLimiterOptions,
): (scope: EcsScope, family: OperationFamily) => TokenQueue {
  const { limits, ownAccount, now, maxWaitMs } = options;
  const queues = new Map<string, TokenQueue>();
  return ({ region, roleArn }, family) => {
    const account = roleArn === undefined ? ownAccount : accountOf(roleArn);
    const key = `${account} ${region} ${family}`;
    const queue = queues.get(key) ?? createTokenQueue(limits[family], { now, maxWaitMs });
    queues.set(key, queue);
    return queue;
  };
}
