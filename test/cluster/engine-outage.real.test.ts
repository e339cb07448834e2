import { afterAll, expect, inject, test } from 'vitest';
import { freezeShim } from '../../dev/container-shim.ts';
import { startPrivateDockerEngine } from '../../dev/docker-engine.ts';
import { pushImage } from '../../dev/images.ts';
import { findCondition } from '../../src/api/conditions.ts';
import { engineView } from './docker-tenants.ts';
import { createTestNamespace } from './test-namespace.ts';
import type { TestNamespace } from './test-namespace.ts';
import { startTestOperator } from './test-operator.ts';
import { until } from '../until.ts';

/** An engine that may be taken away, and an operator whose Tenants `stays` and `goes` run on it. */
async function bench() {
  const stack = new AsyncDisposableStack();
  stacks.push(stack);
  const engine = await startPrivateDockerEngine();
  stack.defer(() => engine.stop());
  const ns = await createTestNamespace('engine-outage');
  stack.defer(() => ns.remove());
  const image = await pushImage({ address: inject('registryAddress') }, { repository: ns.name, tag: '1' });
  const operator = startTestOperator({
    namespaces: [ns.name],
    compute: { docker: { image, host: engine.host, network_pool: engine.networkPool }, mock: {} },
    config: { controller: { namespaces: [ns.name], concurrency: 4 } },
  });
  stack.defer(() => operator.stop());
  for (const name of ['stays', 'goes']) await ns.create(name, { computeProvider: 'docker' });
  for (const name of ['stays', 'goes']) await ns.untilReady(name);
  return { engine, ns };
}
const stacks: AsyncDisposableStack[] = [];
afterAll(async () => {
  await Promise.all(stacks.map((stack) => stack.disposeAsync()));
});

type Bench = Awaited<ReturnType<typeof bench>>;

/** While the engine is away. */
async function expectDeletionToWait({ engine, ns }: Bench): Promise<void> {
  await ns.delete('goes');
  // More tenants than there are workers, all waiting for the engine.
  await Promise.all(
    Array.from({ length: 8 }, (_, index) => ns.create(`new-${index}`, { computeProvider: 'docker' })),
  );
  await ns.create('beside', { computeProvider: 'mock' });
  await ns.untilReady('beside');
  await ns.delete('beside');
  await ns.untilGone('beside');
  const waiting = await ns.untilReason('goes', 'ProviderUnavailable');
  expect(waiting.status?.phase).toBe('Deleting');
  expect(findCondition(waiting.status?.conditions, 'Ready')?.message).toContain(engine.host);
}

/** Once it is back. */
async function expectDeletionToEnd({ engine, ns }: Bench): Promise<void> {
  await ns.untilGone('goes');
  await ns.untilReady('new-0');
  expect(await engineView(engine.host).leftovers(ns.name, 'goes')).toEqual([]);
}

const writesTo = async (ns: TestNamespace, name: string) =>
  (await ns.writes()).filter(({ objectRef }) => objectRef?.name === name);

test.concurrent(
  'an engine that is dead: a deletion waits and says why, others go on, and it completes by itself; a Ready tenant says Unknown after a minute, and is Ready again by itself',
  async () => {
    const there = await bench();
    const { engine, ns } = there;
    const before = (await writesTo(ns, 'stays')).length;
    const awaySince = Date.now();
    await engine.kill();
    await expectDeletionToWait(there);
    const away = await ns.untilReason('stays', 'ProviderUnavailable');
    expect(findCondition(away.status?.conditions, 'Ready')?.status).toBe('Unknown');
    await until('its write in the audit log', async () => (await writesTo(ns, 'stays')).length > before);
    const [told, ...more] = (await writesTo(ns, 'stays')).slice(before);
    expect(more).toEqual([]);
    // The minute begins with the last answer, which may be 10 s older, and a little more on a busy machine.
    expect(Date.parse(told?.requestReceivedTimestamp ?? '') - awaySince).toBeGreaterThanOrEqual(45_000);
    await engine.start();
    await expectDeletionToEnd(there);
    await ns.untilReady('stays');
  },
);

test.concurrent(
  'an engine that is frozen with its socket open: a deletion waits and says why, others go on, and it completes by itself',
  async () => {
    const there = await bench();
    there.engine.freeze();
    await expectDeletionToWait(there);
    there.engine.thaw();
    await expectDeletionToEnd(there);
  },
);

test.concurrent(
  'one container whose shim is frozen: its own tenant names the container and not the engine, others go on, and its deletion completes by itself',
  async () => {
    const { engine, ns } = await bench();
    const view = engineView(engine.host);
    const [container] = await view.containers(ns.name, 'goes');
    const thaw = await freezeShim(view.docker, container?.Id ?? '');
    await ns.delete('goes');
    await ns.patch('stays', { spec: { computeConfig: { docker: { env: { EDITED: '1' } } } } });
    await ns.create('new', { computeProvider: 'docker' });
    await Promise.all([ns.untilReady('stays'), ns.untilReady('new')]);
    const waiting = await ns.untilReason('goes', 'ProviderUnavailable');
    expect(findCondition(waiting.status?.conditions, 'Ready')?.message).toMatch(
      /The container landlord-tenant-\S*goes\S* can't be stopped: .* answers, but not about this/,
    );
    expect(findCondition((await ns.get('stays'))?.status?.conditions, 'Ready')?.status).toBe('True');
    thaw();
    await ns.untilGone('goes');
    expect(await view.leftovers(ns.name, 'goes')).toEqual([]);
  },
);
