import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { pushImage } from '../../dev/images.ts';
import { until } from '../until.ts';
import { dockerBlock, engineView } from './docker-tenants.ts';
import type { ContainerEvent } from './docker-tenants.ts';
import { endpointsOf } from './operator-endpoints.ts';
import { recordingStream } from './recording-stream.ts';
import { createTestNamespace } from './test-namespace.ts';
import type { TestNamespace } from './test-namespace.ts';
import { startTestOperator } from './test-operator.ts';
import type { TestOperator } from './test-operator.ts';

describe('a deleted Tenant on Docker', () => {
  const view = engineView();
  const log = recordingStream();
  const { metric } = endpointsOf(() => log.lines.join(''));
  let ns: TestNamespace;
  let operator: TestOperator;
  let image: string;

  beforeAll(async () => {
    ns = await createTestNamespace('docker-deletion');
    image = await pushImage({ address: inject('registryAddress') }, { repository: ns.name, tag: '1' });
    operator = startTestOperator({
      namespaces: [ns.name],
      compute: { docker: dockerBlock(image), mock: {} },
      config: {
        instance: ns.name,
        controller: { namespaces: [ns.name], resync_interval: '500ms', concurrency: 2 },
      },
      logger: log.logger,
    });
  });
  afterAll(async () => {
    await operator?.stop();
    await ns?.remove();
    await view.clear(ns.name);
  });

  /** A container that reads the Secret of the Tenant's name, and a volume. */
  const createWhole = (name: string) => {
    const env = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name, key: 'password' } } }];
    return ns.create(name, {
      computeProvider: 'docker',
      computeConfig: { docker: { volumes: ['data:/data'] } },
      volumePolicy: 'Delete',
      containers: [{ name: 'app', image, env }],
    });
  };
  const patch = (spec: unknown) => (name: string) => ns.patch(name, { spec });

  test.concurrent.each<[string, string, (name: string) => Promise<unknown>]>([
    ['whose Secret is gone', 'SecretNotFound', (name) => ns.secrets.delete(name, ns.name)],
    [
      'whose spec the policy refuses by now',
      'PolicyDenied',
      patch({ computeConfig: { docker: { network_mode: 'host' } } }),
    ],
    [
      'whose spec is invalid by now',
      'InvalidSpec',
      // Not of the type that it must be.
      (name) => patch({ imagePullSecrets: [{ name }] })(name),
    ],
    ['whose provider there is none of by now', 'ProviderNotFound', patch({ computeProvider: 'nomad' })],
  ])('%s leaves nothing', async (_what, reason, act) => {
    const name = reason.toLowerCase();
    await ns.putSecret(name, { password: 'a-password' });
    await createWhole(name);
    await ns.untilReady(name);
    await act(name);
    await ns.untilReason(name, reason);
    expect((await view.leftovers(ns.name, name)).length).toBeGreaterThan(1);
    await ns.delete(name);
    await ns.untilGone(name);
    expect(await view.leftovers(ns.name, name)).toEqual([]);
  });

  test.concurrent(
    'whose container takes its time to end keeps no worker from one that was killed',
    async () => {
      const stubborn = {
        computeProvider: 'docker',
        containers: [{ name: 'app', image, args: ['ignore-term'] }],
      };
      const doomed = ['stubborn-1', 'stubborn-2', 'stubborn-3', 'stubborn-4'];
      await Promise.all(doomed.map((name) => ns.create(name, stubborn)));
      await ns.create('killed', { computeProvider: 'docker' });
      await Promise.all([...doomed, 'killed'].map((name) => ns.untilReady(name)));
      const ends = await Promise.all(doomed.map((name) => view.follow(ns.name, name)));
      const starts = await view.follow(ns.name, 'killed');
      const heard = (events: readonly ContainerEvent[], action: string) =>
        events.find((event) => event.action === action);
      await Promise.all(doomed.map((name) => ns.delete(name)));
      const isTold = () => ends.some(({ events }) => heard(events, 'kill') !== undefined);
      await until('they are told to stop', isTold);
      const [container] = await view.containers(ns.name, 'killed');
      await view.docker.getContainer(container?.Id ?? '').kill();
      await until('it is started again', () => heard(starts.events, 'start') !== undefined);
      await Promise.all(doomed.map((name) => ns.untilGone(name)));
      const firstEnd = Math.min(...ends.map(({ events }) => heard(events, 'die')?.at ?? Infinity));
      expect(heard(starts.events, 'start')?.at).toBeLessThan(firstEnd);
      for (const followed of [...ends, starts]) followed.stop();
      await ns.delete('killed');
      await ns.untilGone('killed');
    },
  );

  test('that is retained is reported as an orphan once, counted until it is taken back, and runs on', async () => {
    const orphans = () => metric('landlord_orphans', { provider: 'docker' });
    const rounds = async () =>
      (await metric('landlord_provider_duration_seconds_count', { provider: 'docker', operation: 'list' })) ??
      0;
    const reports = () => log.lines.filter((line) => line.includes('orphan: '));
    await ns.create('kept', { computeProvider: 'docker', deletionPolicy: 'Retain' });
    await ns.untilReady('kept');
    const [before] = await view.containers(ns.name, 'kept');
    await expect.poll(orphans, { timeout: 30_000 }).toBe(0);
    await ns.delete('kept');
    await ns.untilGone('kept');
    await expect.poll(orphans, { timeout: 30_000 }).toBe(2);
    const reported = await rounds();
    await expect.poll(rounds, { timeout: 30_000 }).toBeGreaterThan(reported + 2);
    const whose = { provider: 'docker', tenant: `${ns.name}/kept` };
    expect(reports().map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { ...whose, resource: `container ${before?.Names[0]?.slice(1)}` },
      { ...whose, resource: `network ${Object.keys(before?.NetworkSettings.Networks ?? {}).join()}` },
    ]);
    const [after] = await view.containers(ns.name, 'kept');
    expect(after).toMatchObject({ Id: before?.Id, State: 'running' });
    await ns.create('kept', { computeProvider: 'docker' });
    await ns.untilReady('kept');
    await expect.poll(orphans, { timeout: 30_000 }).toBe(0);
    await ns.delete('kept');
    await ns.untilGone('kept');
  });
});
