import type { ECSClient } from '@aws-sdk/client-ecs';
import { scopeKey } from '../address/service-target.ts';
import type { EcsScope } from '../address/service-target.ts';

/** The time by which ECS dates what it tells: that of its answers' header `Date`. Ours may be minutes off. */
export interface ServiceClock {
  /** Milliseconds since the epoch; our own time until an answer tells another. */
  readonly now: (scope: EcsScope) => number;
  /** Reads the date of each answer that the client gets. */
  readonly follow: (scope: EcsScope, client: Pick<ECSClient, 'middlewareStack'>) => void;
}

/** The header names whole seconds, cut off. */
const meanCutMs = 500;

/** `ownNow`: our own time, by a clock that does not jump. */
export function createServiceClock(ownNow: () => number): ServiceClock {
  const aheadMs = new Map<string, number>();
  return {
    now: (scope) => ownNow() + (aheadMs.get(scopeKey(scope)) ?? 0),
    follow(scope, client) {
      client.middlewareStack.add(
        (next) => async (request) => {
          const answer = await next(request);
          const at = dateOf(answer.response);
          if (at !== undefined) aheadMs.set(scopeKey(scope), at + meanCutMs - ownNow());
          return answer;
        },
        { step: 'deserialize', name: 'serviceClock' },
      );
    },
  };
}

function dateOf(response: unknown): number | undefined {
  const { headers } = (response ?? {}) as { readonly headers?: Readonly<Record<string, string>> };
  const at = Date.parse(headers?.['date'] ?? '');
  return Number.isNaN(at) ? undefined : at;
}
