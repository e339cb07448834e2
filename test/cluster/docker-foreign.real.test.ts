import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { pushImage } from '../../dev/images.ts';
import { findCondition } from '../../src/api/conditions.ts';
import { approve } from '../../src/api/names.ts';
import type { Tenant } from '../../src/api/tenant.ts';
import { dockerBlock, engineView } from './docker-tenants.ts';
import { createTestNamespace } from './test-namespace.ts';
import type { TestNamespace } from './test-namespace.ts';
import { startTestOperator } from './test-operator.ts';
import type { TestOperator } from './test-operator.ts';

const ready = ({ status }: Tenant) => findCondition(status?.conditions, 'Ready');

const view = engineView();
let ns: TestNamespace;
let operator: TestOperator;
let images: readonly [one: string, two: string];

beforeAll(async () => {
  ns = await createTestNamespace('foreign-docker');
  const registry = { address: inject('registryAddress') };
  images = await Promise.all([
    pushImage(registry, { repository: ns.name, tag: '1' }),
    pushImage(registry, { repository: ns.name, tag: '2' }),
  ]);
  const docker = { foreign_containers: [`${ns.name}-*`] };
  operator = startTestOperator({
    namespaces: [ns.name],
    compute: { docker: dockerBlock(images[0]) },
    config: { instance: ns.name, policy: { allow_adopt: true, docker } },
  });
  // So that the engine has it, whoever runs it.
  await ns.create('pulls', { computeConfig: { docker: {} } });
  await ns.untilReady('pulls');
});
afterAll(async () => {
  await operator?.stop();
  await ns?.remove();
});

/** As somebody runs it by hand; removed at the end of the test, where it is still there. */
async function runByHand(
  name: string,
  onTestFinished: (end: () => Promise<void>) => void,
  more: Readonly<Record<string, unknown>> = {},
) {
  const container = await view.docker.createContainer({
    name: `${ns.name}-${name}`,
    Image: images[0],
    Env: ['LEVEL=info', 'TOKEN=of-somebody'],
    HostConfig: { RestartPolicy: { Name: 'unless-stopped' } },
    ...more,
  });
  onTestFinished(async () => void (await container.remove({ force: true }).catch(() => undefined)));
  await container.start();
  return container;
}

const asking = (name: string, docker: Record<string, unknown> = {}) => ({
  computeConfig: { docker: { ...docker, containers: { app: { container_name: `${ns.name}-${name}` } } } },
});

test('a container of somebody else is shown and compared, and never touched', async ({ onTestFinished }) => {
  const foreign = await runByHand('seen', onTestFinished);
  const before = await foreign.inspect();
  await ns.create('seen', { mode: 'Observe', ...asking('seen', { env: { LEVEL: 'info' } }) });
  const seen = await ns.untilReason('seen', 'Observed');
  expect(seen.status).toMatchObject({
    phase: 'Observed',
    compute: { state: 'running', replicas: '1/1', containers: [{ name: 'app', image: images[0] }] },
  });
  expect(seen.metadata.finalizers ?? []).toEqual([]);
  const differences = seen.status?.drift?.map(({ path }) => path) ?? [];
  expect(differences).toEqual(
    expect.arrayContaining(['containers.app.env.TOKEN', 'containers.app.capabilities']),
  );
  expect(differences).not.toContain('containers.app.image');
  expect(differences).not.toContain('containers.app.args');
  expect(JSON.stringify(seen.status)).not.toContain('of-somebody');
  await foreign.stop({ t: 0 });
  const annotations = { 'landlord.dev/reconcile-requested-at': 'stopped' };
  await ns.patch('seen', { metadata: { annotations } });
  const down = await ns.until('seen', 'not Ready', (tenant) => ready(tenant)?.status === 'False');
  expect(ready(down)?.reason).toBe('Unhealthy');
  await ns.delete('seen');
  await ns.untilGone('seen');
  const after = await foreign.inspect();
  expect([after.Id, after.Name, after.State.Running]).toEqual([before.Id, before.Name, false]);
  expect(after.RestartCount).toBe(0);
  expect(await view.containers(ns.name, 'seen')).toEqual([]);
});

test('a container is taken over by a plan that somebody approves, and goes with its Tenant', async ({
  onTestFinished,
}) => {
  // To stop it takes longer than one pass.
  const slow = { Cmd: ['ignore-term'], StopTimeout: 3 };
  const foreign = await runByHand('taken', onTestFinished, slow);
  await ns.create('taken', { adopt: true, approval: 'Always', ...asking('taken') });
  const waiting = await ns.until('taken', 'its plan', ({ status }) => status?.plan !== undefined);
  expect(waiting.status?.plan?.changes).toContainEqual({
    path: 'containers.app.owner',
    desired: expect.stringContaining('this Tenant, which replaces it by landlord-tenant-') as string,
    actual: `nobody that Landlord knows, as ${ns.name}-taken`,
    effect: 'gap',
  });
  expect(ready(waiting)?.reason).toBe('ApprovalRequired');
  expect((await foreign.inspect()).State.Running).toBe(true);
  expect(await view.containers(ns.name, 'taken')).toEqual([]);
  const annotations = { [approve]: waiting.status?.plan?.digest };
  await ns.patch('taken', { metadata: { annotations } });
  await ns.untilReady('taken');
  await expect(foreign.inspect()).rejects.toMatchObject({ statusCode: 404 });
  expect(await view.containers(ns.name, 'taken')).toHaveLength(1);
  await ns.delete('taken');
  await ns.untilGone('taken');
  expect(await view.containers(ns.name, 'taken')).toEqual([]);
});
