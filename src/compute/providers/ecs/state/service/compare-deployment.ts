import type { AppliedMark } from '../marks/applied-mark.ts';
import type { DesiredService } from '../desired.ts';
import type { EcsService } from '../ecs-service.ts';
import { formerValue, isEdited } from './compare-settings.ts';
import { covers } from './covers.ts';
import { deploymentFields, deploymentNames } from './deployment.ts';
import type { DeploymentConfiguration } from './deployment.ts';
import { difference, shownText } from './difference.ts';
import type { Difference } from './difference.ts';

export interface DeploymentDifference {
  readonly differences: readonly Difference[];
  /** What to ask ECS for, as a whole. */
  readonly configuration: DeploymentConfiguration;
}

/** Restarts nothing: it counts for the next rollout. */
export function compareDeployment(
  { deployment, specHash }: DesiredService,
  { deploymentConfiguration: actual }: EcsService,
  mark: AppliedMark,
): DeploymentDifference {
  const extras = deploymentNames.flatMap((name) => {
    const value: unknown = deployment[name] ?? formerValue(deploymentFields[name], mark);
    return value === undefined ? [] : [{ name, value }];
  });
  const configuration = {
    ...deployment,
    ...Object.fromEntries(extras.map(({ name, value }) => [name, value])),
  };
  if (actual === undefined) return { differences: [], configuration };
  const path = 'deploymentConfiguration';
  const live = (key: string, ...values: [wanted: number | boolean, has: number | boolean | undefined]) =>
    difference(`${path}.${key}`, ...values, 'live');
  const { deploymentCircuitBreaker: breaker, maximumPercent, minimumHealthyPercent } = deployment;
  const has = actual.deploymentCircuitBreaker;
  const others = extras.filter(({ name, value }) => {
    if (isEdited(deployment[name], mark.settings[deploymentFields[name].code], actual[name])) return true;
    const isHidden = actual[name] === undefined && mark.specHash === specHash;
    return !isHidden && !covers(value, actual[name] ?? deploymentFields[name].initial);
  });
  return {
    differences: [
      ...live('deploymentCircuitBreaker.enable', breaker.enable, has?.enable),
      ...live('deploymentCircuitBreaker.rollback', breaker.rollback, has?.rollback),
      ...live('maximumPercent', maximumPercent, actual.maximumPercent),
      ...live('minimumHealthyPercent', minimumHealthyPercent, actual.minimumHealthyPercent),
      ...others.map(({ name, value }) => ({
        path: `${path}.${name}`,
        desired: shownText(value),
        actual: shownText(actual[name]),
        effect: 'live' as const,
      })),
    ],
    configuration,
  };
}
