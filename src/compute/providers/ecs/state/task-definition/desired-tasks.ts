import { ComputeError } from '../../../../errors.ts';
import type { TenantComputeSpec } from '../../../../spec/tenant-compute-spec.ts';
import { revisionKey } from '../../address/arns.ts';
import type { ServiceTarget } from '../../address/service-target.ts';
import type { EcsConfig, EcsOperatorBlock, EcsPolicy } from '../../config.ts';
import { checkKernelPolicy } from './fields/kernel-settings.ts';
import { checkTmpfs } from './fields/mounted-volumes.ts';
import { checkHostPorts, desireOverlay } from './task-overlay.ts';
import type { Overlay } from './task-overlay.ts';
import { checkServed } from './unserved-fields.ts';

/** What the tasks of a service are made of. */

interface Tasks {
  readonly block: EcsOperatorBlock;
  readonly policy: EcsPolicy;
  readonly target: ServiceTarget;
  readonly launchType: Overlay['launchType'] | undefined;
  /** With it they have a network interface of their own. */
  readonly network: object | undefined;
}

/** Undefined: the task definition runs as it is. Throws InvalidSpec for what can't be served. */
export function desireTasks(
  spec: TenantComputeSpec<EcsConfig>,
  { block, policy, target, launchType, network }: Tasks,
): Overlay | undefined {
  const { containers } = spec;
  const isFargate = launchType === 'FARGATE';
  const isAwsvpc = network !== undefined || isFargate;
  checkHostPorts(containers, isAwsvpc);
  checkServed(containers, { isAwsvpc, isFargate });
  checkKernelPolicy(containers, policy);
  if (containers.length === 0) return undefined;
  const overlay = desireOverlay(spec, {
    target,
    secretArns: block.secret_arns,
    efsVolumes: block.efs_volumes,
    mayOverlay: policy.overlay_containers,
    allowedCapabilities: policy.allow_capabilities,
    launchType,
  });
  checkTmpfs(overlay.containers, { isFargate });
  checkVolumePolicy(spec, overlay);
  return overlay;
}

/** What runs as the task definition has it has its roles, too. Defaults of the operator's are for overlays alone. */
export function checkTaskRoles(
  { config, containers }: TenantComputeSpec<EcsConfig>,
  block: EcsOperatorBlock,
): void {
  if (containers.length > 0) return;
  const key = (['task_role_arn', 'execution_role_arn'] as const).find((one) => config[one] !== block[one]);
  if (key === undefined) return;
  throw new ComputeError(
    'InvalidSpec',
    `spec.computeConfig.ecs.${key}: is of spec.containers: the task definition ${revisionKey(config.task_definition_arn)} runs with its own`,
  );
}

/** There is no call by which the operator could empty a directory of EFS. */
function checkVolumePolicy({ volumePolicy }: TenantComputeSpec<EcsConfig>, overlay: Overlay): void {
  const kept = overlay.containers.flatMap(({ mounts }) => mounts)[0];
  if (volumePolicy !== 'Delete' || kept === undefined) return;
  throw new ComputeError(
    'InvalidSpec',
    'spec.volumePolicy: Delete: what is on EFS stays when the Tenant is deleted, for nothing can remove it from there. Use Retain',
  );
}

/** Whether tasks write what outlives them: then two that run at once write the same. */
export function keepsData(overlay: Overlay | undefined): boolean {
  return overlay?.containers.some(({ mounts }) => mounts.some(({ readOnly }) => !readOnly)) === true;
}
