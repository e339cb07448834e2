import type { ComputeStatusBlock, Endpoint } from '../../../../api/status.ts';
import type { ContainerSpec } from '../../../spec/tenant-compute-spec.ts';
import { isThere } from './ecs-service.ts';
import type { EcsService } from './ecs-service.ts';
import type { EcsTask } from './ecs-task.ts';
import { hasStartedSince } from './service-events.ts';
import type { TaskDefinition } from './task-definition/task-definition.ts';

/**
 * Where tasks can be reached, as far as ECS itself tells: the address of a task's own network interface, which is one
 * of the VPC. Public addresses are EC2's to tell.
 */

export interface PortNames {
  readonly name: string;
  readonly port: number;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
}

/** A service of many tasks wants a load balancer; nobody reads more addresses in a status. */
const maxTasks = 5;

export function portsOf(containers: readonly ContainerSpec[]): readonly PortNames[] {
  return containers.flatMap(({ name: container, ports = [] }) =>
    ports.map(({ name, containerPort, protocol }) => ({
      name: name ?? `${container}-${containerPort}`,
      port: containerPort,
      protocol: protocol.toLowerCase() as PortNames['protocol'],
    })),
  );
}

/** Those of a service of which only the task definition is known, which may give them no names. */
export function portsOfDefinition({ containerDefinitions = [] }: TaskDefinition): readonly PortNames[] {
  return containerDefinitions.flatMap(({ name, portMappings = [] }) =>
    portMappings.flatMap(({ containerPort, protocol = 'tcp' }) =>
      containerPort === undefined
        ? []
        : [{ name: `${name}-${containerPort}`, port: containerPort, protocol }],
    ),
  );
}

export function endpointsOf(
  tasks: readonly EcsTask[] | undefined,
  ports: readonly PortNames[] | undefined,
): { readonly endpoints?: Endpoint[] } {
  const addresses = (tasks ?? [])
    .filter(({ lastStatus }) => lastStatus === 'RUNNING')
    .flatMap((task) => addressOf(task) ?? [])
    .toSorted()
    .slice(0, maxTasks);
  const endpoints = addresses.flatMap((address) => (ports ?? []).map((port) => endpoint(address, port)));
  return endpoints.length === 0 ? {} : { endpoints };
}

/** A status is written some time after the look that it is made of: what began meanwhile is not in it. */
const writtenWithinMs = 60_000;

/**
 * What the status tells of the service's addresses, where its tasks are still those of then, by all that the service itself
 * says: the same deployment with as many tasks, and none that was started since. Undefined: the tasks must be asked for.
 * `aheadMs`: how far the clock of ECS is ahead of ours, by which the status is dated.
 */
export function endpointsStillShown(
  shown: ComputeStatusBlock | undefined,
  service: EcsService | undefined,
  aheadMs: number,
): readonly Endpoint[] | undefined {
  if (shown?.endpoints === undefined || shown.health !== 'healthy' || !isThere(service)) return undefined;
  const { serviceArn, status, runningCount, deployments = [] } = service;
  const primary = deployments.find((deployment) => deployment.status === 'PRIMARY');
  const isSame =
    status === 'ACTIVE' &&
    shown.resourceIds?.['service'] === serviceArn &&
    shown.resourceIds?.['deployment'] === primary?.id &&
    shown.running === runningCount;
  const sinceMs = Date.parse(shown.lastTransitionTime ?? '') + aheadMs - writtenWithinMs;
  return isSame && !hasStartedSince(service, sinceMs) ? shown.endpoints : undefined;
}

function addressOf({ attachments = [] }: EcsTask): string | undefined {
  for (const { type, details = [] } of attachments) {
    if (type !== 'ElasticNetworkInterface' && type !== 'eni') continue;
    const value = (key: string): string | undefined => details.find(({ name }) => name === key)?.value;
    const address = value('publicIPv4Address') ?? value('privateIPv4Address');
    if (address !== undefined) return address;
  }
  return undefined;
}

function endpoint(address: string, { name, port, protocol }: PortNames): Endpoint {
  const url = protocol === 'tcp' ? { url: `http://${address}:${port}` } : {};
  return { name, type: protocol, address, port, ...url };
}
