import type { Placement } from '../../../../api/status.ts';
import { ComputeError } from '../../../errors.ts';
import type { Ownership } from '../../../ownership.ts';
import { stanceOf } from '../../../foreign.ts';
import type { Stance } from '../../../foreign.ts';
import { isListed } from '../../../policy.ts';
import type { CommonPolicy } from '../../../policy.ts';
import type { Desired } from '../../../provider.ts';
import { specHash } from '../../../spec/spec-hash.ts';
import type { ContainerSpec, TenantComputeSpec } from '../../../spec/tenant-compute-spec.ts';
import { regionOf } from '../address/arns.ts';
import { checkEcsPolicy } from './policy/check-ecs-policy.ts';
import { checkServicePolicy } from './policy/check-service-policy.ts';
import type { EcsConfig, EcsOperatorBlock, EcsPolicy } from '../config.ts';
import { scopeKey } from '../address/service-target.ts';
import type { EcsScope, ServiceTarget } from '../address/service-target.ts';
import type { Tags } from './marks/tags.ts';
import { desireReach } from './balancing/desired-rules.ts';
import type { OwnRule } from './balancing/own-rules.ts';
import { desireCapacity, taskHostOf } from './service/capacity.ts';
import type { Capacity } from './service/capacity.ts';
import { desireCount, withCount } from './service/count.ts';
import type { Counts } from './service/count.ts';
import { checkDaemon, isDaemon } from './service/daemon.ts';
import { notesOf } from './service/service-notes.ts';
import { desireDeployment } from './service/deployment.ts';
import { progressDeadlineMs } from './service/progress-deadline.ts';
import type { DeploymentConfiguration } from './service/deployment.ts';
import type { ServiceSettings } from './service/service-fields.ts';
import { desireScaling } from './scaling/desired-scaling.ts';
import type { OwnScaling } from './scaling/scaling.ts';
import { wantedName } from './policy/service-name.ts';
import { requestMark } from './marks/request-mark.ts';
import { desireRelease } from './release/desired-release.ts';
import type { DesiredRelease } from './release/desired-release.ts';
import { checkSize } from './policy/tasks-size.ts';
import type { ResourceBounds } from './policy/tasks-size.ts';
import { checkTaskRoles, desireTasks, keepsData } from './task-definition/desired-tasks.ts';
import { referencesOf } from './task-definition/overlay-container.ts';
import type { Overlay } from './task-definition/task-overlay.ts';

/** A tenant's desired state in the words of ECS. Pure: nothing here asks ECS. */

export interface DesiredNetwork {
  readonly subnets: readonly string[];
  /** Undefined: the VPC's default, which ECS fills in. */
  readonly securityGroups?: readonly string[];
  readonly assignPublicIp: 'ENABLED' | 'DISABLED';
}

export interface DesiredService extends Desired, Capacity, Counts {
  readonly target: ServiceTarget;
  /** As named: with or without a revision. */
  readonly taskDefinition: string;
  /** Containers over that task definition, to be registered in a family of the tenant's own. */
  readonly overlay?: Overlay;
  /** What has the count, where the tenant asks for it. */
  readonly autoscaling?: OwnScaling;
  readonly network?: DesiredNetwork;
  readonly deployment: DeploymentConfiguration;
  /** When a rollout should have come to its end, in milliseconds since ECS began it. */
  readonly progressDeadlineMs: number;
  readonly settings: ServiceSettings;
  /** Rules of listeners that are made for it, with their target groups. */
  readonly rules: readonly OwnRule[];
  /** Which request its tasks are those of; undefined: they are started anew for none. */
  readonly request?: string;
  /** Secrets whose versions are asked for (`valueFrom`); none, where that is not to be done. */
  readonly secretReferences: readonly string[];
  /** Signs of the versions that they have, where all are known. */
  readonly secretVersions?: string;
  /** The tenant's own. */
  readonly tags: Tags;
  /** Whether its tasks are waited for before it is deleted. */
  readonly drain: boolean;
  /** What is run before anything is started or replaced. */
  readonly release?: DesiredRelease;
  /** What marks whatever is made for the tenant. */
  readonly ownerTags: Tags;
  readonly containers: readonly ContainerSpec[];
  /** What is done about a service of its name that bears nobody's marks. */
  readonly foreign: Stance;
  /** Nothing is to be made of it. */
  readonly isOnlyObserved: boolean;
  /** The most that all tasks may use together. */
  readonly bounds: ResourceBounds;
}

/** What the operator, not the tenant, decides. */
export interface EcsSettings {
  readonly block: EcsOperatorBlock;
  readonly policy: EcsPolicy;
  readonly commonPolicy: CommonPolicy;
  readonly ownership: Ownership;
}

/** Hashes of this form; see specHash. */
const hashVersion = 'v1';

/** No secret's value takes part (ECS has them by reference), so the hash needs no key that readers don't know. */
export const hashKey = 'ecs';

/** Throws InvalidSpec naming the path, or PolicyDenied naming the rule. */
export function desireService(
  spec: TenantComputeSpec<EcsConfig>,
  { block, policy, commonPolicy, ownership }: EcsSettings,
): DesiredService {
  const config = withCount(spec);
  const region = config.region ?? regionOf(config.cluster_arn);
  const capacity = desireCapacity(config, block);
  checkEcsPolicy({ config, capacity, region, tenantId: spec.tenantId, block, policy });
  checkService(spec, { config, capacity, block, policy });
  // As a HorizontalPodAutoscaler does, it rests while the tenant wants none.
  const autoscaling = spec.replicas === 0 ? undefined : desireScaling(config, block);
  const counts = desireCount(spec, config, autoscaling, policy.max_desired_count);
  if (spec.containers.length > 0) checkSize(commonPolicy, spec.containers, counts.mostTasks);
  const target = desiredTarget(spec, region);
  const network = desireNetwork(config, block);
  const overlay = desireTasks(spec, { block, policy, target, launchType: taskHostOf(capacity), network });
  const { tags = {} } = config;
  const drain = config.drain === true && !isDaemon(config);
  const deployment = desireDeployment(config, keepsData(overlay));
  const reach = desireReach(config, { target, network });
  const release = desireRelease(spec, overlay);
  return {
    tenantId: spec.tenantId,
    namespace: spec.tenant.namespace,
    name: spec.tenant.name,
    placement: placementOf(target),
    // Throttles and credentials are an account's, and an account's are those of its role and region.
    domain: scopeKey(target.scope),
    target,
    specHash: specHash(hashVersion, hashKey, {
      taskDefinition: config.task_definition_arn,
      overlay: overlay?.hash,
      desiredCount: counts.desiredCount,
      launchType: capacity.launchType,
      network,
      tags,
      ...newerParts(config, { drain, capacity, deployment, release, autoscaling, ...reach }),
    }),
    taskDefinition: config.task_definition_arn,
    ...(overlay === undefined ? {} : { overlay }),
    ...counts,
    ...(autoscaling === undefined ? {} : { autoscaling }),
    ...capacity,
    ...(network === undefined ? {} : { network }),
    deployment,
    progressDeadlineMs: progressDeadlineMs(config),
    ...reach,
    ...(config.force_new_deployment === true ? { request: requestMark(spec.requestedAt) } : {}),
    secretReferences: block.secret_versions && spec.mode !== 'Observe' ? referencesOf(overlay) : [],
    tags,
    drain,
    ...(release === undefined ? {} : { release }),
    notes: notesOf(spec, block, { autoscaling, deployment, count: counts.desiredCount }),
    ownerTags: ownership.of(spec),
    isOnlyObserved: spec.mode === 'Observe',
    foreign: stanceOf(spec, { isListed: isListed(policy.foreign_services, target.service), commonPolicy }),
    containers: spec.containers,
    bounds: commonPolicy.max_resources,
  };
}

/** Absent unless asked for, each of these: the hashes from before there was such a key still hold. */
function newerParts(
  config: EcsConfig,
  {
    drain,
    capacity: { capacityProviders },
    deployment,
    settings,
    rules,
    release,
    autoscaling,
  }: Pick<DesiredService, 'drain' | 'deployment' | 'settings' | 'rules'> & {
    readonly capacity: Capacity;
    readonly release: DesiredRelease | undefined;
    readonly autoscaling: OwnScaling | undefined;
  },
) {
  return {
    drain: drain ? true : undefined,
    release: release?.mark,
    capacityProviders,
    deployment: config.deployment === undefined ? undefined : deployment,
    settings: Object.keys(settings).length === 0 ? undefined : settings,
    rules: rules.length === 0 ? undefined : rules,
    autoscaling,
    force: config.force_new_deployment === true ? true : undefined,
  };
}

interface Checked extends Pick<EcsSettings, 'block' | 'policy'> {
  readonly config: EcsConfig;
  readonly capacity: Capacity;
}

/** Throws InvalidSpec, or PolicyDenied naming the rule. */
function checkService(spec: TenantComputeSpec<EcsConfig>, checked: Checked): void {
  const { config, capacity, block } = checked;
  checkServicePolicy(checked);
  checkDaemon(config, block, capacity);
  checkTaskRoles(spec, block);
}

function desiredTarget({ config, tenantId }: TenantComputeSpec<EcsConfig>, region: string): ServiceTarget {
  const roleArn = config.assume_role?.role_arn;
  return {
    scope: { region, ...(roleArn === undefined ? {} : { roleArn }) },
    cluster: config.cluster_arn,
    service: wantedName({ config, tenantId }),
  };
}

export function placementOf({ scope, cluster, service }: ServiceTarget): Placement {
  return { provider: 'ecs', ...scope, cluster, service };
}

/** Back from what the status has kept. Throws ComputeError with `code` where it is not a place of ECS. */
export function targetOf(placement: Placement, code: 'DestroyFailed' | 'ProviderUnavailable'): ServiceTarget {
  const { region, cluster, service, roleArn } = placement;
  if (typeof region !== 'string' || typeof cluster !== 'string' || typeof service !== 'string') {
    throw new ComputeError(
      code,
      'status.placement of this tenant does not name the region, cluster and service',
    );
  }
  const scope: EcsScope = typeof roleArn === 'string' ? { region, roleArn } : { region };
  return { scope, cluster, service };
}

/** Where a tenant empties or unsets a list, the operator's counts: none at all would be another network than it chose. */
function desireNetwork(config: EcsConfig, block: EcsOperatorBlock): DesiredNetwork | undefined {
  const subnets = firstFilled(config.subnets, block.subnets);
  const securityGroups = firstFilled(config.security_groups, block.security_groups);
  const isPublic = config.assign_public_ip === true;
  if (subnets !== undefined) {
    return {
      subnets,
      ...(securityGroups === undefined ? {} : { securityGroups }),
      assignPublicIp: isPublic ? 'ENABLED' : 'DISABLED',
    };
  }
  if (securityGroups !== undefined || isPublic) {
    const key = isPublic ? 'assign_public_ip' : 'security_groups';
    throw new ComputeError(
      'InvalidSpec',
      `spec.computeConfig.ecs.${key}: needs subnets: only tasks in awsvpc network mode have it`,
    );
  }
  return undefined;
}

function firstFilled(...lists: readonly (readonly string[] | undefined)[]): readonly string[] | undefined {
  return lists.find((list) => list !== undefined && list.length > 0);
}
