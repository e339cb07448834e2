import { createHash } from 'node:crypto';
import type { Capability } from '../../../../../api/capabilities.ts';
import { ComputeError } from '../../../../errors.ts';
import { specHash } from '../../../../spec/spec-hash.ts';
import type { ContainerSpec, TenantComputeSpec } from '../../../../spec/tenant-compute-spec.ts';
import type { EcsConfig, EcsOperatorBlock } from '../../config.ts';
import type { ServiceTarget } from '../../address/service-target.ts';
import { hashedContainer } from './container-fields.ts';
import { needsPortNames } from './port-names.ts';
import { overlayContainer } from './overlay-container.ts';
import type { OverlayContainer } from './overlay-container.ts';

/** The tenant's containers over a task definition of the operator's. */
export interface Overlay {
  /** The family that its revisions go to: this place's alone, so that nobody who runs another family gets them. */
  readonly family: string;
  /** Over the containers and the name of what they overlay. */
  readonly hash: string;
  readonly base: string;
  readonly containers: readonly OverlayContainer[];
  /** Containers of the base, besides its first, that may be overlaid. */
  readonly mayOverlay: readonly string[];
  /** Those that its containers may add, whatever the base drops. */
  readonly allowedCapabilities: readonly Capability[];
  readonly launchType?: NonNullable<EcsConfig['launch_type']>;
  /** In place of the base's. */
  readonly roles: TaskRoles;
  /** Whether its ports bear the names that the spec gives them: what the service reaches them by. */
  readonly namesPorts: boolean;
}

export interface TaskRoles {
  readonly taskRoleArn?: string;
  readonly executionRoleArn?: string;
}

const hashVersion = 'v1';
/** Families have at most 255 characters; with the revision it must also go into a tag of 256. */
const familyNameLength = 150;

/** Throws InvalidSpec for a secret that is not mapped. */
export function desireOverlay(
  { containers, volumes = [], config, tenant }: TenantComputeSpec<EcsConfig>,
  {
    target,
    secretArns,
    efsVolumes,
    mayOverlay,
    allowedCapabilities,
    launchType,
  }: Pick<Overlay, 'mayOverlay' | 'allowedCapabilities'> & {
    readonly target: ServiceTarget;
    readonly launchType: Overlay['launchType'] | undefined;
    readonly secretArns: Readonly<Record<string, string>>;
    readonly efsVolumes: EcsOperatorBlock['efs_volumes'];
  },
): Overlay {
  const { namespace, name } = tenant;
  const surroundings = { namespace, name, secretArns, efsVolumes, volumes };
  const overlaid = containers.map((spec) => overlayContainer(spec, surroundings));
  const base = config.task_definition_arn;
  const roles = taskRoles(config);
  const namesPorts = needsPortNames(config);
  const hashed = {
    base,
    launchType,
    containers: overlaid.map(hashedContainer),
    // Absent unless asked for: the hashes from before there were such keys still hold.
    roles: Object.keys(roles).length === 0 ? undefined : roles,
    namesPorts: namesPorts ? true : undefined,
  };
  return {
    family: overlayFamily(target),
    hash: specHash(hashVersion, 'overlay', hashed),
    base,
    containers: overlaid,
    mayOverlay,
    allowedCapabilities,
    roles,
    namesPorts,
    ...(launchType === undefined ? {} : { launchType }),
  };
}

function taskRoles({ task_role_arn: task, execution_role_arn: execution }: EcsConfig): TaskRoles {
  return {
    ...(task === undefined ? {} : { taskRoleArn: task }),
    ...(execution === undefined ? {} : { executionRoleArn: execution }),
  };
}

/** One service on one cluster has one family, whoever asks. */
export function overlayFamily({ cluster, service }: Pick<ServiceTarget, 'cluster' | 'service'>): string {
  const digest = createHash('sha256').update(`${cluster}/${service}`).digest('hex').slice(0, 8);
  return `${service.slice(0, familyNameLength)}-${digest}`;
}

/** Throws InvalidSpec where a task that has a network interface of its own should listen on two ports as one. */
export function checkHostPorts(containers: readonly ContainerSpec[], isAwsvpc: boolean): void {
  if (!isAwsvpc) return;
  for (const { name, ports = [] } of containers) {
    const port = ports.find(({ hostPort, containerPort }) => (hostPort ?? containerPort) !== containerPort);
    if (port === undefined) continue;
    throw new ComputeError(
      'InvalidSpec',
      `spec.containers: container ${name}: hostPort ${port.hostPort} must equal containerPort ${port.containerPort} or be left out: ` +
        'tasks in awsvpc network mode have an address of their own',
    );
  }
}
