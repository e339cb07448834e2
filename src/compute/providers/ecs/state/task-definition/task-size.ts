import { ComputeError } from '../../../../errors.ts';
import { revisionKey } from '../../address/arns.ts';
import { fargateSize } from './fargate-size.ts';
import type { ContainerDefinition, TaskDefinition } from './task-definition.ts';
import type { Overlay } from './task-overlay.ts';

/** What the task as a whole asks for, as `definitions` need it. Throws InvalidSpec where there is no such size. */
export function taskSize(
  { launchType, containers }: Overlay,
  base: TaskDefinition,
  definitions: readonly ContainerDefinition[],
): { cpu?: string; memory?: string } {
  const compatibilities = base.requiresCompatibilities ?? [];
  if (launchType !== undefined && compatibilities.length > 0 && !compatibilities.includes(launchType)) {
    throw new ComputeError(
      'InvalidSpec',
      `spec.computeConfig.ecs.launch_type: the task definition ${revisionKey(base.taskDefinitionArn ?? '')} is made for ${compatibilities.join(', ')}, not for ${launchType}`,
    );
  }
  const isFargate = isForFargate({ launchType }, base);
  const needed = {
    cpu: taskAmount(
      Number(base.cpu ?? 0),
      definitions.map(({ cpu }) => cpu),
    ),
    memory: taskAmount(
      Number(base.memory ?? 0),
      definitions.map(({ memory, memoryReservation }) => memory ?? memoryReservation),
    ),
  };
  const asks = containers.some(({ spec: { resources } }) => resources.cpu ?? resources.memory);
  if (isFargate && (asks || (base.cpu ?? '') !== '')) {
    const { cpu, memory } = fargateSize(needed);
    return { cpu: String(cpu), memory: String(memory) };
  }
  // On instances a task needs no size of its own; one that it has must hold its containers.
  return {
    ...((base.cpu ?? '') === '' ? {} : { cpu: String(needed.cpu) }),
    ...((base.memory ?? '') === '' ? {} : { memory: String(needed.memory) }),
  };
}

/** Whether Fargate may run it: then it must be able to. */
export function isForFargate(
  { launchType }: { readonly launchType?: Overlay['launchType'] | undefined },
  { requiresCompatibilities = [] }: TaskDefinition,
): boolean {
  return launchType === 'FARGATE' || requiresCompatibilities.includes('FARGATE');
}

/** The sum where every container names its part; else at least what the base has for those that name none. */
function taskAmount(base: number, parts: readonly (number | undefined)[]): number {
  const sum = parts.reduce<number>((total, part) => total + (part ?? 0), 0);
  return parts.every((part) => part !== undefined && part > 0) ? sum : Math.max(base, sum);
}
