import type Dockerode from 'dockerode';
import type { Consent } from '../../../permit.ts';
import type { EngineId } from './engine-id.ts';
import type { EngineTime } from './engine-time.ts';
import type { OnPullProgress } from './images/pull-progress.ts';

/**
 * The Docker Engine as this provider uses it. Each call has a deadline, rejects only with ComputeError
 * (ProviderUnavailable where the engine can't be reached or does not answer), and takes "not there" as a value.
 * Engine answers that callers decide on are values too; see `EngineRefusal`.
 */
export interface Engine extends EngineReads {
  /**
   * The body goes into the body of the request, never into its URL, but for its platform. 'name-taken': a container of that name exists.
   * Rejects with EngineRefusal (`missing-image`, `invalid`, …).
   */
  createContainer(
    name: string,
    body: Omit<Dockerode.ContainerCreateOptions, 'name'>,
    signal: AbortSignal,
  ): Promise<{ readonly id: string } | 'name-taken'>;
  /** Whether there is anything at a path of a container. A container that is not there has nothing. */
  hasPath(id: string, path: string, signal: AbortSignal): Promise<boolean>;
  /**
   * Puts files at a path of a container that does not run, or into what is mounted there. `archive`: as tar. Rejects with
   * EngineRefusal, `gone` where there is no such container.
   */
  putFiles(id: string, path: string, archive: Buffer, signal: AbortSignal): Promise<void>;
  /** Already started counts as started. Rejects with EngineRefusal where this container can't start. */
  startContainer(id: string, signal: AbortSignal): Promise<void>;
  /** Not paused counts as unpaused. Rejects with EngineRefusal, `gone` where there is no such container. */
  unpauseContainer(id: string, signal: AbortSignal): Promise<void>;
  /** Already stopped or gone counts as stopped. The engine kills after `graceSeconds`. */
  stopContainer(id: string, graceSeconds: number, consent: Consent, signal: AbortSignal): Promise<void>;
  /**
   * By force; with its anonymous volumes where that is consented to. Ends when it is gone, be that by somebody else's hand;
   * 'removing': the engine is at it already, and it is still there.
   */
  removeContainer(id: string, consent: Consent, signal: AbortSignal): Promise<void | 'removing'>;
  /** Of that name already counts as renamed. Rejects with EngineRefusal, `gone` where there is no such container. */
  renameContainer(id: string, name: string, signal: AbortSignal): Promise<void | 'name-taken'>;
  /** Live limits and restart policy. Rejects with EngineRefusal, `gone` where there is no such container. */
  updateContainer(id: string, body: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<void>;
  /**
   * Pulls. Ends when the image is there; rejects with ImageUnavailable naming the image and what would mend it.
   * `onProgress` gets a line now and then, and how it stands. A registry that is silent for `pullSilenceMs`, or does not come to an end
   * within `pullDeadlineMs`, counts as unavailable.
   */
  pullImage(
    reference: string,
    terms: PullTerms | undefined,
    onProgress: OnPullProgress,
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * Has the engine ask the registry for the image, with these credentials or none, and changes nothing. Ends when the
   * registry grants it, with the digest that the reference means there, if it says so; rejects with ImageUnavailable, as a pull does.
   */
  askRegistry(
    reference: string,
    auth: RegistryAuth | undefined,
    signal: AbortSignal,
  ): Promise<string | undefined>;
  /** Rejects with EngineRefusal: `overlap` with another subnet, `name-taken` where `CheckDuplicate` asks for that. */
  createNetwork(body: Dockerode.NetworkCreateOptions, signal: AbortSignal): Promise<{ readonly id: string }>;
  /** In it already counts as connected. Rejects with EngineRefusal, `gone` where there is no such container or network. */
  connectContainer(
    id: string,
    network: string,
    endpoint: Dockerode.EndpointSettings,
    signal: AbortSignal,
  ): Promise<void>;
  /** Whoever speaks with it there is cut off. Not in it, or gone, counts as disconnected. */
  disconnectContainer(id: string, network: string, consent: Consent, signal: AbortSignal): Promise<void>;
  /** Gone counts as removed. Rejects with EngineRefusal `in-use` while containers are attached. */
  removeNetwork(id: string, consent: Consent, signal: AbortSignal): Promise<void>;
  /** Idempotent in the engine: an existing volume of that name is returned as it is. */
  createVolume(
    body: Dockerode.VolumeCreateOptions,
    signal: AbortSignal,
  ): Promise<Dockerode.VolumeInspectInfo>;
  /** Gone counts as removed. Rejects with EngineRefusal while it is in use. */
  removeVolume(name: string, consent: Consent, signal: AbortSignal): Promise<void>;
  /**
   * By one of its names, which alone goes where it has others, or by its id. Neither by force nor with its parents: 'in-use'
   * where a container is made of it, running or not, an image is built on it, or an id is given and it has several names.
   * Gone counts as removed.
   */
  removeImage(nameOrId: string, consent: Consent, signal: AbortSignal): Promise<'removed' | 'in-use'>;
  close(): void;
}

/** How an image is pulled. Absent: by nobody's name, and the one for the engine. */
export interface PullTerms {
  readonly auth?: RegistryAuth | undefined;
  /** `linux/arm64`. */
  readonly platform?: string | undefined;
}

/** For X-Registry-Auth. */
export interface RegistryAuth {
  readonly serveraddress: string;
  readonly username?: string;
  readonly password?: string;
  /** Stands for both. */
  readonly identitytoken?: string;
}

/** The calls that change nothing. */
export interface EngineReads {
  readonly time: EngineTime;
  /** Where it is reached: unix://, tcp:// or ssh://. */
  readonly address: string;
  /** Which engine it is: the same over restarts, and at each of its addresses. */
  identify(signal: AbortSignal): Promise<EngineId>;
  /** When the engine itself was started, by its own clock; 0 where it does not tell. */
  startedMs(signal: AbortSignal): Promise<number>;
  /**
   * Rejects with ProviderUnavailable where the engine takes no new connection. One that goes down refuses them before
   * it stops its containers, while connections of before are still served for a moment.
   */
  ping(signal: AbortSignal): Promise<void>;
  /** Containers of all states whose labels match all of `labels` (`key=value` or `key`). */
  listContainers(labels: readonly string[], signal: AbortSignal): Promise<readonly Dockerode.ContainerInfo[]>;
  /** Its `State.Error`, which says why it could not be started, is stable between tries, as a refusal's message is. */
  inspectContainer(
    idOrName: string,
    signal: AbortSignal,
  ): Promise<Dockerode.ContainerInspectInfo | undefined>;
  /** The end of what it has printed, 4 KB at most; empty where the engine can't tell. */
  lastOutput(id: string, signal: AbortSignal): Promise<string>;
  /** The image's id where it is present. */
  inspectImage(reference: string, signal: AbortSignal): Promise<Dockerode.ImageInspectInfo | undefined>;
  /** All of the engine's, those without a name and those that a build left between as well. */
  listImages(signal: AbortSignal): Promise<readonly EngineImage[]>;
  listNetworks(
    filters: Readonly<Record<string, readonly string[]>>,
    signal: AbortSignal,
  ): Promise<readonly Dockerode.NetworkInspectInfo[]>;
  /** Rejects with EngineRefusal where several networks have that name: list them by label instead. */
  inspectNetwork(idOrName: string, signal: AbortSignal): Promise<Dockerode.NetworkInspectInfo | undefined>;
  listVolumes(
    labels: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly Dockerode.VolumeInspectInfo[]>;
  inspectVolume(name: string, signal: AbortSignal): Promise<Dockerode.VolumeInspectInfo | undefined>;
  /**
   * Container events of our labels, until `signal` aborts or the stream breaks (then the iterator ends or throws
   * ProviderUnavailable). On a connection of its own. `onOpen` is called once the engine has accepted the
   * subscription: list after it, and nothing is missed.
   */
  events(labels: readonly string[], onOpen: () => void, signal: AbortSignal): AsyncIterable<EngineEvent>;
  /**
   * What anybody does with images, containers of all made of them among it: first what the engine still remembers, then as
   * `events`. `labels`: which of a container's labels are told, as there.
   */
  imageEvents(labels: readonly string[], onOpen: () => void, signal: AbortSignal): AsyncIterable<EngineEvent>;
}

/** An entry of a list of images. */
export interface EngineImage {
  readonly Id: string;
  /** Of the image that it was built on, where the engine's own builder did that; else empty. */
  readonly ParentId?: string;
  readonly RepoTags?: readonly string[] | null;
  readonly RepoDigests?: readonly string[] | null;
  /** Bytes, those that it shares with others among them. */
  readonly Size?: number;
}

export interface EngineEvent {
  /**
   * create, start, die, stop, kill, oom, pause, unpause, rename, update, destroy, health_status: healthy, …
   * Of images: pull, push, tag, load, import, save; and create, of a container.
   */
  readonly action: string;
  /** Of an image its id, or the name that it was pulled or pushed by. */
  readonly id: string;
  /** The container's labels, and `name`, `exitCode` … as the engine sends them; `image`, of which it is made. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly timeMs: number;
}

/**
 * What a refusal is about:
 * `port-busy` a host port is taken (seen at start only); `bad-command` the image has no such program, or may not run
 * it; `broken` the engine has lost what it needs to start this container: only a new one helps; `missing-network` the network, or the container whose network was to be joined, is not there; `missing-image`
 * the image went away after it was pulled; `gone` the container, network or volume itself is not there;
 * `overlap` the subnet is taken; `in-use` a network or volume is still attached; `invalid` the engine understood and
 * refuses the values; `name-taken` a network of that name is there.
 */
export type RefusalKind =
  | 'port-busy'
  | 'bad-command'
  | 'broken'
  | 'missing-network'
  | 'missing-image'
  | 'gone'
  | 'overlap'
  | 'in-use'
  | 'invalid'
  | 'name-taken'
  | 'other';

/**
 * Why the engine, reached and understood, would not do a thing. The provider makes a ComputeError of it. The message
 * is stable between tries: no container ids, endpoint ids or ephemeral ports.
 */
export class EngineRefusal extends Error {
  override readonly name = 'EngineRefusal';
  readonly kind: RefusalKind;
  /** HTTP status of the engine's answer. */
  readonly statusCode: number;

  constructor(kind: RefusalKind, statusCode: number, message: string) {
    super(message);
    this.kind = kind;
    this.statusCode = statusCode;
  }
}

/** Undefined where the call is refused for this reason. */
export async function unlessKind<T>(kind: RefusalKind, call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof EngineRefusal && error.kind === kind) return undefined;
    throw error;
  }
}

/** What is asked and done of networks. */
export type NetworkCalls = Pick<
  Engine,
  | 'listNetworks'
  | 'inspectNetwork'
  | 'createNetwork'
  | 'removeNetwork'
  | 'connectContainer'
  | 'disconnectContainer'
>;
