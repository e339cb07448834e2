import { readdir, readFile } from 'node:fs/promises';
import { afterAll, expect, inject, test } from 'vitest';
import { startPrivateDockerEngine } from '../../dev/docker-engine.ts';
import { pushImage } from '../../dev/images.ts';
import { findCondition } from '../../src/api/conditions.ts';
import { until } from '../until.ts';
import { engineView } from './docker-tenants.ts';
import { createTestNamespace } from './test-namespace.ts';
import { startTestOperator } from './test-operator.ts';

const stacks: AsyncDisposableStack[] = [];
afterAll(async () => {
  await Promise.all(stacks.map((stack) => stack.disposeAsync()));
});

/** An engine that may be restarted, and an operator whose Tenants run on it. */
async function bench() {
  const stack = new AsyncDisposableStack();
  stacks.push(stack);
  const engine = await startPrivateDockerEngine();
  stack.defer(() => engine.stop());
  const ns = await createTestNamespace('engine-restart');
  stack.defer(() => ns.remove());
  const registry = { address: inject('registryAddress') };
  const image = (tag: string) => pushImage(registry, { repository: ns.name, tag });
  const [v1, v2] = [await image('1'), await image('2')];
  const operator = startTestOperator({
    namespaces: [ns.name],
    compute: { docker: { image: v1, host: engine.host, network_pool: engine.networkPool } },
    config: { controller: { namespaces: [ns.name], concurrency: 4 } },
  });
  stack.defer(() => operator.stop());
  return { engine, ns, v1, v2, view: engineView(engine.host) };
}

type Bench = Awaited<ReturnType<typeof bench>>;

/** Ids of the containers that processes of the engine look after. */
async function shims({ engine }: Bench): Promise<readonly string[]> {
  const lines = await Promise.all(
    (await readdir('/proc'))
      .filter((entry) => /^\d+$/.test(entry))
      .map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return lines
    .map((line) => line.split('\0'))
    .filter(
      ([program = '', ...args]) =>
        program.includes('containerd-shim') && args.some((arg) => arg.startsWith(engine.folder)),
    )
    .map((args) => args[args.indexOf('-id') + 1] ?? '')
    .toSorted();
}

test.concurrent(
  'five restarts of the engine in the ordinary way: each time, eight settled tenants run again within a minute, and nothing is left of what ran before',
  async () => {
    const there = await bench();
    const { engine, ns, v1, view } = there;
    const names = Array.from({ length: 8 }, (_, index) => `settled-${index}`);
    // One takes ten seconds to end: for so long, the engine goes down while the others stand still.
    const slow = {
      computeProvider: 'docker',
      containers: [{ name: 'app', image: v1, args: ['ignore-term'] }],
    };
    await ns.create(names[0] ?? '', slow);
    await Promise.all(names.slice(1).map((name) => ns.create(name, { computeProvider: 'docker' })));
    await Promise.all(names.map((name) => ns.untilReady(name)));
    const running = async () =>
      (await view.containers(ns.name))
        .filter(({ State }) => State === 'running')
        .map(({ Id }) => Id)
        .toSorted();
    for (let restart = 0; restart < 5; restart += 1) {
      await engine.shutDown();
      await engine.start();
      const backSince = Date.now();
      await until('all run', async () => (await running()).length === names.length);
      expect(Date.now() - backSince).toBeLessThan(60_000);
      await Promise.all(names.map((name) => ns.untilReady(name, 60_000)));
      expect(await shims(there)).toEqual(await running());
    }
    const containers = await view.containers(ns.name);
    expect(containers.map(({ State }) => State)).toEqual(names.map(() => 'running'));
  },
);

test.concurrent.each([
  ['in the ordinary way', 'shutDown'],
  ['by force', 'kill'],
] as const)(
  'an engine that ends %s in the midst of a rollout: the new spec runs in the end, and is never rejected',
  async (_how, end) => {
    const { engine, ns, v1, v2, view } = await bench();
    const ports = [{ containerPort: 8080, hostPort: 18_080 }];
    const container = (image: string) => ({ name: 'app', image, ports });
    await ns.create('acme', { computeProvider: 'docker', containers: [container(v1)] });
    await ns.untilReady('acme');
    await ns.patch('acme', { spec: { containers: [container(v2)] } });
    const successor = async () =>
      (await view.containers(ns.name)).find(
        ({ Names, State }) => State === 'running' && Names[0]?.endsWith('_next') === true,
      );
    await until('the successor runs', async () => (await successor()) !== undefined);
    await engine[end]();
    await engine.start();
    const tenant = await ns.until('acme', 'Ready with the new spec, or rejected', ({ status, metadata }) => {
      const ready = findCondition(status?.conditions, 'Ready');
      const isNew = ready?.observedGeneration === metadata.generation;
      return status?.rejected !== undefined || (isNew && ready?.status === 'True');
    });
    expect(tenant.status?.rejected).toBeUndefined();
    expect(
      (await view.containers(ns.name)).map(({ Labels, State }) => [Labels['landlord.image'], State]),
    ).toEqual([[v2, 'running']]);
  },
);
