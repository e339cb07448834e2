import type Dockerode from 'dockerode';
import { parseImageReference, pinnedImage } from '../../../src/compute/spec/image-reference.ts';
import { ComputeError } from '../../../src/compute/errors.ts';
import {
  abortedCall,
  engineTrouble,
  refusal,
} from '../../../src/compute/providers/docker/engine/engine-errors.ts';
import type { Engine, EngineEvent } from '../../../src/compute/providers/docker/engine/engine.ts';
import { sleep } from '../../../src/async/sleep.ts';
import type { Process } from '../process.ts';
import { inspected, listed } from './docker-answers.ts';
import * as model from './docker-engine.ts';
import type { DockerEngine } from './docker-engine.ts';
import { imageFacts } from './images.ts';

/** How the network between an operator and its engine behaves. */
export interface EngineNetwork {
  /** Milliseconds that a call takes. */
  latencyMs(): number;
  /** Why the call fails before the engine hears of it; undefined: it does not. */
  fails(call: string): ComputeError | undefined;
  /** Whether the answer gets lost after the engine has done what was asked. */
  losesAnswer(call: string): boolean;
  /** Milliseconds by which an event is late. */
  eventLagMs(): number;
  /** Milliseconds that a pull takes. */
  pullMs(image: string): number;
  /** Since when nothing has come through; Infinity: it does. */
  cutOffSinceMs(): number;
  onCall(call: string, by: string): void;
}

/** What one operator process knows of whether the engine answers. */
interface Contact {
  answeredMs: number;
  /** Since when its event stream has been open, beside which it asks whether the engine is there. */
  askingSinceMs: number | undefined;
}

/** Between two such questions. */
const askEveryMs = 10_000;

function lastAnswerMs({ answeredMs, askingSinceMs }: Contact, engine: DockerEngine, network: EngineNetwork) {
  if (askingSinceMs === undefined) return answeredMs;
  const { unreachableSinceMs } = engine;
  const goneMs = unreachableSinceMs === 0 ? Infinity : unreachableSinceMs;
  const answersUntilMs = Math.min(engine.now(), goneMs, network.cutOffSinceMs());
  const asked = Math.max(0, Math.floor((answersUntilMs - askingSinceMs) / askEveryMs));
  return Math.max(answeredMs, askingSinceMs + asked * askEveryMs);
}

/** Of a call that gets no answer. */
const deadlineMs = 30_000;

/** An engine, and one of the addresses that lead to it. */
export interface EngineRoute {
  readonly engine: DockerEngine;
  readonly address: string;
}

/** The engine as one operator process reaches it. */
export function dockerClient(
  { engine, address }: EngineRoute,
  network: EngineNetwork,
  process: Process,
): Engine {
  const contact: Contact = { answeredMs: -Infinity, askingSinceMs: undefined };
  const line = { engine, network, process, contact };
  const call = callOver(line);
  const by = process.name;
  return {
    ...readCalls(engine, call),
    address,
    identify: (signal) => call('identify', '', signal, () => ({ engineId: `ID-${engine.name}` })),
    time: {
      nowMs: () => engine.now() + engine.skewMs,
      silentForMs: () => engine.now() - lastAnswerMs(contact, engine, network),
    },
    startedMs: (signal) => call('startedMs', '', signal, () => engine.startedMs),
    ping: (signal) =>
      call('ping', '', signal, () => {
        // One that goes down takes no new connection.
        if (engine.phase === 'stopping') throw unreachable();
      }),
    createContainer: (name, body, signal) =>
      nameTaken(call('createContainer', name, signal, () => ({ id: model.create(engine, by, name, body) }))),
    hasPath: (id, _path, signal) => call('hasPath', id, signal, () => true),
    putFiles: (id, path, archive, signal) =>
      call('putFiles', id, signal, () => model.putFiles(engine, id, path, archive)),
    startContainer: (id, signal) => call('startContainer', id, signal, () => model.start(engine, by, id)),
    unpauseContainer: (id, signal) =>
      call('unpauseContainer', id, signal, () => model.unpause(engine, by, id)),
    async stopContainer(id, graceSeconds, _consent, signal) {
      const graceMs = graceSeconds * 1_000;
      const ms = await call('stopContainer', id, signal, () => model.stop(engine, by, id, graceMs));
      if (ms !== undefined) await sleep(ms, signal);
    },
    async removeContainer(id, _consent, signal) {
      const ms = await call('removeContainer', id, signal, () => model.remove(engine, by, id));
      if (ms !== undefined && !(await sleep(ms, signal))) throw abortedCall(engine.name, signal.reason);
      return engine.find(id) === undefined ? undefined : 'removing';
    },
    renameContainer: (id, name, signal) =>
      nameTaken(call('renameContainer', id, signal, () => model.rename(engine, by, id, name))),
    updateContainer: (id, body, signal) =>
      call('updateContainer', id, signal, () => model.update(engine, by, id, body)),
    removeImage: (nameOrId, _consent, signal) =>
      call('removeImage', nameOrId, signal, () => model.removeImage(engine, by, nameOrId)),
    pullImage: (reference, _auth, _onProgress, signal) => pull(line, reference, signal),
    createNetwork: (body, signal) =>
      call('createNetwork', body.Name, signal, () => ({ id: model.createNetwork(engine, by, body) })),
    removeNetwork: (id, _consent, signal) =>
      call('removeNetwork', id, signal, () => model.removeNetwork(engine, by, id)),
    connectContainer: (id, network, { Aliases = [] }, signal) =>
      call('connectContainer', id, signal, () =>
        model.connect(engine, by, id, { network, aliases: Aliases }),
      ),
    disconnectContainer: (id, network, _consent, signal) =>
      call('disconnectContainer', id, signal, () => model.disconnect(engine, by, id, network)),
    createVolume: (body, signal) =>
      call(
        'createVolume',
        body.Name ?? '',
        signal,
        () => model.createVolume(engine, by, body) as unknown as Dockerode.VolumeInspectInfo,
      ),
    removeVolume: (name, _consent, signal) =>
      call('removeVolume', name, signal, () => model.removeVolume(engine, by, name)),
    close: () => undefined,
    events: (labels, onOpen, signal) => events(line, { labels, onOpen, signal }),
    imageEvents: (_labels, onOpen, signal) => events(line, { labels: ['of=images'], onOpen, signal }),
  };
}

type Call = <T>(name: string, target: string, signal: AbortSignal, effect: () => T) => Promise<T>;

function unreachable(): ComputeError {
  return new ComputeError(
    'ProviderUnavailable',
    'Docker Engine does not answer (ECONNREFUSED): is dockerd running?',
  );
}

/** A call on its way to the engine and back: it may be late, fail, be given up, or be carried out unheard. */
function callOver({ engine, network, process, contact }: Line): Call {
  return async (name, target, signal, effect) => {
    const isGivenUp = (): boolean => signal.aborted;
    if (isGivenUp()) throw abortedCall(engine.name, signal.reason);
    await process.livesOn(signal);
    network.onCall(name, process.name);
    const latencyMs = network.latencyMs();
    await sleep(latencyMs / 2, signal);
    await process.livesOn(signal);
    if (isGivenUp()) throw abortedCall(engine.name, signal.reason);
    const failure = network.fails(name);
    if (failure !== undefined && failure.code !== 'ProviderUnavailable') contact.answeredMs = engine.now();
    if (failure !== undefined) throw failure;
    if (engine.phase === 'down') throw unreachable();
    if (engine.phase === 'frozen') await thaw(engine, signal);
    const result = answerTo(engine, target, effect);
    // It is heard of once the answer is here.
    result.catch(() => undefined);
    await sleep(latencyMs / 2, signal);
    await process.livesOn(signal);
    if (isGivenUp()) throw abortedCall(engine.name, signal.reason);
    contact.answeredMs = engine.now();
    if (network.losesAnswer(name)) {
      throw new ComputeError(
        'ProviderUnavailable',
        'Docker Engine broke the connection before its answer was complete: did dockerd die or restart?',
      );
    }
    return result;
  };
}

/** A frozen engine takes the call and does nothing about it until it thaws. */
async function thaw(engine: DockerEngine, signal: AbortSignal): Promise<void> {
  const givesUpMs = engine.now() + deadlineMs;
  while (engine.phase === 'frozen') {
    if (!(await sleep(500, signal))) throw abortedCall(engine.name, signal.reason);
    if (engine.now() >= givesUpMs)
      throw new ComputeError(
        'ProviderUnavailable',
        'Docker Engine does not answer in time: is dockerd overloaded or frozen?',
      );
  }
  if (engine.phase === 'down') throw unreachable();
}

async function answerTo<T>(engine: DockerEngine, target: string, effect: () => T): Promise<T> {
  try {
    return effect();
  } catch (error) {
    if (!(error instanceof model.Refused)) throw error;
    const answer = { status: error.status, text: error.message };
    throw engineTrouble(engine.name, answer) ?? refusal(answer, target);
  }
}

async function nameTaken<T>(call: Promise<T>): Promise<T | 'name-taken'> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof Error && /name .*already in use/.test(error.message)) return 'name-taken';
    throw error;
  }
}

function readCalls(
  engine: DockerEngine,
  call: Call,
): Pick<
  Engine,
  | 'listContainers'
  | 'inspectContainer'
  | 'lastOutput'
  | 'inspectImage'
  | 'listImages'
  | 'askRegistry'
  | 'listNetworks'
  | 'inspectNetwork'
  | 'listVolumes'
  | 'inspectVolume'
> {
  const networks = (): readonly Dockerode.NetworkInspectInfo[] =>
    [...engine.networks.values()] as unknown as readonly Dockerode.NetworkInspectInfo[];
  const volumes = (): readonly Dockerode.VolumeInspectInfo[] =>
    [...engine.volumes.values()] as unknown as readonly Dockerode.VolumeInspectInfo[];
  return {
    listContainers: (labels, signal) =>
      call('listContainers', '', signal, () =>
        [...engine.containers.values()]
          .filter((container) => hasLabels(container.labels, labels))
          .map((container) => listed(engine, container)),
      ),
    inspectContainer: (idOrName, signal) =>
      call('inspectContainer', idOrName, signal, () => {
        const container = engine.find(idOrName);
        if (container?.isBroken === true)
          throw new ComputeError(
            'ProviderUnavailable',
            'Docker Engine answered 500: RWLayer is unexpectedly nil',
          );
        return container === undefined ? undefined : inspected(engine, container);
      }),
    lastOutput: async () => '',
    inspectImage: (reference, signal) =>
      call('inspectImage', reference, signal, () => {
        const image = [...engine.images].find(
          (one) => pinnedImage(parseImageReference(one)) === reference || idOf(one) === reference,
        );
        if (image === undefined) return undefined;
        const { volume } = imageFacts(image);
        const Config = { Volumes: volume === undefined ? null : { [volume]: {} } };
        return { Id: idOf(image), ...namesOf(image), Config } as unknown as Dockerode.ImageInspectInfo;
      }),
    listImages: (signal) =>
      call('listImages', '', signal, () =>
        [...engine.images].map((image) => ({ Id: idOf(image), ...namesOf(image), Size: 1 })),
      ),
    askRegistry: (reference, _auth, signal) =>
      call('askRegistry', reference, signal, () => `sha256:${'0'.repeat(64)}`),
    listNetworks: ({ label = [], name }, signal) =>
      call('listNetworks', '', signal, () =>
        networks().filter(
          ({ Labels, Name }) => hasLabels(Labels, label) && (name === undefined || name.includes(Name)),
        ),
      ),
    inspectNetwork: (idOrName, signal) =>
      call('inspectNetwork', idOrName, signal, () =>
        networks().find(({ Id, Name }) => Id === idOrName || Name === idOrName),
      ),
    listVolumes: (labels, signal) =>
      call('listVolumes', '', signal, () => volumes().filter(({ Labels }) => hasLabels(Labels, labels))),
    inspectVolume: (name, signal) =>
      call('inspectVolume', name, signal, () => volumes().find(({ Name }) => Name === name)),
  };
}

function idOf(image: string): string {
  return `sha256:${image}`;
}

/** From a registry, so that this is asked about tenants that did not pull it themselves. */
function namesOf(image: string) {
  return { RepoTags: [image], RepoDigests: [`${image.split(':')[0]}@sha256:${'0'.repeat(64)}`] };
}

export function hasLabels(
  labels: Readonly<Record<string, string>> | undefined,
  wanted: readonly string[],
): boolean {
  return wanted.every((filter) => {
    const [key = '', value] = filter.split('=');
    return value === undefined ? labels?.[key] !== undefined : labels?.[key] === value;
  });
}

interface Line {
  readonly engine: DockerEngine;
  readonly network: EngineNetwork;
  readonly process: Process;
  readonly contact: Contact;
}

async function pull(
  { engine, network, process }: Line,
  reference: string,
  signal: AbortSignal,
): Promise<void> {
  network.onCall('pullImage', process.name);
  await sleep(network.pullMs(reference), signal);
  await process.livesOn(signal);
  if (signal.aborted) throw abortedCall(engine.name, signal.reason);
  if (engine.phase !== 'up') throw unreachable();
  if (imageFacts(reference).pull === 'missing')
    throw new ComputeError(
      'ImageUnavailable',
      `Image ${reference} can't be pulled: the registry has no such image`,
    );
  engine.images.add(reference);
}

interface Subscription {
  readonly labels: readonly string[];
  readonly onOpen: () => void;
  readonly signal: AbortSignal;
}

/** Events in their order, each late by a little; a stream that breaks throws. */
async function* events(
  { engine, network, process, contact }: Line,
  { labels, onOpen, signal }: Subscription,
): AsyncGenerator<EngineEvent> {
  network.onCall('events', process.name);
  await sleep(network.latencyMs(), signal);
  await process.livesOn(signal);
  if (signal.aborted) return;
  const failure = network.fails('events');
  if (failure !== undefined) throw failure;
  if (engine.phase === 'frozen') await thaw(engine, signal);
  if (engine.phase === 'down') throw unreachable();
  const queue: (EngineEvent | undefined)[] = [];
  let wake = (): void => undefined;
  let lastMs = 0;
  const take = (event: EngineEvent | undefined): void => {
    queue.push(event);
    wake();
  };
  const push = (event: EngineEvent | undefined): void => {
    if (event !== undefined && !hasLabels(event.attributes, labels)) return;
    // A connection that breaks takes with it what is on its way.
    if (event === undefined) return take(undefined);
    lastMs = Math.max(lastMs, engine.now() + network.eventLagMs());
    setTimeout(() => take(event), lastMs - engine.now());
  };
  const onAbort = (): void => take(undefined);
  signal.addEventListener('abort', onAbort);
  engine.streams.add(push);
  contact.askingSinceMs = engine.now();
  onOpen();
  try {
    for (;;) {
      if (queue.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      await process.livesOn(signal);
      const event = queue.shift();
      if (signal.aborted) return;
      if (event === undefined)
        throw new ComputeError(
          'ProviderUnavailable',
          'Docker Engine broke the connection: did dockerd die or restart?',
        );
      yield event;
    }
  } finally {
    engine.streams.delete(push);
    contact.answeredMs = lastAnswerMs(contact, engine, network);
    contact.askingSinceMs = undefined;
    signal.removeEventListener('abort', onAbort);
  }
}
