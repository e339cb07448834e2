import { memoryBytes, nanoCpus } from '../../../../../api/quantity.ts';
import { ComputeError } from '../../../../errors.ts';
import { parseImageReference } from '../../../../spec/image-reference.ts';
import type { ContainerSpec } from '../../../../spec/tenant-compute-spec.ts';
import type { OverlayContainer } from './overlay-container.ts';
import type { ContainerDefinition, PortMapping } from './task-definition.ts';

/** Parts of a container's definition, each made from a field of the tenant's container. */

/** The base's credentials are for the base's repository: no other one may be had with them. */
export function repositoryCredentials(
  image: string,
  base: ContainerDefinition,
): Pick<ContainerDefinition, 'repositoryCredentials'> {
  const { repositoryCredentials: credentials } = base;
  const repository = repositoryOf(base.image);
  const isTheirs = repository !== undefined && repository === repositoryOf(image);
  return credentials !== undefined && isTheirs ? { repositoryCredentials: credentials } : {};
}

/** Undefined for what is no image reference: its repository is nobody's. */
function repositoryOf(image: string | undefined): string | undefined {
  if (image === undefined) return undefined;
  try {
    const { registry, repository } = parseImageReference(image);
    return `${registry}/${repository}`;
  } catch {
    return undefined;
  }
}

/** The base's variables, but for those that the container names itself, in whichever way, and then its own. */
export function namedOver<T extends { readonly name?: string | undefined }>(
  { environment, secrets }: OverlayContainer,
  base: readonly T[] | undefined,
  own: readonly T[],
): T[] {
  const named = new Set([...environment, ...secrets].map(({ name }) => name));
  return [...(base ?? []).filter(({ name }) => !named.has(name)), ...own];
}

export function portMapping({
  containerPort,
  hostPort,
  protocol,
}: NonNullable<ContainerSpec['ports']>[number]): PortMapping {
  if (protocol === 'SCTP') {
    throw new ComputeError(
      'InvalidSpec',
      `spec.containers: port ${containerPort}: ECS has no protocol SCTP: use TCP or UDP`,
    );
  }
  return {
    containerPort,
    ...(hostPort === undefined ? {} : { hostPort }),
    protocol: protocol === 'UDP' ? 'udp' : 'tcp',
  };
}

/** 1024 to a core, rounded up. */
export function cpuUnits(quantity: string | number): number {
  return Math.ceil((nanoCpus(quantity) * 1024) / 1e9);
}

/** ECS takes no less than 6 MiB for a container. https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html */
const leastMemoryMiB = 6;

/** A soft limit of the base must not exceed the tenant's hard one. */
export function limitMemory(
  quantity: string | number,
  { memoryReservation }: ContainerDefinition,
): Pick<ContainerDefinition, 'memory' | 'memoryReservation'> {
  const memory = Math.max(leastMemoryMiB, Math.ceil(memoryBytes(quantity) / 2 ** 20));
  return {
    memory,
    ...(memoryReservation === undefined ? {} : { memoryReservation: Math.min(memoryReservation, memory) }),
  };
}
