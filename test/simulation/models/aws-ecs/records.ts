import type {
  CapacityProviderStrategyItem,
  DeploymentConfiguration,
  HealthStatus,
  LaunchType,
  NetworkConfiguration,
  Service,
  ServiceEvent,
} from '@aws-sdk/client-ecs';

/** What ECS keeps of its services, in its own clock. */

/** What a rollback puts back: everything that a deployment is made of. */
export interface ServiceRevision {
  readonly taskDefinition: string;
  readonly network: NetworkConfiguration | undefined;
  readonly launchType: LaunchType | undefined;
  readonly strategy: readonly CapacityProviderStrategyItem[];
  /** What else starts a deployment. */
  readonly settings: RolledSettings;
}

export type RolledSettings = Pick<Service, 'loadBalancers' | 'serviceRegistries' | 'platformVersion'>;
/** What ECS changes of a service, and of no task that runs. */
export type LiveSettings = Pick<
  Service,
  'healthCheckGracePeriodSeconds' | 'enableExecuteCommand' | 'availabilityZoneRebalancing'
>;

export interface ServiceRecord {
  readonly arn: string;
  readonly name: string;
  readonly cluster: string;
  readonly createdAt: number;
  /** DescribeServices says MISSING before. */
  readonly visibleAt: number;
  /** What it was created with; an emptied capacity provider strategy brings it back. */
  readonly launchType: LaunchType | undefined;
  status: 'ACTIVE' | 'DRAINING' | 'INACTIVE';
  inactiveAt: number | undefined;
  desiredCount: number;
  /** Tasks besides those that are desired, while tasks are moved to another availability zone. */
  extra: number;
  configuration: DeploymentConfiguration;
  settings: LiveSettings;
  readonly tags: Map<string, string>;
  /** PRIMARY first. */
  deployments: DeploymentRecord[];
  /** Newest first. */
  readonly events: ServiceEvent[];
  readonly stopped: TaskRecord[];
  lastCompleted: { readonly id: string; readonly revision: ServiceRevision } | undefined;
}

export interface DeploymentRecord {
  readonly id: string;
  readonly revision: ServiceRevision;
  readonly createdAt: number;
  readonly isRollback: boolean;
  updatedAt: number;
  rolloutState: 'IN_PROGRESS' | 'COMPLETED' | 'FAILED';
  reason: string;
  failedTasks: number;
  /** The scheduler starts no task before: it tries again ever more slowly. */
  notBefore: number;
  /** Since when it runs as it should, with nothing else running. */
  steadySince: number | undefined;
  tasks: TaskRecord[];
}

export interface TaskRecord {
  readonly service: ServiceRecord;
  readonly arn: string;
  readonly id: string;
  readonly deployment: string;
  readonly revision: ServiceRevision;
  readonly createdAt: number;
  readonly fate: TaskFate;
  readonly address: string;
  readonly containers: readonly ContainerRecord[];
  readonly isChecked: boolean;
  lastStatus: 'PROVISIONING' | 'PENDING' | 'RUNNING' | 'STOPPING' | 'STOPPED';
  desiredStatus: 'RUNNING' | 'STOPPED';
  health: HealthStatus;
  startedAt?: number;
  stoppingAt?: number;
  stoppedAt?: number;
  stopCode?: 'TaskFailedToStart' | 'EssentialContainerExited' | 'ServiceSchedulerInitiated' | 'UserInitiated';
  stoppedReason?: string;
}

export interface ContainerRecord {
  readonly name: string;
  readonly image: string;
  exitCode?: number;
  reason?: string;
}

/** What becomes of a task. Times are in milliseconds; absent ones are drawn. */
export interface TaskFate {
  /** From its creation until it is RUNNING: 10 to 60 s. */
  readonly startMs?: number;
  readonly pullFails?: boolean;
  /** Time in RUNNING until its essential container exits. Absent: it never does. */
  readonly crashAfterMs?: number;
  readonly exitCode?: number;
  /** Time in RUNNING until its health check succeeds; default: one interval. Too late: it is UNHEALTHY, and replaced. */
  readonly healthyAfterMs?: number;
  /** Time in RUNNING until its health check has failed too often. */
  readonly unhealthyAfterMs?: number;
  /** How long it takes to end once it is asked to: 1 to 30 s. */
  readonly stopMs?: number;
}

export interface Launch {
  readonly service: string;
  readonly images: readonly string[];
  readonly revision: ServiceRevision;
}

export function isAlive({ lastStatus }: TaskRecord): boolean {
  return lastStatus !== 'STOPPED';
}

/** It is neither stopped nor asked to stop. */
export function isWanted({ desiredStatus }: TaskRecord): boolean {
  return desiredStatus === 'RUNNING';
}

/** RUNNING, and HEALTHY where it has a check. */
export function isGood(task: TaskRecord): boolean {
  return isWanted(task) && task.lastStatus === 'RUNNING' && (!task.isChecked || task.health === 'HEALTHY');
}
