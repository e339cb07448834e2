import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { KillingProxy } from './killing-proxy.ts';
import { endpointsOf } from './operator-endpoints.ts';
import { startOperatorProcess } from './operator-process.ts';
import type { OperatorProcess } from './operator-process.ts';
import { startApiserverProxy } from './proxied-kubeconfig.ts';
import { createTestNamespace } from './test-namespace.ts';
import type { TestNamespace } from './test-namespace.ts';

describe('a running operator', () => {
  let ns: TestNamespace;
  let folder: string;
  let proxy: KillingProxy;
  let operator: OperatorProcess;
  /** Whether the proxy breaks every request for Tenants. */
  const gate = { closed: true };
  const { readyz, metric } = endpointsOf(() => operator.output());

  beforeAll(async () => {
    ns = await createTestNamespace('health');
    folder = await mkdtemp(join(tmpdir(), 'landlord-health-'));
    proxy = await startApiserverProxy(inject('operatorKubeconfigPath'), join(folder, 'kubeconfig'));
    const config = {
      compute: { mock: {} },
      controller: { namespaces: [ns.name] },
      server: { address: '127.0.0.1:0' },
    };
    await writeFile(join(folder, 'landlord.yaml'), stringify(config));
  });
  afterAll(async () => {
    await operator?.stop();
    await proxy?.close();
    await ns?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  /** Resolves once `count` requests for Tenants were broken; goes on breaking them until told otherwise. */
  const breakRequests = async (count: number): Promise<void> => {
    const breakOne = () =>
      proxy.arm({
        matches: ({ url }) => url.includes('/tenants'),
        when: 'before',
        kill: () => undefined,
      });
    for (let broken = 0; broken < count; broken += 1) await breakOne();
    const breakMore = async (): Promise<void> => {
      while (gate.closed) await breakOne();
    };
    void breakMore();
  };

  test('is not ready while it does not know the Tenants, and says so; then it is', async () => {
    const broken = breakRequests(2);
    operator = startOperatorProcess({
      configFile: join(folder, 'landlord.yaml'),
      kubeconfigPath: join(folder, 'kubeconfig'),
    });
    await broken;
    expect(await readyz()).toEqual({ status: 503, text: 'Tenants are not known yet\n' });
    expect(await metric('landlord_leader')).toBe(1);
    gate.closed = false;
    proxy.disarm();
    await expect.poll(readyz, { timeout: 60_000 }).toEqual({ status: 200, text: 'ok\n' });
  });

  test('counts Tenants, passes, calls to its providers and to the apiserver, and each moves with them', async () => {
    const counts = async () => ({
      running: await metric('landlord_tenants', { provider: 'mock', reason: 'Running' }),
      failing: await metric('landlord_tenants', { provider: 'mock', reason: 'ProvisionFailed' }),
      passes: await metric('landlord_reconcile_duration_seconds_count', { result: 'ok' }),
      failures: await metric('landlord_reconcile_duration_seconds_count', { result: 'failed' }),
      provisions: await metric('landlord_provider_duration_seconds_count', {
        provider: 'mock',
        operation: 'provision',
        result: 'ok',
      }),
      refusals: await metric('landlord_provider_duration_seconds_count', {
        provider: 'mock',
        operation: 'provision',
        result: 'ProvisionFailed',
      }),
      patches: await metric('landlord_kube_request_duration_seconds_count', { method: 'PATCH', code: '200' }),
      events: await metric('landlord_watch_events_total', { resource: 'tenants.landlord.dev' }),
      waiting: await metric('landlord_queue_depth'),
    });
    expect(await counts()).toMatchObject({ running: undefined, passes: undefined, provisions: undefined });
    await ns.create('one', { computeConfig: { mock: {} } });
    await ns.untilReady('one');
    const first = await counts();
    expect(first).toMatchObject({ running: 1, failing: undefined, provisions: 1, failures: undefined });
    // The finalizer, and the status.
    expect(first.patches).toBe(2);
    const failing = { fail_on: ['provision'], fail_code: 'ProvisionFailed' };
    await ns.create('two', { computeConfig: { mock: failing } });
    await ns.untilReason('two', 'ProvisionFailed');
    await ns.create('three', { computeConfig: { mock: {} } });
    await ns.untilReady('three');
    const second = await counts();
    expect(second).toMatchObject({ running: 2, failing: 1, provisions: 2, waiting: 0 });
    expect(second.refusals).toBeGreaterThan(0);
    expect(second.failures).toBe(second.refusals);
    expect(second.passes).toBeGreaterThan(first.passes ?? Infinity);
    expect(second.events).toBeGreaterThan(first.events ?? Infinity);
  });
});
