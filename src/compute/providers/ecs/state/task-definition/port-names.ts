import type { EcsConfig } from '../../config.ts';
import type { OverlayContainer } from './overlay-container.ts';
import type { ContainerDefinition } from './task-definition.ts';

/** By name, Service Connect and VPC Lattice find the ports of a task. */
export function needsPortNames({
  service_connect_configuration: connect,
  vpc_lattice_configurations: lattice = [],
}: Pick<EcsConfig, 'service_connect_configuration' | 'vpc_lattice_configurations'>): boolean {
  return (connect?.services ?? []).length > 0 || lattice.length > 0;
}

/** `definitions`, whose ports bear the names that the tenant's containers give them. */
export function withPortNames(
  {
    containers,
    namesPorts,
  }: { readonly containers: readonly OverlayContainer[]; readonly namesPorts: boolean },
  definitions: readonly ContainerDefinition[],
): ContainerDefinition[] {
  if (!namesPorts) return [...definitions];
  return definitions.map((definition) => {
    const ports = containers.find(({ spec }) => spec.name === definition.name)?.spec.ports;
    if (ports === undefined) return definition;
    // A container's ports are its own, in its own order.
    const portMappings = (definition.portMappings ?? []).map((mapping, index) => {
      const name = ports[index]?.name;
      return name === undefined ? mapping : { ...mapping, name };
    });
    return { ...definition, portMappings };
  });
}
