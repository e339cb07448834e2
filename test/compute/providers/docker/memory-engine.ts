import { createHash } from 'node:crypto';
import type Dockerode from 'dockerode';
import { ComputeError } from '../../../../src/compute/errors.ts';
import { covers } from '../../../../src/compute/permit.ts';
import { parseImageReference, pinnedImage } from '../../../../src/compute/spec/image-reference.ts';
import { EngineRefusal } from '../../../../src/compute/providers/docker/engine/engine.ts';
import type {
  Engine,
  EngineEvent,
  NetworkCalls,
} from '../../../../src/compute/providers/docker/engine/engine.ts';
import {
  bindMounts,
  firstEndpoints,
  freeAddress,
  inspectedCourse,
  inspectedPorts,
  networkSettings,
} from './engine-answers.ts';
import type { Endpoints, ToldPort } from './engine-answers.ts';

/**
 * A Docker Engine in memory, as far as plans depend on one: names, labels, states, fixed host ports, refusals. The real
 * engine has the last word in the *.real.test.ts; this one is for the thousands of walks that a real one has no time
 * for. An image whose name contains `crash` exits with code 3 at once; `bad-command` can't be started.
 */
export interface MemoryEngine extends Engine {
  readonly containers: Map<string, MemoryContainer>;
  readonly networks: Map<string, Dockerode.NetworkInspectInfo>;
  readonly volumes: Map<string, Dockerode.VolumeInspectInfo>;
  /** Of images that are present. All others are pulled with success, unless their name contains `missing`. */
  readonly images: Set<string>;
  /** Those of them that a registry gave. */
  readonly pulledImages: Set<string>;
  /** All tags of images, by image; one that is not in here has its own name alone. */
  readonly tags: Map<string, readonly string[]>;
  /** What images are built on, by image. */
  readonly parents: Map<string, string>;
  /** What images declare as VOLUME, by image. */
  readonly imageVolumes: Map<string, readonly string[]>;
  /** The archive that was put into a volume last, by the volume. */
  readonly filled: Map<string, Buffer>;
  /** Folders that are in volumes: `VOLUME/PATH`. */
  readonly folders: Set<string>;
  /** What containers of an image have printed, by image. */
  readonly outputs: Map<string, string>;
  /** Names of the calls so far. */
  readonly calls: string[];
  emit(action: string, container: MemoryContainer, attributes?: Readonly<Record<string, string>>): void;
  /** What somebody does with an image: `id` is its id, or the name that it was pulled by. */
  emitImage(action: string, id: string): void;
  /** Ends the streams of events. */
  breakStreams(): void;
  /**
   * What a restart of the engine does: all that is up ends with this code, and what its policy lets is started again,
   * unless the engine was killed. Streams of events end.
   */
  restart(exitCode: number, how?: 'in order' | 'killed'): void;
}

export interface MemoryContainer {
  readonly id: string;
  name: string;
  /** Of the request that made it, but for the image, which is the reference of the one that was asked for. */
  readonly body: Dockerode.ContainerCreateOptions;
  /** The image as it was asked for. */
  readonly askedFor: string;
  state: string;
  exitCode: number;
  error: string;
  restartCount: number;
  createdMs: number;
  startedMs: number;
  finishedMs: number;
  health?: string;
  readonly hostConfig: Dockerode.HostConfig;
  /** Volumes that the engine made for the paths of its image, with names of the engine's own. */
  readonly anonymous: readonly { readonly name: string; readonly target: string }[];
  readonly endpoints: Endpoints;
}

/** Calls that change something on the engine. */
export const writes: readonly string[] = [
  'createContainer',
  'putFiles',
  'startContainer',
  'unpauseContainer',
  'stopContainer',
  'removeContainer',
  'renameContainer',
  'updateContainer',
  'createNetwork',
  'removeNetwork',
  'connectContainer',
  'disconnectContainer',
  'createVolume',
  'removeVolume',
  'removeImage',
];

/** The call's name, where it changes something. */
export function writeOf(call: string): string | undefined {
  return writes.includes(call) ? call : undefined;
}

/** `aheadMs`: by how much its clock is ahead of ours. `id`: its own, and its address follows from it. */
export function memoryEngine(images: readonly string[] = [], aheadMs = 0, id = 'memory'): MemoryEngine {
  const state = createState(images, aheadMs);
  return {
    ...state,
    address: `unix:///${id}.sock`,
    identify: async () => ({ engineId: id }),
    startedMs: async () => state.engineStart.ms,
    ping: async () => undefined,
    restart: (exitCode, how = 'in order') => restart(state, exitCode, how),
    ...containerCalls(state),
    ...imageCalls(state),
    ...networkCalls(state),
    ...volumeCalls(state),
  };
}

interface State extends Pick<
  MemoryEngine,
  | 'containers'
  | 'networks'
  | 'volumes'
  | 'images'
  | 'pulledImages'
  | 'tags'
  | 'parents'
  | 'imageVolumes'
  | 'filled'
  | 'folders'
  | 'outputs'
  | 'calls'
  | 'emit'
  | 'emitImage'
  | 'breakStreams'
  | 'time'
> {
  readonly engineStart: { ms: number };
  readonly streams: Set<(event: EngineEvent | undefined) => void>;
  readonly imageStreams: Set<(event: EngineEvent | undefined) => void>;
  /** The events that are told to who begins to hear of images. */
  readonly remembered: EngineEvent[];
  nextId(): string;
  /** Every instant is later than the one before, so that orders can be told. */
  now(): number;
}

function createState(images: readonly string[], aheadMs: number): State {
  const streams = new Set<(event: EngineEvent | undefined) => void>();
  const imageStreams = new Set<(event: EngineEvent | undefined) => void>();
  const remembered: EngineEvent[] = [];
  let ids = 0;
  let last = 0;
  const now = (): number => (last = Math.max(Date.now() + aheadMs, last + 1));
  return {
    containers: new Map(),
    networks: new Map(),
    volumes: new Map(),
    images: new Set(images),
    pulledImages: new Set(),
    tags: new Map(),
    parents: new Map(),
    imageVolumes: new Map(),
    filled: new Map(),
    folders: new Set(),
    outputs: new Map(),
    calls: [],
    streams,
    imageStreams,
    remembered,
    time: { nowMs: () => Math.max(Date.now() + aheadMs, last), silentForMs: () => 0 },
    engineStart: { ms: 0 },
    nextId: () => `${(ids += 1)}`.padStart(64, '0'),
    now,
    emit(action, { id, name, body, exitCode }, more = {}) {
      const attributes = { ...body.Labels, name, exitCode: `${exitCode}`, ...more };
      for (const push of streams) push({ action, id, attributes, timeMs: now() });
      if (action !== 'create') return;
      const event = { action, id, attributes: { ...attributes, image: body.Image ?? '' }, timeMs: now() };
      remembered.push(event);
      for (const push of imageStreams) push(event);
    },
    emitImage(action, id) {
      const event = { action, id, attributes: {}, timeMs: now() };
      remembered.push(event);
      for (const push of imageStreams) push(event);
    },
    breakStreams() {
      for (const push of [...streams, ...imageStreams]) push(undefined);
    },
  };
}

type Containers = Pick<
  Engine,
  | 'listContainers'
  | 'inspectContainer'
  | 'lastOutput'
  | 'createContainer'
  | 'hasPath'
  | 'putFiles'
  | 'startContainer'
  | 'unpauseContainer'
  | 'stopContainer'
  | 'removeContainer'
  | 'renameContainer'
  | 'updateContainer'
  | 'events'
  | 'imageEvents'
  | 'close'
>;

function containerCalls(state: State): Containers {
  const { containers, calls, emit } = state;
  const find = (idOrName: string): MemoryContainer | undefined =>
    containers.get(idOrName) ?? [...containers.values()].find(({ name }) => name === idOrName);
  const must = (id: string): MemoryContainer => {
    const container = find(id);
    if (container === undefined) throw new EngineRefusal('gone', 404, `No such container: ${id}`);
    return container;
  };
  return {
    async listContainers(labels) {
      calls.push('listContainers');
      return [...containers.values()]
        .filter(({ body }) => hasLabels(body.Labels, labels))
        .map((container) => listed(state, container));
    },
    async inspectContainer(idOrName) {
      calls.push('inspectContainer');
      const container = find(idOrName);
      return container === undefined ? undefined : inspected(state, container);
    },
    async lastOutput(id) {
      calls.push('lastOutput');
      return state.outputs.get(find(id)?.body.Image ?? '') ?? '';
    },
    async createContainer(name, body) {
      calls.push('createContainer');
      if (find(name) !== undefined) return 'name-taken';
      const Image = imageOf(state, body.Image ?? '');
      if (Image === undefined) throw new EngineRefusal('missing-image', 404, 'No such image');
      const id = state.nextId();
      const container: MemoryContainer = {
        id,
        name,
        body: { ...structuredClone(body), Image },
        askedFor: body.Image ?? '',
        state: 'created',
        exitCode: 0,
        error: '',
        restartCount: 0,
        createdMs: state.now(),
        startedMs: 0,
        finishedMs: 0,
        hostConfig: structuredClone(body.HostConfig ?? {}),
        anonymous: anonymousVolumes(state, { ...body, Image }),
        endpoints: firstEndpoints(body),
      };
      containers.set(id, container);
      emit('create', container);
      return { id };
    },
    async hasPath(id, path) {
      calls.push('hasPath');
      const binds = (must(id).hostConfig.Binds ?? []).map((bind) => bind.split(':'));
      const [source = '', to = ''] = binds.find(([, at = '']) => path.startsWith(`${at}/`)) ?? [];
      return state.folders.has(`${source}${path.slice(to.length)}`);
    },
    async putFiles(id, path, archive) {
      calls.push('putFiles');
      const { hostConfig, state: container } = must(id);
      const [source] =
        (hostConfig.Binds ?? []).map((bind) => bind.split(':')).find(([, to]) => to === path) ?? [];
      if (source === undefined || container !== 'created')
        throw new EngineRefusal('invalid', 400, 'no volume there');
      state.filled.set(source, archive);
    },
    async startContainer(id) {
      calls.push('startContainer');
      const container = must(id);
      if (container.state === 'running') return;
      start(state, container);
      emit('start', container);
      if (container.state !== 'running') emit('die', container);
    },
    async unpauseContainer(id) {
      calls.push('unpauseContainer');
      const container = must(id);
      if (container.state === 'paused') container.state = 'running';
      emit('unpause', container);
    },
    async stopContainer(id) {
      calls.push('stopContainer');
      const container = find(id);
      if (container === undefined || container.state === 'exited' || container.state === 'created') return;
      Object.assign(container, { state: 'exited', exitCode: 143, finishedMs: state.now() });
      dropAddresses(container);
      emit('die', container);
    },
    async removeContainer(id, consent) {
      calls.push('removeContainer');
      const container = find(id);
      if (container === undefined) return;
      if (covers(consent, 'data-loss'))
        for (const { name } of container.anonymous) state.volumes.delete(name);
      containers.delete(container.id);
      emit('destroy', container);
    },
    async renameContainer(id, name) {
      calls.push('renameContainer');
      const container = must(id);
      const holder = find(name);
      if (holder !== undefined && holder !== container) return 'name-taken';
      const oldName = `/${container.name}`;
      container.name = name;
      emit('rename', container, { oldName });
      return undefined;
    },
    async updateContainer(id, body) {
      calls.push('updateContainer');
      const container = must(id);
      Object.assign(container.hostConfig, body);
      emit('update', container);
    },
    events(labels, onOpen, signal) {
      state.calls.push('events');
      return events(state.streams, { labels, onOpen, signal });
    },
    imageEvents(_labels, onOpen, signal) {
      return events(state.imageStreams, { labels: [], onOpen, signal, before: state.remembered });
    },
    close: () => undefined,
  };
}

function anonymousVolumes(
  state: State,
  { Image = '', HostConfig }: Dockerode.ContainerCreateOptions,
): MemoryContainer['anonymous'] {
  const bound = (HostConfig?.Binds ?? []).map((bind) => bind.split(':')[1]);
  return (state.imageVolumes.get(Image) ?? [])
    .filter((target) => !bound.includes(target))
    .map((target) => {
      const name = createHash('sha256').update(state.nextId()).digest('hex');
      state.volumes.set(name, { Name: name, Labels: {} } as unknown as Dockerode.VolumeInspectInfo);
      return { name, target };
    });
}

function start(state: State, container: MemoryContainer): void {
  const image = container.body.Image ?? '';
  const network = container.hostConfig.NetworkMode ?? 'bridge';
  const builtIn = ['bridge', 'host', 'none'].includes(network) || network.startsWith('container:');
  const refuse = (
    kind: 'bad-command' | 'port-busy' | 'missing-network' | 'other',
    message: string,
  ): never => {
    container.error = message;
    throw new EngineRefusal(kind, 500, message);
  };
  if (image.includes('bad-command')) refuse('bad-command', 'exec: "/nope": executable file not found');
  if (!builtIn && ![...state.networks.values()].some(({ Name }) => Name === network)) {
    refuse('missing-network', `network ${network} not found`);
  }
  const joined = state.containers.get(network.replace(/^container:/, ''));
  if (joined !== undefined && joined.state !== 'running')
    refuse('other', `cannot join network of a non running container: ${joined.id}`);
  const peers = [...state.containers.values()].filter(
    ({ state: how, hostConfig }) => how === 'running' && hostConfig.NetworkMode === network,
  );
  const prefix = [...state.networks.values()].find(({ Name }) => Name === network)?.IPAM?.Config?.[0]?.[
    'Subnet'
  ];
  const addresses = prefix === undefined ? Infinity : 2 ** (32 - Number(prefix.split('/')[1])) - 3;
  if (peers.length >= addresses) {
    throw new EngineRefusal('other', 500, 'no available IPv4 addresses on this network');
  }
  const wanted = new Set(fixedPorts(container));
  for (const other of state.containers.values()) {
    const isUp = other.state === 'running' || other.state === 'restarting' || other.state === 'paused';
    if (other === container || !isUp) continue;
    if (fixedPorts(other).some((port) => wanted.has(port))) {
      refuse('port-busy', 'Bind failed: port is already allocated');
    }
  }
  Object.assign(container, { state: 'running', error: '', startedMs: state.now(), restartCount: 0 });
  takeAddresses(state, container);
  if (!image.includes('crash')) return;
  const restarts = container.hostConfig.RestartPolicy?.Name !== 'no';
  Object.assign(container, {
    state: restarts ? 'restarting' : 'exited',
    restartCount: restarts ? 3 : 0,
    exitCode: 3,
    finishedMs: state.now(),
  });
}

function takeAddresses({ containers }: State, container: MemoryContainer): void {
  const others = [...containers.values()].filter((other) => other !== container);
  for (const [network, endpoint] of container.endpoints) {
    endpoint.address = freeAddress(
      network,
      others.map(({ endpoints }) => endpoints),
    );
  }
}

function dropAddresses({ endpoints }: MemoryContainer): void {
  for (const endpoint of endpoints.values()) endpoint.address = '';
}

/** The names of the containers that an alias in a network leads to. */
export function resolve({ containers }: MemoryEngine, network: string, alias: string): readonly string[] {
  return [...containers.values()].flatMap(({ name, state, endpoints }) => {
    const isThere = state === 'running' && endpoints.get(network)?.aliases.includes(alias) === true;
    return isThere ? [name] : [];
  });
}

function restart(state: State, exitCode: number, how: 'in order' | 'killed'): void {
  const up = [...state.containers.values()].filter(
    (container) => container.state !== 'created' && container.state !== 'exited',
  );
  for (const container of up) {
    Object.assign(container, { state: 'exited', exitCode, finishedMs: state.now() });
    dropAddresses(container);
    state.emit('die', container);
  }
  state.breakStreams();
  state.engineStart.ms = state.now();
  if (how === 'killed') return;
  for (const container of up) {
    if (container.hostConfig.RestartPolicy?.Name !== 'no') start(state, container);
  }
}

interface Hearing {
  readonly labels: readonly string[];
  readonly onOpen: () => void;
  readonly signal: AbortSignal;
  readonly before?: readonly EngineEvent[];
}

async function* events(
  streams: State['streams'],
  { labels, onOpen, signal, before = [] }: Hearing,
): AsyncGenerator<EngineEvent> {
  if (signal.aborted) return;
  const queue: (EngineEvent | undefined)[] = [...before];
  let wake = (): void => undefined;
  const push = (event: EngineEvent | undefined): void => {
    queue.push(event);
    wake();
  };
  const onAbort = (): void => push(undefined);
  signal.addEventListener('abort', onAbort);
  streams.add(push);
  onOpen();
  try {
    for (;;) {
      if (queue.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      const event = queue.shift();
      if (event === undefined || signal.aborted) return;
      if (hasLabels(event.attributes, labels)) yield event;
    }
  } finally {
    streams.delete(push);
    signal.removeEventListener('abort', onAbort);
  }
}

/** The reference of an image that is present, by any form of it or by its id. */
function imageOf({ images }: Pick<State, 'images'>, asked: string): string | undefined {
  const isIt = (image: string): boolean =>
    image === asked || imageId(image) === asked || pinned(image) === asked;
  return [...images].find(isIt);
}

/** One for each name. */
export function imageId(reference: string): string {
  return `sha256:${createHash('sha256').update(pinned(reference)).digest('hex')}`;
}

const pinned = (reference: string): string => pinnedImage(parseImageReference(reference));

type ImageCalls = Pick<Engine, 'inspectImage' | 'listImages' | 'removeImage' | 'pullImage' | 'askRegistry'>;

function imageCalls(state: State): ImageCalls {
  const { images, pulledImages, tags, parents, imageVolumes, calls } = state;
  const namesOf = (image: string) => {
    const { registry, repository, digest } = parseImageReference(image);
    const whole = `${registry}/${repository}@${digest ?? imageId(image)}`;
    return {
      RepoTags: tags.get(image) ?? (digest === undefined ? [image] : []),
      RepoDigests: pulledImages.has(image) || digest !== undefined ? [whole] : [],
    };
  };
  return {
    async listImages() {
      calls.push('listImages');
      return [...images].map((image) => ({
        Id: imageId(image),
        ParentId: parents.has(image) ? imageId(parents.get(image) ?? '') : '',
        ...namesOf(image),
        Size: 1_000,
      }));
    },
    async removeImage(nameOrId) {
      calls.push('removeImage');
      const image = imageOf(state, nameOrId) ?? [...images].find((one) => tags.get(one)?.includes(nameOrId));
      if (image === undefined) return 'removed';
      const isUsed = [...state.containers.values()].some(({ body }) => body.Image === image);
      const { RepoTags } = namesOf(image);
      if (isUsed || [...parents.values()].includes(image)) return 'in-use';
      if (nameOrId === imageId(image) && RepoTags.length > 1) return 'in-use';
      const left = RepoTags.filter((tag) => pinned(tag) !== nameOrId);
      if (nameOrId === imageId(image) || left.length === 0) images.delete(image);
      tags.set(image, left);
      return 'removed';
    },
    async inspectImage(reference) {
      calls.push('inspectImage');
      const image = imageOf(state, reference);
      if (image === undefined) return undefined;
      const Volumes = Object.fromEntries((imageVolumes.get(image) ?? []).map((path) => [path, {}]));
      return {
        Id: imageId(image),
        Os: 'linux',
        Architecture: 'amd64',
        ...namesOf(image),
        Config: { Volumes },
      } as unknown as Dockerode.ImageInspectInfo;
    },
    async askRegistry(reference) {
      calls.push('askRegistry');
      return imageId(reference);
    },
    async pullImage(reference) {
      calls.push('pullImage');
      if (reference.includes('missing')) {
        throw new ComputeError('ImageUnavailable', `Image ${reference} can't be pulled: no such image`);
      }
      images.add(reference);
      pulledImages.add(reference);
      state.emitImage('pull', reference);
    },
  };
}

function networkCalls(state: State): NetworkCalls {
  const { networks, containers, calls } = state;
  return {
    async connectContainer(id, network, { Aliases = [] }) {
      calls.push('connectContainer');
      const container = containers.get(id);
      if (container === undefined) throw new EngineRefusal('gone', 404, `No such container: ${id}`);
      if (![...networks.values()].some(({ Name }) => Name === network)) {
        throw new EngineRefusal('missing-network', 404, `network ${network} not found`);
      }
      if (container.endpoints.has(network)) return;
      container.endpoints.set(network, { aliases: Aliases, address: '' });
      if (container.state === 'running') takeAddresses(state, container);
    },
    async disconnectContainer(id, network) {
      calls.push('disconnectContainer');
      containers.get(id)?.endpoints.delete(network);
    },
    async listNetworks({ label = [], name }) {
      calls.push('listNetworks');
      return [...networks.values()].filter(
        ({ Labels, Name }) => hasLabels(Labels, label) && (name === undefined || name.includes(Name)),
      );
    },
    async inspectNetwork(idOrName) {
      const found = networks.get(idOrName) ?? [...networks.values()].find(({ Name }) => Name === idOrName);
      if (found === undefined) return undefined;
      const inIt = [...containers.values()].filter(
        ({ state: how, endpoints }) => how === 'running' && endpoints.has(found.Name),
      );
      return { ...found, Containers: Object.fromEntries(inIt.map(({ id }) => [id, {}])) } as typeof found;
    },
    async createNetwork(body) {
      calls.push('createNetwork');
      if (body.CheckDuplicate === true && [...networks.values()].some(({ Name }) => Name === body.Name))
        throw new EngineRefusal('name-taken', 409, `network with name ${body.Name} already exists`);
      const subnet = body.IPAM?.Config?.[0]?.['Subnet'];
      const overlaps = [...networks.values()].some(({ IPAM }) => IPAM?.Config?.[0]?.['Subnet'] === subnet);
      if (subnet !== undefined && overlaps) throw new EngineRefusal('overlap', 403, 'Pool overlaps');
      const id = state.nextId();
      networks.set(id, { ...body, Id: id } as unknown as Dockerode.NetworkInspectInfo);
      return { id };
    },
    async removeNetwork(id) {
      calls.push('removeNetwork');
      const network = networks.get(id);
      const isUsed = [...containers.values()].some(
        ({ state: how, endpoints }) => how === 'running' && endpoints.has(network?.Name ?? ''),
      );
      if (isUsed) throw new EngineRefusal('in-use', 403, `network ${network?.Name} has active endpoints`);
      networks.delete(id);
    },
  };
}

function volumeCalls({
  volumes,
  filled,
  containers,
  calls,
}: State): Pick<Engine, 'listVolumes' | 'inspectVolume' | 'createVolume' | 'removeVolume'> {
  return {
    async listVolumes(labels) {
      calls.push('listVolumes');
      return [...volumes.values()].filter(({ Labels }) => hasLabels(Labels, labels));
    },
    inspectVolume: async (name) => volumes.get(name),
    async createVolume({ Name = '', Labels = {} }) {
      calls.push('createVolume');
      const volume =
        volumes.get(Name) ?? ({ Name, Labels, Driver: 'local' } as unknown as Dockerode.VolumeInspectInfo);
      volumes.set(Name, volume);
      return volume;
    },
    async removeVolume(name) {
      calls.push('removeVolume');
      const isUsed = [...containers.values()].some(({ hostConfig }) =>
        bindMounts(hostConfig).some(({ Name }) => Name === name),
      );
      if (isUsed) throw new EngineRefusal('in-use', 409, `remove ${name}: volume is in use`);
      volumes.delete(name);
      filled.delete(name);
    },
  };
}

function hasLabels(labels: Readonly<Record<string, string>> | undefined, wanted: readonly string[]): boolean {
  return wanted.every((filter) => {
    const [key = '', value] = filter.split('=');
    return value === undefined ? labels?.[key] !== undefined : labels?.[key] === value;
  });
}

function fixedPorts({ hostConfig }: MemoryContainer): readonly string[] {
  const bindings = (hostConfig.PortBindings ?? {}) as Record<string, { HostPort: string }[]>;
  return Object.entries(bindings).flatMap(([port, hosts]) =>
    hosts
      .filter(({ HostPort }) => HostPort !== '')
      .map(({ HostPort }) => `${HostPort}/${port.split('/')[1]}`),
  );
}

function publishedPorts({ hostConfig }: MemoryContainer): readonly ToldPort[] {
  const bindings = (hostConfig.PortBindings ?? {}) as Record<string, { HostIp?: string; HostPort: string }[]>;
  return Object.entries(bindings).flatMap(([port, hosts]) =>
    hosts
      .filter(({ HostPort }) => HostPort !== '')
      .map(({ HostIp = '0.0.0.0', HostPort }) => ({
        IP: HostIp,
        PublicPort: Number(HostPort),
        PrivatePort: Number(port.split('/')[0]),
        Type: port.split('/')[1] ?? 'tcp',
      })),
  );
}

function idOf({ networks }: State): (network: string) => string | undefined {
  return (network) => [...networks.values()].find(({ Name }) => Name === network)?.Id;
}

function listed(engine: State, container: MemoryContainer): Dockerode.ContainerInfo {
  const { id, name, body, state, exitCode, startedMs, health } = container;
  const seconds = Math.max(0, Math.round((engine.time.nowMs() - startedMs) / 1000));
  const up = seconds < 300 ? `Up ${seconds} seconds` : 'Up 10 minutes';
  const status =
    state === 'running' ? `${up}${health === undefined ? '' : ` (${health})`}` : `Exited (${exitCode}) now`;
  return {
    Id: id,
    Names: [`/${name}`],
    Image: container.askedFor,
    ImageID: imageId(body.Image ?? ''),
    Labels: { ...body.Labels },
    State: state,
    Status: state === 'created' ? 'Created' : status,
    Ports: state === 'running' ? publishedPorts(container) : [],
    Mounts: mounts(container),
    HostConfig: { NetworkMode: container.hostConfig.NetworkMode },
    NetworkSettings: networkSettings(id, container.endpoints, { as: 'listed', idOf: idOf(engine) }),
  } as unknown as Dockerode.ContainerInfo;
}

function inspected(engine: State, container: MemoryContainer): Dockerode.ContainerInspectInfo {
  const { body, hostConfig } = container;
  const { HostConfig: _host, NetworkingConfig: _networks, ...config } = body;
  return {
    ...inspectedCourse(container),
    Image: imageId(body.Image ?? ''),
    Config: { ...config, Image: container.askedFor, Env: body.Env ?? [], Labels: { ...body.Labels } },
    HostConfig: hostConfig,
    NetworkSettings: {
      ...networkSettings(container.id, container.endpoints, { as: 'inspected', idOf: idOf(engine) }),
      Ports: inspectedPorts(container.state === 'running' ? publishedPorts(container) : []),
    },
    Mounts: mounts(container),
  } as unknown as Dockerode.ContainerInspectInfo;
}

function mounts({ hostConfig, anonymous }: MemoryContainer): readonly object[] {
  return [
    ...bindMounts(hostConfig),
    ...anonymous.map(({ name, target }) => ({
      Type: 'volume',
      Name: name,
      Source: name,
      Destination: target,
      RW: true,
    })),
  ];
}
