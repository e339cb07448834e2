import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { pushImage } from '../../../../dev/images.ts';
import { driven } from '../../driven-provider.ts';
import { dockerTestBench, settled } from './docker-bench.ts';
import type { DockerTestBench } from './docker-bench.ts';
import { containerSpec } from './docker-fixture.ts';

/** A container in the network namespace of a sibling, as a real engine has it. */

const signal = new AbortController().signal;
const images = { one: '', two: '' };
let bench: DockerTestBench;

beforeAll(async () => {
  const registry = { address: inject('registryAddress') };
  images.one = await pushImage(registry, { repository: 'joined', tag: '1' });
  images.two = await pushImage(registry, { repository: 'joined', tag: '2' });
  const networkPool = inject('networkPool');
  bench = dockerTestBench(networkPool === '' ? {} : { network_pool: networkPool });
  for (const image of Object.values(images)) await bench.pull(image);
});
afterAll(() => bench.close());

const joining = { containers: { side: { network_mode: 'service:app' } } };
const spec = (tenantId: string, image: string) =>
  bench.spec(tenantId, joining, {
    containers: [
      containerSpec('side', { image: images.one, args: ['sleep'] }),
      containerSpec('app', { image, ports: [{ containerPort: 8080, protocol: 'TCP' }] }),
    ],
  });

const named = (tenantId: string, container: string): string =>
  `${bench.prefix}-tenant-${tenantId}.${container}`;

/** What it gets from its own 127.0.0.1, which is the sibling's. */
const answer = async (tenantId: string): Promise<string> =>
  bench.run(named(tenantId, 'side'), 'get', 'http://127.0.0.1:8080/');

async function joinedId(tenantId: string): Promise<string | undefined> {
  const { HostConfig } = (await bench.look(named(tenantId, 'side'))) ?? {};
  return HostConfig?.NetworkMode?.replace(/^container:/, '');
}

test('it is replaced with the sibling, and at no moment in the namespace of one that is gone', async () => {
  const provider = driven(bench.provider());
  await settled(() => provider.update(spec('rolled', images.one), signal));
  expect(await answer('rolled')).toContain('version 1');
  const before = await bench.look(named('rolled', 'side'));
  await settled(() => provider.update(spec('rolled', images.two), signal));
  const after = await bench.look(named('rolled', 'side'));
  expect(after?.Id).not.toBe(before?.Id);
  expect(await joinedId('rolled')).toBe((await bench.look(named('rolled', 'app')))?.Id);
  expect(await answer('rolled')).toContain('version 2');
  const status = await provider.getStatus(spec('rolled', images.two), { fresh: true, signal });
  expect(status.changes).toEqual([]);
  expect(await bench.names('rolled')).toEqual([
    `${named('rolled', 'app')} running`,
    `${named('rolled', 'side')} running`,
  ]);
});

test('it is started anew where the sibling was, and made anew where that was removed', async () => {
  const provider = driven(bench.provider());
  const wanted = spec('lost', images.one);
  await settled(() => provider.update(wanted, signal));
  const app = bench.docker.getContainer(named('lost', 'app'));
  await app.restart({ t: 0 });
  const { changes } = await provider.getStatus(wanted, { fresh: true, signal });
  expect(changes).toMatchObject([
    { path: 'containers.side', actual: 'cut off from service:app', effect: 'gap' },
  ]);
  await settled(() => provider.update(wanted, signal));
  expect(await answer('lost')).toContain('version 1');
  const before = await bench.look(named('lost', 'side'));
  await app.remove({ force: true });
  await settled(() => provider.update(wanted, signal));
  expect((await bench.look(named('lost', 'side')))?.Id).not.toBe(before?.Id);
  expect(await answer('lost')).toContain('version 1');
  await settled(() => provider.destroy(wanted, signal));
  expect(await bench.names('lost')).toEqual([]);
});
