import { ComputeError } from '../../../../errors.ts';
import type { TenantComputeSpec } from '../../../../spec/tenant-compute-spec.ts';
import type { EcsConfig, EcsOperatorBlock } from '../../config.ts';
import { inBounds } from '../scaling/scaling.ts';
import type { Scaling } from '../scaling/scaling.ts';
import { isDaemon } from './daemon.ts';

/** Who says how many tasks there are. */

/** Where nobody names a count. */
const defaultDesiredCount = 1;

export interface Counts {
  /** Undefined: autoscaling's, once the service is there; of a DAEMON the cluster's. */
  readonly desiredCount?: number;
  /** How many a service that is made anew begins with. */
  readonly firstCount: number;
  /** The most that there may be by what is asked for. */
  readonly mostTasks: number;
}

/** The count that a tenant names for every provider is that of its tasks, whatever else names one. */
export function withCount({ config, replicas }: TenantComputeSpec<EcsConfig>): EcsConfig {
  if (replicas === undefined) return config;
  if (!isDaemon(config)) return { ...config, desired_count: replicas };
  throw new ComputeError(
    'InvalidSpec',
    'spec.replicas: a DAEMON (scheduling_strategy) has as many tasks as there are instances. Leave it out',
  );
}

/** `most`: that a tenant may have where it does not name the count. */
export function desireCount(
  spec: TenantComputeSpec<EcsConfig>,
  config: EcsConfig,
  autoscaling: Scaling | undefined,
  most: number,
): Counts {
  const named = isDaemon(config) ? undefined : config.desired_count;
  const before = countBefore(spec, autoscaling?.max ?? most);
  if (autoscaling === undefined) {
    return {
      ...(named === undefined ? {} : { desiredCount: named }),
      firstCount: named ?? before ?? defaultDesiredCount,
      mostTasks: named ?? defaultDesiredCount,
    };
  }
  const first = before ?? named ?? defaultDesiredCount;
  return { firstCount: inBounds(autoscaling, first), mostTasks: autoscaling.max };
}

/** The operator's default is there to be gone beyond. */
export function countNotes(
  { config: { desired_count: count }, replicas }: TenantComputeSpec<EcsConfig>,
  { desired_count: own }: EcsOperatorBlock,
  autoscaling: Scaling | undefined,
): readonly string[] {
  if (autoscaling !== undefined) {
    const named = replicas === undefined ? count : replicas;
    if (named === undefined || (replicas === undefined && named === own)) return [];
    const what = replicas === undefined ? 'desired_count' : 'replicas';
    return [`${what} ${named} only begins the count, which autoscaling has from then on`];
  }
  if (replicas === undefined || count === undefined || [replicas, own].includes(count)) return [];
  return [`desired_count ${count} counts for nothing beside replicas ${replicas}`];
}

/** 0 is no count to begin with: a service that goes away is scaled to that. */
function countBefore({ before }: TenantComputeSpec<EcsConfig>, most: number): number | undefined {
  const isService = before?.resourceIds === undefined || 'service' in before.resourceIds;
  return before !== undefined && isService && before.desired > 0 ? Math.min(before.desired, most) : undefined;
}
