import { createHash } from 'node:crypto';
import { ComputeError } from '../../../../errors.ts';
import type { EcsConfig } from '../../config.ts';
import { equals } from './covers.ts';

/** What the tasks run on: a launch type, or capacity providers in its place. */

export interface CapacityProvider {
  readonly capacityProvider: string;
  readonly weight: number;
  readonly base: number;
}

export type LaunchType = NonNullable<EcsConfig['launch_type']>;

export interface Capacity {
  readonly launchType?: LaunchType;
  readonly capacityProviders?: readonly CapacityProvider[];
}

type Named = Pick<EcsConfig, 'launch_type' | 'capacity_provider_strategy'>;

/** One of the two may be the operator's default: what the tenant says goes before it. Throws InvalidSpec for two of the tenant's. */
export function desireCapacity(config: Named, own: Named): Capacity {
  const { launch_type: launchType, capacity_provider_strategy: strategy = [] } = config;
  if (strategy.length === 0) return launchType === undefined ? {} : { launchType };
  if (launchType === undefined || launchType === own.launch_type) {
    return { capacityProviders: strategy.map(filledIn).toSorted(byName) };
  }
  if (equals(strategy, own.capacity_provider_strategy)) return { launchType };
  throw new ComputeError(
    'InvalidSpec',
    'spec.computeConfig.ecs: launch_type and capacity_provider_strategy exclude each other: leave one of them out',
  );
}

interface Shown {
  readonly capacityProvider?: string | undefined;
  readonly weight?: number | undefined;
  readonly base?: number | undefined;
}

export function providersShown(strategy: readonly Shown[] | undefined): readonly CapacityProvider[] {
  return (strategy ?? [])
    .map(({ capacityProvider = '', weight = 0, base = 0 }) => ({ capacityProvider, weight, base }))
    .toSorted(byName);
}

function filledIn({
  capacity_provider: capacityProvider,
  weight = 0,
  base = 0,
}: NonNullable<Named['capacity_provider_strategy']>[number]): CapacityProvider {
  return { capacityProvider, weight, base };
}

function byName(a: CapacityProvider, b: CapacityProvider): number {
  return a.capacityProvider < b.capacityProvider ? -1 : a.capacityProvider > b.capacityProvider ? 1 : 0;
}

/** FARGATE, FARGATE_SPOT: the others are groups of instances. */
export function isFargateProvider(name: string): boolean {
  return name.startsWith('FARGATE');
}

/** What a task definition must be made for; undefined: ECS knows. */
export function taskHostOf({ launchType, capacityProviders = [] }: Capacity): LaunchType | undefined {
  if (launchType !== undefined) return launchType;
  const isFargate =
    capacityProviders.length > 0 &&
    capacityProviders.every(({ capacityProvider }) => isFargateProvider(capacityProvider));
  return isFargate ? 'FARGATE' : undefined;
}

/** How the mark of what was applied last has it; undefined: nothing was asked for. */
export function capacityMark({ launchType, capacityProviders }: Capacity): string | undefined {
  if (capacityProviders === undefined) return launchType;
  return `cp:${createHash('sha256').update(JSON.stringify(capacityProviders)).digest('hex').slice(0, 8)}`;
}

export function capacityText(providers: readonly CapacityProvider[]): string {
  return providers
    .map(
      ({ capacityProvider, weight, base }) => `${capacityProvider} ${weight}${base === 0 ? '' : `+${base}`}`,
    )
    .join(', ');
}
