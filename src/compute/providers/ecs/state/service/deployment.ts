import { ComputeError } from '../../../../errors.ts';
import type { EcsConfig } from '../../config.ts';
import { marksOf } from './setting-marks.ts';
import type { SettingMarks } from './setting-marks.ts';
import { inWords } from './words.ts';

/** How ECS is to go from one revision to the next, in its words. */

export type DeploymentConfiguration = ReturnType<typeof desireDeployment>;

/** New tasks run before old ones stop, and what does not come up is taken back. */
const usual = { maximumPercent: 200, minimumHealthyPercent: 100 } as const;
/**
 * The old one stops first: on an instance there is room for one task of a DAEMON, and of what several tasks write at once nothing
 * may be left.
 */
const oneAtOnce = { maximumPercent: 100, minimumHealthyPercent: 0 } as const;

/** `keepsData`: whether its tasks write to volumes that outlive them. Throws InvalidSpec, naming the path. */
export function desireDeployment(
  { deployment = {}, scheduling_strategy: scheduling }: EcsConfig,
  keepsData = false,
) {
  const { circuit_breaker: breaker = {}, alarms, ...rest } = deployment;
  const asked = inWords(rest);
  const known = scheduling === 'DAEMON' || keepsData ? oneAtOnce : usual;
  const percents = {
    maximumPercent: asked.maximumPercent ?? known.maximumPercent,
    minimumHealthyPercent: asked.minimumHealthyPercent ?? known.minimumHealthyPercent,
  };
  checkDeployment(deployment, percents);
  const enable = breaker.enable ?? true;
  return {
    ...asked,
    ...percents,
    deploymentCircuitBreaker: { enable, rollback: enable && (breaker.rollback ?? true) },
    ...(alarms === undefined
      ? {}
      : {
          alarms: {
            alarmNames: alarms.alarm_names,
            enable: alarms.enable ?? true,
            rollback: alarms.rollback ?? true,
          },
        }),
  };
}

function checkDeployment(
  deployment: NonNullable<EcsConfig['deployment']>,
  {
    maximumPercent,
    minimumHealthyPercent,
  }: typeof usual | { maximumPercent: number; minimumHealthyPercent: number },
): void {
  if (maximumPercent <= minimumHealthyPercent) {
    throw invalid(
      'maximum_percent',
      `${maximumPercent} leaves no room for a new task, and minimum_healthy_percent ${minimumHealthyPercent} stops no old one`,
    );
  }
  const { strategy = 'ROLLING' } = deployment;
  for (const [key, of] of [
    ['canary_configuration', 'CANARY'],
    ['linear_configuration', 'LINEAR'],
  ] as const) {
    if (deployment[key] !== undefined && strategy !== of)
      throw invalid(key, `is of the strategy ${of}, and not of ${strategy}`);
  }
}

/** Where ECS could begin no rollout of so many tasks: it rounds the most down, and the least up. */
export function roomNotes(
  { strategy = 'ROLLING', maximumPercent, minimumHealthyPercent }: DeploymentConfiguration,
  count = 0,
): readonly string[] {
  const most = Math.floor((count * maximumPercent) / 100);
  const least = Math.ceil((count * minimumHealthyPercent) / 100);
  if (count === 0 || strategy !== 'ROLLING' || most > count || least < count) return [];
  const tasks = count === 1 ? 'the only task' : `${count} tasks`;
  return [
    `no rollout can begin: deployment.maximum_percent ${maximumPercent} leaves no room for another one beside ${tasks}, ` +
      `and minimum_healthy_percent ${minimumHealthyPercent} stops none`,
  ];
}

function invalid(key: string, what: string): ComputeError {
  return new ComputeError('InvalidSpec', `spec.computeConfig.ecs.deployment.${key}: ${what}`);
}

/** Whether all tasks may be stopped before the first of the next revision runs. */
export function hasGap({
  minimumHealthyPercent,
}: Pick<DeploymentConfiguration, 'minimumHealthyPercent'>): boolean {
  return minimumHealthyPercent === 0;
}

/** What it asks for besides what every service has. See ServiceField. */
export const deploymentFields = {
  alarms: { code: 'al', initial: { alarmNames: [], enable: false, rollback: false } },
  strategy: { code: 'ds', initial: 'ROLLING' },
  bakeTimeInMinutes: { code: 'bt', initial: 0 },
  canaryConfiguration: { code: 'cc', initial: undefined },
  linearConfiguration: { code: 'lc', initial: undefined },
} as const satisfies Partial<Record<keyof DeploymentConfiguration, { code: string; initial: unknown }>>;

export const deploymentNames = Object.keys(deploymentFields) as (keyof typeof deploymentFields)[];

export function deploymentMarks(deployment: DeploymentConfiguration): SettingMarks {
  return marksOf(deploymentNames.map((name) => [deploymentFields[name].code, deployment[name]]));
}
