import { portProtocol } from '../../../../api/compute-fields.ts';
import type { ComputeResources } from '../../../../api/compute-fields.ts';
import type { Placement } from '../../../../api/status.ts';
import { ComputeError } from '../../../errors.ts';
import { checkCommonPolicy } from '../../../policy.ts';
import type { CommonPolicy } from '../../../policy.ts';
import type { Marks, Ownership } from '../../../ownership.ts';
import type { Desired } from '../../../provider.ts';
import type { SecretValue } from '../../../spec/secret-value.ts';
import { specHash } from '../../../spec/spec-hash.ts';
import type {
  ContainerSpec,
  EnvVar,
  RegistryCredential,
  TenantComputeSpec,
} from '../../../spec/tenant-compute-spec.ts';
import type { DockerConfig, DockerOperatorBlock, DockerPolicy } from '../config.ts';
import { liveSettingsOf } from './container-fields.ts';
import { containerHashes, hashVersion } from './container-hashes.ts';
import { partName, tenantName } from './container-name.ts';
import { describeLive } from './live-settings.ts';
import type { LiveSettings } from './live-settings.ts';
import { chooseNetwork } from './network/choose-network.ts';
import type { DesiredNetwork } from './network/choose-network.ts';
import { fixedPorts, hostPortsMark, portText } from './network/host-ports.ts';
import { checkPorts } from './network/published-ports.ts';
import { parseVolumes } from './parse-volumes.ts';
import type { VolumeMount } from './parse-volumes.ts';

/** A tenant's desired state in the engine's own terms. Pure: nothing here asks the engine. */

export interface DesiredContainer {
  readonly spec: ContainerSpec;
  /** As the engine calls it once it serves. */
  readonly engineName: string;
  readonly live: LiveSettings;
  readonly volumes: readonly VolumeMount[];
  /** What the names of volumes start with that its image alone asks for; see image-volumes.ts. */
  readonly imageVolumePrefix: string;
  readonly network: DesiredNetwork;
  /** By which its siblings find it in the tenant's own network. Undefined: it has none. */
  readonly alias: string | undefined;
  /** Host address that ports are bound to. */
  readonly bindAddress: string;
  /** All of them, the owner's and the tenant's. */
  readonly labels: Marks;
  /**
   * By the UID of the cluster that made the container: it is the hash's key. The first is the one of now, the others are
   * what earlier versions made of the same; see `containerHashes`.
   */
  readonly hashes: ReadonlyMap<string, readonly string[]>;
  /** A job that ran to its end as it is desired now, by what is remembered: it is not made again. */
  readonly isDone: boolean;
}

export interface DesiredTenant extends Desired {
  /** Owner marks of whatever is made for the tenant. */
  readonly marks: Marks;
  readonly containers: readonly DesiredContainer[];
  readonly imagePullCredentials: readonly RegistryCredential[];
  /** Those of the operator's that its namespace may use. */
  readonly registries: DockerOperatorBlock['registries'];
  /** Values that no message may show. */
  readonly secrets: readonly string[];
}

/** What the operator, not the tenant, decides, for all tenants. */
export interface EngineSettings {
  readonly block: DockerOperatorBlock;
  readonly ownership: Ownership;
}

/** The same, for the tenants of one namespace. */
export interface DockerSettings extends EngineSettings {
  readonly policy: DockerPolicy;
  readonly commonPolicy: CommonPolicy;
}

/** Throws InvalidSpec naming the path, or PolicyDenied naming the rule. */
export function desiredTenant(
  spec: TenantComputeSpec<DockerConfig>,
  settings: DockerSettings,
): DesiredTenant {
  const { block, ownership } = settings;
  const { clusterUid } = ownership.owner;
  const marks = ownership.of(spec);
  const containers = effectiveContainers(spec);
  checkCommonPolicy(settings.commonPolicy, containers);
  checkLabels(spec.config.labels ?? {}, block.label_prefix);
  const network = chooseNetwork(spec, settings, containers.length);
  checkPorts(containers, network, settings);
  const volumes = parseVolumes(spec.config.volumes ?? [], {
    namePrefix: `${block.label_prefix}-${spec.tenantId}-`,
    allowedHostPaths: settings.policy.allowed_host_paths,
    operatorVolumes: block.volumes ?? [],
  });
  const desired = containers.map((container) =>
    desiredContainer(container, spec, { settings, marks, network, volumes, single: containers.length === 1 }),
  );
  return {
    tenantId: spec.tenantId,
    namespace: spec.tenant.namespace,
    name: spec.tenant.name,
    marks,
    domain: block.host,
    placement: dockerPlacement(block.label_prefix, spec.tenantId),
    specHash: specHash(
      hashVersion,
      clusterUid,
      desired.map((container) => [
        container.engineName,
        container.hashes.get(clusterUid)?.[0],
        container.live,
      ]),
    ),
    containers: desired,
    imagePullCredentials: spec.imagePullCredentials,
    registries: registriesFor(spec.tenant.namespace, settings),
    secrets: [
      ...containers.flatMap(({ env }) => env.flatMap((variable) => secretIn(variable)?.reveal() ?? [])),
      ...spec.imagePullCredentials.map(({ password }) => password.reveal()),
    ],
  };
}

function secretIn(variable: EnvVar): SecretValue | undefined {
  return 'secret' in variable ? variable.secret : undefined;
}

/** As far as the config tells: which engine it is, `Provider.locate` adds. */
export function dockerPlacement(labelPrefix: string, tenantId: string): Placement {
  return { provider: 'docker', labelPrefix, tenantId };
}

function effectiveContainers(spec: TenantComputeSpec<DockerConfig>): readonly ContainerSpec[] {
  const { config } = spec;
  const fallback: ComputeResources = { ...config.resources, ...spec.resources };
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

function registriesFor(
  namespace: string,
  { block, policy }: DockerSettings,
): DockerOperatorBlock['registries'] {
  const entries = Object.entries(block.registries).filter(
    ([key, { namespaces }]) =>
      namespaces === undefined || namespaces.includes(namespace) || policy.allowed_registries.includes(key),
  );
  return Object.fromEntries(entries);
}

function checkLabels(labels: Readonly<Record<string, string>>, prefix: string): void {
  const taken = Object.keys(labels).find((label) => label.startsWith(prefix));
  if (taken === undefined) return;
  throw new ComputeError(
    'PolicyDenied',
    `spec.computeConfig.docker.labels: ${taken} starts with ${prefix}, which marks the owner. Name it otherwise`,
  );
}

interface ContainerContext {
  readonly settings: DockerSettings;
  readonly marks: Marks;
  readonly network: DesiredNetwork;
  readonly volumes: readonly VolumeMount[];
  readonly single: boolean;
}

function desiredContainer(
  container: ContainerSpec,
  spec: TenantComputeSpec<DockerConfig>,
  { settings: { block, ownership }, marks, network, volumes, single }: ContainerContext,
): DesiredContainer {
  const { key, owner } = ownership;
  const base = tenantName(block.label_prefix, spec.tenantId);
  const live = liveSettingsOf(container, spec.config.restart_policy ?? 'unless-stopped');
  const bindAddress = block.port_bind_address;
  const ports = fixedPorts({ spec: container, network });
  const hashes = containerHashes(container, spec.config.labels, { ownership, network, volumes, bindAddress });
  return {
    spec: container,
    engineName: single ? base : partName(base, container.name),
    live,
    volumes,
    // No tenant id has a dot in it: this is the name of no volume that another tenant could have.
    imageVolumePrefix: `${block.label_prefix}-${spec.tenantId}.${container.name}.`,
    network,
    alias: single ? undefined : container.name,
    bindAddress,
    labels: {
      ...spec.config.labels,
      ...marks,
      [key('container')]: container.name,
      [key('spec_hash')]: hashes.get(owner.clusterUid)?.[0] ?? '',
      [key('live')]: describeLive(live),
      ...(ports.length === 0 ? {} : { [key(hostPortsMark)]: ports.map(portText).join(',') }),
    },
    hashes,
    isDone: wasDone(spec, container.name, hashes),
  };
}

function wasDone(
  { before }: Pick<TenantComputeSpec, 'before'>,
  container: string,
  hashes: DesiredContainer['hashes'],
): boolean {
  const hash = before?.containers?.find(({ name }) => name === container)?.completed;
  return hash !== undefined && [...hashes.values()].some((ofOneCluster) => ofOneCluster.includes(hash));
}
