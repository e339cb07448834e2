import type Dockerode from 'dockerode';
import type { Endpoints } from '../../compute/providers/docker/engine-answers.ts';
import { factsOfRun, imageFacts } from './images.ts';

/** A container of the modelled engine: what the engine knows of it, and the life of its process. */
export interface Container {
  readonly id: string;
  name: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly body: Omit<Dockerode.ContainerCreateOptions, 'name'>;
  readonly hostConfig: Dockerode.HostConfig;
  /** `namespace/name` of the Tenant that its labels name. */
  readonly tenant: string;
  /** The container of the spec that its labels name. */
  readonly role: string;
  /** Who created it: an operator, or a person. */
  readonly madeBy: string;
  state: ContainerState;
  health: 'starting' | 'healthy' | 'unhealthy' | undefined;
  exitCode: number;
  error: string;
  restartCount: number;
  /** By the world's clock; 0: never. */
  readonly createdMs: number;
  startedMs: number;
  finishedMs: number;
  pausedMs: number;
  /** Stopped by a call: the engine's restart policy leaves it down. */
  wasStopped: boolean;
  /** The remains of a start that the engine's own end cut off: it can't be started any more. */
  isStuck: boolean;
  /** The engine fails to inspect it. */
  isBroken: boolean;
  /** Host ports by container port, while it is up. */
  ports: Readonly<Record<string, number>>;
  readonly anonymousVolumes: readonly string[];
  readonly endpoints: Endpoints;
  /** What is in the files of the spec that it mounts. */
  readonly files: string;
  /** Ends by itself, each time until `untilMs`, with whatever image. */
  flaw: { readonly afterMs: number; readonly untilMs: number } | undefined;
  /** When its process ended without having been told to. */
  readonly crashes: number[];
  /** Counts its runs: what was set off by an earlier one is void. */
  run: number;
}

export type ContainerState = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';

export function isUp({ state }: Pick<Container, 'state'>): boolean {
  return state === 'running' || state === 'paused' || state === 'restarting';
}

/** What a container's life needs of its engine. */
export interface Surroundings {
  now(): number;
  emit(action: string, container: Container): void;
  /** Whether the engine is there to look after its containers. */
  isAlive(): boolean;
  /** Whether what asks is in the network, and the name leads to one that runs there. */
  answers(asker: Container, network: string, name: string): boolean;
  assignPorts(container: Container): void;
  assignAddresses(container: Container): void;
}

/** Docker's own: 100 ms, doubled up to a minute; forgotten after a run of 10 s. */
const restartBaseMs = 100;
const restartCapMs = 60_000;
const goodRunMs = 10_000;

const pausedLookMs = 100;

/** `80/tcp`, each with the host port that it is to have; 0: any. */
export function portBindings({ hostConfig }: Container): readonly (readonly [string, number])[] {
  const wanted = (hostConfig.PortBindings ?? {}) as Record<string, { HostPort: string }[]>;
  return Object.entries(wanted).flatMap(([port, hosts]) =>
    hosts.map(({ HostPort }) => [port, Number(HostPort)] as const),
  );
}

export function restartPolicyOf({ hostConfig }: Container): string {
  return hostConfig.RestartPolicy?.Name ?? 'no';
}

/** The process begins. */
export function beginRun(container: Container, world: Surroundings): void {
  container.run += 1;
  const { run } = container;
  const startedMs = world.now();
  const check = healthCheckOf(container);
  Object.assign(container, {
    state: 'running',
    error: '',
    startedMs,
    wasStopped: false,
    health: check === undefined ? undefined : 'starting',
  });
  world.assignPorts(container);
  world.assignAddresses(container);
  world.emit('start', container);
  const whileRunning = (ms: number, then: () => void): void =>
    void setTimeout(() => {
      if (container.run !== run) return;
      // What a pause holds up happens once it is over.
      if (container.state === 'paused') whileRunning(pausedLookMs, then);
      else if (container.state === 'running') then();
    }, ms);
  planEnd(container, world, whileRunning);
  if (check !== undefined) probe(container, world, whileRunning);
}

function healthCheckOf({ body: { Healthcheck } }: Container): Dockerode.HealthConfig | undefined {
  return Healthcheck?.Test?.[0] === 'NONE' ? undefined : Healthcheck;
}

type WhileRunning = (ms: number, then: () => void) => void;

function planEnd(container: Container, world: Surroundings, whileRunning: WhileRunning): void {
  const facts = factsOfRun(container.image, container.body.Cmd);
  const crash = (code: number): void => crashRun(container, code, world);
  const { flaw } = container;
  if (flaw !== undefined && world.now() < flaw.untilMs) return whileRunning(flaw.afterMs, () => crash(1));
  if (facts.exits !== undefined) {
    const { afterMs, code } = facts.exits;
    return whileRunning(afterMs, () => (code === 0 ? endRun(container, code, world) : crash(code)));
  }
  const { needs } = facts;
  if (needs === undefined) return;
  whileRunning(300, () => {
    if (!world.answers(container, container.hostConfig.NetworkMode ?? '', needs)) crash(1);
  });
}

/** The first probe comes one interval after the start. */
function probe(container: Container, world: Surroundings, whileRunning: WhileRunning): void {
  const { Interval = 1e10, Retries = 3 } = container.body.Healthcheck ?? {};
  const intervalMs = Interval / 1e6;
  const { isSick = false } = imageFacts(container.image);
  whileRunning(isSick ? intervalMs * Retries : intervalMs, () => {
    container.health = isSick ? 'unhealthy' : 'healthy';
    world.emit(`health_status: ${container.health}`, container);
  });
}

/** Its process ends by itself. Where it has been asked to stop just before, nobody can tell that. */
export function crashRun(container: Container, exitCode: number, world: Surroundings): void {
  if (!container.wasStopped) container.crashes.push(world.now());
  endRun(container, exitCode, world);
}

/** The process has ended; the engine, where it is alive, starts it again by its policy. */
export function endRun(container: Container, exitCode: number, world: Surroundings): void {
  const ranMs = world.now() - container.startedMs;
  Object.assign(container, { exitCode, finishedMs: world.now(), ports: {} });
  container.run += 1;
  const { run } = container;
  const policy = restartPolicyOf(container);
  const restarts =
    world.isAlive() &&
    !container.wasStopped &&
    (policy === 'always' || policy === 'unless-stopped' || (policy === 'on-failure' && exitCode !== 0));
  container.state = restarts ? 'restarting' : 'exited';
  world.emit('die', container);
  if (!restarts) return;
  const tries = ranMs >= goodRunMs ? 0 : container.restartCount;
  setTimeout(
    () => {
      if (container.run !== run || container.state !== 'restarting' || !world.isAlive()) return;
      container.restartCount += 1;
      beginRun(container, world);
    },
    Math.min(restartCapMs, restartBaseMs * 2 ** Math.min(tries, 10)),
  );
}
