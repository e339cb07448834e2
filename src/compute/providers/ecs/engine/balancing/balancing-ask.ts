import type * as ElasticLoadBalancing from '@aws-sdk/client-elastic-load-balancing-v2';
import type { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { EcsScope } from '../../address/service-target.ts';
import type { EcsConnection } from '../ecs-connection.ts';
import { EcsRefusal, refusalError } from '../ecs-refusal.ts';
import type { Priority } from '../limits/token-queue.ts';

export type Sdk = typeof ElasticLoadBalancing;
export type Options = { readonly abortSignal: AbortSignal };

export interface Asking {
  readonly connection: EcsConnection;
  readonly scope: EcsScope;
  readonly priority: Priority;
  readonly signal: AbortSignal;
}

export interface BalancingCall<T> {
  /** `CreateRule` */
  readonly action: string;
  /** Default: yes. */
  readonly isRepeatable?: boolean;
  readonly send: (client: ElasticLoadBalancingV2Client, sdk: Sdk, options: Options) => Promise<T>;
}

/** The answer, or what is refused. The SDK's client is loaded with the first call: many operators need none. */
export async function askBalancing<T>(
  { connection, scope, priority, signal }: Asking,
  { action, isRepeatable = true, send }: BalancingCall<T>,
): Promise<T | EcsRefusal> {
  return connection.ask(
    {
      scope,
      priority,
      action: `elasticloadbalancing:${action}`,
      family: 'balancing',
      isRepeatable,
      send: async (_ecs, options, { other }) => {
        const sdk = await import('@aws-sdk/client-elastic-load-balancing-v2');
        return send(other(sdk.ElasticLoadBalancingV2Client), sdk, options);
      },
    },
    signal,
  );
}

/** Undefined: what was asked for is not there. */
export async function readBalancing<T>(
  asking: Asking,
  action: string,
  send: BalancingCall<T>['send'],
): Promise<T | undefined> {
  const answer = await askBalancing(asking, { action, send });
  if (!(answer instanceof EcsRefusal)) return answer;
  if (/NotFound/.test(answer.name)) return undefined;
  throw refusalError(answer, 'ProviderUnavailable');
}

interface Page<T> {
  readonly items: readonly T[] | undefined;
  readonly next: string | undefined;
}

interface Paging<Answer, T> {
  readonly action: string;
  readonly send: (
    client: ElasticLoadBalancingV2Client,
    sdk: Sdk,
    options: Options,
    marker: { readonly Marker?: string },
  ) => Promise<Answer>;
  readonly page: (answer: Answer) => Page<T>;
}

/** All pages; undefined: what was asked about is not there. */
export async function pagesOf<Answer, T>(
  asking: Asking,
  { action, send, page }: Paging<Answer, T>,
): Promise<readonly T[] | undefined> {
  const all: T[] = [];
  let marker: { readonly Marker?: string } = {};
  do {
    const from = marker;
    const answer = await readBalancing(asking, action, (client, sdk, options) =>
      send(client, sdk, options, from),
    );
    if (answer === undefined) return undefined;
    const { items = [], next = '' } = page(answer);
    all.push(...items);
    marker = next === '' ? {} : { Marker: next };
  } while (marker.Marker !== undefined);
  return all;
}

/** As many load balancers, target groups or rules as one call describes. */
export const atOnce = 20;

export function chunks<T>(all: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / atOnce) }, (_, index) =>
    all.slice(index * atOnce, (index + 1) * atOnce),
  );
}
