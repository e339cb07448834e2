import type Dockerode from 'dockerode';
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
  bench = dockerTestBench(networkPool === '' ? {} : { network_pool: networkPool }, {
    allow_networks: ['t*'],
    allow_network_aliases: ['*'],
  });
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

/** As if it had been made for fewer: 5 containers have room in it. */
async function narrow(name: string): Promise<void> {
  const network = bench.docker.getNetwork(name);
  const found: Dockerode.NetworkInspectInfo = await network.inspect();
  const ids = Object.keys(found.Containers ?? {});
  const aliases = new Map<string, readonly string[]>();
  for (const id of ids) {
    const { NetworkSettings } = await bench.docker.getContainer(id).inspect();
    aliases.set(id, NetworkSettings.Networks[name]?.Aliases ?? []);
    await network.disconnect({ Container: id });
  }
  await network.remove();
  const Subnet = found.IPAM?.Config?.[0]?.Subnet?.replace(/\/\d+$/, '/29');
  const IPAM = { Driver: 'default', Config: [{ Subnet: Subnet ?? '' }] };
  await bench.docker.createNetwork({ Name: name, IPAM, Labels: found.Labels ?? {} });
  for (const id of ids) {
    const EndpointConfig = { Aliases: [...(aliases.get(id) ?? [])] };
    await bench.docker.getNetwork(name).connect({ Container: id, EndpointConfig });
  }
}

test('a rollout that the network has no room for goes through a larger one, and what stays runs on', async () => {
  const tenantId = 'grown';
  const provider = driven(bench.provider());
  const spec = (image: string) => {
    const db = containerSpec('db', { image: images.one, ports: [{ containerPort: 8080, protocol: 'TCP' }] });
    const others = ['app', 'a', 'b'].map((name) => containerSpec(name, { image }));
    return bench.spec(tenantId, {}, { containers: [...others, db] });
  };
  const nameOf = (container: string) => `${bench.prefix}-tenant-${tenantId}.${container}`;
  const large = `${bench.prefix}-${tenantId}.large`;
  await settled(() => provider.update(spec(images.one), signal));
  await narrow(`${bench.prefix}-${tenantId}`);
  const [old, before] = [await addressOf(nameOf('app')), await bench.look(nameOf('db'))];
  const answers = await answersDuring(tenantId, () =>
    settled(() => provider.update(spec(images.two), signal)),
  );
  const after = await bench.look(nameOf('db'));
  const next = await bench.look(nameOf('app'));
  expect(Object.keys(next?.NetworkSettings.Networks ?? {})).toEqual([large]);
  expect([answers[0], answers.at(-1)]).toEqual([old, await addressOf(nameOf('app'))]);
  expect(answers).not.toContain('');
  expect(after?.State.StartedAt).toBe(before?.State.StartedAt);
  expect(after?.NetworkSettings.Ports).toEqual(before?.NetworkSettings.Ports);
  expect(await (await inContainer(nameOf('db'), 'get', 'http://app:8080/')).said).toContain('version 2');
  expect(await (await inContainer(nameOf('app'), 'get', 'http://db:8080/')).said).toContain('version 1');
  expect((await provider.getStatus(spec(images.two), { fresh: true, signal })).changes).toEqual([]);
  await settled(() =>
    provider.update({ ...spec(images.two), containers: spec(images.two).containers.slice(0, 3) }, signal),
  );
  const networks = await bench.docker.listNetworks({ filters: { name: [`${bench.prefix}-${tenantId}`] } });
  expect(networks.map(({ Name }) => Name)).toEqual([large]);
});

test('a network of somebody else has the container beside its own, over a rollout and where it was taken out', async () => {
  const tenantId = 'edged';
  const edge = `${bench.prefix}-edge`;
  const name = `${bench.prefix}-tenant-${tenantId}`;
  const provider = driven(bench.provider());
  const config = { containers: { app: { networks: [edge], network_aliases: { [edge]: ['www'] } } } };
  const spec = (image: string) => bench.spec(tenantId, { image, ...config });
  const networks = async () =>
    Object.keys((await bench.look(name))?.NetworkSettings.Networks ?? {}).toSorted();
  const both = [edge, `${bench.prefix}-${tenantId}`].toSorted();

  await expect(settled(() => provider.update(spec(images.one), signal))).rejects.toThrow(
    `there is no network ${edge}. Create it, or leave it out of networks`,
  );
  const network = await bench.docker.createNetwork({ Name: edge, Internal: true });
  try {
    await settled(() => provider.update(spec(images.one), signal));
    expect(await networks()).toEqual(both);
    const proxy = await bench.createForeign(`${bench.prefix}-proxy`, images.one, { NetworkMode: edge });
    const answerAt = async (host: string) => (await inContainer(proxy, 'get', `http://${host}:8080/`)).said;
    expect(await answerAt(name)).toContain('version 1');
    expect(await answerAt('www')).toContain('version 1');
    await settled(() => provider.update(spec(images.two), signal));
    expect(await networks()).toEqual(both);
    expect(await answerAt(name)).toContain('version 2');
    expect(await answerAt('www')).toContain('version 2');
    await network.disconnect({ Container: name });
    await settled(() => provider.update(spec(images.two), signal));
    expect(await networks()).toEqual(both);
    await network.disconnect({ Container: name });
    await network.connect({ Container: name });
    const changes = async () => (await provider.getStatus(spec(images.two), { fresh: true, signal })).changes;
    expect(await changes()).toMatchObject([{ path: 'containers.app.network_aliases', effect: 'gap' }]);
    await settled(() => provider.update(spec(images.two), signal));
    expect(await changes()).toEqual([]);
    expect(await answerAt('www')).toContain('version 2');
    await bench.docker.getContainer(proxy).remove({ force: true });
    await settled(() => provider.destroy(spec(images.two), signal));
    expect(await network.inspect()).toMatchObject({ Name: edge });
  } finally {
    await network.remove();
  }
});
