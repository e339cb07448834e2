import type { Marks, Ownership } from '../../../ownership.ts';
import { readConfinement } from './confinement/confinement.ts';
import type { ToldConfinement } from './confinement/confinement.ts';
import { SecretValue } from '../../../spec/secret-value.ts';
import { isSealed } from '../../../spec/spec-hash.ts';
import type { InspectedContainer, ListedContainer, ListedMount } from './container-answers.ts';
import { imagesBeforeMark, readImagesBefore } from './image/images-before.ts';
import { aliasesMark, readAliases } from './network/foreign-aliases.ts';
import type { NetworkAliases } from './network/foreign-aliases.ts';
import { networkIdOf, networksMark, readNetworks } from './network/foreign-networks.ts';
import type { Foreign } from './foreign/foreign.ts';
import { listedPorts } from './network/listed-ports.ts';
import type { PublishedPort } from './network/listed-ports.ts';
import { orderMark } from './process/start-order-mark.ts';
import type { LiveSettings, RestartPolicy } from './live-settings.ts';

/** A container as the engine told of it: what the list says of every one, and what only an inspect says. Pure. */

export type ContainerState = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';
export type HealthWord = 'none' | 'starting' | 'healthy' | 'unhealthy';

/** A volume of the engine and where it is mounted; bind mounts are none. */
export interface MountedVolume {
  readonly name: string;
  readonly target: string;
}

export interface ObservedContainer {
  readonly id: string;
  /** Name on the engine, without the leading slash. */
  readonly name: string;
  readonly state: ContainerState;
  readonly health: HealthWord;
  /** Of the last run, where it is known. */
  readonly exitCode: number | undefined;
  /** When it was heard to exit, lately, in milliseconds since the epoch: nobody may have listened all the time. */
  readonly exitsMs?: readonly number[];
  /** Those of them that neither a call nor the engine's own end was the cause of. */
  readonly crashesMs?: readonly number[];
  /** Whether it was heard that a signal was sent to it through the engine since it was started. */
  readonly killed?: boolean;
  /** Whether it was started less than `youngMs` ago, as far as the list's words tell. */
  readonly young: boolean;
  /** As it was asked for. */
  readonly image: string;
  readonly imageId: string;
  readonly labels: Marks;
  readonly made: Made;
  readonly ports: readonly PublishedPort[];
  readonly networkId: string | undefined;
  /** Of the network that it was made for; empty where the answer does not tell. */
  readonly networkMode: string;
  /** Names of the networks that it is in. */
  readonly networks: readonly string[];
  readonly volumes: readonly MountedVolume[];
  /** It was paused a moment ago, which is not believed yet: in how many milliseconds it would be. */
  readonly pauseCountsInMs?: number;
  /** For how long it is known to have borne its name, in milliseconds, where drain.ts asks for that. */
  readonly namedForMs?: number;
  /** It was restarted, and fails its health check again: when it may be restarted once more, in milliseconds. */
  readonly restartDueInMs?: number;
  /** The live settings that it was last given, or seen with while they were desired; see `describeLive`. */
  readonly applied?: string;
  /** Live settings that the engine took without a word and did not keep, and those that it has instead. */
  readonly unkept?: { readonly desired: string; readonly actual: string };
  /** What it may have wanted when it failed; see `confinementHint`. */
  readonly hint?: string;
  /** Of a job that failed, the end of what it has printed, as it is: it may repeat a secret, see tellable.ts. */
  readonly lastOutput?: string | undefined;
  /** It was not made by Landlord, and stands for the one that the spec has there. */
  readonly foreign?: Foreign;
  readonly inspected: Inspected | undefined;
}

/** What its labels say of how it was made. Undefined: nothing; nobody of ours made it. */
export interface Made {
  readonly tenantId: string | undefined;
  /** Name in the spec. */
  readonly container: string | undefined;
  /** UID of the cluster that made it. */
  readonly cluster: string | undefined;
  readonly specHash: string | undefined;
  /** The live settings; see `describeLive`. */
  readonly live: string | undefined;
  /** Reference of its image. Earlier versions left that to the engine, which now has the id alone. */
  readonly image: string | undefined;
  /** Seconds that it is given to end; see stop-grace.ts. */
  readonly stopGrace?: string | undefined;
  /** What it waits for; see start-order-mark.ts. */
  readonly dependsOn?: string | undefined;
  /** Those that it is in besides its own. */
  readonly networks?: readonly string[] | undefined;
  /** By which names others are to find it there. */
  readonly networkAliases?: NetworkAliases | undefined;
  /** Seconds that it keeps its connections once it was succeeded; see drain.ts. */
  readonly drain?: string | undefined;
  /** Of a release; see release-mark.ts. */
  readonly release?: string | undefined;
  /** Ids of the images of those before it; see images-before.ts. */
  readonly imagesBefore?: readonly string[] | undefined;
}

/** What an inspect adds. */
export interface Inspected {
  /** Milliseconds since the epoch; 0: never. */
  readonly createdMs: number;
  readonly startedMs: number;
  readonly finishedMs: number;
  /** Of the last run; the engine says 0 while it runs. */
  readonly exitCode: number;
  readonly oomKilled: boolean;
  /** The engine's words on a start that it could not do. */
  readonly error: string;
  readonly restartCount: number;
  /** What the last health probe said, as it is: it may repeat a secret, see tellable.ts. */
  readonly lastProbe: string;
  readonly image: string;
  /** Its variables, as `NAME=value`, where secrets took part in the hash that it bears. */
  readonly environment?: readonly SecretValue[];
  readonly live: LiveSettings;
  readonly confinement: ToldConfinement;
  /** Host ports that it asked for by number: `8080/tcp`. */
  readonly fixedPorts: readonly string[];
  /** Sources of volumes and bind mounts that it can write to. */
  readonly writableMounts: readonly string[];
  readonly networkMode: string;
  /** By the name of each network that it is in. */
  readonly endpoints: Readonly<Record<string, Endpoint>>;
}

/** A container's place in a network. */
export interface Endpoint {
  /** Names that lead to it, beside its own. */
  readonly aliases: readonly string[];
  /** Empty while it does not run. */
  readonly address: string;
}

/** 5 min: the longest settling time. A container that is older needs no inspect to be called settled. */
export const youngMs = 300_000;

/** The engine keeps 4096 bytes of a probe's output; a longer one is not read to its end. */
const probeLength = 4_096;

export function observeContainer(info: ListedContainer, { key }: Pick<Ownership, 'key'>): ObservedContainer {
  const state = info.State as ContainerState;
  const made = readMade(info.Labels, key);
  const code = /\((-?\d+)\)/.exec(info.Status)?.[1];
  return {
    id: info.Id,
    name: ownName(info.Names),
    state,
    health: healthFromWords(info.Status),
    exitCode: hasExited(state) && code !== undefined ? Number(code) : undefined,
    young: state === 'running' && isYoung(info.Status),
    image: made.image ?? info.Image,
    imageId: info.ImageID ?? '',
    labels: info.Labels,
    made,
    ports: listedPorts(info.Ports),
    networkId: networkIdOf(info),
    networkMode: info.HostConfig?.NetworkMode ?? '',
    networks: Object.keys(info.NetworkSettings?.Networks ?? {}),
    volumes: mountedVolumes(info.Mounts ?? []),
    inspected: undefined,
  };
}

function mountedVolumes(mounts: readonly ListedMount[]): readonly MountedVolume[] {
  return mounts.flatMap(({ Type, Name = '', Destination }) =>
    Type === 'volume' && Name !== '' ? [{ name: Name, target: Destination }] : [],
  );
}

export function readMade(labels: Marks, key: Ownership['key']): Made {
  return {
    tenantId: labels[key('tenant_id')],
    container: labels[key('container')],
    cluster: labels[key('cluster')],
    specHash: labels[key('spec_hash')],
    live: labels[key('live')],
    image: labels[key('image')],
    stopGrace: labels[key('stop_grace')],
    dependsOn: labels[key(orderMark)],
    networks: readNetworks(labels[key(networksMark)]),
    networkAliases: readAliases(labels[key(aliasesMark)]),
    drain: labels[key('drain')],
    release: labels[key('release')],
    imagesBefore: readImagesBefore(labels[key(imagesBeforeMark)]),
  };
}

export function isUp({ state }: ObservedContainer): boolean {
  return state === 'running' || state === 'restarting' || state === 'paused';
}

/** The same container with what an inspect, asked for later, says of it. */
export function withInspect(container: ObservedContainer, inspect: InspectedContainer): ObservedContainer {
  const state = inspect.State.Status as ContainerState;
  const word = inspect.State.Health?.Status;
  return {
    ...container,
    name: withoutSlash(inspect.Name),
    state,
    health: word === 'starting' || word === 'healthy' || word === 'unhealthy' ? word : 'none',
    exitCode: hasExited(state) ? inspect.State.ExitCode : undefined,
    networks: Object.keys(inspect.NetworkSettings?.Networks ?? {}),
    inspected: { ...readInspect(inspect), ...environmentOf(container.made, inspect) },
  };
}

function hasExited(state: ContainerState): boolean {
  return state === 'exited' || state === 'restarting' || state === 'dead';
}

/** A container has one name of its own; names with a second slash are links that others made to it. */
function ownName(names: readonly string[]): string {
  return withoutSlash(names.find((name) => !name.slice(1).includes('/')) ?? names[0] ?? '');
}

function withoutSlash(name: string): string {
  return name.startsWith('/') ? name.slice(1) : name;
}

/** `Up 2 minutes (healthy)`, `Up 5 seconds (health: starting)`. */
function healthFromWords(status: string): HealthWord {
  const word = /\((?:health: )?(starting|healthy|unhealthy)\)/.exec(status)?.[1];
  return (word as HealthWord | undefined) ?? 'none';
}

/** The list speaks of seconds, `About a minute` and `4 minutes`; from 5 minutes on there is nothing to wait for. */
function isYoung(status: string): boolean {
  const minutes = /^Up (\d+) minutes?/.exec(status)?.[1];
  if (minutes !== undefined) return Number(minutes) < youngMs / 60_000;
  return /^Up (Less than a second|\d+ seconds?|About a minute)/.test(status);
}

function readInspect(inspect: InspectedContainer): Inspected {
  const { State, HostConfig, Config } = inspect;
  return {
    createdMs: instant(inspect.Created),
    startedMs: instant(State.StartedAt),
    finishedMs: instant(State.FinishedAt),
    exitCode: State.ExitCode,
    oomKilled: State.OOMKilled,
    error: State.Error ?? '',
    restartCount: inspect.RestartCount ?? 0,
    lastProbe: (State.Health?.Log?.at(-1)?.Output ?? '').slice(0, probeLength),
    image: Config.Image,
    live: {
      nanoCpus: HostConfig.NanoCpus ?? 0,
      memoryBytes: HostConfig.Memory ?? 0,
      // -1, too, is no limit.
      pidsLimit: Math.max(0, HostConfig.PidsLimit ?? 0),
      restartPolicy: (HostConfig.RestartPolicy?.Name || 'no') as RestartPolicy,
    },
    confinement: readConfinement(HostConfig),
    fixedPorts: boundPorts(HostConfig),
    writableMounts: (inspect.Mounts ?? []).filter(({ RW }) => RW).map(({ Name, Source }) => Name ?? Source),
    networkMode: HostConfig.NetworkMode ?? '',
    endpoints: Object.fromEntries(
      Object.entries(inspect.NetworkSettings?.Networks ?? {}).map(([network, { Aliases, IPAddress }]) => [
        network,
        { aliases: Aliases ?? [], address: IPAddress ?? '' },
      ]),
    ),
  };
}

/** Host ports that a container was made with, by number: `8080/tcp`. */
export function boundPorts({ PortBindings }: { readonly PortBindings?: unknown }): readonly string[] {
  const bindings = (PortBindings ?? {}) as Record<string, { HostPort?: string }[] | null | undefined>;
  return Object.entries(bindings).flatMap(([port, hosts]) =>
    (hosts ?? [])
      .filter(({ HostPort = '' }) => HostPort !== '' && HostPort !== '0')
      .map(({ HostPort }) => `${HostPort}/${port.split('/')[1] ?? 'tcp'}`),
  );
}

/** Kept only where it may be needed: it is large, and what of it is a secret, nobody can tell. */
function environmentOf(
  { specHash = '' }: Made,
  { Config }: InspectedContainer,
): Pick<Inspected, 'environment'> {
  return isSealed(specHash) ? { environment: (Config.Env ?? []).map((line) => new SecretValue(line)) } : {};
}

/** The engine says year 1 for "never". */
function instant(text: string | undefined): number {
  const ms = text === undefined ? 0 : Date.parse(text);
  return Number.isFinite(ms) && ms > 0 ? ms : 0;
}
