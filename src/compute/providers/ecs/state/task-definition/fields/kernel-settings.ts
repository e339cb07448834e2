import type { Capability } from '../../../../../../api/capabilities.ts';
import { memoryBytes } from '../../../../../../api/quantity.ts';
import { ComputeError } from '../../../../../errors.ts';
import { denied } from '../../../../../policy.ts';
import { checkSysctlPolicy } from '../../../../../sysctl-policy.ts';
import type { ContainerSpec } from '../../../../../spec/tenant-compute-spec.ts';
import type { EcsPolicy } from '../../../config.ts';
import type { OverlayContainer } from '../overlay-container.ts';
import type { ContainerDefinition } from '../task-definition.ts';

/** What a container has of the kernel of its host: `linuxParameters` and `systemControls`. */

/** Docker's own, which the agent starts containers with. */
const defaultCapabilities: readonly Capability[] = [
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'NET_RAW',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
];

type KernelPolicy = Pick<EcsPolicy, 'allow_capabilities' | 'allow_sysctls'>;

/** Throws PolicyDenied, naming the rule. */
export function checkKernelPolicy(containers: readonly ContainerSpec[], policy: KernelPolicy): void {
  checkSysctlPolicy('ecs', policy.allow_sysctls, containers);
  for (const { name, capabilities } of containers) {
    const granted = [...defaultCapabilities, ...policy.allow_capabilities];
    const beyond = capabilities?.add?.filter((one) => !granted.includes(one)) ?? [];
    if (beyond.length > 0) throw deniedCapability(name, `${beyond.join(', ')}, which is not allowed`);
  }
}

/**
 * What the operator's task definition drops, no tenant takes back without leave. Throws PolicyDenied, naming the rule.
 */
export function checkDropped(
  { name, capabilities }: ContainerSpec,
  { linuxParameters }: ContainerDefinition,
  allowed: readonly Capability[],
): void {
  const dropped = linuxParameters?.capabilities?.drop ?? [];
  const back = (capabilities?.add ?? []).filter(
    (one) => !allowed.includes(one) && (dropped.includes('ALL') || dropped.includes(one)),
  );
  if (back.length > 0) throw deniedCapability(name, `${back.join(', ')}, which its task definition drops`);
}

function deniedCapability(container: string, what: string): ComputeError {
  return denied(
    'ecs.allow_capabilities',
    `container ${container}: capabilities.add asks for ${what}`,
    'Leave it out',
  );
}

/** Those of the base, with what the container names. */
export function linuxParameters(
  { spec: { init, shmSize, capabilities }, tmpfs }: OverlayContainer,
  base: ContainerDefinition,
): Pick<ContainerDefinition, 'linuxParameters'> {
  const isNamed = [init, shmSize, capabilities].some((one) => one !== undefined);
  if (!isNamed && tmpfs.length === 0) return {};
  return {
    linuxParameters: {
      ...base.linuxParameters,
      ...(capabilities === undefined ? {} : mergedCapabilities(capabilities, base)),
      ...(init === undefined ? {} : { initProcessEnabled: init }),
      ...(shmSize === undefined ? {} : { sharedMemorySize: Math.ceil(memoryBytes(shmSize) / 2 ** 20) }),
      ...(tmpfs.length === 0 ? {} : { tmpfs: [...tmpfs] }),
    },
  };
}

type Capabilities = Pick<NonNullable<ContainerDefinition['linuxParameters']>, 'capabilities'>;

function mergedCapabilities(
  { add = [], drop = [] }: NonNullable<ContainerSpec['capabilities']>,
  { linuxParameters: base }: ContainerDefinition,
): Capabilities {
  const added = [...new Set([...(base?.capabilities?.add ?? []), ...add])];
  const dropped = [...new Set([...(base?.capabilities?.drop ?? []), ...drop])];
  return {
    capabilities: {
      ...(added.length === 0 ? {} : { add: added }),
      ...(dropped.length === 0 ? {} : { drop: dropped }),
    },
  };
}

/** Those of the base that the container does not set itself, and its own. */
export function systemControls(
  { sysctls }: Pick<ContainerSpec, 'sysctls'>,
  base: ContainerDefinition,
): Pick<ContainerDefinition, 'systemControls'> {
  if (sysctls === undefined) return {};
  const named = new Set<string | undefined>(sysctls.map(({ name }) => name));
  return {
    systemControls: [
      ...(base.systemControls ?? []).filter(({ namespace }) => !named.has(namespace)),
      ...sysctls.map(({ name, value }) => ({ namespace: name, value })),
    ],
  };
}

/** Throws InvalidSpec where containers that share a network would set one thing of it to two values. */
export function checkSharedSysctls(containers: readonly ContainerSpec[]): void {
  const values = new Map<string, string>();
  for (const { name: container, sysctls = [] } of containers) {
    for (const { name, value } of sysctls.filter((one) => one.name.startsWith('net.'))) {
      const other = values.get(name) ?? value;
      values.set(name, value);
      if (other === value) continue;
      throw new ComputeError(
        'InvalidSpec',
        `spec.containers: container ${container}: sysctls: ${name} is ${value} here and ${other} in another container, and ` +
          'tasks in awsvpc network mode have one network. Name one value',
      );
    }
  }
}
