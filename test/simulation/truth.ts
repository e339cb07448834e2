import { defaultTenantId } from '../../src/compute/spec/tenant-id.ts';
import type { Container as ContainerSpec } from '../../src/api/compute-fields.ts';
import { memoryBytes } from '../../src/api/quantity.ts';
import { isUp, portBindings } from './models/docker-container.ts';
import type { Container } from './models/docker-container.ts';
import { markOf, tenantMark } from './models/docker-engine.ts';
import type { DockerEngine } from './models/docker-engine.ts';
import { serviceNameOf } from './models/ecs-client.ts';
import { factsOfRun, imageFacts } from './models/images.ts';
import type { StoredTenant } from './ledger.ts';
import type { OperatorConfig } from './operator.ts';
import type { World } from './world.ts';

/**
 * What a Tenant asks for and what really runs, told from the manifest and the models alone: nothing here knows how the
 * operator works it out.
 */

/** A container that a Tenant asks for. */
export interface Wanted {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[] | undefined;
  /** Each variable with the values that it may have. */
  readonly env: ReadonlyMap<string, readonly string[]>;
  /** `8080/tcp`, each with its host port; 0: any. */
  readonly ports: readonly (readonly [string, number])[];
  /** Whether it is the image that says what to run. */
  readonly runsAsImage: boolean;
  readonly binds: readonly string[];
  readonly restartPolicy: string;
  readonly dependsOn: NonNullable<ContainerSpec['dependsOn']>;
  readonly memory: number;
  readonly hasHealthCheck: boolean;
  /** It has no others beside it, and bears the tenant's name alone. */
  readonly isAlone: boolean;
  /** Of the proxy: what comes behind the tenant's name in those of whom it leads to, with the port. */
  readonly leadsTo?: readonly string[];
  /** In whose network namespace it is. */
  readonly joins?: string | undefined;
}

export interface Expectation {
  readonly provider: string;
  readonly containers: readonly Wanted[];
  /** Why it can't run by its own fault; undefined: it can. */
  readonly fault: string | undefined;
}

/** How long an operator may act on what was true before. */
export const lagMs = 60_000;

export function keyOfTenant({ metadata: { namespace = '', name } }: StoredTenant): string {
  return `${namespace}/${name}`;
}

/** Whether an operator that is at work selects it. */
export function isLookedAfter({ operators }: World, { metadata }: StoredTenant): boolean {
  return operators.some(({ config: { tenantSelector = '' } }) => {
    const [key = '', value] = tenantSelector.split('=');
    return tenantSelector === '' || metadata.labels?.[key] === value;
  });
}

export function lookedAfter(world: World): readonly StoredTenant[] {
  return [...world.ledger.tenants.values()].filter((tenant) => isLookedAfter(world, tenant));
}

/** Of two with one id the older one has it. */
export function ownerOf(tenant: StoredTenant, tenants: readonly StoredTenant[]): StoredTenant {
  const [owner = tenant] = tenants
    .filter((other) => tenantIdOf(other) === tenantIdOf(tenant))
    .toSorted((a, b) => (ageOf(a) < ageOf(b) ? -1 : 1));
  return owner;
}

function ageOf({ metadata }: StoredTenant): string {
  return `${metadata.creationTimestamp} ${metadata.namespace ?? ''}/${metadata.name}`;
}

/** Whether something that another Tenant has left on purpose bears its names. */
export function isInTheWay(world: World, tenant: StoredTenant): boolean {
  const isAnothers = (labels: Readonly<Record<string, string>>): boolean =>
    markOf(labels, 'tenant_id') === tenantIdOf(tenant) && tenantMark(labels) !== keyOfTenant(tenant);
  return [...world.engines.values()].some(
    ({ containers, volumes, networks }) =>
      [...containers.values()].some((one) => one.madeBy !== 'person' && isAnothers(one.labels)) ||
      [...volumes.values(), ...networks.values()].some(({ Labels }) => isAnothers(Labels)),
  );
}

export function providerOf(tenant: StoredTenant): string {
  return (
    tenant.spec.computeProvider ??
    tenant.metadata.labels?.['landlord.dev/compute-provider'] ??
    tenant.status?.placement?.provider ??
    'docker'
  );
}

export function expectationOf(world: World, tenant: StoredTenant, config: OperatorConfig): Expectation {
  const provider = providerOf(tenant);
  const containers =
    provider === 'docker'
      ? withEdge(tenant, withRelease(tenant, dockerContainers(world, tenant, config)))
      : [];
  const judged = provider === 'ecs' ? ecsContainers(world, tenant) : containers;
  return {
    provider: providerOf(tenant),
    containers,
    fault: lacksSecret(world, tenant)
      ? 'a Secret is missing'
      : (deniedBy(tenant) ?? judged.map((one) => faultOf(one, judged)).find((why) => why !== undefined)),
  };
}

/** The release is a job that all wait for which the container that it is of does not wait for itself. */
function withRelease({ spec }: StoredTenant, containers: readonly Wanted[]): readonly Wanted[] {
  const { release } = spec;
  const like = containers.find(({ name }) => name === release?.container);
  if (release === undefined || like === undefined) return containers;
  const name = `${like.name}.release`;
  const first = new Set(like.dependsOn.map(({ container }) => container));
  for (const earlier of first)
    for (const { container } of containers.find((one) => one.name === earlier)?.dependsOn ?? [])
      first.add(container);
  const wait = { container: name, condition: 'Completed' } as const;
  const job: Wanted = {
    ...like,
    name,
    args: release.args,
    ports: [],
    restartPolicy: 'no',
    hasHealthCheck: false,
    isAlone: false,
    // Whatever its limit is by now, it is not run again for that.
    memory: NaN,
  };
  return [
    ...containers.map((one) => (first.has(one.name) ? one : { ...one, dependsOn: [...one.dependsOn, wait] })),
    job,
  ];
}

/** What a status calls the proxy of a tenant that keeps ports of the host. */
export const edgeRole = 'edge.proxy';

/** One more, which has those ports. */
function withEdge(tenant: StoredTenant, containers: readonly Wanted[]): readonly Wanted[] {
  const ports = edgePortsOf(tenant);
  if (ports.length === 0 || containers.length === 0) return containers;
  return [
    ...containers,
    {
      name: edgeRole,
      image: 'haproxy:3.2.21-alpine3.24',
      env: new Map(),
      ports,
      runsAsImage: false,
      binds: [],
      restartPolicy: 'unless-stopped',
      dependsOn: [],
      memory: 256 * 1024 ** 2,
      hasHealthCheck: false,
      isAlone: false,
      leadsTo: targetsOf(tenant),
    },
  ];
}

function targetsOf({ spec: { containers } }: StoredTenant): readonly string[] {
  const all = (containers ?? []) as readonly ContainerSpec[];
  return all.flatMap(({ name, ports = [] }) =>
    ports.flatMap(({ edge, containerPort }) =>
      edge === undefined ? [] : [`${all.length === 1 ? '' : `.${name}`}:${containerPort}`],
    ),
  );
}

function edgePortsOf({ spec }: StoredTenant): Wanted['ports'] {
  const asked = ((spec.containers ?? []) as readonly ContainerSpec[]).flatMap(({ ports = [] }) => ports);
  return asked.flatMap(({ edge, hostPort = 0 }) =>
    edge === undefined ? [] : [[`${hostPort}/tcp`, hostPort] as const],
  );
}

function lacksSecret(world: World, { spec }: StoredTenant): boolean {
  const containers = (spec.containers ?? []) as readonly ContainerSpec[];
  return containers.some(({ env = [] }) =>
    env.some(
      ({ valueFrom: { secretKeyRef } = {} }) =>
        secretKeyRef !== undefined &&
        world.ledger.secretValues(secretKeyRef.name, secretKeyRef.key, world.time.now()).length === 0,
    ),
  );
}

interface DockerBlock {
  readonly image?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly ports?: readonly { readonly container_port: number; readonly host_port?: number }[];
  readonly volumes?: readonly string[];
  readonly restart_policy?: string;
  readonly containers?: Readonly<Record<string, { readonly network_mode?: string }>>;
}

/** It begins after whose network namespace it is in. */
function joining(
  { name, dependsOn }: Pick<Wanted, 'name' | 'dependsOn'>,
  { containers }: DockerBlock,
): Partial<Wanted> {
  const [kind, joins = ''] = containers?.[name]?.network_mode?.split(':') ?? [];
  return kind === 'service' ? { joins, dependsOn: [...dependsOn, { container: joins }] } : {};
}

function dockerContainers(
  world: World,
  tenant: StoredTenant,
  { docker = {} }: OperatorConfig,
): readonly Wanted[] {
  const { spec } = tenant;
  const operators = docker as DockerBlock;
  const tenants = (spec.computeConfig?.['docker'] ?? {}) as DockerBlock;
  const block: DockerBlock = { ...operators, ...tenants, env: { ...operators.env, ...tenants.env } };
  const prefix = `${(docker['label_prefix'] as string | undefined) ?? 'landlord'}-${tenantIdOf(tenant)}_`;
  const shared = {
    binds: (block.volumes ?? []).map(
      (volume) => `${volume.startsWith('/') ? '' : prefix}${volume.includes(':r') ? volume : `${volume}:rw`}`,
    ),
    restartPolicy: block.restart_policy ?? 'unless-stopped',
  };
  const containers = spec.containers as readonly ContainerSpec[] | undefined;
  if (containers !== undefined)
    return replicated(
      spec,
      containers.map((container) => ({
        ...shared,
        ...portable(world, container),
        ...joining({ name: container.name, dependsOn: container.dependsOn ?? [] }, block),
        isAlone: containers.length === 1,
      })),
    );
  return replicated(spec, [
    {
      ...shared,
      name: 'app',
      image: block.image ?? '',
      env: new Map(Object.entries(block.env ?? {}).map(([name, value]) => [name, [value]])),
      ports: (block.ports ?? []).map(
        ({ container_port, host_port = 0 }) => [`${container_port}/tcp`, host_port] as const,
      ),
      runsAsImage: true,
      dependsOn: [],
      memory: 0,
      hasHealthCheck: false,
      isAlone: true,
    },
  ]);
}

/** So many of all of them, the further ones with names and networks of their own. */
function replicated(
  { replicas = 1 }: StoredTenant['spec'],
  containers: readonly Wanted[],
): readonly Wanted[] {
  const nameIn = (name: string, replica: number): string => (replica === 1 ? name : `${name}_${replica}`);
  return Array.from({ length: replicas }, (_, index) =>
    containers.map((one) => ({
      ...one,
      name: nameIn(one.name, index + 1),
      dependsOn: one.dependsOn.map((other) => ({ ...other, container: nameIn(other.container, index + 1) })),
      joins: one.joins === undefined ? undefined : nameIn(one.joins, index + 1),
      isAlone: one.isAlone && index === 0,
    })),
  ).flat();
}

/** On ECS, whatever ends is started again. */
function ecsContainers(world: World, { spec }: StoredTenant): readonly Wanted[] {
  if (spec.replicas === 0) return [];
  const containers = (spec.containers ?? []) as readonly ContainerSpec[];
  return containers.map((one) => ({
    binds: [],
    restartPolicy: 'always',
    isAlone: true,
    ...portable(world, one),
  }));
}

/** What its service on ECS lacks of what the spec asks for; undefined: nothing. */
export function lackingOnEcs(world: World, tenant: StoredTenant): string | undefined {
  const name = serviceNameOf(tenantIdOf(tenant));
  const service = world.aws().service(name);
  if (service?.status !== 'ACTIVE') return 'there is no service';
  const { load_balancers: wanted } = (tenant.spec.computeConfig?.['ecs'] ?? {}) as {
    readonly load_balancers?: readonly { readonly target_group_arn: string }[];
  };
  const groups = (service.loadBalancers ?? []).map(({ targetGroupArn }) => targetGroupArn);
  const lacking = (wanted ?? []).filter(({ target_group_arn: group }) => !groups.includes(group));
  if (lacking.length > 0)
    return `its tasks register with ${groups.length} of ${wanted?.length} target groups`;
  const images = ((tenant.spec.containers ?? []) as readonly ContainerSpec[]).map(({ image }) => image);
  const good = world
    .aws()
    .tasks(name)
    .filter(
      ({ lastStatus, containers = [] }) =>
        lastStatus === 'RUNNING' && images.every((image) => containers.some((one) => one.image === image)),
    );
  const desired = service.desiredCount ?? 0;
  return good.length >= desired ? undefined : `${good.length} of ${desired} tasks run`;
}

/** Of a Tenant, `namespace/name`, that names none. */
export function defaultIdOf(key: string): string {
  const [namespace = '', name = ''] = key.split('/');
  return defaultTenantId(namespace, name);
}

export function tenantIdOf({ spec, metadata }: StoredTenant): string {
  return spec.tenantId ?? defaultTenantId(metadata.namespace ?? '', metadata.name);
}

const restartPolicies = { Always: 'unless-stopped', OnFailure: 'on-failure', Never: 'no' } as const;

function portable(world: World, container: ContainerSpec) {
  const {
    name,
    image,
    env = [],
    ports = [],
    resources,
    healthCheck,
    dependsOn = [],
    restartPolicy,
  } = container;
  const values = ({ value, valueFrom: { secretKeyRef } = {} }: (typeof env)[number]): readonly string[] =>
    secretKeyRef === undefined
      ? [value ?? '']
      : world.ledger.secretValues(secretKeyRef.name, secretKeyRef.key, world.time.now() - lagMs);
  return {
    name,
    image,
    env: new Map(env.map((variable) => [variable.name, values(variable)])),
    ports: ports.flatMap(({ containerPort, hostPort = 0, protocol, edge }) =>
      edge === undefined
        ? [[`${containerPort}/${(protocol ?? 'TCP').toLowerCase()}`, hostPort] as const]
        : [],
    ),
    runsAsImage: (container.command ?? []).length === 0,
    memory: resources?.memory === undefined ? 0 : memoryBytes(resources.memory),
    hasHealthCheck: healthCheck !== undefined,
    dependsOn,
    ...(restartPolicy === undefined ? {} : { restartPolicy: restartPolicies[restartPolicy] }),
  };
}

/** Whether policy, or what a provider can't do, is in the way, however many of it are to run. */
function deniedBy(tenant: StoredTenant): string | undefined {
  const { volumes = [] } = (tenant.spec.computeConfig?.['docker'] ?? {}) as DockerBlock;
  const isOfHost = providerOf(tenant) === 'docker' && volumes.some((volume) => volume.startsWith('/'));
  if (isOfHost) return 'a path of the host is asked for';
  return providerOf(tenant) === 'ecs' && edgePortsOf(tenant).length > 0 ? 'ECS has no edge' : undefined;
}

/** Why it can't run well, by its own fault. */
function faultOf(wanted: Wanted, all: readonly Wanted[]): string | undefined {
  const facts = factsOfRun(wanted.image, wanted.args);
  if (facts.pull === 'missing') return 'its image is missing';
  if (facts.cannotStart === true) return 'its command is missing';
  if (facts.isSick === true && wanted.hasHealthCheck) return 'it fails its health check';
  if (facts.needs !== undefined && !all.some(({ name }) => name === facts.needs))
    return 'what it needs is missing';
  if (facts.exits === undefined) return undefined;
  return facts.exits.code === 0 &&
    wanted.restartPolicy !== 'always' &&
    wanted.restartPolicy !== 'unless-stopped'
    ? undefined
    : 'its process ends';
}

/** Whether it runs to an end of its own, and that is all that it should do. */
export function isJob({ image, args, restartPolicy }: Wanted): boolean {
  return (
    factsOfRun(image, args).exits?.code === 0 &&
    restartPolicy !== 'always' &&
    restartPolicy !== 'unless-stopped'
  );
}

/** Made by an operator for that tenant: what a person runs from a copy is not. */
export function containersOf(engine: DockerEngine, key: string): readonly Container[] {
  return [...engine.containers.values()].filter((one) => one.madeBy !== 'person' && one.tenant === key);
}

/** Whether that operator's config leads to where it is: its engine, and the `label_prefix` that its marks have. */
export function isAtPlaceOf(
  { engine, docker = {} }: OperatorConfig,
  where: DockerEngine,
  { labels }: Container,
): boolean {
  const prefix = (docker['label_prefix'] as string | undefined) ?? 'landlord';
  return engine === where.name && Object.keys(labels).some((key) => key.startsWith(`${prefix}.`));
}

/** Whether it comes from that wish: what can be changed while it runs is left out. */
export function comesFrom(container: Container, wanted: Wanted): boolean {
  if (container.role !== wanted.name || container.image !== wanted.image) return false;
  const env = new Map((container.body.Env ?? []).map((line) => split(line)));
  const bindings = portBindings(container).map(([port, host]) => `${port}=${host}`);
  return (
    env.size === wanted.env.size &&
    [...wanted.env].every(([name, values]) => values.includes(env.get(name) ?? '')) &&
    sameTexts(
      bindings,
      wanted.ports.map(([port, host]) => `${port}=${host}`),
    ) &&
    wanted.runsAsImage === (container.body.Entrypoint === undefined) &&
    (wanted.args === undefined || sameTexts(container.body.Cmd ?? [], wanted.args)) &&
    wanted.isAlone === !isOneOfSeveral(container) &&
    isInNetworkOf(container, wanted) &&
    sameTexts(bindsOf(container), wanted.binds) &&
    (wanted.leadsTo ?? []).every((end) => leadsTo(container, end)) &&
    // A limit can't be taken away while it runs.
    !(wanted.memory === 0 && (container.hostConfig.Memory ?? 0) !== 0)
  );
}

function leadsTo({ name, files }: Container, end: string): boolean {
  return files.includes(`server serving ${name.split(`.${edgeRole}`)[0]}${end} `);
}

function isOneOfSeveral({ name, labels, role }: Container): boolean {
  return name.includes(`-tenant-${markOf(labels, 'tenant_id') ?? ''}.${role}`);
}

/** In whose namespace one is that shares it, `whatJoinsIsInside` looks at. */
function isInNetworkOf(container: Container, { joins }: Wanted): boolean {
  const { NetworkMode: mode = '' } = container.hostConfig;
  return joins === undefined ? networksOf(container).includes(mode) : mode.startsWith('container:');
}

/** Whether it is in another one's network namespace; `holder`: whose, if that is still there. */
export function isJoined(
  { containers }: DockerEngine,
  { hostConfig }: Container,
): { readonly holder: Container | undefined } | undefined {
  const [, joined] = hostConfig.NetworkMode?.split('container:') ?? [];
  return joined === undefined ? undefined : { holder: containers.get(joined) };
}

/** Whether it was left in a network namespace that leads nowhere: whose that is has begun anew, or is gone. */
export function isCutOff(engine: DockerEngine, container: Container): boolean {
  const joined = isJoined(engine, container);
  if (joined === undefined) return false;
  return joined.holder === undefined || joined.holder.startedMs > container.startedMs;
}

/** Those of its tenant, which nobody else is in: the second one where the first has become too small. */
function networksOf({ labels, role }: Container): readonly string[] {
  const [key = '', id = ''] = Object.entries(labels).find(([key]) => key.endsWith('.tenant_id')) ?? [];
  const name = `${key.replace(/\.tenant_id$/, '')}-${id}${/_\d+$/.exec(role)?.[0] ?? ''}`;
  return [name, `${name}.large`];
}

/** Without the volume that its image declares, whoever looks after that, and without those of files. */
function bindsOf({ hostConfig, image }: Container): readonly string[] {
  const { volume } = imageFacts(image);
  return (hostConfig.Binds ?? []).filter(
    (bind) => bind.split(':')[1] !== volume && !bind.split(':')[0]?.includes('_.files.'),
  );
}

function split(line: string): readonly [string, string] {
  const at = line.indexOf('=');
  return [line.slice(0, at), line.slice(at + 1)];
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text) => b.includes(text));
}

export const settleMs = 3_000;
const longestSettleMs = 300_000;

/** When something is judged. */
export interface Judged {
  readonly atMs: number;
  /** What a timer may be early by. */
  readonly slackMs?: number;
  /** Since when somebody has watched: of what crashed before, an engine keeps no record. */
  readonly watchedSinceMs?: number;
}

/** Whether it has run well long enough to be believed, at that time. */
export function isSettled(
  container: Container,
  { atMs, slackMs = 0, watchedSinceMs = -Infinity }: Judged,
): boolean {
  const { state, health, startedMs, finishedMs, crashes } = container;
  const ran = state === 'running' ? startedMs <= atMs : startedMs <= atMs && finishedMs > atMs;
  if (!ran) return false;
  if (health !== undefined) return health === 'healthy' || state !== 'running';
  const fromMs = Math.max(atMs - longestSettleMs, watchedSinceMs);
  const recent = crashes.filter((ms) => ms > fromMs && ms <= atMs).length;
  return atMs - startedMs + slackMs >= Math.min(longestSettleMs, settleMs * 2 ** recent);
}

/** What has ended stays so: its restart policy wants it that way. */
export function standsStill(container: Container, { restartPolicy }: Wanted): boolean {
  if (container.state !== 'exited') return false;
  return restartPolicy === 'no' || (restartPolicy === 'on-failure' && container.exitCode === 0);
}

/** Containers that do as they should: running, or a job that has come to its end. */
export function servesAt(container: Container, wanted: Wanted, judged: Judged): boolean {
  if (!comesFrom(container, wanted)) return false;
  if (isJob(wanted)) return container.state !== 'created' && (isUp(container) || container.exitCode === 0);
  return isSettled(container, judged);
}

/** Of what is wanted, what does not run as it should, nor has come to the end that it should; empty where all does. */
export function lackingOf(
  engine: DockerEngine,
  key: string,
  { containers }: Expectation,
  judged: Judged,
): readonly Wanted[] {
  const there = containersOf(engine, key);
  const isDone = (wanted: Wanted): boolean =>
    isJob(wanted) && [...engine.done].some((one) => one.tenant === key && comesFrom(one, wanted));
  return containers.filter(
    (wanted) => !isDone(wanted) && !there.some((one) => servesAt(one, wanted, judged)),
  );
}
