import { portProtocol } from '../../../../api/compute-fields.ts';
import type { ComputeResources } from '../../../../api/compute-fields.ts';
import { ComputeError } from '../../../errors.ts';
import type { ContainerSpec, TenantComputeSpec } from '../../../spec/tenant-compute-spec.ts';
import type { DockerConfig } from '../config.ts';

/** The containers of a spec, with limits; the one that the block describes, where it names none. Throws InvalidSpec. */
export function effectiveContainers(
  spec: TenantComputeSpec<DockerConfig>,
  defaults: ComputeResources,
): readonly ContainerSpec[] {
  const { config } = spec;
  const fallback: ComputeResources = { ...defaults, ...config.resources, ...spec.resources };
  if (spec.containers.length > 0) {
    return spec.containers.map(({ command, ...container }) => ({
      ...container,
      // Empty is the image's own, which the engine would drop.
      ...(command === undefined || command.length === 0 ? {} : { command }),
      resources: { ...fallback, ...container.resources },
    }));
  }
  if (config.image === undefined) {
    throw new ComputeError(
      'InvalidSpec',
      'spec.computeConfig.docker.image: neither it nor spec.containers says what to run',
    );
  }
  return [
    {
      name: 'app',
      image: config.image,
      env: Object.entries(config.env ?? {}).map(([name, value]) => ({ name, value })),
      ports: (config.ports ?? []).map(({ container_port, host_port = 0, protocol }) => ({
        containerPort: container_port,
        protocol: portProtocol.parse(protocol.toUpperCase()),
        ...(host_port === 0 ? {} : { hostPort: host_port }),
      })),
      resources: fallback,
    },
  ];
}
