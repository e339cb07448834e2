import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { importProgram } from '../../dev/debian-image.ts';
import { freePort } from '../../dev/free-port.ts';
import { pushImage } from '../../dev/images.ts';
import { ask } from '../asking-clients.ts';
import { dockerBlock, engineView } from './docker-tenants.ts';
import { createTestNamespace } from './test-namespace.ts';
import type { TestNamespace } from './test-namespace.ts';
import { startTestOperator } from './test-operator.ts';
import type { TestOperator } from './test-operator.ts';

/** A host port that is kept over a rollout, as users of the cluster and clients of the port see it. */

const view = engineView();
const edgeImage = `landlord-test-edge-${process.pid}:1`;
let ns: TestNamespace;
let operator: TestOperator;
let images: Record<'v1' | 'v2', string>;

const startOperator = (): TestOperator =>
  startTestOperator({
    namespaces: [ns.name],
    compute: { docker: { ...dockerBlock(images.v1), edge_image: edgeImage } },
    config: { instance: ns.name },
  });

beforeAll(async () => {
  ns = await createTestNamespace('edge');
  const registry = { address: inject('registryAddress') };
  const [v1, v2] = await Promise.all([
    pushImage(registry, { repository: ns.name, tag: '1' }),
    pushImage(registry, { repository: ns.name, tag: '2' }),
  ]);
  images = { v1, v2 };
  await importProgram(view.docker, 'haproxy', edgeImage);
  operator = startOperator();
});
afterAll(async () => {
  await operator?.stop();
  await ns?.remove();
  if (ns === undefined) return;
  await view.clear(ns.name);
  await view.docker.getImage(edgeImage).remove();
});

test('no request is lost over a rollout in which the operator is started anew, and nothing is left of the Tenant', async () => {
  const host = inject('publishAddress');
  const hostPort = await freePort();
  const spec = (image: string) => ({
    containers: [
      { name: 'app', image, ports: [{ containerPort: 8080, hostPort, edge: { drainSeconds: 3 } }] },
    ],
  });
  await ns.create('kept', spec(images.v1));
  const { status } = await ns.untilReady('kept');
  expect(status?.compute).toMatchObject({ replicas: '2/2', endpoints: [{ port: hostPort }] });
  const idOf = async (end: string): Promise<string | undefined> =>
    (await view.containers(ns.name, 'kept')).find(({ Names }) => Names[0]?.endsWith(end))?.Id;
  const edge = await idOf('.edge.proxy');
  let isOver = false;
  const asking = ask({ host, port: hostPort }, 2_000, () => isOver);
  await ns.patch('kept', { spec: spec(images.v2) });
  await ns.until('kept', 'the old one that keeps its connections', ({ status }) =>
    (status?.conditions ?? []).some(({ message }) => message?.includes('connections to the old app')),
  );
  expect(await idOf('_old')).toBeDefined();
  await operator.stop();
  operator = startOperator();
  await ns.untilReady('kept');
  await delay(500);
  isOver = true;
  const { lost, answers } = await asking;
  expect(lost).toEqual([]);
  expect([...answers.keys()].toSorted()).toEqual(['version 1\n', 'version 2\n']);
  expect([await idOf('.edge.proxy'), await idOf('_old')]).toEqual([edge, undefined]);
  await ns.delete('kept');
  await ns.untilGone('kept');
  expect(await view.leftovers(ns.name, 'kept')).toEqual([]);
});
