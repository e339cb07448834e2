import { hashedCheck } from '../../../../../api/container/health-check.ts';
import type { ContainerSpec } from '../../../../spec/tenant-compute-spec.ts';
import {
  cpuUnits,
  limitMemory,
  namedOver,
  portMapping,
  repositoryCredentials,
} from './container-definition.ts';
import { mountPoints } from './fields/efs-volumes.ts';
import { healthCheckDefinition } from './fields/health-check.ts';
import { linuxParameters, systemControls } from './fields/kernel-settings.ts';
import { dependencies, restarts } from './fields/container-lifecycle.ts';
import type { OverlayContainer } from './overlay-container.ts';
import type { ContainerDefinition } from './task-definition.ts';

/**
 * What follows from a change of a container's field: all of it stands in the task definition, which never changes, so
 * that each change is a new revision, which ECS rolls out. A field that is not in here does not compile.
 */
interface ContainerField {
  /** `refused`: ECS can't do it, see unserved-fields.ts. */
  readonly change: 'rollout' | 'refused';
  /** Its part of the overlay's hash. The names stay: hashes stand in the tags of what runs. */
  readonly hashed: (container: OverlayContainer) => Readonly<Record<string, unknown>>;
  /** Its part of the container's definition, over the base's. */
  readonly defined: (container: OverlayContainer, base: ContainerDefinition) => ContainerDefinition;
}

export const containerFields = {
  name: {
    change: 'rollout',
    hashed: ({ spec: { name } }) => ({ name }),
    // That of the container of the base which it overlays, or of the one that it adds.
    defined: () => ({}),
  },
  image: {
    change: 'rollout',
    hashed: ({ spec: { image } }) => ({ image }),
    defined: ({ spec: { image } }, base) => ({ ...repositoryCredentials(image, base), image }),
  },
  command: own('command', (command) => ({ entryPoint: [...command] })),
  args: {
    change: 'rollout',
    hashed: ({ spec: { args } }) => ({ args }),
    // As in a Pod: a command of its own drops the arguments that belonged to the one before.
    defined: ({ spec: { command, args } }) =>
      (command ?? args) === undefined ? {} : { command: [...(args ?? [])] },
  },
  env: {
    change: 'rollout',
    hashed: ({ environment, secrets }) => ({ environment, secrets }),
    defined: (container, base) => ({
      environment: namedOver(container, base.environment, container.environment),
      secrets: namedOver(container, base.secrets, container.secrets),
    }),
  },
  ports: own('ports', (ports) => ({ portMappings: ports.map(portMapping) })),
  healthCheck: {
    ...own('healthCheck', (check) => ({ healthCheck: healthCheckDefinition(check) })),
    hashed: ({ spec: { healthCheck } }) => ({ healthCheck: hashedCheck(healthCheck) }),
  },
  resources: {
    change: 'rollout',
    hashed: ({ spec: { resources } }) => ({ resources }),
    defined: ({ spec: { resources } }, base) => ({
      ...(resources.cpu === undefined ? {} : { cpu: cpuUnits(resources.cpu) }),
      ...(resources.memory === undefined ? {} : limitMemory(resources.memory, base)),
    }),
  },
  workingDir: asIs('workingDir', 'workingDirectory'),
  user: asIs('user', 'user'),
  stopSignal: { change: 'refused', hashed: () => ({}), defined: () => ({}) },
  stopGracePeriodSeconds: asIs('stopGracePeriodSeconds', 'stopTimeout'),
  init: {
    change: 'rollout',
    hashed: ({ spec: { init } }) => ({ init }),
    defined: linuxParameters,
  },
  hostname: asIs('hostname', 'hostname'),
  readOnlyRootFilesystem: asIs('readOnlyRootFilesystem', 'readonlyRootFilesystem'),
  tty: asIs('tty', 'pseudoTerminal'),
  stdin: asIs('stdin', 'interactive'),
  shmSize: {
    change: 'rollout',
    hashed: ({ spec: { shmSize } }) => ({ shmSize }),
    defined: linuxParameters,
  },
  volumeMounts: {
    change: 'rollout',
    hashed: ({ tmpfs, mounts }) => ({
      ...(tmpfs.length === 0 ? {} : { tmpfs }),
      ...(mounts.length === 0 ? {} : { mounts }),
    }),
    defined: (container, base) => ({
      ...linuxParameters(container, base),
      ...mountPoints(container.mounts, base),
    }),
  },
  ulimits: own('ulimits', (ulimits) => ({
    ulimits: ulimits.map(({ name, soft, hard }) => ({ name, softLimit: soft, hardLimit: hard })),
  })),
  extraHosts: own('extraHosts', (hosts) => ({
    extraHosts: hosts.map(({ hostname, ip }) => ({ hostname, ipAddress: ip })),
  })),
  dns: own('dns', (servers) => ({ dnsServers: [...servers] })),
  capabilities: {
    change: 'rollout',
    hashed: ({ spec: { capabilities } }) => ({ capabilities }),
    defined: linuxParameters,
  },
  sysctls: {
    change: 'rollout',
    hashed: ({ spec: { sysctls } }) => ({ sysctls }),
    defined: ({ spec }, base) => systemControls(spec, base),
  },
  dependsOn: own('dependsOn', (list, base) => ({ dependsOn: dependencies(list, base) })),
  essential: asIs('essential', 'essential'),
  // After `essential`, which has no say about a job.
  restartPolicy: own('restartPolicy', restarts),
  platform: {
    change: 'rollout',
    hashed: ({ spec: { platform } }) => ({ platform }),
    // The task's, which all of its containers have: see runtime-platform.ts.
    defined: () => ({}),
  },
} as const satisfies Readonly<Record<keyof ContainerSpec, ContainerField>>;

/** A field that ECS has, by itself, where the container names it. */
function own<Field extends keyof ContainerSpec>(
  field: Field,
  define: (value: NonNullable<ContainerSpec[Field]>, base: ContainerDefinition) => ContainerDefinition,
) {
  return {
    change: 'rollout',
    hashed: ({ spec }: OverlayContainer) => ({ [field]: spec[field] }),
    defined: ({ spec }: OverlayContainer, base: ContainerDefinition): ContainerDefinition => {
      const value = spec[field];
      return value === undefined ? {} : define(value, base);
    },
  } as const;
}

/** The same, taken as it is, by ECS' own name for it. */
function asIs(field: keyof ContainerSpec, name: keyof ContainerDefinition) {
  return own(field, (value) => ({ [name]: value }));
}

const fields: readonly ContainerField[] = Object.values(containerFields);

/** What the hash of an overlay knows of a container. */
export function hashedContainer(container: OverlayContainer): Readonly<Record<string, unknown>> {
  return Object.assign({}, ...fields.map(({ hashed }) => hashed(container))) as Record<string, unknown>;
}

/** The definition of `base` with what the tenant's container says over it. */
export function overlayDefinition(
  container: OverlayContainer,
  base: ContainerDefinition,
): ContainerDefinition {
  const { repositoryCredentials: _known, ...rest } = base;
  return Object.assign({}, rest, ...fields.map(({ defined }) => defined(container, base))) as typeof rest;
}
