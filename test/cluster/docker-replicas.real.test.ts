import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { pushImage } from '../../dev/images.ts';
import { kubeRequest } from '../../dev/kube-request.ts';
import { apiVersion } from '../../src/api/names.ts';
import type { Tenant } from '../../src/api/tenant.ts';
import { defaultTenantId } from '../../src/compute/spec/tenant-id.ts';
import { dockerBlock, engineView } from './docker-tenants.ts';
import { createTestNamespace } from './test-namespace.ts';
import type { TestNamespace } from './test-namespace.ts';
import { startTestOperator } from './test-operator.ts';
import type { TestOperator } from './test-operator.ts';

/** Sets of containers that come and go by the scale subresource. */
describe('a Tenant on Docker', () => {
  const view = engineView();
  let ns: TestNamespace;
  let operator: TestOperator;
  let images: Record<'v1' | 'v2', string>;

  /** As `kubectl scale --replicas` does. */
  const scale = async (name: string, replicas: number): Promise<Tenant> => {
    const { status, body } = await kubeRequest(inject('kubeconfigPath'), {
      method: 'PATCH',
      path: `/apis/${apiVersion}/namespaces/${ns.name}/tenants/${name}/scale`,
      body: { spec: { replicas } },
      contentType: 'application/merge-patch+json',
    });
    expect(status, JSON.stringify(body)).toBe(200);
    return ns.until(name, `${replicas} replicas that are Ready`, isReadyWith(replicas));
  };
  const isReadyWith =
    (replicas: number) =>
    ({ status, metadata }: Tenant): boolean =>
      status?.replicas === replicas &&
      status.conditions?.some(
        (one) =>
          one.type === 'Ready' && one.status === 'True' && one.observedGeneration === metadata.generation,
      ) === true;
  /** Names and ids of what runs, without what all names begin with. */
  const running = async (name: string): Promise<Record<string, string>> => {
    const found = await view.containers(ns.name, name);
    const all = found.map(({ Names, Id, State }) => {
      expect(State).toBe('running');
      return [Names[0]?.split(`tenant-${defaultTenantId(ns.name, name)}`)[1] ?? '', Id];
    });
    return Object.fromEntries(all);
  };
  const answers = async ({ status }: Tenant): Promise<readonly string[]> =>
    Promise.all((status?.compute?.endpoints ?? []).map(async ({ url = '' }) => (await fetch(url)).text()));

  beforeAll(async () => {
    ns = await createTestNamespace('replicas');
    const registry = { address: inject('registryAddress') };
    const [v1, v2] = await Promise.all([
      pushImage(registry, { repository: ns.name, tag: '1' }),
      pushImage(registry, { repository: ns.name, tag: '2' }),
    ]);
    images = { v1, v2 };
    operator = startTestOperator({
      namespaces: [ns.name],
      compute: { docker: dockerBlock(v1) },
      config: { instance: ns.name },
    });
  });
  afterAll(async () => {
    await operator?.stop();
    await ns?.remove();
    if (ns !== undefined) await view.clear(ns.name);
  });

  const app = (image: string) => ({
    name: 'app',
    image,
    ports: [{ name: 'http', containerPort: 8080 }],
    dependsOn: [{ container: 'side' }],
  });

  test.concurrent('is scaled up, rolled and scaled down, and what stays is never touched', async () => {
    const spec = (image: string) => ({ containers: [app(image), { name: 'side', image: images.v1 }] });
    await ns.create('several', spec(images.v1));
    await ns.untilReady('several');
    const first = await running('several');
    expect(Object.keys(first).toSorted()).toEqual(['.app', '.side']);
    const up = await scale('several', 3);
    expect(await running('several')).toMatchObject(first);
    expect(Object.keys(await running('several')).toSorted()).toEqual([
      '.app',
      '.app_2',
      '.app_3',
      '.side',
      '.side_2',
      '.side_3',
    ]);
    expect(up.status?.compute).toMatchObject({ replicas: '6/6', state: 'running', health: 'healthy' });
    expect(up.status?.compute?.endpoints?.map(({ name }) => name)).toEqual(['http', 'http', 'http']);
    expect((await answers(up)).map((answer) => /\b1\b/.test(answer))).toEqual([true, true, true]);
    await ns.patch('several', { spec: spec(images.v2) });
    const rolled = await ns.until('several', 'the new image', (tenant) => {
      const shown = tenant.status?.compute?.containers ?? [];
      const apps = shown.filter(({ name }) => name.startsWith('app'));
      return isReadyWith(3)(tenant) && apps.every(({ image }) => image === images.v2);
    });
    expect((await answers(rolled)).map((answer) => /\b2\b/.test(answer))).toEqual([true, true, true]);
    const before = await running('several');
    const down = await scale('several', 1);
    expect(await running('several')).toEqual({ '.app': before['.app'], '.side': before['.side'] });
    expect(down.status?.compute?.replicas).toBe('2/2');
    const id = defaultTenantId(ns.name, 'several');
    const networks = (await view.leftovers(ns.name, 'several')).filter((one) => one.startsWith('network'));
    expect(networks.map((one) => one.endsWith(id))).toEqual([true]);
    await ns.delete('several');
    await ns.untilGone('several');
    expect(await view.leftovers(ns.name, 'several')).toEqual([]);
  });

  test.concurrent('is scaled to 0 and back, with a status that says so', async () => {
    await ns.create('alone', { containers: [{ name: 'app', image: images.v1 }], replicas: 2 });
    await ns.until('alone', '2 replicas', isReadyWith(2));
    expect(Object.keys(await running('alone')).toSorted()).toEqual(['', '.app_2']);
    const none = await scale('alone', 0);
    expect(await view.leftovers(ns.name, 'alone')).toEqual([]);
    expect(none.status).toMatchObject({ replicas: 0, compute: { state: 'stopped', replicas: '0/0' } });
    expect(none.status?.conditions?.find(({ type }) => type === 'Ready')?.message).toBe(
      'nothing runs, as spec.replicas is 0',
    );
    await scale('alone', 1);
    expect(Object.keys(await running('alone'))).toEqual(['']);
  });

  test.concurrent('is InvalidSpec with words where replicas would need one host port', async () => {
    const ports = [{ containerPort: 8080, hostPort: 18_080 }];
    await ns.create('ported', { containers: [{ name: 'app', image: images.v1, ports }], replicas: 2 });
    const { status } = await ns.untilReason('ported', 'InvalidSpec');
    expect(status?.conditions?.find(({ type }) => type === 'Ready')?.message).toContain(
      "spec.replicas: 2 of container app can't share the host port 18080/tcp. Leave the host port out",
    );
  });
});
