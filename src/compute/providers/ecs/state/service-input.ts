import { createHash } from 'node:crypto';
import { revisionKey } from '../address/arns.ts';
import type { DesiredNetwork, DesiredService } from './desired.ts';
import { serviceTags } from './marks/service-tags.ts';
import { tagList } from './marks/tags.ts';

/** What CreateService and UpdateService are asked for. */

/**
 * `born`: when the service of this name that is no more was created, if ECS still knows it. It takes part in the
 * client token, so that a service made anew is not answered with the one before.
 */
export function createServiceInput(desired: DesiredService, taskDefinition: string, born: Date | undefined) {
  const { target, launchType, network, firstCount } = desired;
  const revision = revisionKey(taskDefinition);
  return {
    cluster: target.cluster,
    serviceName: target.service,
    taskDefinition,
    desiredCount: firstCount,
    ...(launchType === undefined ? {} : { launchType }),
    ...(network === undefined ? {} : { networkConfiguration: networkConfiguration(network) }),
    deploymentConfiguration,
    tags: tagList(serviceTags(desired, revision)),
    propagateTags: 'SERVICE' as const,
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

/** New tasks run before old ones stop, and what does not come up is taken back. */
export const deploymentConfiguration = {
  deploymentCircuitBreaker: { enable: true, rollback: true },
  maximumPercent: 200,
  minimumHealthyPercent: 100,
} as const;

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
  readonly deployment: boolean;
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
    ...(differs.deployment ? { deploymentConfiguration } : {}),
  };
}

/** In place of a launch type ECS takes capacity providers, and none of them for the one that the service was made with. */
function launchTypeUpdate({ launchType }: DesiredService) {
  return {
    capacityProviderStrategy: launchType === 'FARGATE' ? [{ capacityProvider: launchType, weight: 1 }] : [],
    forceNewDeployment: true,
  };
}
