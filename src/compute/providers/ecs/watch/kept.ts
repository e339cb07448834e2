import type { EcsDeployment, EcsRevision, EcsService } from '../state/ecs-service.ts';
import type { EcsTask, EcsTaskContainer } from '../state/ecs-task.ts';
import { tellingEvents } from '../state/service-events.ts';

/**
 * What is remembered between two looks: the members that are read, and nothing else of what ECS answers. An answer has up
 * to a hundred events of each service, and more of each task than of all else.
 */

type Members<T> = Readonly<Record<keyof T, unknown>>;

export function keptService(service: EcsService): EcsService {
  return {
    serviceArn: service.serviceArn,
    serviceName: service.serviceName,
    status: service.status,
    createdAt: service.createdAt,
    desiredCount: service.desiredCount,
    runningCount: service.runningCount,
    pendingCount: service.pendingCount,
    taskDefinition: service.taskDefinition,
    launchType: service.launchType,
    capacityProviderStrategy: service.capacityProviderStrategy,
    networkConfiguration: service.networkConfiguration,
    deploymentConfiguration: service.deploymentConfiguration,
    ...keptSettings(service),
    deployments: service.deployments?.map(keptDeployment),
    events: tellingEvents(service),
    tags: service.tags,
  } satisfies Members<EcsService>;
}

function keptDeployment(deployment: EcsDeployment): EcsDeployment {
  return {
    id: deployment.id,
    status: deployment.status,
    runningCount: deployment.runningCount,
    failedTasks: deployment.failedTasks,
    rolloutState: deployment.rolloutState,
    rolloutStateReason: deployment.rolloutStateReason,
    createdAt: deployment.createdAt,
    taskDefinition: deployment.taskDefinition,
    launchType: deployment.launchType,
    capacityProviderStrategy: deployment.capacityProviderStrategy,
    networkConfiguration: deployment.networkConfiguration,
    ...keptRevisionSettings(deployment),
  } satisfies Members<EcsDeployment>;
}

function keptSettings(service: EcsService) {
  return {
    loadBalancers: service.loadBalancers,
    healthCheckGracePeriodSeconds: service.healthCheckGracePeriodSeconds,
    serviceRegistries: service.serviceRegistries,
    enableExecuteCommand: service.enableExecuteCommand,
    schedulingStrategy: service.schedulingStrategy,
    placementConstraints: service.placementConstraints,
    placementStrategy: service.placementStrategy,
    availabilityZoneRebalancing: service.availabilityZoneRebalancing,
    propagateTags: service.propagateTags,
    enableECSManagedTags: service.enableECSManagedTags,
    ...keptRevisionSettings(service),
  };
}

function keptRevisionSettings(revision: EcsRevision) {
  return {
    platformVersion: revision.platformVersion,
    serviceConnectConfiguration: revision.serviceConnectConfiguration,
    volumeConfigurations: revision.volumeConfigurations,
    vpcLatticeConfigurations: revision.vpcLatticeConfigurations,
  };
}

export function keptTask(task: EcsTask): EcsTask {
  return {
    taskDefinitionArn: task.taskDefinitionArn,
    startedBy: task.startedBy,
    lastStatus: task.lastStatus,
    desiredStatus: task.desiredStatus,
    healthStatus: task.healthStatus,
    createdAt: task.createdAt,
    startedAt: task.startedAt,
    stoppingAt: task.stoppingAt,
    stoppedAt: task.stoppedAt,
    stoppedReason: task.stoppedReason,
    stopCode: task.stopCode,
    containers: task.containers?.map(keptContainer),
    attachments: task.attachments?.map(({ type, details }) => ({ type, details })),
  } satisfies Members<EcsTask>;
}

function keptContainer({ name, image, reason, exitCode }: EcsTaskContainer): EcsTaskContainer {
  return { name, image, reason, exitCode };
}
