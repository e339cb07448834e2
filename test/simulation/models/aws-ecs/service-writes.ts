import type {
  CreateServiceCommandInput,
  NetworkConfiguration,
  UpdateServiceCommandInput,
} from '@aws-sdk/client-ecs';
import type { EcsScope } from '../../../../src/compute/providers/ecs/address/service-target.ts';
import { isDeepStrictEqual } from 'node:util';
import type { Call } from './front-door.ts';
import { refusal } from './front-door.ts';
import type { Hands } from './hands.ts';
import type { LiveSettings, RolledSettings, ServiceRecord, ServiceRevision } from './records.ts';
import type { ServiceScheduler } from './service-scheduler.ts';
import type { TaskDefinitions } from './task-definitions.ts';

/** CreateService and UpdateService, whoever calls them. */
export interface ServiceWrites {
  create(scope: EcsScope, input: CreateServiceCommandInput): ServiceRecord | 'exists' | 'draining';
  update(scope: EcsScope, input: UpdateServiceCommandInput): ServiceRecord | 'missing' | 'inactive';
}

export interface ServiceWritesDeps extends Pick<Hands, 'clock'> {
  readonly services: Map<string, ServiceRecord>;
  readonly account: string;
  readonly definitions: TaskDefinitions;
  readonly scheduler: ServiceScheduler;
  /** Milliseconds that a new service is MISSING for. */
  readonly hiddenMs: () => number;
}

type Site = Pick<Call, 'scope' | 'action'>;

export function createServiceWrites(deps: ServiceWritesDeps): ServiceWrites {
  const { clock, services, scheduler, definitions } = deps;
  const tokens = new Map<string, ServiceRecord>();
  return {
    create(scope, input) {
      const site = { scope, action: 'ecs:CreateService' };
      const { serviceName = '', cluster = '', clientToken } = input;
      const known = clientToken === undefined ? undefined : tokens.get(clientToken);
      if (known?.name === serviceName) return known;
      const before = services.get(serviceKeyOf(cluster, serviceName));
      if (before?.status === 'ACTIVE') return 'exists';
      if (before?.status === 'DRAINING') return 'draining';
      const taskDefinition = runnable(definitions, site, input.taskDefinition ?? '');
      checkNetwork(definitions, site, taskDefinition, input.networkConfiguration);
      const service = newService(deps, input);
      services.set(serviceKeyOf(cluster, serviceName), service);
      if (clientToken !== undefined) tokens.set(clientToken, service);
      scheduler.deploy(service, {
        taskDefinition,
        network: filledIn(input.networkConfiguration),
        launchType: service.launchType,
        strategy: input.capacityProviderStrategy ?? [],
        settings: rolledSettings(input),
      });
      return service;
    },
    update(scope, input) {
      const site = { scope, action: 'ecs:UpdateService' };
      const service = services.get(serviceKeyOf(input.cluster ?? '', input.service ?? ''));
      if (service === undefined || isForgotten(service, clock.now())) return 'missing';
      if (service.status !== 'ACTIVE') return 'inactive';
      const before = service.deployments[0]?.revision;
      if (before === undefined) return 'inactive';
      const revision = updatedRevision(deps, { site, service, before }, input);
      if (input.desiredCount !== undefined) service.desiredCount = input.desiredCount;
      service.configuration = { ...service.configuration, ...input.deploymentConfiguration };
      service.settings = { ...service.settings, ...liveSettings(input) };
      const isNew = !isDeepStrictEqual(revision, before) || input.forceNewDeployment === true;
      if (isNew) scheduler.deploy(service, revision);
      else scheduler.tend(service);
      return service;
    },
  };
}

export function serviceKeyOf(cluster: string, name: string): string {
  return `${cluster} ${name}`;
}

/** ECS remembers what was deleted for about an hour. */
export function isForgotten({ inactiveAt }: ServiceRecord, now: number): boolean {
  return inactiveAt !== undefined && now - inactiveAt > 3_600_000;
}

function newService(
  { clock, account, hiddenMs }: ServiceWritesDeps,
  input: CreateServiceCommandInput,
): ServiceRecord {
  const { serviceName: name = '', cluster = '', capacityProviderStrategy = [] } = input;
  return {
    arn: `${account}:service/${cluster.split('/')[1]}/${name}`,
    name,
    cluster,
    createdAt: clock.now(),
    visibleAt: clock.now() + hiddenMs(),
    launchType: input.launchType ?? (capacityProviderStrategy.length > 0 ? undefined : 'EC2'),
    status: 'ACTIVE',
    inactiveAt: undefined,
    desiredCount: input.desiredCount ?? 0,
    extra: 0,
    settings: liveSettings(input),
    configuration: {
      maximumPercent: 200,
      minimumHealthyPercent: 100,
      deploymentCircuitBreaker: { enable: false, rollback: false },
      ...structuredClone(input.deploymentConfiguration),
    },
    tags: new Map((input.tags ?? []).map(({ key = '', value = '' }) => [key, value])),
    deployments: [],
    events: [],
    stopped: [],
    lastCompleted: undefined,
  };
}

interface Changing {
  readonly site: Site;
  readonly service: ServiceRecord;
  readonly before: ServiceRevision;
}

function updatedRevision(
  { definitions }: ServiceWritesDeps,
  { site, service, before }: Changing,
  input: UpdateServiceCommandInput,
): ServiceRevision {
  const { capacityProviderStrategy: strategy } = input;
  if (strategy !== undefined && input.forceNewDeployment !== true) {
    const message =
      'When switching from launch type to capacity provider strategy on an existing service, or making a change to a ' +
      'capacity provider strategy on a service that is already using one, you must force a new deployment.';
    throw refusal(site, 'UpdateFailed', 'InvalidParameterException', message);
  }
  const taskDefinition =
    input.taskDefinition === undefined
      ? before.taskDefinition
      : runnable(definitions, site, input.taskDefinition);
  return {
    taskDefinition,
    network: filledIn(input.networkConfiguration) ?? before.network,
    launchType: service.launchType ?? (strategy?.length === 0 ? 'EC2' : undefined),
    strategy: strategy ?? before.strategy,
    settings: { ...before.settings, ...rolledSettings(input) },
  };
}

type Input = CreateServiceCommandInput | UpdateServiceCommandInput;

function rolledSettings({ loadBalancers, serviceRegistries, platformVersion }: Input): RolledSettings {
  return given({ loadBalancers, serviceRegistries, platformVersion });
}

function liveSettings(input: Input): LiveSettings {
  const { healthCheckGracePeriodSeconds, enableExecuteCommand, availabilityZoneRebalancing } = input;
  return given({ healthCheckGracePeriodSeconds, enableExecuteCommand, availabilityZoneRebalancing });
}

/** What is left out stays as it is. */
function given<T extends object>(settings: T): T {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as T;
}

/** ARN of a revision that may be run anew. */
function runnable(definitions: TaskDefinitions, site: Site, name: string): string {
  const failed = site.action === 'ecs:CreateService' ? 'ProvisionFailed' : 'UpdateFailed';
  const found = definitions.find(name);
  if (found === undefined) {
    throw refusal(site, failed, 'ClientException', 'Unable to describe task definition.');
  }
  if (found.definition.status !== 'ACTIVE') {
    throw refusal(site, failed, 'ClientException', 'TaskDefinition is inactive');
  }
  return found.definition.taskDefinitionArn ?? '';
}

function checkNetwork(
  definitions: TaskDefinitions,
  site: Site,
  taskDefinition: string,
  network: NetworkConfiguration | undefined,
): void {
  const isOwn = definitions.find(taskDefinition)?.definition.networkMode === 'awsvpc';
  if (!isOwn || network !== undefined) return;
  const message = "Network Configuration must be provided when networkMode 'awsvpc' is specified.";
  throw refusal(site, 'ProvisionFailed', 'InvalidParameterException', message);
}

/** Without a security group it is the VPC's own. */
function filledIn(network: NetworkConfiguration | undefined): NetworkConfiguration | undefined {
  const vpc = network?.awsvpcConfiguration;
  if (vpc === undefined) return undefined;
  const { securityGroups = [], assignPublicIp = 'DISABLED' } = vpc;
  return {
    awsvpcConfiguration: {
      subnets: [...(vpc.subnets ?? [])],
      securityGroups: securityGroups.length > 0 ? [...securityGroups] : ['sg-default'],
      assignPublicIp,
    },
  };
}
