import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { startPrivateDockerEngine } from '../../dev/docker-engine.ts';
import type { PrivateDockerEngine } from '../../dev/docker-engine.ts';
import { pushImage } from '../../dev/images.ts';
import { findCondition } from '../../src/api/conditions.ts';
import { engineView } from './docker-tenants.ts';
import { createTestNamespace } from './test-namespace.ts';
import type { TestNamespace } from './test-namespace.ts';
import { startTestOperator } from './test-operator.ts';
import type { TestOperator } from './test-operator.ts';

describe('an operator whose Docker Engine goes away', () => {
  let engine: PrivateDockerEngine;
  let ns: TestNamespace;
  let operator: TestOperator;

  beforeAll(async () => {
    engine = await startPrivateDockerEngine();
    ns = await createTestNamespace('engine-outage');
    const image = await pushImage({ address: inject('registryAddress') }, { repository: ns.name, tag: '1' });
    operator = startTestOperator({
      namespaces: [ns.name],
      compute: { docker: { image, host: engine.host, network_pool: engine.networkPool }, mock: {} },
      config: { controller: { namespaces: [ns.name], concurrency: 4 } },
    });
    const onDocker = { computeProvider: 'docker' };
    await Promise.all(['stays', 'goes', 'late'].map((name) => ns.create(name, onDocker)));
    await Promise.all(['stays', 'goes', 'late'].map((name) => ns.untilReady(name)));
  });
  afterAll(async () => {
    await operator.stop();
    await ns.remove();
    await engine.stop();
  });

  const expectMockUndelayed = async (name: string): Promise<void> => {
    await ns.create(name, { computeProvider: 'mock' });
    await ns.untilReady(name);
    await ns.delete(name);
    await ns.untilGone(name);
  };

  test.each([
    ['dead', () => engine.kill(), () => engine.start(), 'goes'],
    ['frozen with its socket open', async () => engine.freeze(), async () => engine.thaw(), 'late'],
  ])(
    'that is %s: a deletion waits and says why, others go on, and it completes by itself',
    { timeout: 150_000 },
    async (_how, away, back, name) => {
      await away();
      await ns.delete(name);
      // More tenants than there are workers, all waiting for the engine.
      await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          ns.create(`new-${name}-${index}`, { computeProvider: 'docker' }),
        ),
      );
      await expectMockUndelayed(`beside-${name}`);
      const waiting = await ns.untilReason(name, 'ProviderUnavailable', 60_000);
      expect(waiting.status?.phase).toBe('Deleting');
      expect(findCondition(waiting.status?.conditions, 'Ready')?.message).toContain(engine.host);
      await back();
      await ns.untilGone(name, 60_000);
      await ns.untilReady(`new-${name}-0`, 60_000);
      expect(await engineView(engine.host).leftovers(ns.name, name)).toEqual([]);
    },
  );

  test(
    'a Ready tenant says Unknown once the engine was away for a minute, and is Ready again by itself',
    { timeout: 150_000 },
    async () => {
      await ns.untilReady('stays', 60_000);
      const writes = async () => (await ns.writes()).filter(({ objectRef }) => objectRef?.name === 'stays');
      const before = (await writes()).length;
      const awaySince = Date.now();
      await engine.kill();
      const away = await ns.untilReason('stays', 'ProviderUnavailable', 120_000);
      expect(findCondition(away.status?.conditions, 'Ready')?.status).toBe('Unknown');
      const [told, ...more] = (await writes()).slice(before);
      expect(more).toEqual([]);
      expect(Date.parse(told?.requestReceivedTimestamp ?? '') - awaySince).toBeGreaterThanOrEqual(60_000);
      await engine.start();
      await ns.untilReady('stays', 60_000);
    },
  );
});
