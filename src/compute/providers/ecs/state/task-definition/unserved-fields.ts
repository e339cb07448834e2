import { isJob } from '../../../../../api/container/lifecycle-fields.ts';
import { ComputeError } from '../../../../errors.ts';
import type { ContainerSpec } from '../../../../spec/tenant-compute-spec.ts';
import { checkSharedSysctls } from './fields/kernel-settings.ts';
import { checkPlatforms } from './fields/runtime-platform.ts';

/** What ECS can't do of what a container may ask for: it is refused, and never left out without a word. */

/** Parts of fields that ECS has not, whatever the task runs on: each has a row of its own in the table of fields. */
export const refusedParts = ['ports[].edge', 'healthCheck.httpGet', 'healthCheck.tcpSocket'] as const;

/** What the task runs on and in. */
export interface TaskHost {
  /** It has a network interface of its own, and with it names and addresses that no container can set. */
  readonly isAwsvpc: boolean;
  readonly isFargate: boolean;
  /** Its network is that of its instance. */
  readonly isHostNetwork?: boolean;
}

/** https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html */
const longestStopTimeout = 120;

/** https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_KernelCapabilities.html has all others. */
const unknownCapabilities: readonly string[] = ['AUDIT_READ', 'BPF', 'CHECKPOINT_RESTORE', 'PERFMON'];

/** What is wrong with a field, and what would mend it; undefined: nothing. */
type Unserved = (container: ContainerSpec, host: TaskHost) => string | undefined;

const notInAwsvpc =
  (field: 'hostname' | 'extraHosts' | 'dns'): Unserved =>
  (container, { isAwsvpc }) =>
    container[field] !== undefined && isAwsvpc
      ? 'ECS has no such setting for tasks in awsvpc network mode. Leave it out'
      : undefined;

const unservedFields: readonly (readonly [field: keyof ContainerSpec, Unserved])[] = [
  [
    'ports',
    ({ ports = [] }) =>
      ports.some(({ edge }) => edge !== undefined)
        ? 'ECS has no host whose port an edge could keep. Leave edge out, and have a load balancer (load_balancers) in front'
        : undefined,
  ],
  [
    'healthCheck',
    ({ healthCheck: { httpGet, tcpSocket } = {} }) =>
      httpGet !== undefined || tcpSocket !== undefined
        ? `ECS checks by a program of the image alone, and has no ${httpGet === undefined ? 'tcpSocket' : 'httpGet'}. Name one that it has in command or shell, or have a load balancer check it`
        : undefined,
  ],
  [
    'stopSignal',
    ({ stopSignal }) =>
      stopSignal === undefined
        ? undefined
        : "ECS sends the signal that the image names. Leave it out, and say STOPSIGNAL in the image's Dockerfile",
  ],
  [
    'stopGracePeriodSeconds',
    ({ stopGracePeriodSeconds = 0 }) =>
      stopGracePeriodSeconds > longestStopTimeout
        ? `ECS waits at most ${longestStopTimeout} seconds. Ask for less`
        : undefined,
  ],
  ['hostname', notInAwsvpc('hostname')],
  ['extraHosts', notInAwsvpc('extraHosts')],
  [
    'extraHosts',
    ({ extraHosts = [] }) =>
      extraHosts.some(({ ip }) => ip === 'host-gateway')
        ? 'ECS does not know host-gateway. Name an IP address'
        : undefined,
  ],
  ['dns', notInAwsvpc('dns')],
  [
    'capabilities',
    ({ capabilities: { add = [], drop = [] } = {} }, { isFargate }) => {
      const unknown = [...add, ...drop].find((name) => unknownCapabilities.includes(name));
      if (unknown !== undefined) return `ECS does not know ${unknown}. Leave it out`;
      const other = isFargate ? add.find((name) => name !== 'SYS_PTRACE') : undefined;
      return other && `Fargate adds SYS_PTRACE alone, not ${other}. Leave it out, or use launch_type EC2`;
    },
  ],
  [
    'sysctls',
    ({ sysctls = [] }, { isHostNetwork }) => {
      const ofTheHost = sysctls.find(({ name }) => isHostNetwork && name.startsWith('net.'));
      return ofTheHost && `${ofTheHost.name} is the host's in network mode host. Leave it out`;
    },
  ],
  [
    'shmSize',
    ({ shmSize }, { isFargate }) =>
      shmSize !== undefined && isFargate
        ? 'Fargate has no such setting. Leave it out, or use launch_type EC2'
        : undefined,
  ],
  [
    'ulimits',
    ({ ulimits = [] }, { isFargate }) => {
      const other = isFargate ? ulimits.find(({ name }) => name !== 'nofile') : undefined;
      return other && `Fargate knows nofile alone, not ${other.name}. Leave it out, or use launch_type EC2`;
    },
  ],
  [
    'essential',
    ({ essential, restartPolicy }) =>
      essential === true && isJob({ restartPolicy })
        ? 'ECS ends the whole task once an essential container ends, as a job does. Leave it out, and have others depend on it'
        : undefined,
  ],
];

/** Throws InvalidSpec, naming the field. */
export function checkServed(containers: readonly ContainerSpec[], host: TaskHost): void {
  if (host.isAwsvpc) checkSharedSysctls(containers);
  checkPlatforms(containers);
  for (const container of containers) {
    for (const [field, unserved] of unservedFields) {
      const why = unserved(container, host);
      if (why === undefined) continue;
      throw new ComputeError('InvalidSpec', `spec.containers: container ${container.name}: ${field}: ${why}`);
    }
  }
}
