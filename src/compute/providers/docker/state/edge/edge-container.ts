import { ComputeError } from '../../../../errors.ts';
import type { Marks, Ownership } from '../../../../ownership.ts';
import type { HashKey } from '../../../../spec/spec-hash.ts';
import type { ContainerSpec, TenantComputeSpec } from '../../../../spec/tenant-compute-spec.ts';
import type { DockerOperatorBlock } from '../../config.ts';
import { defaultPidsLimit } from '../confinement/confinement.ts';
import type { Confinement } from '../confinement/confinement.ts';
import { containerHashes } from '../container-hashes.ts';
import type { ContainerHashes } from '../container-hashes.ts';
import { partName, specName, tenantName } from '../container-name.ts';
import type { LiveSettings } from '../live-settings.ts';
import type { DesiredNetwork } from '../network/choose-network.ts';
import { fixedPorts, hostPortsMark, portText } from '../network/host-ports.ts';
import type { ContainerOptions } from '../options/container-options.ts';
import { marksOf } from '../process/process-marks.ts';
import { containerMounts } from '../volumes/container-mounts.ts';
import type { FilesMount, TmpfsMount } from '../volumes/container-mounts.ts';
import type { VolumeMount } from '../volumes/parse-volumes.ts';
import { edgeName } from './edge-name.ts';
import { hasEdge } from './edge-ports.ts';
import { proxyConfig } from './proxy-config.ts';
import type { Backend } from './proxy-config.ts';

/**
 * The proxy of a tenant: one more container, in the tenant's network, which holds the host ports of the others. It goes by their names
 * alone, and so is none other when they are: it is replaced, with a gap, where its ports, their containers' names or its image are
 * other ones. Pure.
 */

/** What a desired container is besides. */
interface Like {
  readonly spec: ContainerSpec;
  readonly engineName: string;
  readonly foreignName: string | undefined;
  readonly live: LiveSettings;
  readonly confinement: Confinement;
  readonly options: ContainerOptions | undefined;
  readonly volumes: readonly VolumeMount[];
  readonly files: readonly FilesMount[];
  readonly tmpfs: readonly TmpfsMount[];
  readonly imageVolumePrefix: string;
  readonly network: DesiredNetwork;
  readonly alias: string | undefined;
  readonly bindAddress: string;
  readonly ownLabels: Marks;
  readonly labels: Marks;
  readonly hashes: ContainerHashes;
  readonly earlierHashes: ContainerHashes;
  readonly restartsUnhealthy: boolean;
  readonly isDone: boolean;
}

interface Making {
  readonly spec: Pick<TenantComputeSpec, 'tenant' | 'tenantId'>;
  /** The containers as they were asked for. */
  readonly asked: readonly Pick<ContainerSpec, 'name' | 'ports'>[];
  readonly block: Pick<DockerOperatorBlock, 'edge_image' | 'label_prefix'>;
  readonly ownership: Ownership;
  readonly hashKey: HashKey;
  /** The owner's. */
  readonly marks: Marks;
}

const folder = '/landlord-edge';
const file = 'haproxy.cfg';

/** All that a program needs that passes bytes on: ports below 1024. */
const confinement: Confinement = {
  capabilities: ['NET_BIND_SERVICE'],
  newPrivileges: false,
  boundedLog: true,
  init: false,
};

/** One core, and 256 MiB: 4,000 connections with 2 buffers of 16 KiB each, at the most, and the program. */
const live: LiveSettings = {
  nanoCpus: 1e9,
  memoryBytes: 256 * 1024 ** 2,
  pidsLimit: defaultPidsLimit,
  restartPolicy: 'unless-stopped',
};

/** None where no port asks for it. Throws InvalidSpec for what one proxy can't do. */
export function edgeContainers<Container extends Like>(
  containers: readonly Container[],
  { asked, ...making }: Making,
): readonly Container[] {
  const edged = asked.filter(hasEdge);
  const behind = containers.filter(({ spec }) => edged.some(({ name }) => name === spec.name));
  const [first] = behind;
  if (first === undefined) return [];
  checkAddresses(behind);
  const spec = proxySpec(edged, making.block.edge_image);
  const hostOf = new Map(behind.map((one) => [one.spec.name, dnsName(one)]));
  const backends = edged.flatMap(({ name, ports }) => backendsOf(hostOf.get(name) ?? '', ports));
  const { network, bindAddress } = first;
  return [{ ...first, ...proxyContainer(spec, { ...making, backends, network, bindAddress }) }];
}

interface Proxy extends Omit<Making, 'asked'>, Pick<Like, 'network' | 'bindAddress'> {
  readonly backends: readonly Backend[];
}

function proxyContainer(
  spec: ContainerSpec,
  { spec: of, block, ownership, hashKey, marks, backends, network, bindAddress }: Proxy,
): Like {
  const { key, owner } = ownership;
  const subject = [of.tenant.namespace, of.tenant.name, of.tenantId];
  const mounts = containerMounts(spec, [configVolume(backends)], {
    volumes: [],
    rules: { labelPrefix: block.label_prefix, tenantId: of.tenantId },
    hashKey,
    subject,
  });
  const surroundings = { ownership, hashKey, subject, network, mounts, bindAddress, confinement };
  const hashes = containerHashes(spec, {}, { ...surroundings, options: undefined, remembered: undefined });
  const hash = hashes.get(owner.clusterUid)?.now ?? '';
  return {
    spec,
    engineName: partName(tenantName(block.label_prefix, of.tenantId), spec.name),
    foreignName: undefined,
    live,
    confinement,
    options: undefined,
    ...mounts,
    imageVolumePrefix: `${block.label_prefix}-${of.tenantId}.${spec.name}.`,
    network,
    alias: specName(spec.name),
    bindAddress,
    ownLabels: {},
    labels: {
      ...marks,
      ...marksOf(spec, key, { hash, live }),
      [key(hostPortsMark)]: fixedPorts({ spec, network }).map(portText).join(','),
    },
    hashes,
    earlierHashes: hashes,
    restartsUnhealthy: false,
    isDone: false,
  };
}

/** It must end at once, for nothing else can have its ports by then; and it asks nobody but the engine for a name. */
function proxySpec(edged: Making['asked'], image: string): ContainerSpec {
  return {
    name: edgeName,
    image,
    command: ['haproxy', '-db', '-f', `${folder}/${file}`],
    env: [],
    ports: edged.flatMap(({ name: container, ports = [] }) =>
      ports.flatMap(({ edge, hostPort, containerPort, name = `${container}-${containerPort}` }) =>
        edge === undefined || hostPort === undefined
          ? []
          : [{ name, containerPort: hostPort, hostPort, protocol: 'TCP' as const }],
      ),
    ),
    healthCheck: { disable: true },
    resources: {},
    volumeMounts: [{ name: 'config', mountPath: folder }],
    readOnlyRootFilesystem: true,
    stopSignal: 'SIGTERM',
    dns: ['127.0.0.1'],
  };
}

function backendsOf(host: string, ports: ContainerSpec['ports'] = []): readonly Backend[] {
  return ports.flatMap(({ edge, hostPort, containerPort }) =>
    edge === undefined || hostPort === undefined
      ? []
      : [{ host, containerPort, hostPort, mode: edge.mode ?? 'TCP' }],
  );
}

function configVolume(backends: readonly Backend[]) {
  const content = Buffer.from(proxyConfig(backends)).toString('base64');
  return {
    name: 'config',
    kind: 'files' as const,
    from: 'proxy',
    files: [{ path: file, mode: 0o444, content }],
  };
}

function checkAddresses(behind: readonly Like[]): void {
  const [first, ...others] = behind;
  const other = others.find(({ bindAddress }) => bindAddress !== first?.bindAddress);
  if (first === undefined || other === undefined) return;
  throw invalid(
    other,
    `its proxy is that of container ${first.spec.name}, at ${first.bindAddress}, and can't be at ${other.bindAddress}, too. Give both one ` +
      'port_bind_address',
  );
}

/** The longest part of a name that DNS knows, in characters. */
const longestLabel = 63;

/** By which the others find what serves: it is the container's own on the engine, and so it is one container's at a time. */
function dnsName(container: Like): string {
  const { engineName } = container;
  if (engineName.split('.').every((label) => label.length <= longestLabel)) return engineName;
  throw invalid(
    container,
    `its proxy finds it by the name ${engineName}, of which DNS takes ${longestLabel} characters. Apply the Tenant anew with a shorter ` +
      'tenantId',
  );
}

function invalid({ spec }: Like, why: string): ComputeError {
  return new ComputeError('InvalidSpec', `container ${spec.name}: edge: ${why}`);
}
