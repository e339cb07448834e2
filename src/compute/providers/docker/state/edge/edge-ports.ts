import type { ContainerSpec } from '../../../../spec/tenant-compute-spec.ts';

/** Ports of the host that the tenant's proxy holds, so that the containers behind it may come and go. Pure. */

type Ported = Pick<ContainerSpec, 'ports'>;

export function hasEdge({ ports = [] }: Ported): boolean {
  return ports.some(({ edge }) => edge !== undefined);
}

/** The container as it is made: it listens on those ports, and does not publish them. */
export function withoutEdges<Container extends Ported>(container: Container): Container {
  if (!hasEdge(container)) return container;
  return { ...container, ports: container.ports?.filter(({ edge }) => edge === undefined) };
}
