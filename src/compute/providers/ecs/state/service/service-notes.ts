import type { TenantComputeSpec } from '../../../../spec/tenant-compute-spec.ts';
import type { EcsConfig, EcsOperatorBlock } from '../../config.ts';
import type { OwnScaling } from '../scaling/scaling.ts';
import { checkNotes } from '../task-definition/fields/health-check.ts';
import { countNotes } from './count.ts';
import { roomNotes } from './deployment.ts';
import type { DeploymentConfiguration } from './deployment.ts';

/** What a person should know of a service that is as they asked for. */

interface Noted {
  readonly autoscaling: OwnScaling | undefined;
  readonly deployment: DeploymentConfiguration;
  readonly count: number | undefined;
}

export function notesOf(
  spec: TenantComputeSpec<EcsConfig>,
  block: EcsOperatorBlock,
  { autoscaling, deployment, count }: Noted,
): readonly string[] {
  return [
    ...checkNotes(spec.containers),
    ...countNotes(spec, block, autoscaling),
    ...roomNotes(deployment, count),
  ];
}
