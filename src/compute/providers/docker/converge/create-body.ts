import type Dockerode from 'dockerode';
import { ComputeError } from '../../../errors.ts';
import type { EnvVar } from '../../../spec/tenant-compute-spec.ts';
import { byContainerPort } from '../state/container-fields.ts';
import { boundedLogOptions } from '../state/confinement/bounded-log.ts';
import type { Confinement } from '../state/confinement/confinement.ts';
import { boundedHealthCheck } from '../state/confinement/image-health-check.ts';
import type { EngineHealthCheck } from '../state/confinement/image-health-check.ts';
import { environmentLine } from '../state/container-hashes.ts';
import type { DesiredContainer } from '../state/desired-tenant.ts';
import { processSettings } from '../state/process/process-settings.ts';
import { engineHealthCheck } from '../state/process/health-check.ts';
import type { ImageVolume } from '../state/volumes/image-volumes.ts';
import { isRelabelled, propagationOf } from '../state/volumes/parse-volumes.ts';
import type { VolumeMount } from '../state/volumes/parse-volumes.ts';
import type { LiveSettings } from '../state/live-settings.ts';
import { optionSettings } from '../state/options/option-settings.ts';

export type CreateBody = Omit<Dockerode.ContainerCreateOptions, 'name'>;

interface Making {
  readonly imageVolumes?: readonly ImageVolume[];
  readonly imageHealthCheck?: EngineHealthCheck | null | undefined;
  /** Of the image, as it says it. */
  readonly architecture?: string | undefined;
  /** Whether it bears its name in the tenant's own network from the start; see tenant-network.ts. */
  readonly isNamed?: boolean;
  /** Id of the image, so that its name can't come to mean another one in between; else the engine takes it by its name. */
  readonly imageId?: string;
}

/**
 * The body of the request that creates a container. The only place where secret values are revealed: keep it no
 * longer than the request takes. Throws SecretNotFound where a secret's value was not handed over.
 */
export function createBody(
  container: DesiredContainer,
  { imageVolumes = [], imageHealthCheck, architecture = '', isNamed = true, imageId }: Making = {},
): CreateBody {
  const { spec, network } = container;
  const ownCheck = spec.healthCheck && engineHealthCheck(spec.healthCheck, architecture);
  const healthCheck = boundedHealthCheck(imageHealthCheck, ownCheck);
  return {
    ...(spec.platform === undefined ? {} : { platform: spec.platform }),
    Image: imageId ?? spec.image,
    ...(spec.command === undefined ? {} : { Entrypoint: [...spec.command] }),
    ...(spec.args === undefined ? {} : { Cmd: [...spec.args] }),
    Env: spec.env.map((variable) => variableOf(variable, spec.name)),
    ExposedPorts: Object.fromEntries(byContainerPort(spec.ports ?? []).map(([key]) => [key, {}])),
    Labels: { ...container.labels },
    ...processSettings(spec).config,
    ...(healthCheck === undefined ? {} : { Healthcheck: healthCheck as Dockerode.HealthConfig }),
    HostConfig: hostConfig(container, imageVolumes),
    ...(network.kind === 'private'
      ? {
          NetworkingConfig: {
            EndpointsConfig: {
              [network.name]: endpointConfig(isNamed && container.alias ? [container.alias] : []),
            },
          },
        }
      : {}),
  };
}

/** A container's place in a network, and by which names it is found there. */
export function endpointConfig(aliases: readonly string[]): Dockerode.EndpointSettings {
  return aliases.length === 0 ? {} : { Aliases: [...aliases] };
}

/** The body of the request that changes limits and restart policy of a running container. */
export function liveUpdateBody(live: LiveSettings): Readonly<Record<string, unknown>> {
  return { ...limits(live), RestartPolicy: { Name: live.restartPolicy, MaximumRetryCount: 0 } };
}

function hostConfig(container: DesiredContainer, imageVolumes: readonly ImageVolume[]): Dockerode.HostConfig {
  const { live, network, spec } = container;
  const confined = confining(container.confinement);
  return {
    ...confined,
    ...optionSettings(container.options, confined),
    ...processSettings(spec).host,
    RestartPolicy: { Name: live.restartPolicy, MaximumRetryCount: 0 },
    NetworkMode: network.name,
    Binds: [
      ...container.volumes
        .filter((volume) => !mustBeThere(volume) && volume.subPath === undefined)
        .map(({ source, target, readOnly, options = [] }) => {
          return `${source}:${target}:${[readOnly ? 'ro' : 'rw', ...options].join(',')}`;
        }),
      ...imageVolumes.map(({ source, target }) => `${source}:${target}:rw`),
      ...container.files
        .filter(({ subPath }) => subPath === undefined)
        .map(({ source, target }) => `${source}:${target}:ro,nocopy`),
    ],
    ...otherMounts(container),
    // With the host's network there is nothing to publish.
    PortBindings: Object.fromEntries(
      byContainerPort(network.kind === 'mode' ? [] : (spec.ports ?? [])).map(([key, same]) => [
        key,
        same.map(({ hostPort }) => ({ HostIp: container.bindAddress, HostPort: `${hostPort ?? ''}` })),
      ]),
    ),
    ...limits(live),
  };
}

/** Every user may write to memory, as to /tmp. */
const tmpfsMode = 0o1777;

function otherMounts({ volumes, files, tmpfs }: DesiredContainer): Dockerode.HostConfig {
  const mounts: Dockerode.MountConfig = [
    ...volumes.filter(mustBeThere).map(readMount),
    ...[...volumes, ...files.map((mount) => ({ ...mount, readOnly: true }))].flatMap(partMount),
    ...tmpfs.map(({ target, sizeBytes, readOnly }) => ({
      Type: 'tmpfs' as const,
      Source: '',
      Target: target,
      ...(readOnly ? { ReadOnly: true } : {}),
      TmpfsOptions: { SizeBytes: sizeBytes, Mode: tmpfsMode },
    })),
  ];
  return mounts.length === 0 ? {} : { Mounts: mounts };
}

interface Part {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly subPath?: string;
}

/** A bind can't have a part of a volume. */
function partMount({ source, target, readOnly, subPath }: Part): Dockerode.MountConfig {
  if (subPath === undefined) return [];
  const VolumeOptions = {
    NoCopy: true,
    Subpath: subPath,
    Labels: {},
    DriverConfig: { Name: '', Options: {} },
  };
  return [{ Type: 'volume', Source: source, Target: target, ReadOnly: readOnly, VolumeOptions }];
}

function readMount(volume: VolumeMount): Dockerode.MountSettings {
  const propagation = propagationOf(volume);
  return {
    Type: 'bind',
    Source: volume.source,
    Target: volume.target,
    ReadOnly: true,
    ...(propagation === undefined ? {} : { BindOptions: { Propagation: propagation as never } }),
  };
}

/**
 * A bind would make a folder on the host where nothing is: whoever may only read there is not to make one. Labels are
 * given to binds alone, and by leave for that very path.
 */
function mustBeThere(volume: VolumeMount): boolean {
  return volume.grant !== undefined && volume.readOnly && !isRelabelled(volume);
}

/** What the engine has as its own default, such as its seccomp profile, is left out, and stays. */
function confining({ capabilities, newPrivileges, boundedLog, init }: Confinement): Dockerode.HostConfig {
  return {
    Privileged: false,
    CapDrop: ['ALL'],
    CapAdd: [...capabilities],
    ...(newPrivileges ? {} : { SecurityOpt: ['no-new-privileges'] }),
    ...(boundedLog ? { LogConfig: { Type: 'json-file', Config: { ...boundedLogOptions } } } : {}),
    ...(init ? { Init: true } : {}),
  };
}

/**
 * Zero is left out: the engine would take it as "unchanged". MemorySwap = Memory: no swap beyond the limit. Of processes,
 * -1 is no limit, at any time.
 */
function limits({ nanoCpus, memoryBytes, pidsLimit }: LiveSettings): Partial<Dockerode.HostConfig> {
  return {
    PidsLimit: pidsLimit === 0 ? -1 : pidsLimit,
    ...(nanoCpus === 0 ? {} : { NanoCpus: nanoCpus }),
    ...(memoryBytes === 0 ? {} : { Memory: memoryBytes, MemorySwap: memoryBytes }),
  };
}

function variableOf(variable: EnvVar, container: string): string {
  if (!('secretKeyRef' in variable)) return environmentLine(variable, variable.value);
  if (variable.secret !== undefined) return environmentLine(variable, variable.secret.reveal());
  const { name, key } = variable.secretKeyRef;
  throw new ComputeError(
    'SecretNotFound',
    `container ${container}: variable ${variable.name}: the value of key ${key} of Secret ${name} is missing`,
  );
}
