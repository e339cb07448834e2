import { statusBounds } from '../../../../../api/status.ts';
import { ComputeError } from '../../../../errors.ts';
import type { ContainerSpec, TenantComputeSpec } from '../../../../spec/tenant-compute-spec.ts';
import { replicaName } from '../container-name.ts';

/** Several replicas of a tenant: each is all of its containers, in a network of their own. Pure. */

export type Asked = Pick<TenantComputeSpec, 'replicas'>;

/** One by one, replica by replica. Throws InvalidSpec for more than a status can tell of. */
export function withReplicas(
  containers: readonly ContainerSpec[],
  { replicas = 1 }: Asked,
): readonly ContainerSpec[] {
  if (replicas === 1) return containers;
  const { containers: most } = statusBounds;
  const count = replicas * containers.length;
  if (count > most)
    throw invalidReplicas(
      `${replicas} of ${containers.length} containers are ${count}, and may be at most ${most}`,
    );
  return Array.from({ length: replicas }, (_, index) =>
    containers.map((container) => ofReplica(container, index + 1)),
  ).flat();
}

/** Each finds what it waits for in its own replica. */
function ofReplica(container: ContainerSpec, replica: number): ContainerSpec {
  const { name, dependsOn } = container;
  const waitsFor = dependsOn?.map((one) => ({ ...one, container: replicaName(one.container, replica) }));
  return {
    ...container,
    name: replicaName(name, replica),
    ...(waitsFor === undefined ? {} : { dependsOn: waitsFor }),
  };
}

/** A refusal that says what else there is. */
export function invalidReplicas(what: string): ComputeError {
  return new ComputeError('InvalidSpec', `spec.replicas: ${what}, or run 1`);
}
