import { checkCommonPolicy } from '../../../policy.ts';
import type { CommonPolicy } from '../../../policy.ts';
import type { Marks, Ownership } from '../../../ownership.ts';
import type { Desired } from '../../../provider.ts';
import type { HashKey } from '../../../spec/spec-hash.ts';
import type {
  ContainerSpec,
  RegistryCredential,
  TenantComputeSpec,
} from '../../../spec/tenant-compute-spec.ts';
import type { DockerConfig, DockerOperatorBlock, DockerPolicy } from '../config.ts';
import {
  confinementOf,
  confinementOfContainer,
  defaultResourcesOf,
  pidsLimitOf,
} from './confinement/confinement.ts';
import type { Confinement } from './confinement/confinement.ts';
import { liveSettingsOf } from './container-fields.ts';
import { containerHashes, tenantHashes, wasDone } from './container-hashes.ts';
import type { ContainerHashes } from './container-hashes.ts';
import { partName, specName, tenantName } from './container-name.ts';
import { checkEdges } from './edge/check-edges.ts';
import { drainText } from './edge/drain.ts';
import { edgeContainers } from './edge/edge-container.ts';
import { withoutEdges } from './edge/edge-ports.ts';
import { effectiveContainers } from './effective-containers.ts';
import { endsForGood } from './live-settings.ts';
import type { LiveSettings } from './live-settings.ts';
import { pinnedContainers } from './image/pinned-images.ts';
import { pullSecretNotes } from './image/pull-secrets.ts';
import { registriesFor } from './image/registries.ts';
import { foreignNameOf } from './foreign/foreign-name.ts';
import { withNetworks } from './network/choose-network.ts';
import type { DesiredNetwork } from './network/choose-network.ts';
import { fixedPorts } from './network/host-ports.ts';
import { networkMarks } from './network/network-marks.ts';
import { withNamespaceOrder } from './network/shared-namespace.ts';
import { bindAddressOf, checkPorts } from './network/published-ports.ts';
import { checkPortsOfReplicas, checkVolumesOfReplicas } from './replicas/check-replicas.ts';
import { withReplicas } from './replicas/with-replicas.ts';
import { checkEngine } from './place/check-engine.ts';
import { checkLabels } from './place/check-labels.ts';
import type { ContainerOptions } from './options/container-options.ts';
import { checkOptionNames, optionsAsking } from './options/options-asking.ts';
import { ownOfContainer, sharedVolumes } from './options/own-volumes-and-labels.ts';
import type { SharedVolumes } from './options/own-volumes-and-labels.ts';
import { dockerPlacement } from './place/docker-placement.ts';
import { checkHealthChecks } from './process/health-check.ts';
import { marksOf } from './process/process-marks.ts';
import { checkProcess } from './process/process-settings.ts';
import { secretValues } from './process/secret-values.ts';
import { afterRelease, releaseContainers } from './release/release-container.ts';
import type { Release } from './release/release-mark.ts';
import { containerMounts } from './volumes/container-mounts.ts';
import type { FilesMount, TmpfsMount } from './volumes/container-mounts.ts';
import type { VolumeMount } from './volumes/parse-volumes.ts';

/** A tenant's desired state in the engine's own terms. Pure: nothing here asks the engine. */

export interface DesiredContainer {
  readonly spec: ContainerSpec;
  /** As the engine calls it once it serves. */
  readonly engineName: string;
  /** A container that was not made by Landlord, and that stands for it until it has one of its own. */
  readonly foreignName: string | undefined;
  readonly live: LiveSettings;
  readonly confinement: Confinement;
  readonly options: ContainerOptions | undefined;
  readonly volumes: readonly VolumeMount[];
  readonly files: readonly FilesMount[];
  readonly tmpfs: readonly TmpfsMount[];
  /** What the names of volumes start with that its image alone asks for; see image-volumes.ts. */
  readonly imageVolumePrefix: string;
  readonly network: DesiredNetwork;
  /** By which its siblings find it in the tenant's own network. Undefined: it has none. */
  readonly alias: string | undefined;
  /** Host address that ports are bound to. */
  readonly bindAddress: string;
  /** Those of the spec. */
  readonly ownLabels: Marks;
  /** All of them, the owner's and the tenant's. */
  readonly labels: Marks;
  readonly hashes: ContainerHashes;
  /**
   * The same of what was made before containers were confined, and those that are alone had a network of their own: of a
   * job that has ended, that makes no difference.
   */
  readonly earlierHashes: ContainerHashes;
  /** Whether it is restarted where it fails its health check. No part of its hash: it makes no other container. */
  readonly restartsUnhealthy: boolean;
  /** A job that ran to its end as it is desired now, by what is remembered: it is not made again. */
  readonly isDone: boolean;
  /** What it is run for before the others; absent: it is one of them. */
  readonly release?: Release;
}

export interface DesiredTenant extends Desired {
  /** Owner marks of whatever is made for the tenant. */
  readonly marks: Marks;
  readonly containers: readonly DesiredContainer[];
  readonly imagePullCredentials: readonly RegistryCredential[];
  /** Those of the operator's that its namespace may use. */
  readonly registries: DockerOperatorBlock['registries'];
  readonly policy: DockerPolicy;
  /** Nothing is to be made of it. */
  readonly isOnlyObserved: boolean;
  /** How many of all containers are asked for. Absent: nobody says. */
  readonly replicas: number | undefined;
  /** Values that no message may show. */
  readonly secrets: readonly string[];
  /** Whether it is to be compared alone, for the values of its Secrets were not read. */
  readonly isUnread: boolean;
}

/** What the operator, not the tenant, decides, for all tenants. */
export interface EngineSettings {
  /** Its name in `engines`. Absent: it is the block's own. */
  readonly engineName?: string;
  readonly block: DockerOperatorBlock;
  readonly ownership: Ownership;
  readonly hashKey: HashKey;
}

/** The same, for the tenants of one namespace. */
export interface DockerSettings extends EngineSettings {
  readonly policy: DockerPolicy;
  readonly commonPolicy: CommonPolicy;
  /** Paths of the host that tenants of some namespace may write to. */
  readonly writableHostPaths: readonly string[];
}

/** Throws InvalidSpec naming the path, or PolicyDenied naming the rule. */
export function desiredTenant(
  spec: TenantComputeSpec<DockerConfig>,
  settings: DockerSettings,
): DesiredTenant {
  const { block, ownership, engineName = '' } = settings;
  const { clusterUid } = ownership.owner;
  const marks = ownership.of(spec);
  const asking = { config: spec.config, block, policy: settings.policy };
  checkEngine(asking);
  const defaults = defaultResourcesOf(asking, settings.commonPolicy);
  const inSpec = effectiveContainers(spec, defaults);
  const named = withNamespaceOrder(withReplicas(inSpec, spec), asking);
  checkCommonPolicy(settings.commonPolicy, named);
  const containers = afterRelease(pinnedContainers(named, spec.digests), spec.release);
  checkLabels(spec.config.labels ?? {}, block.label_prefix);
  checkOptionNames(inSpec, asking);
  const networked = withNetworks(containers, spec, asking);
  checkPortsOfReplicas(networked, spec);
  checkPorts(networked, settings);
  checkEdges(networked);
  checkHealthChecks(containers, settings.policy);
  const context = {
    settings,
    marks,
    shared: sharedVolumes(spec, settings),
    confinement: confinementOf(asking),
    pidsLimit: pidsLimitOf(asking),
    single: inSpec.length === 1,
  };
  const lasting = networked.map(({ network, ...container }) =>
    desiredContainer(withoutEdges(container), spec, { ...context, network, drain: drainText(container) }),
  );
  checkVolumesOfReplicas(lasting, spec);
  const making = { spec, marks, ...settings };
  const desired = [
    ...lasting,
    ...releaseContainers(lasting, making),
    ...edgeContainers(lasting, { ...making, asked: networked }),
  ];
  return {
    tenantId: spec.tenantId,
    namespace: spec.tenant.namespace,
    name: spec.tenant.name,
    marks,
    replicas: spec.replicas,
    domain: engineName,
    placement: dockerPlacement(block.label_prefix, spec.tenantId, engineName),
    ...tenantHashes(desired, { clusterUid, hashKey: settings.hashKey }),
    containers: desired,
    imagePullCredentials: spec.imagePullCredentials,
    notes: pullSecretNotes(spec, inSpec),
    policy: settings.policy,
    isOnlyObserved: spec.mode === 'Observe',
    registries: registriesFor(spec.tenant.namespace, settings),
    secrets: secretValues(spec, inSpec),
    isUnread: spec.remembered !== undefined,
  };
}

/** Of a container that is alone, where nothing else was said. */
const networkBefore: DesiredNetwork = { kind: 'shared', name: 'bridge' };

interface ContainerContext {
  readonly settings: DockerSettings;
  readonly marks: Marks;
  readonly network: DesiredNetwork;
  /** See drain.ts. */
  readonly drain: string | undefined;
  readonly shared: SharedVolumes;
  readonly confinement: Confinement;
  readonly pidsLimit: number;
  readonly single: boolean;
}

function desiredContainer(
  container: ContainerSpec,
  spec: TenantComputeSpec<DockerConfig>,
  context: ContainerContext,
): DesiredContainer {
  const { marks, network, shared, pidsLimit, single, drain } = context;
  const { block, ownership, policy, hashKey } = context.settings;
  const nameInSpec = specName(container.name);
  const isFirst = nameInSpec === container.name;
  const asking = optionsAsking(nameInSpec, { config: spec.config, block, policy });
  const { options, volumes, labels } = ownOfContainer(asking, shared);
  checkProcess(container, { network, ipcMode: options?.ipcMode, policy });
  const confinement = confinementOfContainer(container, context.confinement, asking);
  const { key, owner } = ownership;
  const base = tenantName(block.label_prefix, spec.tenantId);
  const { restart_policy: restartPolicy = 'unless-stopped' } = spec.config;
  const live = liveSettingsOf(container, { restartPolicy, pidsLimit });
  const bindAddress = bindAddressOf(asking);
  const ports = fixedPorts({ spec: container, network });
  const subject = [spec.tenant.namespace, spec.tenant.name, spec.tenantId];
  const mounts = containerMounts(container, spec.volumes ?? [], { ...shared, volumes, hashKey, subject });
  const remembered = spec.remembered?.[container.name];
  const surroundings = { ownership, hashKey, subject, remembered, network, mounts, bindAddress, options };
  const hashes = containerHashes(container, labels, { ...surroundings, confinement });
  const before = single && network.kind === 'private' ? networkBefore : network;
  const earlierHashes = onceMade(() =>
    containerHashes(container, labels, { ...surroundings, network: before, confinement: undefined }),
  );
  return {
    spec: container,
    engineName: single && isFirst ? base : partName(base, container.name),
    foreignName: isFirst ? foreignNameOf(asking, spec, context.settings.commonPolicy) : undefined,
    ownLabels: labels ?? {},
    live,
    confinement,
    options,
    ...mounts,
    // No tenant id has a dot in it: this is the name of no volume that another tenant could have.
    imageVolumePrefix: `${block.label_prefix}-${spec.tenantId}.${container.name}.`,
    network,
    alias: single && isFirst ? undefined : nameInSpec,
    bindAddress,
    labels: {
      ...labels,
      ...marks,
      ...marksOf(container, key, { hash: hashes.get(owner.clusterUid)?.now ?? '', live }),
      ...networkMarks(key, { networks: undefined, networkAliases: undefined, ...options, ports, drain }),
    },
    hashes,
    get earlierHashes() {
      return earlierHashes();
    },
    restartsUnhealthy: spec.unhealthyPolicy === 'Restart',
    // The policy is no part of the hash: what was a job may have become a service since.
    isDone:
      endsForGood(live.restartPolicy) &&
      wasDone(spec, container.name, { known: [() => hashes, earlierHashes], hashKey }),
  };
}

/** Only of a container that has ended does anybody ask, and each pass over each tenant is here. */
function onceMade<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
