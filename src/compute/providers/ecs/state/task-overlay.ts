import { createHash } from 'node:crypto';
import type {
  Compatibility,
  ContainerDefinition,
  KeyValuePair,
  PortMapping,
  RegisterTaskDefinitionCommandInput,
  Secret,
  TaskDefinition,
} from '@aws-sdk/client-ecs';
import { memoryBytes, nanoCpus } from '../../../../api/quantity.ts';
import { ComputeError } from '../../../errors.ts';
import { specHash } from '../../../spec/spec-hash.ts';
import type { ContainerSpec, TenantComputeSpec } from '../../../spec/tenant-compute-spec.ts';
import { revisionKey } from '../arns.ts';
import type { EcsConfig } from '../config.ts';
import type { ServiceTarget } from '../service-target.ts';
import { fargateSize } from './fargate-size.ts';
import type { TaskSize } from './fargate-size.ts';
import { tagKeys, tagList } from './tags.ts';
import type { Tags } from './tags.ts';
import { secretArn } from './secret-arns.ts';

/** The tenant's containers over a task definition of the operator's. Pure. */

export interface Overlay {
  /** The family that its revisions go to: this place's alone, so that nobody who runs another family gets them. */
  readonly family: string;
  /** Over the containers and the name of what they overlay. */
  readonly hash: string;
  readonly base: string;
  readonly containers: readonly OverlayContainer[];
  readonly launchType?: NonNullable<EcsConfig['launch_type']>;
}

interface OverlayContainer {
  readonly spec: ContainerSpec;
  readonly environment: readonly KeyValuePair[];
  readonly secrets: readonly Secret[];
}

const hashVersion = 'v1';
/** Families have at most 255 characters; with the revision it must also go into a tag of 256. */
const familyNameLength = 150;

/** Throws InvalidSpec for a secret that is not mapped. */
export function desireOverlay(
  { containers, config, tenant }: TenantComputeSpec<EcsConfig>,
  {
    target,
    secretArns,
  }: { readonly target: ServiceTarget; readonly secretArns: Readonly<Record<string, string>> },
): Overlay {
  const overlaid = containers.map((spec) => overlayContainer(spec, tenant.namespace, secretArns));
  const base = config.task_definition_arn;
  const launchType = config.launch_type;
  return {
    family: overlayFamily(target),
    hash: specHash(hashVersion, 'overlay', {
      base,
      launchType,
      containers: overlaid.map(({ spec, environment, secrets }) => ({
        name: spec.name,
        image: spec.image,
        command: spec.command,
        args: spec.args,
        environment,
        secrets,
        ports: spec.ports,
        healthCheck: spec.healthCheck,
        resources: spec.resources,
      })),
    }),
    base,
    containers: overlaid,
    ...(launchType === undefined ? {} : { launchType }),
  };
}

/** One service on one cluster has one family, whoever asks. */
export function overlayFamily({ cluster, service }: Pick<ServiceTarget, 'cluster' | 'service'>): string {
  const place = createHash('sha256').update(`${cluster}/${service}`).digest('hex').slice(0, 8);
  return `${service.slice(0, familyNameLength)}-${place}`;
}

function overlayContainer(
  spec: ContainerSpec,
  namespace: string,
  secretArns: Readonly<Record<string, string>>,
): OverlayContainer {
  const environment: KeyValuePair[] = [];
  const secrets: Secret[] = [];
  for (const variable of spec.env) {
    if ('value' in variable) {
      environment.push({ name: variable.name, value: variable.value });
      continue;
    }
    const { name, key } = variable.secretKeyRef;
    secrets.push({ name: variable.name, valueFrom: secretArn(secretArns, { namespace, name, key }) });
  }
  return { spec, environment: environment.toSorted(byName), secrets: secrets.toSorted(byName) };
}

/** Throws InvalidSpec where a task that has a network interface of its own should listen on two ports as one. */
export function checkHostPorts(containers: readonly ContainerSpec[], isAwsvpc: boolean): void {
  if (!isAwsvpc) return;
  for (const { name, ports = [] } of containers) {
    const port = ports.find(({ hostPort, containerPort }) => (hostPort ?? containerPort) !== containerPort);
    if (port === undefined) continue;
    throw new ComputeError(
      'InvalidSpec',
      `spec.containers: container ${name}: hostPort ${port.hostPort} must equal containerPort ${port.containerPort} or be left out: ` +
        'tasks in awsvpc network mode have an address of their own',
    );
  }
}

/** Throws InvalidSpec where base and containers don't go together. */
export function registerInput(
  overlay: Overlay,
  base: TaskDefinition,
  ownerTags: Tags,
): RegisterTaskDefinitionCommandInput {
  const containerDefinitions = overlayDefinitions(overlay, base);
  checkSecrets(overlay, base);
  checkHostPorts(
    overlay.containers.map(({ spec }) => spec),
    base.networkMode === 'awsvpc',
  );
  return {
    ...inherited(base),
    family: overlay.family,
    containerDefinitions,
    ...taskSize(overlay, base, containerDefinitions),
    tags: tagList({ ...ownerTags, [tagKeys.overlayHash]: overlay.hash }),
  };
}

/** What a revision passes on to the next; what ECS adds to its answers can't be sent back. */
const inheritedKeys = [
  'taskRoleArn',
  'executionRoleArn',
  'networkMode',
  'volumes',
  'placementConstraints',
  'requiresCompatibilities',
  'pidMode',
  'ipcMode',
  'proxyConfiguration',
  'inferenceAccelerators',
  'ephemeralStorage',
  'runtimePlatform',
  'enableFaultInjection',
] as const satisfies readonly (keyof RegisterTaskDefinitionCommandInput & keyof TaskDefinition)[];

function inherited(base: TaskDefinition): Partial<RegisterTaskDefinitionCommandInput> {
  const members = inheritedKeys.flatMap((key) => {
    const value: unknown = base[key];
    // Some endpoints answer with empty texts and lists for what was never given, and refuse them in a request.
    const isNothing =
      value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);
    return isNothing ? [] : [[key, value] as const];
  });
  return Object.fromEntries(members);
}

function overlayDefinitions({ containers }: Overlay, base: TaskDefinition): ContainerDefinition[] {
  const definitions = base.containerDefinitions ?? [];
  const names = new Set(definitions.map(({ name }) => name));
  const added = containers.filter(({ spec }) => !names.has(spec.name));
  return [
    ...definitions.map((definition) => {
      const over = containers.find(({ spec }) => spec.name === definition.name);
      return over === undefined ? definition : overlayDefinition(over, definition);
    }),
    ...added.map((container) => overlayDefinition(container, { name: container.spec.name, essential: true })),
  ];
}

function overlayDefinition(
  { spec, environment, secrets }: OverlayContainer,
  base: ContainerDefinition,
): ContainerDefinition {
  const named = new Set([...environment, ...secrets].map(({ name }) => name));
  const kept = <T extends { name?: string | undefined }>(list: readonly T[] | undefined): T[] =>
    (list ?? []).filter(({ name }) => !named.has(name));
  const { repositoryCredentials, ...rest } = base;
  const { cpu, memory } = spec.resources;
  return {
    ...rest,
    // The base's credentials are for the base's registry: no other one may see them.
    ...(repositoryCredentials !== undefined && registryOf(base.image) === registryOf(spec.image)
      ? { repositoryCredentials }
      : {}),
    image: spec.image,
    // As in a Pod: a command of its own drops the arguments that belonged to the one before.
    ...(spec.command === undefined ? {} : { entryPoint: [...spec.command], command: [...(spec.args ?? [])] }),
    ...(spec.command === undefined && spec.args !== undefined ? { command: [...spec.args] } : {}),
    environment: [...kept(base.environment), ...environment],
    secrets: [...kept(base.secrets), ...secrets],
    ...(spec.ports === undefined ? {} : { portMappings: spec.ports.map(portMapping) }),
    ...(spec.healthCheck === undefined ? {} : { healthCheck: healthCheck(spec.healthCheck) }),
    ...(cpu === undefined ? {} : { cpu: cpuUnits(cpu) }),
    ...(memory === undefined ? {} : { memory: memoryMiB(memory) }),
    // A soft limit of the base must not exceed the tenant's hard one.
    ...(memory === undefined || base.memoryReservation === undefined
      ? {}
      : { memoryReservation: Math.min(base.memoryReservation, memoryMiB(memory)) }),
  };
}

function portMapping({
  containerPort,
  hostPort,
  protocol,
}: NonNullable<ContainerSpec['ports']>[number]): PortMapping {
  if (protocol === 'SCTP') {
    throw new ComputeError(
      'InvalidSpec',
      `spec.containers: port ${containerPort}: ECS has no protocol SCTP: use TCP or UDP`,
    );
  }
  return {
    containerPort,
    ...(hostPort === undefined ? {} : { hostPort }),
    protocol: protocol === 'UDP' ? 'udp' : 'tcp',
  };
}

/** Within what ECS takes: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html */
function healthCheck(check: NonNullable<ContainerSpec['healthCheck']>) {
  const { command, intervalSeconds, timeoutSeconds, retries, startPeriodSeconds } = check;
  return {
    command: ['CMD', ...command],
    interval: clamp(intervalSeconds, 5, 300),
    timeout: clamp(timeoutSeconds ?? Math.min(3, intervalSeconds), 2, 60),
    retries: clamp(retries, 1, 10),
    startPeriod: clamp(startPeriodSeconds, 0, 300),
  };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}

function registryOf(image: string | undefined): string {
  const [first = '', ...rest] = (image ?? '').split('/');
  return rest.length > 0 && (/[.:]/.test(first) || first === 'localhost') ? first : 'docker.io';
}

function checkSecrets({ containers }: Overlay, base: TaskDefinition): void {
  const reader = containers.find(({ secrets }) => secrets.length > 0);
  if (reader === undefined || (base.executionRoleArn ?? '') !== '') return;
  throw new ComputeError(
    'InvalidSpec',
    `spec.containers: container ${reader.spec.name} reads secrets, and the task definition ${revisionKey(base.taskDefinitionArn ?? '')} ` +
      'has no execution role to read them with: name one that has',
  );
}

function taskSize(
  { launchType, containers }: Overlay,
  base: TaskDefinition,
  definitions: readonly ContainerDefinition[],
): { cpu?: string; memory?: string } {
  const compatibilities: readonly Compatibility[] = base.requiresCompatibilities ?? [];
  if (launchType !== undefined && compatibilities.length > 0 && !compatibilities.includes(launchType)) {
    throw new ComputeError(
      'InvalidSpec',
      `spec.computeConfig.ecs.launch_type: the task definition ${revisionKey(base.taskDefinitionArn ?? '')} is made for ${compatibilities.join(', ')}, not for ${launchType}`,
    );
  }
  const isFargate = launchType === 'FARGATE' || compatibilities.includes('FARGATE');
  const cpu = taskAmount(
    Number(base.cpu ?? 0),
    definitions.map(({ cpu }) => cpu),
  );
  const memory = taskAmount(
    Number(base.memory ?? 0),
    definitions.map(({ memory, memoryReservation }) => memory ?? memoryReservation),
  );
  const asks = containers.some(({ spec: { resources } }) => resources.cpu ?? resources.memory);
  if (isFargate && (asks || (base.cpu ?? '') !== '')) return sizeText(fargateSize({ cpu, memory }));
  // On instances a task needs no size of its own; one that it has must hold its containers.
  return {
    ...((base.cpu ?? '') === '' ? {} : { cpu: String(cpu) }),
    ...((base.memory ?? '') === '' ? {} : { memory: String(memory) }),
  };
}

/** The sum where every container names its part; else at least what the base has for those that name none. */
function taskAmount(base: number, parts: readonly (number | undefined)[]): number {
  const sum = parts.reduce<number>((total, part) => total + (part ?? 0), 0);
  return parts.every((part) => part !== undefined && part > 0) ? sum : Math.max(base, sum);
}

function sizeText({ cpu, memory }: TaskSize): { cpu: string; memory: string } {
  return { cpu: String(cpu), memory: String(memory) };
}

/** 1024 to a core, rounded up. */
function cpuUnits(quantity: string | number): number {
  return Math.ceil((nanoCpus(quantity) * 1024) / 1e9);
}

/** ECS takes no less than 6 MiB for a container. https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html */
const leastMemoryMiB = 6;

function memoryMiB(quantity: string | number): number {
  return Math.max(leastMemoryMiB, Math.ceil(memoryBytes(quantity) / 2 ** 20));
}

function byName(a: { name?: string | undefined }, b: { name?: string | undefined }): number {
  const [left = '', right = ''] = [a.name, b.name];
  return left < right ? -1 : left > right ? 1 : 0;
}
