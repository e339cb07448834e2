import type Dockerode from 'dockerode';
import type { Logger } from 'pino';
import { ComputeError } from '../../../errors.ts';
import { saysInOrder } from '../../../observation/engine-text.ts';
import { covers } from '../../../permit.ts';
import { engineAddress } from './engine-address.ts';
import { withDeadline } from '../../../../async/deadline.ts';
import { readAnswer } from './answers/answer.ts';
import type { Answer } from './answers/answer.ts';
import { labelRule, listedSieve, networkSieve, volumesSieve } from './answers/container-sieve.ts';
import { siftedReader } from './answers/sifted.ts';
import type { SiftedReader } from './answers/sifted.ts';
import { fileCalls } from './archive/container-files.ts';
import { connectEngine } from './engine-connection.ts';
import type { EngineConnection } from './engine-connection.ts';
import { connectionFailure, failedRead, silentEngine, withStableWords } from './engine-errors.ts';
import { engineIdIn } from './engine-id.ts';
import type { EngineId } from './engine-id.ts';
import { engineEvents } from './engine-events.ts';
import type { EngineRequest, EngineTls } from './engine-transport.ts';
import type { Engine, NetworkCalls } from './engine.ts';
import { expectChange, find, read } from './expected-answers.ts';
import { imageCalls } from './images/image-calls.ts';
import { lastOutput } from './last-output.ts';
import { neededBy } from './needed-api.ts';
import { pullImage } from './images/image-pull.ts';
import { askRegistry } from './images/registry-look.ts';

/**
 * 30 s: the slowest single call seen is a start with published ports while 32 others start, about 7 s; a removal from
 * a slow disk may take as long again.
 */
const defaultDeadlineMs = 30_000;
/** A registry that sends nothing for so long has lost the connection, or is as good as gone. */
const defaultPullSilenceMs = 60_000;
/** One that drips would go on for ever. */
const defaultPullDeadlineMs = 1_800_000;
/** A frozen engine is noticed within 20 s: a question each 10 s, and two of 5 s without an answer. */
const defaultProbe = { intervalMs: 10_000, deadlineMs: 5_000 };

export interface EngineClientOptions {
  /** unix://, tcp://, ssh://, or empty: `dockerHostEnv`, then the default socket. */
  readonly host: string;
  /** Where that is from, for messages. Default: compute.docker.host. */
  readonly path?: string;
  /** The value of DOCKER_HOST. */
  readonly dockerHostEnv?: string | undefined;
  /** For tcp://. Its presence turns TLS on. */
  readonly tls?: EngineTls | undefined;
  readonly logger: Logger;
  /** Names of the labels, without their prefix, that are kept of listed containers and of events. Default: any. */
  readonly marks?: ReadonlySet<string>;
  /** Milliseconds that one call may take. Default: 30 s. */
  readonly deadlineMs?: number;
  /** Milliseconds that a pull may be silent. Default: 60 s. */
  readonly pullSilenceMs?: number;
  /** Milliseconds that a pull may take in all. Default: 30 min. */
  readonly pullDeadlineMs?: number;
  /** How a frozen engine is noticed beside its event stream. */
  readonly probe?: { readonly intervalMs: number; readonly deadlineMs: number };
}

/** Throws an Error where the address is none. Connects with the first call, not before. */
export function createEngineClient(options: EngineClientOptions): Engine {
  const { host, path, dockerHostEnv, tls, logger, marks, deadlineMs = defaultDeadlineMs } = options;
  const address = engineAddress(host, dockerHostEnv, tls !== undefined, path);
  const connection = connectEngine({ address, tls, logger, deadlineMs });
  const { pullSilenceMs: silenceMs = defaultPullSilenceMs, probe = defaultProbe } = options;
  const { pullDeadlineMs = defaultPullDeadlineMs } = options;
  const sifted = siftedReader();
  return {
    time: connection.time,
    address: connection.host,
    identify: (signal) => identify(connection, signal),
    startedMs: (signal) => startedMs(connection, signal),
    ping: (signal) => ping(connection, signal),
    ...containerCalls(connection, sifted, marks),
    ...fileCalls(connection),
    ...networkCalls(connection, sifted),
    ...volumeCalls(connection, sifted),
    lastOutput: (id, signal) => lastOutput(connection, id, signal),
    ...imageCalls(connection, sifted),
    pullImage: (reference, terms, onProgress, signal) =>
      pullImage(
        connection,
        { reference, ...terms, onProgress, silenceMs, deadlineMs: pullDeadlineMs },
        signal,
      ),
    askRegistry: (reference, auth, signal) =>
      askRegistry(connection, { reference, auth, timeoutMs: deadlineMs }, signal),
    events: (labels, onOpen, signal) => engineEvents(connection, { labels, marks, onOpen, probe }, signal),
    imageEvents: (labels, onOpen, signal) =>
      engineEvents(connection, { labels, marks, onOpen, probe, of: 'images' }, signal),
    close: () => connection.close(),
  };
}

async function identify(connection: EngineConnection, signal: AbortSignal): Promise<EngineId> {
  const id = engineIdIn(await read<Parameters<typeof engineIdIn>[0]>(connection, { path: '/info' }, signal));
  if (id !== undefined) return id;
  const { host } = connection;
  throw new ComputeError('ProviderUnavailable', `Docker Engine at ${host} does not tell its id in /info`);
}

/** The engine makes its network `bridge` anew at each start, and says of nothing else when that was. */
async function startedMs(connection: EngineConnection, signal: AbortSignal): Promise<number> {
  const path = '/networks/bridge';
  const network = await find<{ readonly Created?: string }>(connection, path, signal);
  const madeMs = Date.parse(network?.Created ?? '');
  return Number.isNaN(madeMs) ? 0 : madeMs;
}

/** Streams have connections of their own, so that this is a new one. */
async function ping(connection: EngineConnection, signal: AbortSignal): Promise<void> {
  const { host, deadlineMs } = connection;
  const deadline = { timeoutMs: deadlineMs, caller: signal, late: () => silentEngine(host) };
  const request = { method: 'GET', path: '/_ping' } as const;
  try {
    const answer = await withDeadline(deadline, async (inner) =>
      readAnswer(await connection.open(request, inner), { host, ...request }),
    );
    if (answer.status !== 200) throw failedRead(host, answer);
  } catch (error) {
    throw error instanceof ComputeError ? error : connectionFailure(host, error);
  }
}

type ContainerCalls = Pick<
  Engine,
  | 'listContainers'
  | 'inspectContainer'
  | 'createContainer'
  | 'startContainer'
  | 'unpauseContainer'
  | 'stopContainer'
  | 'removeContainer'
  | 'renameContainer'
  | 'updateContainer'
>;

function containerCalls(
  connection: EngineConnection,
  sifted: SiftedReader,
  marks?: ReadonlySet<string>,
): ContainerCalls {
  return {
    listContainers: async (labels, signal) => {
      const query = { all: true, filters: { label: labels } };
      const sieve = listedSieve(labelRule(labels, marks));
      return read(connection, { path: '/containers/json', query }, signal, sifted(sieve));
    },
    inspectContainer: (idOrName, signal) => inspectContainer(connection, idOrName, signal),
    createContainer: async (name, { platform, ...body }, signal) => {
      const query = { name, ...(platform === undefined ? {} : { platform }) };
      const answer = await connection.ask(
        { method: 'POST', path: '/containers/create', query, body, needs: neededBy(body) },
        signal,
      );
      if (isNameTaken(answer)) return 'name-taken';
      expectChange(connection, answer, name);
      return { id: (answer.body as { readonly Id: string }).Id };
    },
    startContainer: async (id, signal) => {
      expectChange(connection, await connection.ask(post(id, 'start'), signal), id);
    },
    unpauseContainer: async (id, signal) => {
      const answer = await connection.ask(post(id, 'unpause'), signal);
      if (!/is not paused/i.test(answer.text)) expectChange(connection, answer, id);
    },
    stopContainer: async (id, graceSeconds, _consent, signal) => {
      const request = post(id, 'stop', { query: { t: graceSeconds } });
      const answer = await connection.ask(request, signal, {
        deadlineMs: connection.deadlineMs + graceSeconds * 1000,
        awaitsEnd: true,
      });
      if (answer.status !== 404) expectChange(connection, answer, id);
    },
    removeContainer: async (id, consent, signal) => {
      const path = `/containers/${encodeURIComponent(id)}`;
      const query = { force: true, v: covers(consent, 'data-loss') };
      const answer = await connection.ask({ method: 'DELETE', path, query }, signal);
      if (answer.status === 409 && /already in progress/i.test(answer.text)) return 'removing';
      if (answer.status !== 404) expectChange(connection, answer, id);
      return undefined;
    },
    renameContainer: async (id, name, signal) => {
      const answer = await connection.ask(post(id, 'rename', { query: { name } }), signal);
      if (isNameTaken(answer)) return 'name-taken';
      if (!/same name as its current name/i.test(answer.text)) expectChange(connection, answer, id);
      return undefined;
    },
    updateContainer: async (id, body, signal) => {
      expectChange(connection, await connection.ask(post(id, 'update', { body }), signal), id);
    },
  };
}

async function inspectContainer(
  connection: EngineConnection,
  idOrName: string,
  signal: AbortSignal,
): Promise<Awaited<ReturnType<Engine['inspectContainer']>>> {
  const path = `/containers/${encodeURIComponent(idOrName)}/json`;
  const found = await find<Dockerode.ContainerInspectInfo>(connection, path, signal);
  return found && withStableWords(found);
}

function post(id: string, verb: string, rest: Partial<EngineRequest> = {}): EngineRequest {
  return { method: 'POST', path: `/containers/${encodeURIComponent(id)}/${verb}`, ...rest };
}

function networkCalls(connection: EngineConnection, sifted: SiftedReader): NetworkCalls {
  return {
    connectContainer: async (id, network, EndpointConfig, signal) => {
      const path = `/networks/${encodeURIComponent(network)}/connect`;
      const body = { Container: id, EndpointConfig };
      const answer = await connection.ask({ method: 'POST', path, body }, signal);
      if (!/already exists in network/i.test(answer.text)) expectChange(connection, answer, id);
    },
    disconnectContainer: async (id, network, _consent, signal) => {
      const path = `/networks/${encodeURIComponent(network)}/disconnect`;
      const answer = await connection.ask({ method: 'POST', path, body: { Container: id } }, signal);
      const isApart = answer.status === 404 || /is not connected to/i.test(answer.text);
      if (!isApart) expectChange(connection, answer, id);
    },
    listNetworks: (filters, signal) =>
      read(connection, { path: '/networks', query: { filters } }, signal, sifted(networkSieve)),
    inspectNetwork: (idOrName, signal) =>
      find(connection, `/networks/${encodeURIComponent(idOrName)}`, signal),
    createNetwork: async (body, signal) => {
      const answer = await connection.ask({ method: 'POST', path: '/networks/create', body }, signal);
      expectChange(connection, answer, body.Name);
      return { id: (answer.body as { readonly Id: string }).Id };
    },
    removeNetwork: async (id, _consent, signal) => {
      const path = `/networks/${encodeURIComponent(id)}`;
      const answer = await connection.ask({ method: 'DELETE', path }, signal);
      if (answer.status !== 404) expectChange(connection, answer, id);
    },
  };
}

function volumeCalls(
  connection: EngineConnection,
  sifted: SiftedReader,
): Pick<Engine, 'listVolumes' | 'inspectVolume' | 'createVolume' | 'removeVolume'> {
  return {
    listVolumes: async (labels, signal) => {
      const { Volumes } = await read<{ readonly Volumes: VolumeList | null }>(
        connection,
        { path: '/volumes', query: { filters: { label: labels } } },
        signal,
        sifted(volumesSieve, 'none'),
      );
      return Volumes ?? [];
    },
    inspectVolume: (name, signal) => find(connection, `/volumes/${encodeURIComponent(name)}`, signal),
    createVolume: async (body, signal) => {
      const answer = await connection.ask({ method: 'POST', path: '/volumes/create', body }, signal);
      expectChange(connection, answer, body.Name ?? '');
      return answer.body as VolumeList[number];
    },
    removeVolume: async (name, _consent, signal) => {
      const path = `/volumes/${encodeURIComponent(name)}`;
      const answer = await connection.ask({ method: 'DELETE', path }, signal);
      if (answer.status !== 404) expectChange(connection, answer, name);
    },
  };
}

type VolumeList = Awaited<ReturnType<Engine['listVolumes']>>;

function isNameTaken({ status, text }: Answer): boolean {
  return status === 409 && saysInOrder(text, /name /i, /already in use/i);
}
