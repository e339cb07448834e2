import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { pushImage } from '../../dev/images.ts';
import { findCondition } from '../../src/api/conditions.ts';
import type { Tenant } from '../../src/api/tenant.ts';
import { startEcsBench } from './ecs-bench.ts';
import type { EcsBench } from './ecs-bench.ts';
import type { TestOperator } from './test-operator.ts';

const ready = (tenant: Tenant) => findCondition(tenant.status?.conditions, 'Ready');
const containers = (image: string) => [
  { name: 'app', image, ports: [{ name: 'http', containerPort: 8080 }] },
];
const urlsOf = (tenant: Tenant | undefined): string[] =>
  (tenant?.status?.compute?.endpoints ?? []).flatMap(({ url }) => url ?? []);
const answerOf = async (url: string): Promise<string> =>
  fetch(url, { signal: AbortSignal.timeout(1000) }).then(
    (response) => response.text(),
    () => '',
  );

describe('a Tenant whose ECS tasks are containers', () => {
  const dockerHost = inject('dockerHost');
  let bench: EcsBench;
  let operator: TestOperator;
  let images: Record<'v1' | 'v2' | 'crashing' | 'missing', string>;

  beforeAll(async () => {
    const registry = { address: inject('registryAddress') };
    const push = (tag: string, command?: string[]) =>
      pushImage(registry, { repository: 'ecs-rollouts', tag, ...(command && { command }) });
    images = {
      v1: await push('1'),
      v2: await push('2'),
      crashing: await push('crashing', ['crash', '7']),
      missing: `${registry.address}/ecs-rollouts:missing`,
    };
    bench = await startEcsBench({
      prefix: 'rollouts',
      ministack: { mode: 'docker', dockerHost },
      fixture: { image: images.v1 },
    });
    operator = bench.operator();
  });
  afterAll(async () => {
    await operator?.stop();
    await bench?.close();
  });

  let tries = 0;
  const running = (image: string) => ({ containers: containers(image) });
  /** Not expect.poll: it knows no concurrent tests. */
  const answers = async (name: string, version: string): Promise<void> => {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const replies = await Promise.all(urlsOf(await bench.ns.get(name)).map(answerOf));
      if (replies.length === 1 && replies[0] === `version ${version}\n`) return;
      if (Date.now() > deadline) expect.fail(`${name} answers ${JSON.stringify(replies)}, not ${version}`);
      await sleep(200);
    }
  };

  test.concurrent('is rolled to a good image', { timeout: 90_000 }, async () => {
    const { ns } = bench;
    await ns.create('good', running(images.v1));
    await ns.untilReady('good', 40_000);
    await answers('good', '1');
    await ns.patch('good', { spec: { containers: containers(images.v2) } });
    const rolled = await ns.untilReady('good', 40_000);
    expect(rolled.status?.compute).toMatchObject({ running: 1, desired: 1, health: 'healthy' });
    await answers('good', '2');
    await ns.delete('good');
    await ns.untilGone('good', 40_000);
  });

  test.concurrent(
    'is rolled back from a crashing image, which is not tried again',
    // The endpoint calls a rollout complete, and stops the old task, where it happens to look while the new one still
    // runs: then there is nothing to roll back to. ECS waits for a task to be steady.
    { timeout: 120_000, retry: 2 },
    async () => {
      const { ns } = bench;
      const name = `crashing-${(tries += 1)}`;
      await ns.create(name, running(images.v1));
      await ns.untilReady(name, 40_000);
      await ns.patch(name, { spec: { containers: containers(images.crashing) } });
      const rolledBack = await ns.untilReason(name, 'RolledBack', 80_000);
      expect(ready(rolledBack)?.message).toContain('exited with code 7');
      expect(rolledBack.status?.rejected).toMatchObject({ reason: 'RolledBack' });
      await answers(name, '1');
      const updates = bench.calls('UpdateService').length;
      await ns.patch(name, { metadata: { annotations: { touched: 'yes' } } });
      await answers(name, '1');
      expect(bench.calls('UpdateService')).toHaveLength(updates);
      await ns.patch(name, { spec: { containers: containers(images.v2) } });
      await ns.untilReady(name, 40_000);
      await answers(name, '2');
    },
  );

  test.concurrent(
    'keeps the old image where the new one is missing, and names it',
    { timeout: 120_000 },
    async () => {
      const { ns } = bench;
      await ns.create('missing', running(images.v1));
      await ns.untilReady('missing', 40_000);
      await ns.patch('missing', { spec: { containers: containers(images.missing) } });
      const rolledBack = await ns.untilReason('missing', 'ImageUnavailable', 80_000);
      expect(ready(rolledBack)?.message).toContain(images.missing);
      await answers('missing', '1');
    },
  );

  test.concurrent('that never had a good image names what is missing', { timeout: 120_000 }, async () => {
    const { ns } = bench;
    await ns.create('never', running(images.missing));
    const tenant = await ns.untilReason('never', 'ImageUnavailable', 80_000);
    expect(ready(tenant)?.message).toContain(images.missing);
    await ns.delete('never');
    await ns.untilGone('never', 40_000);
  });
});
