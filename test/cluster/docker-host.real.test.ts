import { defaultTenantId } from '../../src/compute/spec/tenant-id.ts';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { startPrivateDockerEngine } from '../../dev/docker-engine.ts';
import type { PrivateDockerEngine } from '../../dev/docker-engine.ts';
import { pushImage } from '../../dev/images.ts';
import { findCondition } from '../../src/api/conditions.ts';
import type { Tenant } from '../../src/api/tenant.ts';
import { engineView } from './docker-tenants.ts';
import { createTestNamespace } from './test-namespace.ts';
import { startTestOperator } from './test-operator.ts';

const stack = new AsyncDisposableStack();
afterAll(() => stack.disposeAsync());

/** Two engines, and an operator that can be started anew with another config of Docker. */
async function bench() {
  const [a, b] = await Promise.all([startPrivateDockerEngine(), startPrivateDockerEngine()]);
  for (const engine of [a, b]) stack.defer(() => engine.stop());
  const ns = await createTestNamespace('host');
  stack.defer(() => ns.remove());
  const image = await pushImage({ address: inject('registryAddress') }, { repository: ns.name, tag: '1' });
  let running: ReturnType<typeof startTestOperator> | undefined;
  stack.defer(async () => running?.stop());
  const restartWith = async (docker: Readonly<Record<string, unknown>>): Promise<void> => {
    await running?.stop();
    running = startTestOperator({
      namespaces: [ns.name],
      compute: { docker: { image, former_hosts: [a.host, b.host], ...docker } },
    });
  };
  const left = (engine: PrivateDockerEngine, name: string) =>
    engineView(engine.host).leftovers(ns.name, name);
  return { a, b, ns, restartWith, left };
}

let there: Awaited<ReturnType<typeof bench>>;
beforeAll(async () => (there = await bench()));

const at = ({ host, networkPool }: PrivateDockerEngine) => ({ host, network_pool: networkPool });
const withData = { computeConfig: { docker: { volumes: ['data:/tmp'] } } };
const label = (engine: string) => ({ labels: { 'landlord.dev/engine': engine } });

function readyMessage({ status }: Tenant): string {
  return findCondition(status?.conditions, 'Ready')?.message ?? '';
}

test('a Tenant goes from one engine to another by its label, and leaves nothing but its volume', async () => {
  const { a, b, ns, restartWith, left } = there;
  await restartWith({ ...at(a), engines: { edge: at(b) } });
  await ns.create('labelled', withData);
  await ns.untilReady('labelled');
  const before = await left(a, 'labelled');
  await ns.patch('labelled', { metadata: label('edge') });
  const moved = await ns.until('labelled', 'on the other engine alone', ({ status }) => {
    const isThere = status?.placement?.engine === 'edge' && status.previousPlacements === undefined;
    return isThere && findCondition(status.conditions, 'Ready')?.status === 'True';
  });
  expect(moved.status?.placement).toMatchObject({ host: b.host, engineId: expect.any(String) as string });
  const volume = `volume landlord-${defaultTenantId(ns.name, 'labelled')}_data`;
  expect(await left(a, 'labelled')).toEqual([volume]);
  expect(await left(b, 'labelled')).toEqual(before);
  await ns.delete('labelled');
  await ns.untilGone('labelled');
  expect(await left(b, 'labelled')).toEqual([volume]);
});

test('a host that leads to another engine moves a Tenant there; of the old engine, its volume is left; and once that engine is dead, a deletion waits for it with words, until it is given up', async () => {
  const { a, b, ns, restartWith, left } = there;
  const volume = (name: string) => `volume landlord-${defaultTenantId(ns.name, name)}_data`;
  await restartWith(at(a));
  for (const name of ['moves', 'stays']) await ns.create(name, withData);
  for (const name of ['moves', 'stays']) await ns.untilReady(name);
  await ns.patch('stays', { spec: { suspend: true } });
  await ns.untilReason('stays', 'Suspended');

  await restartWith(at(b));
  const moved = await ns.until('moves', 'on B alone', ({ status }) => {
    const isThere = status?.placement?.['host'] === b.host && status.previousPlacements === undefined;
    return isThere && findCondition(status.conditions, 'Ready')?.status === 'True';
  });
  expect(await left(a, 'moves')).toEqual([volume('moves')]);
  expect(await left(b, 'moves')).toContain(volume('moves'));
  expect(moved.status?.retained).toMatchObject([
    { resource: volume('moves'), placement: { host: a.host, engineId: expect.any(String) as string } },
  ]);

  await a.kill();
  await ns.delete('stays');
  const waiting = await ns.untilReason('stays', 'ProviderUnavailable');
  expect(waiting.status?.phase).toBe('Deleting');
  const message = readyMessage(waiting);
  expect(message).toContain(`Docker Engine ${String(waiting.status?.placement?.['engineId'])}`);
  expect(message).toContain(a.host);
  const [, abandon] = /landlord\.dev\/abandon=(\S+)/.exec(message) ?? [];
  await ns.patch('stays', { metadata: { annotations: { 'landlord.dev/abandon': abandon } } });
  await ns.untilGone('stays');
  await ns.delete('moves');
  await ns.untilGone('moves');
  expect(await left(b, 'moves')).toEqual([volume('moves')]);
});
