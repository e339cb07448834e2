import type { OperatorConfig } from '../operator.ts';
import type { Action, Scene } from './scene.ts';

/** What happens to the operator and on its way to the apiserver. */

async function replace(scene: Scene, how: 'stop' | 'crash', downMs: number): Promise<void> {
  const [operator] = scene.world.operators;
  if (operator !== undefined) await scene.end(operator, how);
  if (downMs > 0) await scene.pass(downMs);
  scene.begin(scene.config);
}

function withDocker(config: OperatorConfig, change: Record<string, unknown>): OperatorConfig {
  return { ...config, docker: { ...config.docker, ...change } };
}

export const operatorActions = {
  crash: (scene) => replace(scene, 'crash', scene.random.pick([0, 500, 5_000])),
  handOver: (scene) => replace(scene, 'stop', scene.random.pick([0, 2_000])),
  async absence(scene) {
    const [operator] = scene.world.operators;
    if (operator !== undefined) await scene.end(operator, 'crash');
    scene.absence = scene.random.int(1, 4);
  },
  async blindStart(scene) {
    const { world } = scene;
    const [operator] = world.operators;
    if (operator !== undefined) await scene.end(operator, 'crash');
    world.note('the apiserver is down while an operator begins');
    world.weather.apiserverDown = true;
    world.apiserver.breakWatches(new Error('the apiserver went away'));
    scene.begin(scene.config);
    await scene.pass(330_000);
    Object.assign(world.weather, { apiserverDown: false, apiserverBackMs: world.time.now() });
  },
  async otherPrefix(scene) {
    const prefix = scene.config.docker?.['label_prefix'] === 'tenants' ? 'landlord' : 'tenants';
    scene.config = withDocker(scene.config, { label_prefix: prefix });
    scene.world.note(`admin changes label_prefix to ${prefix}`);
    await replace(scene, 'stop', 1_000);
  },
  async otherEngine(scene) {
    const { config, random } = scene;
    const way = random.pick(['unix', 'tcp'] as const);
    const other = config.engine === 'one' ? 'two' : 'one';
    scene.config = { ...config, way, engine: random.chance(0.8) ? other : config.engine };
    scene.world.note(`admin changes host to ${way}://${scene.config.engine}`);
    await replace(scene, 'stop', 1_000);
  },
  async otherBindAddress(scene) {
    scene.config = withDocker(scene.config, {
      port_bind_address: scene.random.pick(['127.0.0.1', '0.0.0.0']),
    });
    scene.world.note('admin changes port_bind_address');
    await replace(scene, 'stop', 1_000);
  },
  async otherDefaults(scene) {
    scene.config = withDocker(scene.config, { env: { DEFAULT: `${scene.random.int(1, 9)}` } });
    scene.world.note('admin changes the defaults');
    await replace(scene, 'stop', 1_000);
  },
  async rival(scene) {
    scene.world.note('a second operator with other defaults begins');
    const rival = scene.begin(withDocker(scene.config, { env: { DEFAULT: 'rival' } }));
    await scene.pass(scene.random.int(20_000, 120_000));
    await scene.end(rival, 'stop');
  },
} satisfies Record<string, Action>;

export const apiserverActions = {
  async lag(scene) {
    scene.world.note('watches lag');
    scene.world.weather.watchLagMs = scene.random.pick([
      [20, 80],
      [50, 500],
      [500, 3_000],
    ] as const);
  },
  async flaky(scene) {
    const { weather } = scene.world;
    scene.world.note('the apiserver is flaky');
    Object.assign(weather, { apiserverFails: 0.1, apiserverLosesAnswers: 0.1 });
    await scene.pass(scene.random.int(1_000, 20_000));
    Object.assign(weather, { apiserverFails: 0, apiserverLosesAnswers: 0 });
  },
  async apiserverDown(scene) {
    const { world } = scene;
    world.note('the apiserver goes down');
    world.weather.apiserverDown = true;
    world.apiserver.breakWatches(new Error('the apiserver went away'));
    await scene.pass(scene.random.pick([1_000, 30_000]));
    Object.assign(world.weather, { apiserverDown: false, apiserverBackMs: world.time.now() });
  },
  breakWatches({ world, random }) {
    world.note('watches break');
    if (random.chance(0.5)) world.weather.expiredBelow = Number.MAX_SAFE_INTEGER;
    world.apiserver.breakWatches(new Error('the watch broke'));
    setTimeout(() => void (world.weather.expiredBelow = 0), 3_000);
  },
} satisfies Record<string, Action>;
