import { ComputeError } from '../../../../errors.ts';
import type { EcsConfig } from '../../config.ts';
import { taskHostOf } from './capacity.ts';
import type { Capacity } from './capacity.ts';

/** A service with one task on each instance: how many those are is for the cluster to say. */

type Named = Pick<EcsConfig, 'scheduling_strategy' | 'desired_count' | 'drain' | 'placement_strategy'>;

export function isDaemon({ scheduling_strategy: scheduling }: Pick<Named, 'scheduling_strategy'>): boolean {
  return scheduling === 'DAEMON';
}

/** Throws InvalidSpec for what the tenant asks for besides; defaults of the operator's are not for a DAEMON. */
export function checkDaemon(config: Named, own: Named, capacity: Capacity): void {
  if (!isDaemon(config)) return;
  if (taskHostOf(capacity) === 'FARGATE') {
    throw invalid('scheduling_strategy', 'Fargate has no instances to run a DAEMON on. Use launch_type EC2');
  }
  if (config.desired_count !== undefined && config.desired_count !== own.desired_count)
    throw invalid('desired_count', 'a DAEMON has as many tasks as there are instances. Leave it out');
  if (config.drain === true && own.drain !== true)
    throw invalid('drain', 'a DAEMON can not be scaled to 0. Leave it out');
  if ((config.placement_strategy ?? []).length > 0)
    throw invalid('placement_strategy', 'a DAEMON runs on each instance. Leave it out');
}

function invalid(key: string, what: string): ComputeError {
  return new ComputeError('InvalidSpec', `spec.computeConfig.ecs.${key}: ${what}`);
}
