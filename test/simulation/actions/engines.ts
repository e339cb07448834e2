import { isUp } from '../models/docker-container.ts';
import type { Container } from '../models/docker-container.ts';
import * as model from '../models/docker-engine.ts';
import { crashRun, endRun } from '../models/docker-container.ts';
import type { DockerEngine } from '../models/docker-engine.ts';
import { noteTrouble } from '../world.ts';
import type { Action, Scene } from './scene.ts';

/** What happens to the engines, and what people with rights on their hosts do there. */

function engineOf({ world, config }: Scene): DockerEngine {
  return world.engineNamed(config.engine);
}

function some(scene: Scene, which: (container: Container) => boolean): Container | undefined {
  const found = [...engineOf(scene).containers.values()].filter(
    (one) => one.madeBy !== 'person' && which(one),
  );
  return found.length === 0 ? undefined : scene.random.pick(found);
}

function trouble(scene: Scene, what: string): void {
  scene.world.note(`engine: ${what}`);
  noteTrouble(scene.world);
}

/** By a container that publishes it, which the engine tells of, or by a process on the host, which nobody sees. */
function hold(engine: DockerEngine, port: number): () => void {
  const { containers, heldPorts, surroundings } = engine;
  // The clock decides, so that no later draw is another.
  const id = engine.now() % 2 === 0 ? publish(engine, port) : undefined;
  if (id === undefined) heldPorts.add(port);
  return () => {
    heldPorts.delete(port);
    const one = id === undefined ? undefined : containers.get(id);
    if (one === undefined) return;
    containers.delete(one.id);
    surroundings.emit('destroy', one);
  };
}

/** Undefined: something has it already, or the engine is not there. */
function publish(engine: DockerEngine, port: number): string | undefined {
  if (engine.phase !== 'up') return undefined;
  engine.images.add('app:1');
  const PortBindings = { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: `${port}` }] };
  const id = model.create(engine, 'person', `holder-${port}`, {
    Image: 'app:1',
    HostConfig: { PortBindings },
  });
  try {
    model.start(engine, 'person', id);
    return id;
  } catch (error) {
    if (!(error instanceof model.Refused)) throw error;
    engine.containers.delete(id);
    return undefined;
  }
}

export const engineActions = {
  restart(scene) {
    const engine = engineOf(scene);
    trouble(scene, 'is restarted');
    model.restart(engine, 'graceful', scene.random.int(300, 4_000));
  },
  restartKilled(scene) {
    trouble(scene, 'is killed and comes back');
    model.restart(engineOf(scene), 'killed', scene.random.int(300, 4_000));
  },
  async freeze(scene) {
    const engine = engineOf(scene);
    if (engine.phase !== 'up') return;
    trouble(scene, 'freezes');
    engine.phase = 'frozen';
    engine.unreachableSinceMs = engine.now();
    // An open stream shows nothing of it; a question beside it does.
    setTimeout(() => {
      if (engine.phase === 'frozen') for (const push of engine.streams) push(undefined);
    }, 20_000);
    await scene.pass(scene.random.pick([2_000, 20_000, 150_000]));
    if (engine.phase === 'frozen') Object.assign(engine, { phase: 'up', unreachableSinceMs: 0 });
    scene.world.note('engine: goes on');
  },
  async cutOff(scene) {
    const { weather, time } = scene.world;
    trouble(scene, 'is out of reach');
    Object.assign(weather, { enginesCutOff: true, enginesCutOffSinceMs: time.now() });
    const { streams } = engineOf(scene);
    const breakStreams = (): void => {
      for (const push of streams) push(undefined);
    };
    // Where the connection shows nothing of it, a question beside it does.
    if (scene.random.chance(0.7)) breakStreams();
    else
      setTimeout(() => {
        if (weather.enginesCutOff) breakStreams();
      }, 20_000);
    await scene.pass(scene.random.pick([300, 3_000, 30_000, 200_000]));
    Object.assign(weather, { enginesCutOff: false });
    scene.world.note('engine: is within reach');
  },
  async refuse(scene) {
    const refusal = scene.random.pick(['Throttled', 'AccessDenied'] as const);
    trouble(scene, `answers all with ${refusal}`);
    scene.world.weather.engineRefuses = refusal;
    // Something that makes a pass look.
    const one = some(scene, ({ state }) => state === 'running');
    if (one !== undefined) engineOf(scene).surroundings.emit('restart', one);
    await scene.pass(scene.random.pick([300, 5_000, 30_000]));
    scene.world.weather.engineRefuses = undefined;
  },
  async loseAnswers(scene) {
    scene.world.note('engine: answers get lost');
    scene.world.weather.engineLosesAnswers = 0.2;
    await scene.pass(scene.random.int(1_000, 10_000));
    scene.world.weather.engineLosesAnswers = 0;
  },
  kill(scene) {
    const engine = engineOf(scene);
    const one = some(scene, ({ state }) => state === 'running');
    if (one === undefined) return;
    scene.world.note(`person kills ${one.name}`);
    // Through the engine, or past it on the host.
    if (scene.random.chance(0.5)) model.askToEnd(engine, one, '9');
    endRun(one, 137, engine.surroundings);
  },
  stop(scene) {
    const one = some(scene, isUp);
    if (one !== undefined) model.stop(engineOf(scene), 'person', one.id);
  },
  remove(scene) {
    const one = some(scene, () => true);
    if (one !== undefined) model.remove(engineOf(scene), 'person', one.id);
  },
  async commit(scene) {
    const engine = engineOf(scene);
    const one = some(scene, ({ state }) => state === 'running');
    if (one === undefined) return;
    scene.world.note(`person commits ${one.name}`);
    const runs = (): boolean => engine.containers.has(one.id);
    Object.assign(one, { state: 'paused', pausedMs: engine.now() });
    engine.surroundings.emit('pause', one);
    await scene.pass(scene.random.int(100, 1_500));
    if (!runs()) return;
    if (one.state === 'paused') {
      one.state = 'running';
      engine.surroundings.emit('unpause', one);
    }
    if (scene.random.chance(0.3)) return;
    scene.world.note(`person runs a copy of ${one.name}`);
    const name = `copy-${scene.random.int(1, 1_000_000)}`;
    const labels = { ...one.body.Labels };
    const id = model.create(engine, 'person', name, {
      Image: one.image,
      Labels: labels,
      HostConfig: { NetworkMode: 'bridge' },
    });
    model.start(engine, 'person', id);
  },
  prune(scene) {
    const engine = engineOf(scene);
    scene.world.note('person prunes the engine');
    for (const one of engine.containers.values())
      if (!isUp(one) && one.state !== 'removing') model.remove(engine, 'person', one.id);
    for (const { Name } of engine.volumes.values())
      if (model.usersOf(engine, Name).length === 0) model.removeVolume(engine, 'person', Name);
    for (const { Id, Name } of engine.networks.values()) {
      const isUsed = [...engine.containers.values()].some(
        (one) => one.hostConfig.NetworkMode === Name && one.state !== 'removing',
      );
      if (!isUsed) model.removeNetwork(engine, 'person', Id);
    }
  },
  async fillPool(scene) {
    const engine = engineOf(scene);
    const id = model.createNetwork(engine, 'person', {
      Name: `office-${scene.random.int(1, 1_000_000)}`,
      IPAM: { Driver: 'default', Config: [{ Subnet: '10.210.0.0/16' }] },
    });
    await scene.pass(scene.random.int(1_000, 60_000));
    model.removeNetwork(engine, 'person', id);
  },
  async removeSlowly(scene) {
    const engine = engineOf(scene);
    scene.world.note('engine: what it removes is stuck');
    engine.removesSlowly = true;
    await scene.pass(scene.random.int(5_000, 30_000));
    engine.removesSlowly = false;
  },
  limit(scene) {
    const one = some(scene, isUp);
    if (one !== undefined) model.update(engineOf(scene), 'person', one.id, { Memory: 32 * 2 ** 20 });
  },
  async breakOne(scene) {
    const one = some(scene, () => true);
    if (one === undefined) return;
    trouble(scene, `can't inspect ${one.name}`);
    one.isBroken = true;
    await scene.pass(scene.random.pick([5_000, 90_000]));
    one.isBroken = false;
  },
  async holdPort(scene) {
    const port = 18_080 + scene.random.int(0, scene.names.length - 1) + scene.random.pick([0, 100]);
    scene.world.note(`something holds the port ${port}`);
    const release = hold(engineOf(scene), port);
    await scene.pass(scene.random.int(1_000, 60_000));
    release();
  },
  flaw(scene) {
    const engine = engineOf(scene);
    // What ends by itself while it is proven is rejected, and rightly: nobody can tell that from a fault of its own.
    const one = some(scene, ({ state, name }) => state === 'running' && !/_(next|old|dropped)$/.test(name));
    if (one === undefined) return;
    const afterMs = scene.random.pick([500, 5_000]);
    scene.world.note(`the process of ${one.name} begins to end after ${afterMs} ms`);
    one.flaw = { afterMs, untilMs: engine.now() + scene.random.int(60_000, 600_000) };
    crashRun(one, 1, engine.surroundings);
  },
} satisfies Record<string, Action>;
