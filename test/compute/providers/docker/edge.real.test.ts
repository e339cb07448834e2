import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { importProgram } from '../../../../dev/debian-image.ts';
import { freePort } from '../../../../dev/free-port.ts';
import { pushImage } from '../../../../dev/images.ts';
import type { Engine } from '../../../../src/compute/providers/docker/engine/engine.ts';
import { ask, clients, newConnections } from '../../../asking-clients.ts';
import { until } from '../../../until.ts';
import { driven } from '../../driven-provider.ts';
import { dockerTestBench, settled } from './docker-bench.ts';
import type { DockerTestBench } from './docker-bench.ts';
import { containerSpec } from './docker-fixture.ts';

/** What clients of a fixed host port see while what is behind it is replaced, with a real proxy on a real engine. */

const signal = new AbortController().signal;
const host = inject('publishAddress');
const images = { one: '', two: '' };
const at = (port: number) => ({ host, port });
let bench: DockerTestBench;
let proxyImage: string;

beforeAll(async () => {
  const registry = { address: inject('registryAddress') };
  images.one = await pushImage(registry, { repository: 'edged', tag: '1' });
  images.two = await pushImage(registry, { repository: 'edged', tag: '2' });
  const networkPool = inject('networkPool');
  proxyImage = `landlord-test-proxy-${process.pid}:1`;
  bench = dockerTestBench({
    edge_image: proxyImage,
    ...(networkPool === '' ? {} : { network_pool: networkPool }),
  });
  await importProgram(bench.docker, 'haproxy', proxyImage);
  for (const image of Object.values(images)) await bench.pull(image);
});
afterAll(async () => {
  await bench.close();
  await bench.docker.getImage(proxyImage).remove();
});

type Mode = 'TCP' | 'HTTP';
const specOf = (tenantId: string, image: string, hostPort: number, mode: Mode = 'TCP') => {
  const edge = { mode, drainSeconds: 3 };
  const ports = [{ containerPort: 8080, hostPort, protocol: 'TCP' as const, edge }];
  return bench.spec(tenantId, {}, { containers: [containerSpec('app', { image, ports })] });
};

/** The engine does not hear for a while that the successor has its name; until then nobody bears it. */
function slowToName(engine: Engine): Engine {
  return {
    ...engine,
    async renameContainer(id, name, given) {
      if (!name.endsWith('_old')) await delay(3_000);
      return engine.renameContainer(id, name, given);
    },
  };
}

test.each<[Mode, requests: number, keepsConnections: boolean]>([
  ['TCP', newConnections, false],
  ['HTTP', 10_000, true],
])(
  'over a rollout no request is lost, by %s and of %d, though for a while nobody has the name',
  async (mode, requests, keepAlive) => {
    const tenantId = `many-${mode.toLowerCase()}`;
    const port = await freePort();
    const proxy = `${bench.prefix}-tenant-${tenantId}.edge.proxy`;
    const provider = driven(bench.provider({}, slowToName));
    await settled(() => provider.update(specOf(tenantId, images.one, port, mode), signal));
    const before = await bench.look(proxy);
    await until('the first answer', async () => (await ask(at(port), 1, () => true)).lost.length === 0);
    let isOver = false;
    const asking = ask({ ...at(port), keepAlive }, requests, () => isOver);
    await settled(() => provider.update(specOf(tenantId, images.two, port, mode), signal));
    isOver = true;
    const { asked, answers, lost, connections } = await asking;
    expect(lost).toEqual([]);
    expect(asked).toBeGreaterThanOrEqual(requests);
    expect(connections).toBe(keepAlive ? clients : asked);
    expect([...answers.keys()].toSorted()).toEqual(['version 1\n', 'version 2\n']);
    const after = await bench.look(proxy);
    expect([after?.Id, after?.State.StartedAt]).toEqual([before?.Id, before?.State.StartedAt]);
    expect(await bench.names(tenantId)).toEqual([
      `${bench.prefix}-tenant-${tenantId} running`,
      `${proxy} running`,
    ]);
    expect((await ask(at(port), 20, () => true)).answers).toEqual(new Map([['version 2\n', 20]]));
  },
);

test('a connection that is open is answered by the old one, while new ones are by its successor', async () => {
  const tenantId = 'open';
  const port = await freePort();
  const provider = driven(bench.provider());
  await settled(() => provider.update(specOf(tenantId, images.one, port), signal));
  await until('the first answer', async () => (await ask(at(port), 1, () => true)).lost.length === 0);
  const socket = connect({ host, port });
  const answer = text(socket);
  socket.write('GET / HTTP/1.1\r\n');
  const rollout = settled(() => provider.update(specOf(tenantId, images.two, port), signal));
  await until('the successor answers', async () =>
    (await ask(at(port), 1, () => true)).answers.has('version 2\n'),
  );
  expect(await bench.names(tenantId)).toContain(`${bench.prefix}-tenant-${tenantId}_old running`);
  socket.write('\r\n');
  expect(await answer).toContain('version 1');
  await rollout;
  await settled(() => provider.destroy(specOf(tenantId, images.two, port), signal));
  expect(await bench.names(tenantId)).toEqual([]);
});

test('a container that was killed and is started again is found again by itself', async () => {
  const tenantId = 'killed';
  const port = await freePort();
  const provider = driven(bench.provider());
  const spec = specOf(tenantId, images.one, port);
  await settled(() => provider.update(spec, signal));
  await bench.docker.getContainer(`${bench.prefix}-tenant-${tenantId}`).kill();
  await settled(() => provider.update(spec, signal));
  await until('an answer', async () => (await ask(at(port), 1, () => true)).lost.length === 0);
  expect((await ask(at(port), 20, () => true)).lost).toEqual([]);
  await bench.docker.getContainer(`${bench.prefix}-tenant-${tenantId}.edge.proxy`).remove({ force: true });
  await settled(() => provider.update(spec, signal));
  await until('an answer by a new proxy', async () => (await ask(at(port), 1, () => true)).lost.length === 0);
});
