import { ComputeError } from '../../../../errors.ts';
import type { ContainerSpec } from '../../../../spec/tenant-compute-spec.ts';
import type { DesiredNetwork } from './choose-network.ts';

/** What a tenant may publish on the host. Pure. */

type Containers = readonly Pick<ContainerSpec, 'name' | 'ports'>[];

/** Throws InvalidSpec for what can't be. */
export function checkPorts(containers: Containers, network: DesiredNetwork): void {
  checkPublishable(containers, network);
  checkTwice(containers);
}

function checkPublishable(containers: Containers, network: DesiredNetwork): void {
  if (network.kind !== 'mode' || network.name === 'host') return;
  const publishing = containers.find(({ ports = [] }) => ports.length > 0);
  if (publishing === undefined) return;
  throw new ComputeError(
    'InvalidSpec',
    `container ${publishing.name}: ports can't be published with network_mode ${network.name}`,
  );
}

function checkTwice(containers: Containers): void {
  const holders = new Map<string, string>();
  for (const { name, key } of fixedPorts(containers)) {
    const holder = holders.get(key);
    if (holder !== undefined) {
      throw new ComputeError(
        'InvalidSpec',
        `host port ${key} is asked for twice, by the containers ${holder} and ${name}`,
      );
    }
    holders.set(key, name);
  }
}

interface FixedPort {
  /** Of the container. */
  readonly name: string;
  /** `8080/TCP`. */
  readonly key: string;
}

function fixedPorts(containers: Containers): readonly FixedPort[] {
  return containers.flatMap(({ name, ports = [] }) =>
    ports.flatMap(({ hostPort, protocol }) =>
      hostPort === undefined ? [] : [{ name, key: `${hostPort}/${protocol}` }],
    ),
  );
}
