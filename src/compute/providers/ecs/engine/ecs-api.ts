import type {
  CreateServiceCommandInput,
  RegisterTaskDefinitionCommandInput,
  RunTaskCommandInput,
  Service,
  Tag,
  Task,
  TaskDefinition,
  UpdateServiceCommandInput,
} from '@aws-sdk/client-ecs';
import type { Consent } from '../../../permit.ts';
import type { BalancingApi, BalancingReads } from './balancing/balancing-api.ts';
import type { ScalingApi, ScalingReads } from './scaling/scaling-api.ts';
import type { SecretReads } from './secrets/secret-reads.ts';
import type { ClusterTarget, EcsScope, ServiceTarget } from '../address/service-target.ts';

/**
 * ECS as this provider uses it, over all accounts and regions. Each call waits for its token, has a deadline, is
 * made again after a throttle or a broken connection where that can't do a thing twice, and rejects only with
 * ComputeError: AccessDenied naming the refused action, Throttled, InvalidSpec, ProviderUnavailable (the deadline, and
 * `signal`, too), and ProvisionFailed, UpdateFailed or DestroyFailed for what neither values nor rights are to blame for.
 * After a ProviderUnavailable of createService, updateService, runTask or registerTaskDefinition the change may have been made:
 * look before it is made again. "Not there" and what callers decide on are values.
 */

export interface TaskLook {
  /** Tasks at most. */
  readonly limit: number;
  readonly priority: ReadPriority;
}

/** What changes nothing: all that the watch has of it. */
export interface EcsReads extends ScalingReads, SecretReads, BalancingReads {
  /**
   * One service with its tags; undefined where ECS says MISSING, which it also may right after a create. The reads of
   * a moment are coalesced into DescribeServices of at most 10 names per cluster; those for users' changes go before
   * those of a sweep. 'cluster-gone': ECS knows no such cluster, so nothing runs in it.
   */
  describeService(
    target: ServiceTarget,
    priority: ReadPriority,
    signal: AbortSignal,
  ): Promise<Service | undefined | 'cluster-gone'>;
  /** Names of the cluster's services, a page (of at most 100) at a time; a cluster that is gone has none. */
  listServices(cluster: ClusterTarget, signal: AbortSignal): AsyncIterable<readonly string[]>;
  /** A revision never changes, so what was described once is remembered. Undefined: there is none. */
  describeTaskDefinition(
    scope: EcsScope,
    taskDefinition: string,
    signal: AbortSignal,
  ): Promise<{ readonly taskDefinition: TaskDefinition; readonly tags: readonly Tag[] } | undefined>;
  /** ARNs of the family's ACTIVE revisions, newest first. */
  listTaskDefinitions(scope: EcsScope, family: string, signal: AbortSignal): Promise<readonly string[]>;
  /** The service's tasks, STOPPED ones too, described. Those for users' changes go before those of a sweep. */
  describeTasks(target: ServiceTarget, look: TaskLook, signal: AbortSignal): Promise<readonly Task[]>;
  /** Tasks that were started by that name, STOPPED ones too, with their tags. Those of a service are not among them. */
  describeStartedTasks(
    cluster: ClusterTarget,
    startedBy: string,
    signal: AbortSignal,
  ): Promise<readonly Task[]>;
  /** ECS' own time there, in milliseconds since the epoch, as its answers tell it; ours before the first one. */
  now(scope: EcsScope): number;
  /**
   * What the operator's queue of ECS events tells, until `signal` aborts; ends at once where no queue is configured.
   * Hints only: late, doubled or missing ones are normal, so each is no more than a reason to look. Never throws.
   */
  serviceHints(signal: AbortSignal): AsyncIterable<ServiceHint>;
}

/** All that is asked of ECS. */
export interface EcsApi extends EcsReads, ScalingApi, BalancingApi {
  /** 'exists': not idempotent, or there already; 'draining': the name is not free yet. Then describe and decide. */
  createService(
    scope: EcsScope,
    input: CreateServiceCommandInput,
    signal: AbortSignal,
  ): Promise<Service | 'exists' | 'draining' | 'cluster-gone'>;
  updateService(
    scope: EcsScope,
    input: UpdateServiceCommandInput,
    consent: Consent,
    signal: AbortSignal,
  ): Promise<Service | 'missing' | 'inactive' | 'cluster-gone'>;
  /** By force. 'missing': it never was there, or is INACTIVE already. */
  deleteService(
    target: ServiceTarget,
    consent: Consent,
    signal: AbortSignal,
  ): Promise<Service | 'missing' | 'cluster-gone'>;
  /** Rejects with UpdateFailed or InvalidSpec where the resource is gone; so does untagResource. */
  tagResource(scope: EcsScope, arn: string, tags: readonly Tag[], signal: AbortSignal): Promise<void>;
  untagResource(scope: EcsScope, arn: string, keys: readonly string[], signal: AbortSignal): Promise<void>;
  registerTaskDefinition(
    scope: EcsScope,
    input: RegisterTaskDefinitionCommandInput,
    signal: AbortSignal,
  ): Promise<TaskDefinition>;
  /** Gone counts as deregistered. */
  deregisterTaskDefinition(
    scope: EcsScope,
    taskDefinition: string,
    consent: Consent,
    signal: AbortSignal,
  ): Promise<void>;
  /** One task. `failure`: why ECS does not run it now. Rejects with InvalidSpec where it never will. */
  runTask(
    scope: EcsScope,
    input: RunTaskCommandInput,
    signal: AbortSignal,
  ): Promise<Task | { readonly failure: string } | 'cluster-gone'>;
  /** As `docker stop` would. Gone, or STOPPED already, counts as stopped. */
  stopTask(cluster: ClusterTarget, task: string, consent: Consent, signal: AbortSignal): Promise<void>;
  /** Ends the calls under way, which reject with ProviderUnavailable, and lets go of sockets. */
  close(): void;
}

/** A service, or one of its tasks, changed. */
export interface ServiceHint {
  /** ARN of the cluster. */
  readonly cluster: string;
  /** Name of the service. */
  readonly service: string;
}

export type ReadPriority = 'user' | 'sweep';
