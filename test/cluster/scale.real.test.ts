import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { kubeRequest } from '../../dev/kube-request.ts';
import { apiVersion, kind, reconcileRequestedAt } from '../../src/api/names.ts';
import { startEcsBench } from './ecs-bench.ts';
import type { EcsBench } from './ecs-bench.ts';
import type { TestOperator } from './test-operator.ts';
import { until } from '../until.ts';

interface Scale {
  readonly spec: { readonly replicas?: number };
  readonly status: { readonly replicas: number; readonly selector?: string };
}

/** The scale subresource, as kubectl scale and autoscalers use it, and manifests that are applied, as GitOps does. */
describe('the scale subresource', () => {
  let bench: EcsBench;
  let operator: TestOperator;

  const start = (): void => {
    operator = bench.operator({ compute: { ecs: bench.block, mock: {} } });
  };
  const ask = async (method: string, name: string, body?: unknown, contentType?: string) => {
    const path = `/apis/${apiVersion}/namespaces/${bench.ns.name}/tenants/${name}`;
    return kubeRequest(inject('kubeconfigPath'), { method, path, body, ...(contentType && { contentType }) });
  };
  /** As `kubectl scale --replicas` does. */
  const scale = async (name: string, replicas: number): Promise<void> => {
    const { status, body } = await ask(
      'PATCH',
      `${name}/scale`,
      { spec: { replicas } },
      'application/merge-patch+json',
    );
    expect(status, JSON.stringify(body)).toBe(200);
  };
  const scaleOf = async (name: string): Promise<Scale> => (await ask('GET', `${name}/scale`)).body as Scale;
  /** As `kubectl apply --server-side` does. */
  const apply = async (name: string, spec: Record<string, unknown>): Promise<void> => {
    const manifest = { apiVersion, kind, metadata: { name }, spec };
    const query = '?fieldManager=gitops&force=true';
    const { status, body } = await ask('PATCH', `${name}${query}`, manifest, 'application/apply-patch+yaml');
    expect([200, 201], JSON.stringify(body)).toContain(status);
  };
  const untilRunning = async (name: string, replicas: number): Promise<void> => {
    await bench.ns.until(
      name,
      `${replicas} replicas that are Ready`,
      ({ status, metadata }) =>
        status?.replicas === replicas &&
        status.compute?.running === replicas &&
        status.conditions?.some(
          (one) =>
            one.type === 'Ready' && one.status === 'True' && one.observedGeneration === metadata.generation,
        ) === true,
    );
  };

  beforeAll(async () => {
    bench = await startEcsBench({ prefix: 'scale' });
    start();
  });
  afterAll(async () => {
    await operator?.stop();
    await bench?.close();
  });

  test.concurrent('scales a Tenant that names no count yet, and shows how many run', async () => {
    await bench.ns.create('mocked', { computeProvider: 'mock' });
    await bench.ns.untilReady('mocked');
    // What there is nothing to say of, the apiserver has no answer for: an autoscaler needs a count to begin with.
    expect((await ask('GET', 'mocked/scale')).status).toBe(500);
    await scale('mocked', 3);
    await untilRunning('mocked', 3);
    expect(await scaleOf('mocked')).toMatchObject({
      spec: { replicas: 3 },
      status: { replicas: 3, selector: expect.stringMatching(/^landlord\.dev\/tenant-id=./) },
    });
    await scale('mocked', 0);
    await untilRunning('mocked', 0);
    expect((await scaleOf('mocked')).status.replicas).toBe(0);
  });

  test.concurrent('is refused what no Tenant may have', async () => {
    await bench.ns.create('huge', { computeProvider: 'mock', replicas: 1 });
    const patch = { spec: { replicas: 5001 } };
    const { status, body } = await ask('PATCH', 'huge/scale', patch, 'application/merge-patch+json');
    expect([status, JSON.stringify(body)]).toEqual([422, expect.stringContaining('spec.replicas')]);
  });

  test('sets the count of tasks on ECS, which an apply of a manifest without one leaves alone', async () => {
    const manifest = { computeProvider: 'ecs', computeConfig: { ecs: { tags: {} } } };
    await apply('acme', manifest);
    await bench.ns.untilReady('acme');
    await scale('acme', 3);
    await untilRunning('acme', 3);
    expect(await bench.service('acme')).toMatchObject({ desiredCount: 3, runningCount: 3 });
    const { generation } = (await bench.ns.get('acme'))?.metadata ?? {};
    await apply('acme', manifest);
    expect((await bench.ns.get('acme'))?.metadata.generation).toBe(generation);
    await apply('acme', { ...manifest, computeConfig: { ecs: { tags: { team: 'a' } } } });
    await untilRunning('acme', 3);
    expect(await scaleOf('acme')).toMatchObject({ spec: { replicas: 3 }, status: { replicas: 3 } });
  });

  test('keeps it over a restart of the operator and a request, and on a move there and back', async () => {
    await bench.ns.create('mover', { computeProvider: 'ecs', replicas: 1 });
    await bench.ns.untilReady('mover');
    await scale('mover', 2);
    await untilRunning('mover', 2);
    await operator.stop();
    start();
    await bench.ns.patch('mover', { metadata: { annotations: { [reconcileRequestedAt]: '1' } } });
    await bench.ns.until('mover', 'the request', ({ status }) => status?.lastHandledReconcileAt === '1');
    expect(await bench.service('mover')).toMatchObject({ desiredCount: 2 });
    for (const computeProvider of ['mock', 'ecs']) {
      await bench.ns.patch('mover', { spec: { computeProvider } });
      await bench.ns.until('mover', `what runs on ${computeProvider}`, ({ status }) => {
        return status?.placement?.provider === computeProvider && status.previousPlacements === undefined;
      });
      await untilRunning('mover', 2);
    }
    await until('2 tasks', async () => (await bench.service('mover'))?.runningCount === 2);
  });
});
