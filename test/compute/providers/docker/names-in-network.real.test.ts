import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { pushImage } from '../../../../dev/images.ts';
import type { ContainerSpec } from '../../../../src/compute/spec/tenant-compute-spec.ts';
import { driven } from '../../driven-provider.ts';
import { dockerTestBench, settled } from './docker-bench.ts';
import type { DockerTestBench } from './docker-bench.ts';
import { containerSpec } from './docker-fixture.ts';

/** What siblings get for a container's name from a real engine, in a loop of lookups, while it is replaced. */

const signal = new AbortController().signal;
const images = { one: '', two: '' };
let bench: DockerTestBench;

beforeAll(async () => {
  const registry = { address: inject('registryAddress') };
  images.one = await pushImage(registry, { repository: 'named', tag: '1' });
  images.two = await pushImage(registry, { repository: 'named', tag: '2' });
  const networkPool = inject('networkPool');
  bench = dockerTestBench(networkPool === '' ? {} : { network_pool: networkPool });
  for (const image of Object.values(images)) await bench.pull(image);
});
afterAll(() => bench.close());

const withApp = (tenantId: string, app: Partial<ContainerSpec>) =>
  bench.spec(
    tenantId,
    {},
    { containers: [containerSpec('app', app), containerSpec('db', { image: images.one })] },
  );

async function inContainer(
  name: string,
  ...Cmd: readonly string[]
): Promise<{ readonly said: Promise<string> }> {
  const exec = await bench.docker
    .getContainer(name)
    .exec({ Cmd: ['/app', ...Cmd], AttachStdout: true, AttachStderr: true, Tty: true });
  const stream = await exec.start({ Tty: true });
  const { promise: said, resolve, reject } = Promise.withResolvers<string>();
  let text = '';
  stream.on('data', (chunk: Buffer) => void (text += chunk.toString()));
  stream.on('end', () => resolve(text));
  stream.on('error', reject);
  return { said };
}

async function addressOf(name: string): Promise<string> {
  const [network] = Object.values((await bench.look(name))?.NetworkSettings.Networks ?? {});
  return network?.IPAddress ?? '';
}

/** What `db` is told of `app` while `act` runs: the answers that differ, in their order. */
async function answersDuring(tenantId: string, act: () => Promise<unknown>): Promise<readonly string[]> {
  const db = `${bench.prefix}-tenant-${tenantId}.db`;
  const { said } = await inContainer(db, 'resolve', 'app', '/done');
  await act();
  await (
    await inContainer(db, 'write', '/done', '')
  ).said;
  return (await said).trim().split(/\s*\n/);
}

test('siblings find the old one by the name, then both, then the new one, and in between never none', async () => {
  const tenantId = 'good';
  const app = `${bench.prefix}-tenant-${tenantId}.app`;
  const provider = driven(bench.provider());
  await settled(() => provider.update(withApp(tenantId, { image: images.one }), signal));
  const old = await addressOf(app);
  const answers = await answersDuring(tenantId, () =>
    settled(() => provider.update(withApp(tenantId, { image: images.two }), signal)),
  );
  const next = await addressOf(app);
  expect(next).not.toBe(old);
  expect(answers).toEqual([old, [old, next].toSorted().join(' '), next]);
  // What was moved in the network reaches its siblings there.
  expect(await (await inContainer(app, 'get', 'http://db:8080/')).said).toContain('version 1');
});

test('siblings find the old one alone, as long as its successor is tried in vain', async () => {
  const tenantId = 'vain';
  const app = `${bench.prefix}-tenant-${tenantId}.app`;
  const provider = driven(bench.provider());
  await settled(() => provider.update(withApp(tenantId, { image: images.one }), signal));
  const old = await addressOf(app);
  const healthCheck = { command: ['/bin/ok'], intervalSeconds: 1, retries: 2, startPeriodSeconds: 0 };
  const deaf = withApp(tenantId, { image: images.two, args: ['serve', '1h'], healthCheck });
  const seen = new Set<string>();
  const answers = await answersDuring(tenantId, () =>
    settled(
      () => provider.update(deaf, signal),
      async () => {
        for (const name of await bench.names(tenantId)) seen.add(name);
      },
    ).then(({ outcome }) => expect(outcome).toBe('rolled_back')),
  );
  expect([...seen]).toContain(`${app}_next running`);
  expect(answers).toEqual([old]);
});

test('a container that somebody took out of the network comes back by its name, and is not restarted', async () => {
  const tenantId = 'taken-out';
  const app = `${bench.prefix}-tenant-${tenantId}.app`;
  const provider = driven(bench.provider());
  const spec = withApp(tenantId, { image: images.one });
  await settled(() => provider.update(spec, signal));
  const before = await bench.look(app);
  await bench.docker.getNetwork(`${bench.prefix}-${tenantId}`).disconnect({ Container: app });
  const { changes } = await provider.getStatus(spec, { fresh: true, signal });
  expect(changes).toMatchObject([{ path: 'containers.app.network', actual: 'none', effect: 'live' }]);
  await settled(() => provider.update(spec, signal));
  expect((await provider.getStatus(spec, { fresh: true, signal })).changes).toEqual([]);
  expect((await bench.look(app))?.State.StartedAt).toBe(before?.State.StartedAt);
  const db = `${bench.prefix}-tenant-${tenantId}.db`;
  expect(await (await inContainer(db, 'get', 'http://app:8080/')).said).toContain('version 1');
});
