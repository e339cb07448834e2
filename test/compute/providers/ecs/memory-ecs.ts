import type {
  CreateServiceCommandInput,
  Deployment,
  Service,
  Tag,
  Task,
  TaskDefinition,
} from '@aws-sdk/client-ecs';
import type { EcsApi } from '../../../../src/compute/providers/ecs/engine/ecs-api.ts';
import type { Route } from '../../../../src/compute/providers/ecs/address/route.ts';
import type { ServiceTarget } from '../../../../src/compute/providers/ecs/address/service-target.ts';
import { ComputeError } from '../../../../src/compute/errors.ts';
import { balancingWrites, memoryBalancing, notLedTo } from './memory-balancing.ts';
import type { MemoryBalancing } from './memory-balancing.ts';
import { memoryScaling, scalingWrites } from './memory-scaling.ts';
import type { MemoryScaling } from './memory-scaling.ts';

/**
 * ECS in memory, as its documentation has it: Describe fills in defaults, a new service may be invisible for a while,
 * a deleted one drains, the circuit breaker takes back what does not come up. Every describe lets time pass.
 */
export interface MemoryEcs extends EcsApi {
  readonly services: Map<string, Service>;
  /** Scalable targets, by the name of the service. */
  readonly scalings: MemoryScaling['targets'];
  readonly taskDefinitions: Map<string, { taskDefinition: TaskDefinition; tags: Tag[] }>;
  /** Ways to target groups that others have made, by ARN. */
  readonly routes: Map<string, readonly Route[]>;
  /** What is made at load balancers. */
  readonly balancing: MemoryBalancing;
  /** Versions of secrets, by reference. */
  readonly secrets: Map<string, string>;
  /** Tasks that are of no service, oldest first. They run until somebody ends them. */
  readonly tasks: Task[];
  /** Names of the calls so far, and what they were given. */
  readonly calls: { readonly name: string; readonly input: unknown }[];
  service(name: string): Service | undefined;
  /** Registers a revision by other hands. */
  addTaskDefinition(taskDefinition: Partial<TaskDefinition>): string;
}

export interface MemoryEcsOptions {
  /** Describes that a new service is MISSING for. */
  readonly hiddenFor?: number;
  /** Describes that a deleted service is DRAINING for. */
  readonly drainsFor?: number;
  /** Describes that tasks which are no longer asked for still run for. */
  readonly stopsFor?: number;
  /** Whether the cluster is there. */
  readonly hasCluster?: boolean;
}

export const writes = [
  'createService',
  'updateService',
  'deleteService',
  'tagResource',
  'untagResource',
  'registerTaskDefinition',
  'deregisterTaskDefinition',
  'runTask',
  'stopTask',
  'registerScalableTarget',
  'putScalingPolicy',
  'deleteScalingPolicy',
  'deregisterScalableTarget',
  ...Object.keys(balancingWrites),
];

/** The call's name, where it changes something. */
export function writeOf(call: string): string | undefined {
  return writes.includes(call) ? call : undefined;
}

const account = 'arn:aws:ecs:us-west-2:123456789012';
export const clusterArn = `${account}:cluster/landlord`;
export const baseArn = `${account}:task-definition/tenant-app:12`;

/** What a rollback brings back beside the task definition, as ECS shows it of a deployment. */
function revisionOf({
  networkConfiguration,
  launchType,
  capacityProviderStrategy,
  platformVersion,
}: Service | Deployment) {
  return { networkConfiguration, launchType, capacityProviderStrategy, platformVersion };
}

/** Settings of a service that start a deployment, and those that do not. */
const rolledKeys = ['loadBalancers', 'serviceRegistries', 'platformVersion'] as const;
const liveKeys = [
  'healthCheckGracePeriodSeconds',
  'enableExecuteCommand',
  'placementConstraints',
  'placementStrategy',
  'availabilityZoneRebalancing',
  'propagateTags',
  'enableECSManagedTags',
] as const;
/** Those that ECS shows of a deployment alone. */
const deploymentKeys = [
  'serviceConnectConfiguration',
  'volumeConfigurations',
  'vpcLatticeConfigurations',
] as const;

function some<T extends object, Key extends keyof T>(of: T, keys: readonly Key[]): Partial<Pick<T, Key>> {
  const given = keys.filter((key) => of[key] !== undefined).map((key) => [key, structuredClone(of[key])]);
  return Object.fromEntries(given) as Partial<Pick<T, Key>>;
}

export function memoryEcs(options: MemoryEcsOptions = {}): MemoryEcs {
  const { hiddenFor = 0, drainsFor = 0, stopsFor = 0, hasCluster = true } = options;
  const services = new Map<string, Service>();
  const taskDefinitions: MemoryEcs['taskDefinitions'] = new Map();
  const tokens = new Map<string, string>();
  const tasks: Task[] = [];
  const secrets: MemoryEcs['secrets'] = new Map();
  const taskTokens = new Map<string | undefined, Task>();
  const hidden = new Map<string, number>();
  const draining = new Map<string, number>();
  const stopping = new Map<string, number>();
  const latest = new Map<string, number>();
  const launchTypes = new Map<string, Service['launchType']>();
  /** What a rollback brings back that no deployment shows, by deployment. */
  const unshown = new Map<string, Pick<Service, 'loadBalancers' | 'serviceRegistries'>>();
  const scalings = memoryScaling((name) => services.get(name)?.status === 'ACTIVE');
  const balancing = memoryBalancing((group) =>
    [...services.values()].some(
      ({ status, loadBalancers = [], deployments = [] }) =>
        status !== 'INACTIVE' &&
        [loadBalancers, ...deployments.map((one) => unshown.get(one.id ?? '')?.loadBalancers ?? [])]
          .flat()
          .some(({ targetGroupArn }) => targetGroupArn === group),
    ),
  );
  /** Of target groups that are made for services; those of others are there. */
  const checkGroups = ({ loadBalancers = [] }: Pick<Service, 'loadBalancers'>): void => {
    for (const { targetGroupArn: group = '' } of loadBalancers) {
      if (!group.startsWith('arn:')) throw new Error(`${group} is no ARN`);
      if (group.includes('targetgroup/landlord-') && !balancing.leadsTo(group)) throw notLedTo(group);
    }
  };
  const calls: { name: string; input: unknown }[] = [];
  let ids = 0;
  const id = (): string => `${(ids += 1)}`;

  const add = (taskDefinition: Partial<TaskDefinition>, tags: Tag[] = []): TaskDefinition => {
    const family = taskDefinition.family ?? 'tenant-app';
    const revision = taskDefinition.revision ?? (latest.get(family) ?? 0) + 1;
    latest.set(family, revision);
    const arn = `${account}:task-definition/${family}:${revision}`;
    const added: TaskDefinition = {
      ...taskDefinition,
      family,
      revision,
      taskDefinitionArn: arn,
      status: 'ACTIVE',
      compatibilities: ['EC2', 'FARGATE'],
    };
    taskDefinitions.set(arn, { taskDefinition: added, tags });
    return added;
  };

  const resolve = (name: string): TaskDefinition | undefined => {
    const found = taskDefinitions.get(name);
    if (found !== undefined) return found.taskDefinition;
    const ofFamily = [...taskDefinitions.values()].filter(
      ({ taskDefinition: { taskDefinitionArn = '', status } }) =>
        taskDefinitionArn.replace(/:\d+$/, '') === name && status === 'ACTIVE',
    );
    return ofFamily.at(-1)?.taskDefinition;
  };

  const failureOf = (arn: string | undefined): 'missing' | 'crash' | undefined => {
    const images = resolve(arn ?? '')?.containerDefinitions?.map(({ image = '' }) => image) ?? [];
    if (images.some((image) => image.startsWith('missing'))) return 'missing';
    return images.some((image) => image.startsWith('crash')) ? 'crash' : undefined;
  };

  /** Nothing can be pulled from there. */
  const failureOn = ({ networkConfiguration: network }: Service | Deployment): 'missing' | undefined =>
    network?.awsvpcConfiguration?.subnets?.includes('subnet-bad') === true ? 'missing' : undefined;

  /** The id of a deployment of the service as it is now. */
  const remembered = ({ loadBalancers = [], serviceRegistries = [] }: Service): string => {
    const deploymentId = `ecs-svc/${id()}`;
    unshown.set(deploymentId, { loadBalancers, serviceRegistries });
    return deploymentId;
  };

  /** The service's revision as it is now goes with it. */
  const deployment = (taskDefinition: string, desiredCount: number, of: Service): Deployment => ({
    ...revisionOf(of),
    id: remembered(of),
    status: 'PRIMARY',
    taskDefinition,
    desiredCount,
    runningCount: 0,
    pendingCount: 0,
    failedTasks: 0,
    rolloutState: 'IN_PROGRESS',
    rolloutStateReason: 'ECS deployment in progress.',
    createdAt: new Date(0),
    updatedAt: new Date(0),
  });

  /** A moment passes: tasks start, fail and stop. */
  const advance = (service: Service): void => {
    const name = service.serviceName ?? '';
    if (service.status === 'DRAINING') {
      const left = (draining.get(name) ?? 0) - 1;
      draining.set(name, left);
      if (left < 0) Object.assign(service, { status: 'INACTIVE', runningCount: 0, deployments: [] });
      return;
    }
    const [primary, ...others] = service.deployments ?? [];
    if (service.status !== 'ACTIVE' || primary === undefined) return;
    const left = stopping.get(name) ?? 0;
    if (left > 0) {
      stopping.set(name, left - 1);
      return;
    }
    const failure = failureOf(primary.taskDefinition) ?? failureOn(primary);
    if (failure === undefined) {
      primary.runningCount = service.desiredCount;
      primary.rolloutState = 'COMPLETED';
      primary.rolloutStateReason = `ECS deployment ${primary.id} completed.`;
      service.runningCount = service.desiredCount;
      service.deployments = [primary];
      return;
    }
    primary.failedTasks = (primary.failedTasks ?? 0) + 1;
    if (primary.failedTasks < 2 || service.deploymentConfiguration?.deploymentCircuitBreaker?.enable !== true)
      return;
    primary.rolloutState = 'FAILED';
    primary.rolloutStateReason = 'ECS deployment circuit breaker: tasks failed to start.';
    const back = others.find(({ rolloutState }) => rolloutState === 'COMPLETED');
    if (back === undefined) return;
    Object.assign(service, revisionOf(back), unshown.get(back.id ?? ''), {
      taskDefinition: back.taskDefinition,
    });
    service.deployments = [{ ...back, status: 'PRIMARY' }];
    service.events = [
      {
        id: id(),
        message: `(service ${name}) rolling back to deployment ${back.id}.`,
      },
      {
        id: id(),
        message: `(service ${name}) (deployment ${primary.id}) deployment failed: tasks failed to start.`,
      },
      ...(service.events ?? []),
    ];
  };

  const create = (input: CreateServiceCommandInput): Service => {
    const name = input.serviceName ?? '';
    const desiredCount = input.desiredCount ?? 0;
    const arn = resolve(input.taskDefinition ?? '')?.taskDefinitionArn ?? '';
    const created: Service = {
      serviceArn: `${account}:service/landlord/${name}`,
      serviceName: name,
      clusterArn,
      status: 'ACTIVE',
      desiredCount,
      runningCount: 0,
      pendingCount: 0,
      ...(input.capacityProviderStrategy === undefined
        ? { launchType: input.launchType ?? 'EC2' }
        : { capacityProviderStrategy: input.capacityProviderStrategy }),
      taskDefinition: arn,
      deploymentConfiguration: {
        ...input.deploymentConfiguration,
        strategy: 'ROLLING',
        bakeTimeInMinutes: 0,
      },
      ...(input.networkConfiguration === undefined
        ? {}
        : {
            networkConfiguration: {
              awsvpcConfiguration: {
                securityGroups: ['sg-default'],
                subnets: [],
                ...input.networkConfiguration.awsvpcConfiguration,
              },
            },
          }),
      events: [],
      loadBalancers: [],
      serviceRegistries: [],
      placementConstraints: [],
      placementStrategy: [],
      schedulingStrategy: input.schedulingStrategy ?? 'REPLICA',
      deploymentController: { type: 'ECS' },
      enableECSManagedTags: false,
      enableExecuteCommand: false,
      propagateTags: input.propagateTags ?? 'NONE',
      availabilityZoneRebalancing: 'DISABLED',
      ...some(input, [...rolledKeys, ...liveKeys]),
      createdAt: new Date(Number(id())),
      tags: [...(input.tags ?? [])],
    };
    created.deployments = [{ ...deployment(arn, desiredCount, created), ...some(input, deploymentKeys) }];
    services.set(name, created);
    launchTypes.set(name, created.launchType);
    hidden.set(name, hiddenFor);
    return created;
  };

  const tagsOf = (arn: string): Tag[] | undefined =>
    taskDefinitions.get(arn)?.tags ??
    [...services.values()].find(({ serviceArn }) => serviceArn === arn)?.tags;

  const api: EcsApi = {
    async describeService({ service: name }) {
      if (!hasCluster) return 'cluster-gone';
      const service = services.get(name);
      const unseen = hidden.get(name) ?? 0;
      if (service === undefined) return undefined;
      if (unseen > 0) {
        hidden.set(name, unseen - 1);
        return undefined;
      }
      advance(service);
      return structuredClone(service);
    },
    async *listServices() {
      if (hasCluster)
        yield [...services.values()]
          .filter(({ status }) => status === 'ACTIVE')
          .map(({ serviceName = '' }) => serviceName);
    },
    async createService(_scope, input) {
      if (!hasCluster) return 'cluster-gone';
      const before = services.get(input.serviceName ?? '');
      if (input.clientToken !== undefined && tokens.get(input.clientToken) === input.serviceName && before) {
        return structuredClone(before);
      }
      if (before?.status === 'ACTIVE') return 'exists';
      if (before?.status === 'DRAINING') return 'draining';
      if (resolve(input.taskDefinition ?? '') === undefined)
        throw new ComputeError('InvalidSpec', 'TaskDefinition not found.');
      checkGroups(input);
      if (input.clientToken !== undefined) tokens.set(input.clientToken, input.serviceName ?? '');
      return structuredClone(create(input));
    },
    async updateService(_scope, { service: name = '', ...input }) {
      if (!hasCluster) return 'cluster-gone';
      const service = services.get(name);
      if (service === undefined) return 'missing';
      if (service.status !== 'ACTIVE') return 'inactive';
      checkGroups(input);
      if (input.desiredCount !== undefined) {
        if (input.desiredCount < (service.runningCount ?? 0)) stopping.set(name, stopsFor);
        service.desiredCount = input.desiredCount;
        for (const one of service.deployments ?? []) one.desiredCount = input.desiredCount;
      }
      if (input.deploymentConfiguration)
        Object.assign(service.deploymentConfiguration ?? {}, input.deploymentConfiguration);
      const arn = resolve(input.taskDefinition ?? '')?.taskDefinitionArn ?? service.taskDefinition ?? '';
      const rolls =
        arn !== service.taskDefinition ||
        input.networkConfiguration !== undefined ||
        input.forceNewDeployment === true ||
        Object.keys(some(input, [...rolledKeys, ...deploymentKeys])).length > 0;
      Object.assign(service, some(input, [...rolledKeys, ...liveKeys]));
      if (input.networkConfiguration) {
        service.networkConfiguration = {
          awsvpcConfiguration: {
            securityGroups: ['sg-default'],
            subnets: [],
            ...input.networkConfiguration.awsvpcConfiguration,
          },
        };
      }
      const strategy = input.capacityProviderStrategy;
      if (strategy !== undefined) {
        const launchType = strategy.length > 0 ? undefined : launchTypes.get(name);
        Object.assign(service, { capacityProviderStrategy: strategy, launchType });
      }
      if (rolls) {
        const old = (service.deployments ?? []).map((one) => ({ ...one, status: 'ACTIVE' }));
        service.taskDefinition = arn;
        const before = some(service.deployments?.[0] ?? {}, deploymentKeys);
        const next = {
          ...deployment(arn, service.desiredCount ?? 0, service),
          ...before,
          ...some(input, deploymentKeys),
        };
        service.deployments = [next, ...old];
      }
      return structuredClone(service);
    },
    async deleteService({ service: name }) {
      if (!hasCluster) return 'cluster-gone';
      const service = services.get(name);
      if (service === undefined || service.status === 'INACTIVE') return 'missing';
      Object.assign(service, {
        status: drainsFor === 0 ? 'INACTIVE' : 'DRAINING',
        desiredCount: 0,
        runningCount: 0,
      });
      draining.set(name, drainsFor);
      return structuredClone(service);
    },
    async tagResource(_scope, arn, tags) {
      const list = tagsOf(arn);
      for (const tag of tags) {
        const known = list?.find(({ key }) => key === tag.key);
        if (known === undefined) list?.push({ ...tag });
        else known.value = tag.value;
      }
    },
    async untagResource(_scope, arn, keys) {
      const list = tagsOf(arn) ?? [];
      list.splice(0, list.length, ...list.filter(({ key = '' }) => !keys.includes(key)));
    },
    async describeTaskDefinition(_scope, name) {
      const arn = resolve(name)?.taskDefinitionArn;
      return arn === undefined ? undefined : structuredClone(taskDefinitions.get(arn));
    },
    async registerTaskDefinition(_scope, { tags = [], ...input }) {
      return structuredClone(add(input, tags));
    },
    async listTaskDefinitions(_scope, family) {
      return [...taskDefinitions.values()]
        .filter(
          ({ taskDefinition }) => taskDefinition.family === family && taskDefinition.status === 'ACTIVE',
        )
        .map(({ taskDefinition }) => taskDefinition.taskDefinitionArn ?? '')
        .toReversed();
    },
    async deregisterTaskDefinition(_scope, arn) {
      const found = taskDefinitions.get(arn);
      if (found !== undefined) found.taskDefinition.status = 'INACTIVE';
    },
    async describeTasks({ service: name }: ServiceTarget, { limit }) {
      const service = services.get(name);
      const arns = new Set([
        service?.taskDefinition,
        ...(service?.deployments ?? []).map(({ taskDefinition }) => taskDefinition),
      ]);
      const failed = [...taskDefinitions.keys()].flatMap((arn) => stoppedTask(arn, failureOf(arn)));
      const running = [...arns].flatMap((arn) => runningTask(arn, service));
      return [...failed, ...running].slice(0, limit);
    },
    async describeStartedTasks(_cluster, startedBy) {
      return structuredClone(tasks.filter((task) => task.startedBy === startedBy));
    },
    async runTask(_scope, { taskDefinition, startedBy, tags, overrides, clientToken }) {
      if (!hasCluster) return 'cluster-gone';
      const before = taskTokens.get(clientToken);
      if (before !== undefined) return structuredClone(before);
      const [{ name } = {}] = overrides?.containerOverrides ?? [];
      const task: Task = {
        taskArn: `${account}:task/landlord/${id()}`,
        taskDefinitionArn: resolve(taskDefinition ?? '')?.taskDefinitionArn,
        startedBy,
        tags: [...(tags ?? [])],
        overrides,
        lastStatus: 'RUNNING',
        desiredStatus: 'RUNNING',
        createdAt: new Date(Number(id())),
        startedAt: new Date(),
        containers: [{ name, lastStatus: 'RUNNING' }],
      };
      tasks.push(task);
      if (clientToken !== undefined) taskTokens.set(clientToken, task);
      return structuredClone(task);
    },
    async stopTask(_cluster, arn) {
      const task = tasks.find(({ taskArn }) => taskArn === arn);
      if (task === undefined) return;
      const stoppedAt = new Date();
      const containers = task.containers?.map((one) => ({ exitCode: 143, ...one, lastStatus: 'STOPPED' }));
      const ended = { lastStatus: 'STOPPED', desiredStatus: 'STOPPED', stopCode: 'UserInitiated' } as const;
      Object.assign(task, { ...ended, stoppedAt, stoppingAt: stoppedAt, containers });
    },
    ...scalings.api,
    ...balancing.api,
    async secretVersions(_scope, references) {
      return new Map(
        references.flatMap((one) => {
          const version = secrets.get(one);
          return version === undefined ? [] : [[one, version] as const];
        }),
      );
    },
    now: () => Date.now(),
    async *serviceHints() {},
    close: () => undefined,
  };

  function stoppedTask(arn: string, failure: 'missing' | 'crash' | undefined): Task[] {
    const containers = resolve(arn)?.containerDefinitions ?? [];
    if (failure === undefined) return [];
    const base = {
      taskDefinitionArn: arn,
      lastStatus: 'STOPPED',
      desiredStatus: 'STOPPED',
      stoppedAt: new Date(),
    } as const;
    return failure === 'missing'
      ? [
          {
            ...base,
            stopCode: 'TaskFailedToStart',
            stoppedReason: `CannotPullContainerError: pull image manifest has been retried 1 time(s): ${containers[0]?.image}: not found`,
            containers: containers.map(({ name, image }) => ({ name, image })),
          },
        ]
      : [
          {
            ...base,
            stopCode: 'EssentialContainerExited',
            stoppedReason: 'Essential container in task exited',
            containers: containers.map(({ name, image }) => ({ name, image, exitCode: 3 })),
          },
        ];
  }

  function runningTask(arn: string | undefined, service: Service | undefined): Task[] {
    if (arn === undefined || failureOf(arn) !== undefined || (service?.runningCount ?? 0) === 0) return [];
    const eni = { name: 'privateIPv4Address', value: '10.0.0.7' };
    return [
      {
        taskDefinitionArn: arn,
        lastStatus: 'RUNNING',
        desiredStatus: 'RUNNING',
        ...(service?.networkConfiguration === undefined
          ? {}
          : { attachments: [{ type: 'ElasticNetworkInterface', details: [eni] }] }),
      },
    ];
  }

  const counted = Object.fromEntries(
    Object.entries(api).map(([name, call]) => [
      name,
      name === 'now' || name === 'listServices' || name === 'serviceHints' || name === 'close'
        ? call
        : async (...args: unknown[]) => {
            (args.at(-1) as AbortSignal).throwIfAborted();
            const isConsented =
              /^(updateService|deleteService|deregisterTaskDefinition|stopTask)$/.test(name) ||
              name in scalingWrites ||
              balancingWrites[name] === 'consented';
            calls.push({ name, input: args.slice(0, isConsented ? -2 : -1).at(-1) });
            return (call as (...args: unknown[]) => Promise<unknown>)(...args);
          },
    ]),
  ) as unknown as EcsApi;
  add({
    family: 'tenant-app',
    revision: 12,
    networkMode: 'awsvpc',
    executionRoleArn: 'arn:aws:iam::123456789012:role/execution',
    containerDefinitions: [{ name: 'app', image: 'app:0', essential: true }],
  });
  return {
    ...counted,
    services,
    scalings: scalings.targets,
    taskDefinitions,
    secrets,
    routes: balancing.routes,
    balancing,
    tasks,
    calls,
    service: (name) => services.get(name),
    addTaskDefinition: (taskDefinition) => add(taskDefinition).taskDefinitionArn ?? '',
  };
}

export function writesOf(ecs: MemoryEcs): readonly string[] {
  return ecs.calls.map(({ name }) => name).filter((name) => writes.includes(name));
}
