import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { pushImage } from '../../dev/images.ts';
import { dockerBlock, engineView } from './docker-tenants.ts';
import { startEcsBench } from './ecs-bench.ts';
import type { EcsBench } from './ecs-bench.ts';
import { answerOf, untilAnswers, urlsOf } from './endpoint-answers.ts';
import type { TestOperator } from './test-operator.ts';

const containers = (image: string) => [
  { name: 'app', image, ports: [{ name: 'http', containerPort: 8080 }] },
];

describe('a Tenant that is moved between engines', () => {
  const dockerHost = inject('dockerHost');
  let bench: EcsBench;
  let operator: TestOperator;
  let image: string;

  beforeAll(async () => {
    image = await pushImage({ address: inject('registryAddress') }, { repository: 'ecs-move', tag: '1' });
    bench = await startEcsBench({
      prefix: 'move',
      ministack: { mode: 'docker', dockerHost },
      fixture: { image },
    });
    operator = bench.operator({ compute: { ecs: bench.block, docker: dockerBlock(image) } });
  });
  afterAll(async () => {
    await operator?.stop();
    await bench?.close();
    if (bench !== undefined) await engineView(dockerHost).clear(bench.ns.name);
  });

  test(
    'by one label answers at one of the endpoints in its status all the time',
    { timeout: 240_000 },
    async () => {
      const { ns } = bench;
      await ns.create('mover', { containers: containers(image) }, { labels: { compute_provider: 'docker' } });
      await ns.untilReady('mover');
      const stop = new AbortController();
      const silences: string[] = [];
      const watching = (async () => {
        while (!stop.signal.aborted) {
          const urls = urlsOf(await ns.get('mover'));
          const replies = await Promise.all(urls.map(answerOf));
          if (!replies.some((reply) => reply.startsWith('version'))) silences.push(urls.join(' '));
          await sleep(50);
        }
      })();
      try {
        await ns.patch('mover', { metadata: { labels: { compute_provider: 'ecs' } } });
        const moved = await ns.until(
          'mover',
          'moved',
          ({ status }) =>
            status?.phase === 'Ready' &&
            status.computeProvider === 'ecs' &&
            status.previousPlacements === undefined,
        );
        expect(moved.status?.placement).toMatchObject({ provider: 'ecs' });
        await untilAnswers(ns, 'mover', '1');
      } finally {
        stop.abort();
        await watching;
      }
      expect(silences).toEqual([]);
    },
  );
});
