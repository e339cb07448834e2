import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { pushImage } from '../../dev/images.ts';
import { findCondition } from '../../src/api/conditions.ts';
import type { Tenant } from '../../src/api/tenant.ts';
import { ecsWrites, startEcsBench } from './ecs-bench.ts';
import type { EcsBench } from './ecs-bench.ts';
import { untilAnswers } from './endpoint-answers.ts';
import { isReady } from './test-namespace.ts';
import type { TestOperator } from './test-operator.ts';

/** How often one case may be started anew because the endpoint spoilt it. */
const maxTries = 5;

const ready = (tenant: Tenant) => findCondition(tenant.status?.conditions, 'Ready');
const containers = (image: string) => [
  { name: 'app', image, ports: [{ name: 'http', containerPort: 8080 }] },
];

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

  const running = (image: string) => ({ containers: containers(image) });

  test.concurrent('is rolled to a good image', async () => {
    const { ns } = bench;
    await ns.create('good', running(images.v1));
    await ns.untilReady('good');
    await untilAnswers(ns, 'good', '1');
    await ns.patch('good', { spec: { containers: containers(images.v2) } });
    const rolled = await ns.untilReady('good');
    expect(rolled.status?.compute).toMatchObject({ running: 1, desired: 1, health: 'healthy' });
    await untilAnswers(ns, 'good', '2');
    await ns.delete('good');
    await ns.untilGone('good');
  });

  /**
   * The endpoint looks at a task once, a second after its start: where it has not yet seen it crash by then, it calls
   * the rollout complete and stops the old task, and there is nothing to roll back to. ECS waits for a task to be
   * steady.
   */
  const isCalledComplete = async (name: string, before: string | undefined): Promise<boolean> => {
    const { deployments = [] } = (await bench.service(name)) ?? {};
    return deployments.some(
      ({ status, rolloutState, taskDefinition }) =>
        status === 'PRIMARY' && rolloutState === 'COMPLETED' && taskDefinition !== before,
    );
  };
  /** Rolls a Tenant to the crashing image until that is rolled back; anew where the endpoint alone prevents it. */
  const rolledBack = async (tried = 1): Promise<Tenant> => {
    const { ns } = bench;
    const name = `crashing-${tried}`;
    await ns.create(name, running(images.v1));
    await ns.untilReady(name);
    const before = (await bench.service(name))?.taskDefinition;
    await ns.patch(name, { spec: running(images.crashing) });
    const deadline = Date.now() + 120_000;
    for (;;) {
      const tenant = await ns.get(name);
      if (tenant !== undefined && ready(tenant)?.reason === 'RolledBack') return tenant;
      if (await isCalledComplete(name, before)) break;
      if (tenant === undefined || isReady(tenant) || Date.now() > deadline)
        expect.fail(`${name} is not rolled back: ${JSON.stringify(tenant?.status)}`);
      await sleep(100);
    }
    await ns.delete(name);
    if (tried === maxTries)
      expect.fail(`the endpoint called ${maxTries} rollouts of a crashing image complete`);
    return rolledBack(tried + 1);
  };

  test.concurrent('is rolled back from a crashing image, which is not tried again', async () => {
    const { ns } = bench;
    const tenant = await rolledBack();
    const { name } = tenant.metadata;
    expect(ready(tenant)?.message).toContain('exited with code 7');
    expect(tenant.status?.rejected).toMatchObject({ reason: 'RolledBack' });
    await untilAnswers(ns, name, '1');
    const writes = () => bench.calls(...ecsWrites).filter((call) => bench.concerns(call, name)).length;
    const before = writes();
    // Another generation, which changes nothing of what runs: the status shows that a pass over it has ended.
    const { metadata } = await ns.patch(name, { spec: { deletionPolicy: 'Retain' } });
    const looked = await ns.until(
      name,
      'looked at again',
      ({ status }) => status?.observedGeneration === metadata.generation,
    );
    expect(ready(looked)?.reason).toBe('RolledBack');
    expect(writes()).toBe(before);
    await untilAnswers(ns, name, '1');
    await ns.patch(name, { spec: running(images.v2) });
    await ns.untilReady(name);
    await untilAnswers(ns, name, '2');
  });

  test.concurrent('keeps the old image where the new one is missing, and names it', async () => {
    const { ns } = bench;
    await ns.create('missing', running(images.v1));
    await ns.untilReady('missing');
    await ns.patch('missing', { spec: { containers: containers(images.missing) } });
    const rolledBack = await ns.untilReason('missing', 'ImageUnavailable');
    expect(ready(rolledBack)?.message).toContain(images.missing);
    await untilAnswers(ns, 'missing', '1');
  });

  test.concurrent(
    'that never had a good image names what is missing, and runs once that is corrected',
    async () => {
      const { ns } = bench;
      await ns.create('never', running(images.missing));
      const tenant = await ns.untilReason('never', 'ImageUnavailable');
      expect(ready(tenant)?.message).toContain(images.missing);
      await ns.patch('never', { spec: running(images.v1) });
      const isApplied = () =>
        bench.calls('UpdateService').some((call) => bench.concerns(call, 'never') && call.status === 200);
      await ns.until('never', 'applied while ECS remembers what failed', isApplied, 30_000);
      await ns.untilReady('never');
      await untilAnswers(ns, 'never', '1');
      await ns.delete('never');
      await ns.untilGone('never');
    },
  );
});
