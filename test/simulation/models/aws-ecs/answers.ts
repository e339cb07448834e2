import type { Deployment, Service, Task } from '@aws-sdk/client-ecs';
import type { DeploymentRecord, ServiceRecord, ServiceRevision, TaskRecord } from './records.ts';
import { isAlive } from './records.ts';

/** What ECS answers of what it keeps, by its own clock, which is `skewMs` ahead of ours. */

const hourMs = 3_600_000;

export function serviceAnswer(service: ServiceRecord, skewMs: number): Service {
  const [primary] = service.deployments;
  const tasks = service.deployments.flatMap((deployment) => deployment.tasks);
  return {
    serviceArn: service.arn,
    serviceName: service.name,
    clusterArn: service.cluster,
    status: service.status,
    desiredCount: service.desiredCount,
    runningCount: runningOf(tasks),
    pendingCount: pendingOf(tasks),
    ...(primary === undefined ? {} : revisionAnswer(primary.revision)),
    deploymentConfiguration: {
      strategy: 'ROLLING',
      bakeTimeInMinutes: 0,
      ...structuredClone(service.configuration),
    },
    deployments: service.deployments.map((deployment, index) =>
      deploymentAnswer(service, deployment, { isPrimary: index === 0, skewMs }),
    ),
    events: service.events.map((event) => ({
      ...event,
      createdAt: new Date((event.createdAt?.getTime() ?? 0) + skewMs),
    })),
    loadBalancers: [],
    serviceRegistries: [],
    ...structuredClone(primary?.revision.settings),
    placementConstraints: [],
    placementStrategy: [],
    schedulingStrategy: 'REPLICA',
    deploymentController: { type: 'ECS' },
    enableECSManagedTags: false,
    enableExecuteCommand: false,
    propagateTags: 'SERVICE',
    availabilityZoneRebalancing: 'ENABLED',
    ...service.settings,
    createdAt: new Date(service.createdAt + skewMs),
    tags: Array.from(service.tags, ([key, value]) => ({ key, value })),
  };
}

function revisionAnswer({ taskDefinition, network, launchType, strategy }: ServiceRevision) {
  return {
    taskDefinition,
    ...(network === undefined ? {} : { networkConfiguration: structuredClone(network) }),
    ...(strategy.length > 0
      ? { capacityProviderStrategy: strategy.map((item) => ({ ...item })) }
      : launchType !== undefined && { launchType }),
  };
}

function deploymentAnswer(
  service: ServiceRecord,
  deployment: DeploymentRecord,
  { isPrimary, skewMs }: { readonly isPrimary: boolean; readonly skewMs: number },
): Deployment {
  const { id, revision, tasks, failedTasks, rolloutState, reason } = deployment;
  return {
    id,
    status: isPrimary ? 'PRIMARY' : 'ACTIVE',
    ...revisionAnswer(revision),
    desiredCount: isPrimary ? service.desiredCount : 0,
    runningCount: runningOf(tasks),
    pendingCount: pendingOf(tasks),
    failedTasks,
    rolloutState,
    rolloutStateReason: reason,
    createdAt: new Date(deployment.createdAt + skewMs),
    updatedAt: new Date(deployment.updatedAt + skewMs),
  };
}

function runningOf(tasks: readonly TaskRecord[]): number {
  return tasks.filter(({ lastStatus }) => lastStatus === 'RUNNING').length;
}

function pendingOf(tasks: readonly TaskRecord[]): number {
  return tasks.filter(({ lastStatus }) => lastStatus === 'PENDING' || lastStatus === 'PROVISIONING').length;
}

/** Those that stopped within the last hour, newest first, and those that did not. */
export function taskAnswers(service: ServiceRecord, now: number, skewMs: number): readonly Task[] {
  const alive = service.deployments.flatMap(({ tasks }) => tasks.filter(isAlive));
  const stopped = service.stopped.filter(({ stoppedAt = 0 }) => now - stoppedAt < hourMs);
  return [...stopped, ...alive].map((task) => taskAnswer(service, task, skewMs));
}

function taskAnswer(service: ServiceRecord, task: TaskRecord, skewMs: number): Task {
  const at = (name: 'createdAt' | 'startedAt' | 'stoppingAt' | 'stoppedAt') => {
    const ms = task[name];
    return ms === undefined ? {} : { [name]: new Date(ms + skewMs) };
  };
  const { stopCode, stoppedReason } = task;
  return {
    taskArn: task.arn,
    clusterArn: service.cluster,
    taskDefinitionArn: task.revision.taskDefinition,
    startedBy: task.deployment,
    group: `service:${service.name}`,
    lastStatus: task.lastStatus,
    desiredStatus: task.desiredStatus,
    healthStatus: task.health,
    ...at('createdAt'),
    ...at('startedAt'),
    ...at('stoppingAt'),
    ...at('stoppedAt'),
    ...(stopCode === undefined ? {} : { stopCode }),
    ...(stoppedReason === undefined ? {} : { stoppedReason }),
    containers: task.containers.map((container) => ({ ...container })),
    ...(task.revision.network === undefined
      ? {}
      : {
          attachments: [
            {
              type: 'ElasticNetworkInterface',
              details: [{ name: 'privateIPv4Address', value: task.address }],
            },
          ],
        }),
  };
}
