import type { Route } from '../../address/route.ts';
import type { EcsScope } from '../../address/service-target.ts';
import type { Priority } from '../limits/token-queue.ts';

/** Elastic Load Balancing as this provider uses it: by which listeners a target group is reached. */

export interface RouteReads {
  /**
   * The ways to each target group, by its ARN; none to one that is not there, or that no listener leads to. One call for 20
   * groups and one for their load balancers, and for each of these one for its listeners and one for the rules of each
   * that leads elsewhere by default. Rejects as those of EcsReads do.
   */
  routesTo(
    scope: EcsScope,
    targetGroups: readonly string[],
    priority: Priority,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, readonly Route[]>>;
}
