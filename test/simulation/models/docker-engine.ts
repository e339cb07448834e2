import type Dockerode from 'dockerode';
import type { EngineEvent } from '../../../src/compute/providers/docker/engine/engine.ts';
import type { Random } from '../random.ts';
import { beginRun, endRun, isUp, portBindings, restartPolicyOf } from './docker-container.ts';
import type { Container, Surroundings } from './docker-container.ts';
import { firstEndpoints, freeAddress } from '../../compute/providers/docker/engine-answers.ts';
import { imageFacts } from './images.ts';

/**
 * A Docker Engine: what it holds, what its containers' processes do by themselves, and what happens to it. Its clients
 * (docker-client.ts) speak to it over a network; persons (docker-hands.ts) have their hands on it.
 */
export interface DockerEngine {
  readonly name: string;
  readonly containers: Map<string, Container>;
  readonly networks: Map<string, Network>;
  readonly volumes: Map<string, Volume>;
  readonly images: Set<string>;
  /** The archives that were put into volumes, by the volume. */
  readonly archives: Map<string, string>;
  /** Those of them that a person has brought. */
  readonly brought: Set<string>;
  /** Host ports that something else on the host holds. */
  readonly heldPorts: Set<number>;
  readonly streams: Set<(event: EngineEvent | undefined) => void>;
  readonly random: Random;
  /** `stopping`: it ends its containers and still answers. `frozen`: it takes calls and answers none. */
  phase: 'up' | 'stopping' | 'down' | 'frozen';
  /** Since when it has been out of reach; 0: it is not. */
  unreachableSinceMs: number;
  /** When it was started, by its own clock. */
  startedMs: number;
  /** Milliseconds by which its clock is ahead. */
  skewMs: number;
  /** It answers that it has set memory limits, and has not. */
  discardsLimits: boolean;
  /** What it removes is on its way for minutes, as with a storage driver that is stuck. */
  removesSlowly: boolean;
  /** Containers whose process has come to a good end by itself; those that somebody has taken away since, too. */
  readonly done: Set<Container>;
  /** When a container of that tenant (`namespace/name`) was last seen to stop. */
  readonly disturbedMs: Map<string, number>;
  /** Told of each change before it happens. */
  onChange: (change: EngineChange) => void;
  readonly surroundings: Surroundings;
  now(): number;
  nextId(): string;
  find(idOrName: string): Container | undefined;
}

export interface Network {
  readonly Id: string;
  readonly Name: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly IPAM?: { readonly Config?: readonly { readonly Subnet?: string }[] };
  readonly madeMs: number;
}

export interface Volume {
  readonly Name: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly Driver: string;
  readonly anonymous: boolean;
  /** Tells whether it is still the one that was written to. */
  readonly madeMs: number;
}

/** One change of what the engine holds, by whom it was asked for. */
export interface EngineChange {
  readonly by: string;
  readonly call: EngineChangeCall;
  readonly container?: Container | undefined;
  readonly network?: Network | undefined;
  readonly volume?: Volume | undefined;
  readonly image?: string | undefined;
  readonly detail?: string | undefined;
}

export type EngineChangeCall =
  | 'create'
  | 'start'
  | 'stop'
  | 'remove'
  | 'rename'
  | 'update'
  | 'unpause'
  | 'connect'
  | 'disconnect'
  | 'createNetwork'
  | 'removeNetwork'
  | 'createVolume'
  | 'removeVolume'
  | 'removeImage';

/** An answer of the engine that is no success, in its own words. */
export class Refused extends Error {
  readonly status: number;

  constructor(status: number, text: string) {
    super(text);
    this.status = status;
  }
}

/** Of each subnet, nobody gets its own address, the gateway's, and the one for broadcasts. */
const reservedAddresses = 3;

/** How many containers may be in it at once; the engine picks a large subnet itself where none is asked for. */
function roomOf({ IPAM }: Network): number {
  const subnet = IPAM?.Config?.[0]?.Subnet;
  return subnet === undefined ? Infinity : 2 ** (32 - Number(subnet.split('/')[1])) - reservedAddresses;
}

export function createDockerEngine(name: string, random: Random): DockerEngine {
  let ids = 0;
  const now = (): number => Date.now();
  const find = (idOrName: string): Container | undefined =>
    engine.containers.get(idOrName) ?? [...engine.containers.values()].find((one) => one.name === idOrName);
  const engine: DockerEngine = {
    name,
    containers: new Map(),
    networks: new Map(),
    volumes: new Map(),
    images: new Set(),
    archives: new Map(),
    brought: new Set(),
    heldPorts: new Set(),
    streams: new Set(),
    random,
    phase: 'up',
    unreachableSinceMs: 0,
    startedMs: Date.now(),
    skewMs: 0,
    discardsLimits: false,
    removesSlowly: false,
    done: new Set(),
    disturbedMs: new Map(),
    onChange: () => undefined,
    surroundings: {
      now,
      emit: (action, container) => emit(engine, action, container),
      isAlive: () => engine.phase === 'up' || engine.phase === 'frozen',
      answers: (asker, network, wanted) =>
        asker.endpoints.has(network) && reached(engine, network, wanted).length > 0,
      assignPorts: (container) => assignPorts(engine, container),
      assignAddresses: (container) => assignAddresses(engine, container),
    },
    now,
    nextId: () => `${(ids += 1)}`.padStart(64, '0'),
    find,
  };
  return engine;
}

function emit(
  engine: DockerEngine,
  action: string,
  container: Container,
  more: Readonly<Record<string, string>> = {},
): void {
  const { id, name, labels, exitCode, tenant } = container;
  if (/^(die|destroy|pause|health_status: unhealthy)$/.test(action))
    engine.disturbedMs.set(tenant, engine.now());
  // Of itself, be it while a stop waits for it: whom a signal ends has another code.
  if (action === 'die' && exitCode === 0) engine.done.add(container);
  const attributes = { ...labels, name, exitCode: `${exitCode}`, ...more };
  const event = { action, id, attributes, timeMs: engine.now() + engine.skewMs };
  for (const push of engine.streams) push(event);
}

type Labels = Readonly<Record<string, string>>;

/** The mark without its prefix. */
export function markOf(labels: Labels, mark: string): string | undefined {
  return Object.entries(labels).find(([key]) => key.endsWith(`.${mark}`))?.[1];
}

/** `namespace/name` of the Tenant that the labels name. */
export function tenantMark(labels: Labels): string {
  return `${markOf(labels, 'tenant_namespace') ?? ''}/${markOf(labels, 'tenant_name') ?? ''}`;
}

function must(engine: DockerEngine, id: string): Container {
  const container = engine.find(id);
  if (container === undefined) throw new Refused(404, `No such container: ${id}`);
  return container;
}

export function create(
  engine: DockerEngine,
  by: string,
  name: string,
  body: Omit<Dockerode.ContainerCreateOptions, 'name'>,
): string {
  if (engine.find(name) !== undefined)
    throw new Refused(409, `Conflict. The container name "/${name}" is already in use`);
  // By its id.
  const image = (body.Image ?? '').replace(/^sha256:/, '');
  if (!engine.images.has(image)) throw new Refused(404, `No such image: ${image}`);
  const id = engine.nextId();
  const hostConfig = structuredClone(body.HostConfig ?? {});
  if (engine.discardsLimits) hostConfig.Memory = 0;
  const { volume } = imageFacts(image);
  const isMounted = (hostConfig.Binds ?? []).some((bind) => bind.split(':')[1] === volume);
  const anonymous = volume === undefined || isMounted ? [] : [`anonymous${id}`];
  const container: Container = {
    id,
    name,
    image,
    labels: { ...body.Labels },
    tenant: tenantMark(body.Labels ?? {}),
    role: markOf(body.Labels ?? {}, 'container') ?? '',
    body: structuredClone(body),
    hostConfig,
    madeBy: by,
    state: 'created',
    health: undefined,
    exitCode: 0,
    error: '',
    restartCount: 0,
    createdMs: engine.now(),
    startedMs: 0,
    finishedMs: 0,
    pausedMs: 0,
    wasStopped: false,
    isStuck: false,
    isBroken: false,
    ports: {},
    anonymousVolumes: anonymous,
    endpoints: firstEndpoints(body),
    files: (hostConfig.Binds ?? [])
      .map((bind) => engine.archives.get(bind.split(':')[0] ?? '') ?? '')
      .join(''),
    flaw: undefined,
    crashes: [],
    run: 0,
  };
  engine.onChange({ by, call: 'create', container });
  for (const Name of anonymous) engine.volumes.set(Name, volumeOf(engine, Name, {}, true));
  for (const bind of hostConfig.Binds ?? []) {
    const [source = ''] = bind.split(':');
    if (!source.startsWith('/') && !engine.volumes.has(source))
      engine.volumes.set(source, volumeOf(engine, source, {}, false));
  }
  engine.containers.set(id, container);
  emit(engine, 'create', container);
  return id;
}

function volumeOf(engine: DockerEngine, Name: string, Labels: Volume['Labels'], anonymous: boolean): Volume {
  return { Name, Labels, Driver: 'local', anonymous, madeMs: engine.now() };
}

export function putFiles(engine: DockerEngine, id: string, path: string, archive: Buffer): void {
  const bind = must(engine, id).hostConfig.Binds?.find((one) => one.split(':')[1] === path);
  engine.archives.set(bind?.split(':')[0] ?? '', archive.toString('latin1'));
}

export function start(engine: DockerEngine, by: string, id: string): void {
  const container = must(engine, id);
  if (isUp(container)) return;
  engine.onChange({ by, call: 'start', container });
  if (engine.phase === 'stopping') {
    container.isStuck = true;
    throw new Refused(500, 'transport is closing: unavailable');
  }
  const refusal = startRefusal(engine, container);
  if (refusal !== undefined) {
    container.error = refusal.message;
    throw refusal;
  }
  container.restartCount = 0;
  beginRun(container, engine.surroundings);
}

function startRefusal(engine: DockerEngine, container: Container): Refused | undefined {
  if (container.isStuck) return new Refused(500, 'failed to create task for container: task: already exists');
  if (imageFacts(container.image).cannotStart === true)
    return new Refused(400, 'OCI runtime create failed: exec: "/nope": executable file not found in $PATH');
  // An empty list in place of the image's own leaves nothing to run.
  if (container.body.Entrypoint?.length === 0) return new Refused(400, 'no command specified: invalid');
  const network = container.hostConfig.NetworkMode ?? 'bridge';
  const [, joined] = network.split('container:');
  if (joined !== undefined) {
    const holder = engine.containers.get(joined);
    if (holder === undefined) return new Refused(404, `No such container: ${joined}`);
    if (holder.state !== 'running')
      return new Refused(409, `cannot join network of a non running container: ${joined}`);
  }
  const isBuiltIn = ['bridge', 'host', 'none'].includes(network) || joined !== undefined;
  if (!isBuiltIn) {
    const joined = [...engine.networks.values()].find(({ Name }) => Name === network);
    if (joined === undefined) return new Refused(404, `network ${network} not found`);
    if (container.endpoints.has(network) && membersOf(engine, network).length >= roomOf(joined))
      return new Refused(403, "no available IPv4 addresses on this network's address pools");
  }
  const busy = fixedPorts(container).find((port) => isHeld(engine, port, container));
  return busy === undefined
    ? undefined
    : new Refused(
        500,
        `driver failed programming external connectivity: Bind for 127.0.0.1:${busy} failed: port is already allocated`,
      );
}

function isHeld(engine: DockerEngine, port: number, asker: Container): boolean {
  if (engine.heldPorts.has(port)) return true;
  return [...engine.containers.values()].some(
    (one) => one !== asker && isUp(one) && Object.values(one.ports).includes(port),
  );
}

function fixedPorts(container: Container): readonly number[] {
  return portBindings(container).flatMap(([, hostPort]) => (hostPort === 0 ? [] : [hostPort]));
}

function assignPorts(engine: DockerEngine, container: Container): void {
  container.ports = Object.fromEntries(
    portBindings(container).map(([port, hostPort]) => [
      port,
      hostPort === 0 ? engine.random.int(32_768, 60_999) : hostPort,
    ]),
  );
}

function assignAddresses(engine: DockerEngine, container: Container): void {
  const others = [...engine.containers.values()].filter((other) => other !== container && isUp(other));
  for (const [network, endpoint] of container.endpoints)
    endpoint.address = freeAddress(
      network,
      others.map(({ endpoints }) => endpoints),
    );
}

/** The containers that a name leads to in a network. */
export function reached(engine: DockerEngine, network: string, alias: string): readonly Container[] {
  return [...engine.containers.values()].filter(
    ({ endpoints, state }) => state === 'running' && endpoints.get(network)?.aliases.includes(alias) === true,
  );
}

export function connect(
  engine: DockerEngine,
  by: string,
  id: string,
  { network, aliases }: { readonly network: string; readonly aliases: readonly string[] },
): void {
  const container = must(engine, id);
  const joined = [...engine.networks.values()].find(({ Name }) => Name === network);
  if (joined === undefined) throw new Refused(404, `network ${network} not found`);
  if (container.endpoints.has(network)) return;
  if (isUp(container) && membersOf(engine, network).length >= roomOf(joined))
    throw new Refused(403, "no available IPv4 addresses on this network's address pools");
  engine.onChange({ by, call: 'connect', container, detail: aliases.join() });
  container.endpoints.set(network, { aliases, address: '' });
  if (isUp(container)) assignAddresses(engine, container);
}

export function disconnect(engine: DockerEngine, by: string, id: string, network: string): void {
  const container = engine.find(id);
  if (container?.endpoints.has(network) !== true) return;
  engine.onChange({ by, call: 'disconnect', container, detail: network });
  container.endpoints.delete(network);
}

function membersOf(engine: DockerEngine, network: string): readonly Container[] {
  return [...engine.containers.values()].filter((one) => isUp(one) && one.endpoints.has(network));
}

/** Through the engine, which tells of it and does not start it again. */
export function askToEnd(engine: DockerEngine, container: Container, signal: string): void {
  container.wasStopped = true;
  emit(engine, 'kill', container, { signal });
}

/** Of a stop that would take as many of the 20 to 200 ms, the process does not heed its signal: one of sixteen. */
const deafFromMs = 190;

/** Milliseconds until its process has ended; undefined: it does not run. One that is deaf is killed after `graceMs`. */
export function stop(engine: DockerEngine, by: string, id: string, graceMs = 10_000): number | undefined {
  const container = engine.find(id);
  if (container === undefined || !isUp(container)) return undefined;
  engine.onChange({ by, call: 'stop', container });
  askToEnd(engine, container, '15');
  if (container.state === 'restarting') {
    container.run += 1;
    container.state = 'exited';
    return 0;
  }
  const endsMs = engine.random.int(20, 200);
  const isDeaf = endsMs >= deafFromMs;
  const ms = isDeaf ? graceMs : endsMs;
  const { run } = container;
  setTimeout(() => {
    if (container.run !== run || !isUp(container)) return;
    if (isDeaf) askToEnd(engine, container, '9');
    endRun(container, isDeaf ? 137 : 143, engine.surroundings);
  }, ms);
  return ms + 1;
}

export function unpause(engine: DockerEngine, by: string, id: string): void {
  const container = must(engine, id);
  if (container.state !== 'paused') return;
  engine.onChange({ by, call: 'unpause', container });
  container.state = 'running';
  emit(engine, 'unpause', container);
}

/** Milliseconds that it takes. With its anonymous volumes, as `force` and `v` have it. */
export function remove(engine: DockerEngine, by: string, id: string): number | undefined {
  const container = engine.find(id);
  if (container === undefined || container.state === 'removing') return undefined;
  engine.onChange({ by, call: 'remove', container });
  if (isUp(container)) askToEnd(engine, container, '9');
  else container.wasStopped = true;
  if (isUp(container)) endRun(container, 137, engine.surroundings);
  container.run += 1;
  container.state = 'removing';
  const ms = engine.removesSlowly ? 120_000 : engine.random.int(5, 100);
  setTimeout(() => {
    engine.containers.delete(container.id);
    for (const name of container.anonymousVolumes) engine.volumes.delete(name);
    emit(engine, 'destroy', container);
  }, ms);
  return engine.removesSlowly ? undefined : ms + 1;
}

export function rename(engine: DockerEngine, by: string, id: string, name: string): void {
  const container = must(engine, id);
  const holder = engine.find(name);
  if (holder === container) return;
  if (holder !== undefined)
    throw new Refused(409, `Conflict. The container name "/${name}" is already in use`);
  engine.onChange({ by, call: 'rename', container, detail: name });
  container.name = name;
  emit(engine, 'rename', container);
}

export function update(
  engine: DockerEngine,
  by: string,
  id: string,
  body: Readonly<Record<string, unknown>>,
): void {
  const container = must(engine, id);
  engine.onChange({ by, call: 'update', container, detail: JSON.stringify(body) });
  Object.assign(container.hostConfig, body);
  if (engine.discardsLimits) container.hostConfig.Memory = 0;
  emit(engine, 'update', container);
}

/** Two that are asked for at once do not see each other. */
const blindMs = 100;

export function createNetwork(
  engine: DockerEngine,
  by: string,
  body: Dockerode.NetworkCreateOptions,
): string {
  const subnet = body.IPAM?.Config?.[0]?.['Subnet'];
  const taken = [...engine.networks.values()].flatMap(
    ({ IPAM }) => IPAM?.Config?.map(({ Subnet }) => Subnet) ?? [],
  );
  if (subnet !== undefined && taken.includes(subnet))
    throw new Refused(403, 'Pool overlaps with other one on this address space');
  const madeMs = engine.now();
  const isThere = [...engine.networks.values()].some(
    (one) => one.Name === body.Name && one.madeMs < madeMs - blindMs,
  );
  if (body.CheckDuplicate === true && isThere)
    throw new Refused(409, `network with name ${body.Name} already exists`);
  const made = { Id: engine.nextId(), Labels: { ...body.Labels }, madeMs };
  const network = { ...body, ...made } as unknown as Network;
  engine.onChange({ by, call: 'createNetwork', network });
  engine.networks.set(network.Id, network);
  return network.Id;
}

export function removeNetwork(engine: DockerEngine, by: string, id: string): void {
  const network = engine.networks.get(id);
  if (network === undefined) return;
  if (membersOf(engine, network.Name).length > 0)
    throw new Refused(403, `network ${network.Name} has active endpoints`);
  engine.onChange({ by, call: 'removeNetwork', network });
  engine.networks.delete(id);
}

export function createVolume(
  engine: DockerEngine,
  by: string,
  { Name = '', Labels = {} }: Dockerode.VolumeCreateOptions,
): Volume {
  const known = engine.volumes.get(Name);
  if (known !== undefined) return known;
  const volume = volumeOf(engine, Name, { ...Labels }, false);
  engine.onChange({ by, call: 'createVolume', volume });
  engine.volumes.set(Name, volume);
  return volume;
}

export function removeVolume(engine: DockerEngine, by: string, name: string): void {
  const volume = engine.volumes.get(name);
  if (volume === undefined) return;
  if (usersOf(engine, name).length > 0) throw new Refused(409, `remove ${name}: volume is in use`);
  engine.onChange({ by, call: 'removeVolume', volume });
  engine.volumes.delete(name);
}

/** Its image has one name only, so that both remove it. */
export function removeImage(engine: DockerEngine, by: string, nameOrId: string): 'removed' | 'in-use' {
  const image = [...engine.images].find((one) => `sha256:${one}` === nameOrId || one === nameOrId);
  if (image === undefined) return 'removed';
  if ([...engine.containers.values()].some((container) => container.image === image)) return 'in-use';
  engine.onChange({ by, call: 'removeImage', image });
  engine.images.delete(image);
  return 'removed';
}

export function usersOf(engine: DockerEngine, volume: string): readonly Container[] {
  return [...engine.containers.values()].filter(
    ({ hostConfig, anonymousVolumes }) =>
      anonymousVolumes.includes(volume) ||
      (hostConfig.Binds ?? []).some((bind) => bind.split(':')[0] === volume),
  );
}

/** `graceful`: as on an upgrade, it ends its containers one by one first. `killed`: it is gone at once. */
export function restart(engine: DockerEngine, how: 'graceful' | 'killed', downMs: number): void {
  if (engine.phase !== 'up') return;
  const up = [...engine.containers.values()].filter(isUp);
  const stopsMs = how === 'killed' ? 0 : 300 + up.length * 120;
  engine.phase = 'stopping';
  for (const [index, container] of up.entries()) {
    setTimeout(
      () => {
        if (!isUp(container)) return;
        if (container.state === 'restarting') container.state = 'exited';
        else endRun(container, how === 'killed' ? 255 : 143, engine.surroundings);
      },
      how === 'killed' ? 1 : 100 + index * 120,
    );
  }
  setTimeout(() => goDown(engine), Math.max(2, stopsMs));
  setTimeout(() => comeUp(engine, how), Math.max(2, stopsMs) + downMs);
}

export function goDown(engine: DockerEngine): void {
  engine.phase = 'down';
  engine.unreachableSinceMs = engine.now();
  for (const push of engine.streams) push(undefined);
}

function comeUp(engine: DockerEngine, how: 'graceful' | 'killed'): void {
  engine.phase = 'up';
  engine.unreachableSinceMs = 0;
  engine.startedMs = engine.now() + engine.skewMs;
  for (const container of engine.containers.values()) {
    if (container.state === 'removing') engine.containers.delete(container.id);
    if (container.state !== 'exited' || container.wasStopped || container.startedMs === 0) continue;
    const policy = restartPolicyOf(container);
    const comesBack =
      policy === 'always' ||
      (policy === 'on-failure' && container.exitCode !== 0) ||
      (policy === 'unless-stopped' && how === 'graceful');
    if (!comesBack) continue;
    const refusal = startRefusal(engine, container);
    if (refusal === undefined) setTimeout(() => startAgain(engine, container), engine.random.int(20, 800));
    else container.error = refusal.message;
  }
}

/** By the engine itself, unless somebody was faster. */
function startAgain(engine: DockerEngine, container: Container): void {
  if (engine.phase !== 'up' || container.state !== 'exited') return;
  const refusal = startRefusal(engine, container);
  if (refusal === undefined) beginRun(container, engine.surroundings);
  else container.error = refusal.message;
}
