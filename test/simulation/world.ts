import { tenantSpecSchema } from '../../src/api/tenant.ts';
import type { TenantSpecSchema } from '../../src/api/tenant.ts';
import { ComputeError } from '../../src/compute/errors.ts';
import { mockTenantBlock } from '../../src/compute/providers/mock/config.ts';
import { dockerTenantBlock } from '../../src/compute/providers/docker/config.ts';
import { KubeApiError, KubeUnreachableError } from '../../src/kube/client/kube-api-error.ts';
import { createMemoryApiserver } from '../controller/memory-apiserver.ts';
import type { Commit, MemoryApiserver } from '../controller/memory-apiserver.ts';
import type { ApiserverNetwork } from './models/apiserver.ts';
import type { EngineNetwork, EngineRoute } from './models/docker-client.ts';
import { createDockerEngine } from './models/docker-engine.ts';
import type { DockerEngine, EngineChange } from './models/docker-engine.ts';
import type { AwsEcs } from './models/aws-ecs.ts';
import { createEcs } from './models/ecs-client.ts';
import { ecsTenantBlock } from '../../src/compute/providers/ecs/config.ts';
import { imageFacts } from './models/images.ts';
import { createLedger } from './ledger.ts';
import type { Ledger } from './ledger.ts';
import type { Operator } from './operator.ts';
import type { Random } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';

/** Everything that one run is made of. */
export interface World {
  readonly random: Random;
  readonly time: VirtualTime;
  readonly apiserver: MemoryApiserver;
  readonly apiserverNetwork: ApiserverNetwork;
  readonly engineNetwork: EngineNetwork;
  readonly engines: ReadonlyMap<string, DockerEngine>;
  /** ECS; made once it is asked for. */
  aws(): AwsEcs;
  /** Whether it was. */
  readonly hasAws: boolean;
  /** When strangers last changed what runs on ECS, by tenant (`namespace/name`). */
  readonly disturbedOnEcsMs: Map<string, number>;
  readonly specSchema: TenantSpecSchema;
  readonly weather: Weather;
  readonly ledger: Ledger;
  /** Running ones; mostly one. */
  readonly operators: Operator[];
  readonly observers: Observer[];
  readonly trace: TraceLine[];
  /** The operator goes round in circles: the rest of the run would take for ever. */
  isHopeless: boolean;
  engineNamed(name: string): DockerEngine;
  /** `unix://one` and `tcp://one` lead to the engine `one`. */
  engineAt(address: string): EngineRoute;
  note(what: string): void;
  onPass(key: string, by: string): void;
  onLog(line: LogLine): void;
}

export interface TraceLine {
  readonly atMs: number;
  readonly what: string;
}

export interface LogLine {
  readonly level: string;
  readonly by: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** How hostile the world is at the moment; a scenario changes it. */
export interface Weather {
  latencyMs: readonly [number, number];
  watchLagMs: readonly [number, number];
  /** Probabilities. */
  apiserverFails: number;
  apiserverLosesAnswers: number;
  engineLosesAnswers: number;
  /** What every call to an engine is answered with. */
  engineRefuses: 'Throttled' | 'AccessDenied' | undefined;
  /** Nobody reaches the apiserver. */
  apiserverDown: boolean;
  /** The apiserver fails to read Secrets. */
  secretsFail: boolean;
  /** Nobody reaches the engines. */
  enginesCutOff: boolean;
  enginesCutOffSinceMs: number;
  /** Since when the apiserver has been within reach. */
  apiserverBackMs: number;
  /** When an engine last began to be in trouble. */
  troubleSinceMs: number;
  /** When something more came to it. */
  troubleLastMs: number;
  /** Since when ECS has been out of reach; Infinity: it is not. */
  ecsOutSinceMs: number;
  slowPullMs: number;
  expiredBelow: number;
}

/** What is told of what happens. */
export interface Observer {
  /** Before an engine changes. */
  onEngineChange?(engine: DockerEngine, change: EngineChange): void;
  /** An operator calls an engine. */
  onEngineCall?(call: string, by: string): void;
  onCommit?(commit: Commit): void;
  onLog?(line: LogLine): void;
  onPass?(key: string, by: string): void;
  /** Now and then. */
  onSample?(): void;
}

/** What follows soon upon another trouble is the same one to those who are out of touch. */
const sameTroubleMs = 300_000;

export function noteTrouble({ weather, time }: Pick<World, 'weather' | 'time'>): void {
  if (time.now() - weather.troubleLastMs > sameTroubleMs) weather.troubleSinceMs = time.now();
  weather.troubleLastMs = time.now();
}

export const calm: Readonly<Weather> = {
  latencyMs: [1, 8],
  watchLagMs: [1, 10],
  apiserverFails: 0,
  apiserverLosesAnswers: 0,
  engineLosesAnswers: 0,
  engineRefuses: undefined,
  apiserverDown: false,
  secretsFail: false,
  enginesCutOff: false,
  enginesCutOffSinceMs: 0,
  apiserverBackMs: 0,
  troubleSinceMs: 0,
  troubleLastMs: 0,
  ecsOutSinceMs: Infinity,
  slowPullMs: 40_000,
  expiredBelow: 0,
};

const keptTraceLines = 4_000;

/** Once for all runs: to build and compile it takes longer than many of them. */
const specSchema = tenantSpecSchema({
  docker: dockerTenantBlock,
  ecs: ecsTenantBlock,
  mock: mockTenantBlock,
});

export function createWorld(random: Random, time: VirtualTime): World {
  const weather: Weather = { ...calm };
  const observers: Observer[] = [];
  const trace: TraceLine[] = [];
  const apiserver = createMemoryApiserver();
  const engines = new Map(['one', 'two'].map((name) => [name, createDockerEngine(name, random)]));
  let aws: AwsEcs | undefined;
  const world: World = {
    random,
    time,
    apiserver,
    apiserverNetwork: apiserverNetwork(weather, random),
    engineNetwork: engineNetwork(weather, random, (call, by) => {
      for (const observer of observers) observer.onEngineCall?.(call, by);
    }),
    engines,
    aws: () => (aws ??= createEcs(() => random.next())),
    get hasAws() {
      return aws !== undefined;
    },
    specSchema,
    weather,
    disturbedOnEcsMs: new Map(),
    ledger: createLedger(() => time.now()),
    operators: [],
    observers,
    trace,
    isHopeless: false,
    engineNamed(name) {
      const engine = engines.get(name);
      if (engine === undefined) throw new Error(`there is no engine ${name}`);
      return engine;
    },
    engineAt(address) {
      const [, name = ''] = address.split('://');
      return { engine: world.engineNamed(name), address };
    },
    note(what) {
      trace.push({ atMs: time.now(), what });
      if (trace.length > keptTraceLines) trace.splice(0, keptTraceLines / 2);
    },
    onPass(key, by) {
      for (const observer of observers) observer.onPass?.(key, by);
    },
    onLog(line) {
      if (line.level !== 'info')
        world.note(`${line.by} ${line.level}: ${line.message} ${describeFields(line.fields)}`);
      for (const observer of observers) observer.onLog?.(line);
    },
  };
  apiserver.checksStatus = true;
  apiserver.onCommit = (commit) => {
    world.ledger.take(commit);
    noteCommit(world, commit);
    for (const observer of observers) observer.onCommit?.(commit);
  };
  for (const engine of engines.values())
    engine.onChange = (change) => {
      world.note(`${change.by} ${change.call} ${whatOf(change)}`);
      for (const observer of observers) observer.onEngineChange?.(engine, change);
    };
  return world;
}

function whatOf({ container, network, volume, image, detail = '' }: EngineChange): string {
  const name = container?.name ?? network?.Name ?? volume?.Name ?? image ?? '';
  const facts = container === undefined ? '' : ` (${container.image}, ${container.state})`;
  return `${name}${facts} ${detail}`.trim();
}

function describeFields(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .map(
      ([key, value]) =>
        `${key}=${value instanceof Error ? `${value.name}: ${value.message}` : String(value)}`,
    )
    .join(' ');
}

function noteCommit(world: World, { user, collection, subresource, before, after }: Commit): void {
  const { namespace = '', name = '' } = (after ?? before)?.metadata ?? {};
  const what = `${user} ${after === undefined ? 'removes' : before === undefined ? 'creates' : 'writes'}`;
  if (collection === 'tenants') {
    const text =
      subresource === 'status' || after === undefined
        ? JSON.stringify(summaryOf(after?.status))
        : `generation ${after.metadata.generation ?? 0} finalizers ${(after.metadata.finalizers ?? []).length}${after.metadata.deletionTimestamp === undefined ? '' : ' deleting'}`;
    world.note(`${what} tenant ${namespace}/${name} ${subresource ?? ''} ${text}`);
  } else if (collection === 'events') {
    const { type, reason, note } = (after ?? {}) as unknown as Record<string, string | undefined>;
    world.note(`${what} event ${type ?? ''} ${reason ?? ''}: ${note ?? ''}`);
  }
}

function summaryOf(status: unknown): unknown {
  if (typeof status !== 'object' || status === null) return status;
  const { observedGeneration, conditions, placement, rejected } = status as Record<string, unknown>;
  const words = ((conditions ?? []) as Record<string, string>[]).map(
    ({ type, status: value, reason, message }) =>
      `${type ?? ''}=${value ?? ''}/${reason ?? ''}: ${message ?? ''}`,
  );
  return { observedGeneration, words, placement: placement !== undefined, rejected: rejected !== undefined };
}

function between(random: Random, [from, to]: readonly [number, number]): number {
  return from + random.next() * (to - from);
}

function apiserverNetwork(weather: Weather, random: Random): ApiserverNetwork {
  return {
    latencyMs: () => between(random, weather.latencyMs),
    watchLagMs: () => between(random, weather.watchLagMs),
    fails(method, path) {
      if (weather.secretsFail && path.includes('/secrets/'))
        return new KubeApiError(path, 500, { reason: 'InternalError', code: 500 });
      if (weather.apiserverDown) return new KubeUnreachableError('the apiserver does not answer');
      if (method === 'WATCH' || !random.chance(weather.apiserverFails)) return undefined;
      return random.chance(0.5)
        ? new KubeUnreachableError('the connection broke', { outcomeUnknown: true })
        : new KubeApiError(method, 500, { reason: 'InternalError', code: 500 });
    },
    losesAnswer: (method) => method !== 'GET' && random.chance(weather.apiserverLosesAnswers),
    expiredBelow: () => weather.expiredBelow,
  };
}

function engineNetwork(
  weather: Weather,
  random: Random,
  onCall: (call: string, by: string) => void,
): EngineNetwork {
  return {
    latencyMs: () => between(random, weather.latencyMs),
    fails() {
      if (weather.enginesCutOff)
        return new ComputeError(
          'ProviderUnavailable',
          'Docker Engine can not be reached: is the host up, and the way to it open?',
        );
      const { engineRefuses } = weather;
      return engineRefuses === undefined
        ? undefined
        : new ComputeError(engineRefuses, `Docker Engine answered: ${engineRefuses}`);
    },
    losesAnswer: (call) => random.chance(weather.engineLosesAnswers) && call !== 'listContainers',
    eventLagMs: () => between(random, weather.watchLagMs),
    pullMs: (image) => (imageFacts(image).pull === 'slow' ? weather.slowPullMs : 100 + random.next() * 2_000),
    cutOffSinceMs: () => (weather.enginesCutOff ? weather.enginesCutOffSinceMs : Infinity),
    onCall,
  };
}
