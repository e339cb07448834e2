// First of all: see Math.random there.
import { installVirtualTime } from './virtual-time.ts';
import { convergence } from './invariants/convergence.ts';
import { drains } from './invariants/drains.ts';
import { effort } from './invariants/effort.ts';
import type { Invariant, Violation, Watching } from './invariants/invariant.ts';
import { whatIsSaid } from './invariants/what-is-said.ts';
import { asksOnce } from './invariants/asked-once.ts';
import { keepsImages } from './invariants/keeps-images.ts';
import { startsInOrder } from './invariants/starts-in-order.ts';
import { whatRuns } from './invariants/what-runs.ts';
import { startOperator } from './operator.ts';
import type { Operator, OperatorConfig } from './operator.ts';
import type { Scene } from './actions/scene.ts';
import { approveAll, rotateSecret } from './actions/users.ts';
import type { DockerEngine } from './models/docker-engine.ts';
import { ecsBlock } from './models/ecs-client.ts';
import { knownFaults } from './seeds.ts';
import { createRandom } from './random.ts';
import type { Random } from './random.ts';
import { actionNamed, drawScenario } from './scenario.ts';
import type { Chances, Scenario } from './scenario.ts';
import type { VirtualTime } from './virtual-time.ts';
import { calm, createWorld } from './world.ts';
import type { TraceLine, World } from './world.ts';

export const invariants: readonly Invariant[] = [
  ...whatRuns,
  startsInOrder,
  asksOnce,
  drains,
  keepsImages,
  ...whatIsSaid,
  ...effort,
  ...convergence,
];

const known: ReadonlySet<string> = new Set(knownFaults.map(({ leavesOut }) => leavesOut));

export interface Run {
  readonly seed: number;
  readonly scenario: Scenario;
  /** The first of each invariant. */
  readonly violations: readonly Violation[];
  readonly trace: readonly TraceLine[];
  /** Timers that ran. */
  readonly steps: number;
}

/** One run from its seed: always the same. `leftOut`: what its scenario does without. */
export async function simulate(seed: number, leftOut: ReadonlySet<string> = known): Promise<Run> {
  const chances: Chances = {
    random: createRandom(seed),
    aside: createRandom(~seed),
    releases: createRandom(seed ^ 0x5eed),
    counts: createRandom(~seed ^ 0x55555555),
    consents: createRandom(seed ^ 0x33333333),
    images: createRandom(~seed ^ 0x0f0f0f0f),
    guests: createRandom(seed ^ 0x7ab1e),
  };
  const time = installVirtualTime(() => chances.random.next());
  try {
    const scenario = drawScenario(chances, leftOut);
    return await runScenario(seed, scenario, { time, ...chances });
  } finally {
    time.uninstall();
  }
}

interface Course extends Chances {
  readonly time: VirtualTime;
}

async function runScenario(seed: number, scenario: Scenario, course: Course): Promise<Run> {
  const { time, random } = course;
  const world = createWorld(random, time);
  const violations = new Map<string, Violation>();
  const watching = invariants
    .filter(({ name }) => !scenario.leftOut.has(name))
    .map((invariant) => watch(world, invariant, violations));
  world.observers.push(...watching);
  const scene = createScene(world, scenario, course);
  sampleForEver(world);
  if (scene.consents !== undefined) approveForEver(scene, scene.consents);
  scene.begin(scene.config);
  if (random.chance(0.8)) await rotateSecret(scene);
  try {
    await play(scene, scenario);
    await calmDown(scene);
    for (const one of watching) await one.atEnd?.();
    await scene.pass(scenario.quietMinutes * 60_000);
    for (const one of watching) one.afterQuiet?.();
  } catch (error) {
    if (error !== hopeless) throw error;
  }
  // What is still under way must not reach into the next run.
  world.isHopeless = false;
  for (const operator of world.operators.splice(0)) await scene.end(operator, 'crash');
  await time.advance(60_000);
  return { seed, scenario, violations: [...violations.values()], trace: world.trace, steps: time.steps };
}

/** It goes round in circles: to look on would take for ever. */
const hopeless = new Error('the run goes round in circles');
const circles = new Set(effort.map(({ name }) => name));

function watch(world: World, invariant: Invariant, violations: Map<string, Violation>): Watching {
  const { name, promise } = invariant;
  return invariant.watch(world, (detail) => {
    if (violations.has(name)) return;
    if (circles.has(name)) world.isHopeless = true;
    violations.set(name, { name, promise, detail, atMs: world.time.now() });
    world.note(`BROKEN ${name}: ${detail}`);
  });
}

const sampleEveryMs = 10_000;

function sampleForEver(world: World): void {
  setTimeout(() => {
    for (const observer of world.observers) observer.onSample?.();
    sampleForEver(world);
  }, sampleEveryMs);
}

/** As people do who wait for it: soon, and now and then after a while. */
function approveForEver(scene: Scene, random: Random): void {
  setTimeout(
    () => {
      void approveAll(scene).then(() => approveForEver(scene, random));
    },
    random.int(500, 20_000),
  );
}

function createScene(world: World, scenario: Scenario, course: Course): Scene {
  const { aside, releases, counts, consents, images, guests } = course;
  const { tenants, badness, skewMs, discardsLimits, hasSelector } = scenario;
  const { random, time } = world;
  const names = ['acme', 'bolt', 'coil'].slice(0, tenants);
  for (const engine of world.engines.values())
    Object.assign(engine, { skewMs, discardsLimits, startedMs: engine.startedMs + skewMs });
  const image_gc = { enabled: true, dry_run: false, grace_period: '1s' };
  const docker = { image: 'app:1', ...(scenario.hasImageGc && { image_gc }) };
  if (scenario.hasImageGc)
    for (const engine of world.engines.values()) bring(engine, images.pick(['app:1', 'app:2', 'db:1']));
  const tenantSelector = hasSelector ? 'watched=yes' : '';
  const isEcs = scenario.theme === 'ecs';
  const ecs = isEcs ? ecsBlock : undefined;
  const config: OperatorConfig = { docker, mock: {}, ecs, engine: 'one', tenantSelector };
  let started = 0;
  return {
    world,
    random,
    // The model of ECS knows no jobs.
    order: scenario.hasOrder && !isEcs ? aside : undefined,
    releases: scenario.hasReleases && !isEcs ? releases : undefined,
    counts: scenario.hasReplicas ? counts : undefined,
    // Whoever is cut off from one that crashes again and again asks for consent each time.
    guests: scenario.hasGuests && !scenario.hasApprovals && !isEcs ? guests : undefined,
    consents: scenario.hasApprovals ? consents : undefined,
    names,
    badness,
    leftOut: scenario.leftOut,
    home: isEcs ? 'ecs' : 'docker',
    away: isEcs ? 'docker' : 'mock',
    config,
    labels: hasSelector ? { watched: 'yes' } : {},
    absence: 0,
    anyName: () => random.pick(names),
    async pass(ms) {
      await time.advanceUntil(ms, () => world.isHopeless);
      if (world.isHopeless) throw hopeless;
    },
    begin(next) {
      started += 1;
      const operator = startOperator(world, `operator-${started}`, next);
      world.operators.push(operator);
      world.note(`operator-${started} begins`);
      return operator;
    },
    async end(operator, how) {
      world.note(`${operator.process.name} ends: ${how}`);
      if (how === 'crash') operator.crash();
      else await passUntilSettled(time, operator);
      const index = world.operators.indexOf(operator);
      if (index !== -1) world.operators.splice(index, 1);
    },
  };
}

/** A person pulls an image before anybody else does. */
function bring({ images, brought }: DockerEngine, image: string): void {
  images.add(image);
  brought.add(image);
}

async function passUntilSettled(time: VirtualTime, operator: Operator): Promise<void> {
  let isOver = false;
  void operator.stop().finally(() => (isOver = true));
  await time.advanceUntil(120_000, () => isOver);
}

async function play(scene: Scene, { steps }: Scenario): Promise<void> {
  for (const { afterMs, action } of steps) {
    await scene.pass(afterMs);
    scene.world.note(`— ${action}`);
    await actionNamed(action)(scene);
    if (scene.world.operators.length === 0 && (scene.absence -= 1) <= 0) scene.begin(scene.config);
  }
}

/** Longer than whatever is stalled waits for its next try, twice. */
const convergenceMs = 500_000;

/** So long, people approve what waits for them. */
const approvingMinutes = 6;

/** Whatever is wrong with the world is mended; then there is time for everything to come to rest. */
async function calmDown(scene: Scene): Promise<void> {
  const { world } = scene;
  if (world.operators.length === 0) scene.begin(scene.config);
  await scene.pass(10_000);
  Object.assign(world.weather, {
    ...calm,
    apiserverBackMs: world.weather.apiserverBackMs,
    troubleSinceMs: world.weather.troubleSinceMs,
  });
  for (const engine of world.engines.values()) {
    Object.assign(engine, { phase: 'up', unreachableSinceMs: 0 });
    engine.heldPorts.clear();
    for (const container of engine.containers.values()) {
      container.isBroken = false;
      container.flaw = undefined;
    }
  }
  if (world.hasAws) Object.assign(world.aws().door, { outage: undefined, denied: undefined });
  world.note('— all is well from here on');
  for (let minute = 0; minute < approvingMinutes; minute += 1) {
    await scene.pass(60_000);
    await approveAll(scene);
  }
  await scene.pass(convergenceMs);
}
