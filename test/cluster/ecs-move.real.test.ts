import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { dockerAt } from '../../dev/docker-at.ts';
import { pushImage } from '../../dev/images.ts';
import type { Tenant } from '../../src/api/tenant.ts';
import { dockerBlock } from './docker-tenants.ts';
import { startEcsBench } from './ecs-bench.ts';
import type { EcsBench } from './ecs-bench.ts';
import type { TestOperator } from './test-operator.ts';

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
    const docker = dockerAt(dockerHost);
    const left = await docker.listContainers({
      all: true,
      filters: { label: [`landlord.tenant_namespace=${bench?.ns.name}`] },
    });
    await Promise.all(left.map(({ Id }) => docker.getContainer(Id).remove({ force: true })));
  });

  const answers = async (name: string, version: string): Promise<void> => {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const replies = await Promise.all(urlsOf(await bench.ns.get(name)).map(answerOf));
      if (replies.length === 1 && replies[0] === `version ${version}\n`) return;
      if (Date.now() > deadline) expect.fail(`${name} answers ${JSON.stringify(replies)}, not ${version}`);
      await sleep(200);
    }
  };

  test(
    'by one label answers at one of the endpoints in its status all the time',
    { timeout: 120_000 },
    async () => {
      const { ns } = bench;
      await ns.create('mover', { containers: containers(image) }, { labels: { compute_provider: 'docker' } });
      await ns.untilReady('mover', 40_000);
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
          60_000,
        );
        expect(moved.status?.placement).toMatchObject({ provider: 'ecs' });
        await answers('mover', '1');
      } finally {
        stop.abort();
        await watching;
      }
      expect(silences).toEqual([]);
    },
  );
});
