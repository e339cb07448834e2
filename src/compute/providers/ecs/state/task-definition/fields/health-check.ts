import { checkFigures } from '../../../../../../api/container/health-check.ts';
import type { CheckFigures, HealthCheck } from '../../../../../../api/container/health-check.ts';
import type { ContainerSpec } from '../../../../../spec/tenant-compute-spec.ts';
import type { HealthCheckDefinition } from '../task-definition.ts';

/** What ECS takes, in whole numbers: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html */
const bounds = {
  intervalSeconds: [5, 300],
  timeoutSeconds: [2, 60],
  retries: [1, 10],
  startPeriodSeconds: [0, 300],
} as const satisfies Record<keyof CheckFigures, readonly [number, number]>;

const figures = Object.keys(bounds) as (keyof CheckFigures)[];

/** Undefined: there is none, whatever the base has. One that an image brings along does not count on ECS. */
export function healthCheckDefinition(check: HealthCheck): HealthCheckDefinition | undefined {
  if (check.disable === true) return undefined;
  const { intervalSeconds, timeoutSeconds, retries, startPeriodSeconds } = servedFigures(check);
  return {
    command: check.shell === undefined ? ['CMD', ...(check.command ?? [])] : ['CMD-SHELL', check.shell],
    interval: intervalSeconds,
    timeout: timeoutSeconds,
    retries,
    startPeriod: startPeriodSeconds,
  };
}

/** The check with those of its figures that ECS has instead. */
export function servedCheck(check: HealthCheck): HealthCheck {
  const { timeoutSeconds, ...served } = servedFigures(check);
  return { ...check, ...served, ...(check.timeoutSeconds !== undefined && { timeoutSeconds }) };
}

function servedFigures(check: HealthCheck): CheckFigures {
  const said = checkFigures(check);
  return Object.fromEntries(figures.map((figure) => [figure, within(bounds[figure], said[figure])])) as {
    [F in keyof CheckFigures]: number;
  };
}

function within([least, most]: readonly [number, number], value: number): number {
  return Math.min(most, Math.max(least, Math.ceil(value)));
}

/** What a tenant's checks say and ECS does not take, in words. */
export function checkNotes(containers: readonly ContainerSpec[]): readonly string[] {
  return containers.flatMap(({ name, healthCheck }) => {
    if (healthCheck === undefined || healthCheck.disable === true) return [];
    const served = servedFigures(healthCheck);
    const others = figures.flatMap((figure) => {
      const said = healthCheck[figure];
      return said === undefined || said === served[figure] ? [] : [`${figure} ${served[figure]} for ${said}`];
    });
    const starts = healthCheck.startIntervalSeconds === undefined ? [] : ['no startIntervalSeconds'];
    const all = [...others, ...starts];
    return all.length === 0
      ? []
      : [`the health check of container ${name} has, as ECS takes it, ${all.join(', ')}`];
  });
}
