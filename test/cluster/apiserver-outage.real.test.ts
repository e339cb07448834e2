import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { applyCrds } from '../../dev/apply-crds.ts';
import { startControlPlane } from '../../dev/control-plane.ts';
import type { ControlPlane } from '../../dev/control-plane.ts';
import { finalizer } from '../../src/api/names.ts';
import { startTcpProxy } from '../kube/tcp-proxy.ts';
import type { TcpProxy } from '../kube/tcp-proxy.ts';
import { endpointsOf } from './operator-endpoints.ts';
import { recordingStream } from './recording-stream.ts';
import { createTestNamespace } from './test-namespace.ts';
import type { TestNamespace } from './test-namespace.ts';
import { startTestOperator } from './test-operator.ts';
import type { TestOperator } from './test-operator.ts';
import { until } from '../until.ts';

const resource = 'tenants.landlord.dev';

describe('an operator whose apiserver goes away', () => {
  const log = recordingStream();
  const metrics = endpointsOf(() => log.lines.join('\n'));
  let plane: ControlPlane;
  /** Between the operator and the apiserver: the tests themselves go straight. */
  let way: TcpProxy;
  let ns: TestNamespace;
  let operator: TestOperator;

  beforeAll(async () => {
    plane = await startControlPlane();
    await applyCrds(plane.kubeconfigPath);
    way = await startTcpProxy(Number(new URL(plane.url).port));
    ns = await createTestNamespace('outage', {
      kubeconfigPath: plane.kubeconfigPath,
      auditLogPath: plane.auditLogPath,
    });
    operator = startTestOperator({
      namespaces: [],
      compute: { mock: {} },
      kubeconfigPath: await kubeconfigThrough(way),
      logger: log.logger,
    });
  });
  afterAll(async () => {
    plane?.thawApiserver();
    await operator?.stop();
    await ns?.client.close();
    await way?.close();
    await plane?.stop();
  });

  const kubeconfigThrough = async ({ port }: TcpProxy): Promise<string> => {
    const path = join(plane.dir, 'through-the-proxy.kubeconfig');
    const direct = await readFile(plane.operatorKubeconfigPath, 'utf8');
    await writeFile(path, direct.replace(plane.url, `https://127.0.0.1:${port}`), { mode: 0o600 });
    return path;
  };
  const brokenWatches = () => metrics.sum('landlord_watch_reconnects_total', { resource });
  /** Does something that breaks the operator's watch, and waits until it has found that out by itself. */
  const andItIsNoticed = async (act: () => unknown): Promise<void> => {
    const before = await brokenWatches();
    await act();
    await expect.poll(brokenWatches, { timeout: 60_000, interval: 100 }).toBeGreaterThan(before);
  };
  const writesTo = async (name: string) =>
    (await ns.writes()).filter(({ objectRef }) => objectRef?.name === name);
  /** Those that were taken: an apiserver that is starting turns some away. */
  const written = async (name: string) =>
    (await writesTo(name)).filter(({ responseStatus }) => (responseStatus?.code ?? 500) < 300).length;
  const watchesOpened = async (): Promise<string[]> =>
    (await plane.auditEntries())
      .filter(({ verb, stage }) => verb === 'watch' && stage === 'ResponseStarted')
      .filter(({ objectRef }) => objectRef?.resource === 'tenants')
      .map(({ stageTimestamp }) => stageTimestamp);

  test('goes on by itself when it was killed and is back, and writes nothing that is written already', async () => {
    await ns.putSecret('look', { at: 'it' });
    await ns.create('before', { containers: [ns.reading('look', 'at')] });
    await ns.untilReady('before');
    await andItIsNoticed(() => plane.killApiserver());
    await plane.startApiserver();
    await ns.create('after-kill', {});
    await ns.untilReady('after-kill');
    await ns.wholePass('look');
    expect(await writesTo('before')).toHaveLength(2);
  });

  test('goes on by itself when it was frozen with its sockets open, which it notices by the silence', async () => {
    await ns.create('frozen-change', {});
    await ns.untilReady('frozen-change');
    const opened = (await watchesOpened()).length;
    onTestFinished(() => plane.thawApiserver());
    await andItIsNoticed(() => plane.freezeApiserver());
    plane.thawApiserver();
    await ns.patch('frozen-change', { spec: { computeConfig: { mock: { revision: 2 } } } });
    await ns.untilReady('frozen-change');
    expect((await watchesOpened()).length).toBeGreaterThan(opened);
  });

  test('finishes what it could not write meanwhile', async () => {
    const unwritten = () =>
      metrics.sum('landlord_kube_request_duration_seconds_count', {
        method: 'PATCH',
        resource: 'tenants/status',
        code: 'unreachable',
      });
    const before = await unwritten();
    await ns.create('half-done', { computeConfig: { mock: { latency_ms: 1000 } } });
    // From here on it takes the mock 2 s until there is a status to be written.
    await ns.until(
      'half-done',
      'claimed',
      ({ metadata }) => metadata.finalizers?.includes(finalizer) === true,
    );
    await plane.killApiserver();
    await expect.poll(unwritten, { timeout: 60_000, interval: 100 }).toBeGreaterThan(before);
    expect(await written('half-done')).toBe(1);
    await plane.startApiserver();
    await ns.untilReady('half-done');
    await until('its writes in the audit log', async () => (await written('half-done')) >= 2);
    expect(await written('half-done')).toBe(2);
  });

  test('sees what changed, came and went while its watch had fallen out of history', async () => {
    const tenantId = `${ns.name}-shared`;
    for (const name of ['changed', 'deleted']) await ns.create(name, {});
    await ns.create('earlier', { tenantId });
    for (const name of ['changed', 'deleted', 'earlier']) await ns.untilReady(name);
    await ns.create('heir', { tenantId });
    await ns.untilReason('heir', 'ProviderConflict');
    const relists = () => metrics.sum('landlord_watch_relists_total', { resource });
    const before = await relists();
    await andItIsNoticed(() => way.cut());
    onTestFinished(() => way.restore());
    await ns.patch('changed', { spec: { computeConfig: { mock: { revision: 2 } } } });
    await ns.delete('deleted');
    await ns.delete('earlier');
    await ns.patch('earlier', { metadata: { finalizers: null } });
    await ns.create('come', {});
    await plane.killApiserver();
    await plane.compact();
    await plane.startApiserver();
    way.restore();
    await ns.untilGone('deleted');
    for (const name of ['changed', 'come', 'heir']) await ns.untilReady(name);
    expect(await relists()).toBe(before + 1);
  });
});
