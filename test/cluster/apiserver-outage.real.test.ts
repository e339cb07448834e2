import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { applyCrds } from '../../dev/apply-crds.ts';
import { startControlPlane } from '../../dev/control-plane.ts';
import type { ControlPlane } from '../../dev/control-plane.ts';
import { createTestNamespace } from './test-namespace.ts';
import type { TestNamespace } from './test-namespace.ts';
import { startTestOperator } from './test-operator.ts';
import type { TestOperator } from './test-operator.ts';

describe('an operator whose apiserver goes away', () => {
  let plane: ControlPlane;
  let ns: TestNamespace;
  let operator: TestOperator;

  beforeAll(async () => {
    plane = await startControlPlane();
    await applyCrds(plane.kubeconfigPath);
    ns = await createTestNamespace('outage', {
      kubeconfigPath: plane.kubeconfigPath,
      auditLogPath: plane.auditLogPath,
    });
    operator = startTestOperator({
      namespaces: [],
      compute: { mock: {} },
      kubeconfigPath: plane.operatorKubeconfigPath,
    });
    await ns.create('before', { computeConfig: { mock: {} } });
    await ns.untilReady('before');
  });
  afterAll(async () => {
    await operator.stop();
    await ns.client.close();
    await plane.stop();
  });

  test('goes on by itself when it was killed and is back, and writes nothing that is written already', async () => {
    await plane.killApiserver();
    await sleep(1000);
    await plane.startApiserver();
    await ns.create('after-kill', {});
    await ns.untilReady('after-kill');
    const writes = (await ns.writes()).filter(({ objectRef }) => objectRef?.name === 'before');
    expect(writes).toHaveLength(2);
  });

  test('goes on by itself when it was frozen with its sockets open', async () => {
    await ns.create('frozen-change', {});
    await ns.untilReady('frozen-change');
    plane.freezeApiserver();
    await sleep(3000);
    plane.thawApiserver();
    await ns.patch('frozen-change', { spec: { computeConfig: { mock: { revision: 2 } } } });
    await ns.untilReady('frozen-change');
  });

  test('finishes what it could not write meanwhile', async () => {
    await ns.create('half-done', { computeConfig: { mock: { latency_ms: 1500 } } });
    await sleep(300);
    await plane.killApiserver();
    await sleep(2500);
    await plane.startApiserver();
    await ns.untilReady('half-done');
  });

  test('sees what changed while its watch had fallen out of history', async () => {
    await ns.create('old', {});
    await ns.untilReady('old');
    await plane.killApiserver();
    await plane.compact();
    await plane.startApiserver();
    await ns.patch('old', { spec: { computeConfig: { mock: { revision: 2 } } } });
    await ns.untilReady('old');
    await ns.delete('old');
    await ns.untilGone('old');
  });
});
