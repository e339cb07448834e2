import { createHash } from 'node:crypto';
import { revisionKey } from '../address/arns.ts';
import { withRulesMark } from './balancing/compare-rules.ts';
import type { DesiredNetwork, DesiredService } from './desired.ts';
import { serviceTags } from './marks/service-tags.ts';
import { tagList } from './marks/tags.ts';
import { pendingScaling } from './scaling/compare-scaling.ts';
import type { DeploymentConfiguration } from './service/deployment.ts';
import type { ServiceSettings } from './service/service-fields.ts';

/** What CreateService and UpdateService are asked for. */

/**
 * `born`: when the service of this name that is no more was created, if ECS still knows it. It takes part in the
 * client token, so that a service made anew is not answered with the one before. `isLeft`: something of its rules follows it.
 */
export function createServiceInput(
  desired: DesiredService,
  taskDefinition: string,
  born: Date | undefined,
  isLeft = false,
) {
  const { target, launchType, capacityProviders, network, firstCount, deployment, settings } = desired;
  const revision = revisionKey(taskDefinition);
  return {
    cluster: target.cluster,
    serviceName: target.service,
    taskDefinition,
    ...(settings.schedulingStrategy === 'DAEMON' ? {} : { desiredCount: firstCount }),
    ...(launchType === undefined ? {} : { launchType }),
    ...(capacityProviders === undefined ? {} : { capacityProviderStrategy: [...capacityProviders] }),
    ...(network === undefined ? {} : { networkConfiguration: networkConfiguration(network) }),
    deploymentConfiguration: deployment,
    tags: tagList(serviceTags(desired, revision, withRulesMark(desired, pendingScaling(desired), isLeft))),
    propagateTags: 'SERVICE' as const,
    ...settings,
    clientToken: clientToken([
      target,
      desired.ownerTags,
      desired.specHash,
      taskDefinition,
      born?.getTime() ?? 0,
    ]),
  };
}

/** At most 36 ASCII characters. */
function clientToken(identity: unknown): string {
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 36);
}

export function networkConfiguration({ subnets, securityGroups, assignPublicIp }: DesiredNetwork) {
  return {
    awsvpcConfiguration: {
      subnets: [...subnets],
      ...(securityGroups === undefined ? {} : { securityGroups: [...securityGroups] }),
      assignPublicIp,
    },
  };
}

/** Parts that an UpdateService has to bring. */
export interface UpdatedParts {
  readonly taskDefinition: boolean;
  /** The count to set. */
  readonly desiredCount: number | undefined;
  readonly network: boolean;
  readonly launchType: boolean;
  /** Whether tasks are started anew, whatever else differs. */
  readonly force: boolean;
  readonly deployment: DeploymentConfiguration | undefined;
  /** Those that start a deployment. */
  readonly rolledSettings: ServiceSettings;
  readonly liveSettings: ServiceSettings;
}

/** Whether ECS starts new tasks for it. */
export function startsDeployment(differs: UpdatedParts): boolean {
  const { taskDefinition, network, launchType, force, rolledSettings } = differs;
  return taskDefinition || network || launchType || force || Object.keys(rolledSettings).length > 0;
}

/** Empty where nothing is to be updated. */
export function updateServiceInput(desired: DesiredService, differs: UpdatedParts, taskDefinition: string) {
  const { network } = desired;
  return {
    ...(differs.taskDefinition ? { taskDefinition } : {}),
    ...(differs.desiredCount === undefined ? {} : { desiredCount: differs.desiredCount }),
    ...(differs.network && network !== undefined
      ? { networkConfiguration: networkConfiguration(network) }
      : {}),
    ...(differs.launchType ? launchTypeUpdate(desired) : {}),
    ...(differs.deployment === undefined ? {} : { deploymentConfiguration: differs.deployment }),
    ...(differs.force ? { forceNewDeployment: true } : {}),
    ...differs.rolledSettings,
    ...differs.liveSettings,
  };
}

/** In place of a launch type ECS takes capacity providers, and none of them for the one that the service was made with. */
function launchTypeUpdate({ launchType, capacityProviders }: DesiredService) {
  const ofLaunchType = launchType === 'FARGATE' ? [{ capacityProvider: launchType, weight: 1 }] : [];
  return { capacityProviderStrategy: [...(capacityProviders ?? ofLaunchType)], forceNewDeployment: true };
}
