import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type Dockerode from 'dockerode';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { pushImage } from '../../../../dev/images.ts';
import { permitUpTo } from '../../../../src/compute/permit.ts';
import { driven } from '../../driven-provider.ts';
import { anyConsent, anyPermit } from '../../permits.ts';
import { dockerTestBench, isReady, settled, statusWhere } from './docker-bench.ts';
import type { DockerTestBench } from './docker-bench.ts';

const signal = new AbortController().signal;
const images = { app: '', db: '' };
let bench: DockerTestBench;
const folder = mkdtempSync(join(tmpdir(), 'labelled files-'));

beforeAll(async () => {
  const registry = { address: inject('registryAddress') };
  images.app = await pushImage(registry, { repository: 'copies', tag: '1' });
  images.db = await pushImage(registry, { repository: 'volumes', tag: '1', volumes: ['/tmp'] });
  const allowed_host_paths = [{ path: folder, writable: true, relabel: true }];
  bench = dockerTestBench({}, { allowed_host_paths });
  for (const image of Object.values(images)) await bench.pull(image);
});
afterAll(async () => {
  await bench.close();
  rmSync(folder, { recursive: true });
});

async function running(tenantId: string, config: Record<string, unknown>) {
  const bare = bench.provider({ pauseMs: 5_000 });
  const provider = driven(bare);
  const spec = bench.spec(tenantId, config);
  await settled(() => provider.provision(spec, signal));
  await statusWhere(() => provider.getStatus(spec, { fresh: true, signal }), isReady);
  return { bare, provider, spec, name: `${bench.prefix}-tenant-${tenantId}` };
}

describe.concurrent('on a real engine', () => {
  it("a file in a volume of the image's own is there after an update, and after the container is gone", async () => {
    const { bare, provider, name } = await running('db', { image: images.db });
    await bench.run(name, 'write', '/tmp/rows', 'precious');
    const first = (await bench.look(name))?.Id;
    const changed = bench.spec('db', { image: images.db, env: { LEVEL: 'debug' } });
    await settled(() => provider.update(changed, signal));
    expect((await bench.look(name))?.Id).not.toBe(first);
    expect(await bench.run(name, 'read', '/tmp/rows')).toBe('precious');
    await bench.docker.getContainer(name).remove({ force: true, v: true });
    await settled(() => provider.update(changed, signal));
    expect(await bench.run(name, 'read', '/tmp/rows')).toBe('precious');
    const gone = await settled(() => bare.destroy(bare.desired(changed), permitUpTo('outage'), signal));
    expect(gone).toMatchObject({ outcome: 'gone', retained: [expect.stringMatching(/^volume .*\.app\./)] });
    await settled(() => provider.provision(changed, signal));
    expect(await bench.run(name, 'read', '/tmp/rows')).toBe('precious');
    await settled(() => bare.destroy(bare.desired(changed), anyPermit, signal));
    expect(await bench.engine.listVolumes([`${bench.prefix}.tenant_id=db`], signal)).toEqual([]);
  });

  it('the words of a mode are as the engine says them, with SELinux and without', async () => {
    const volumes = [`${folder}:/labelled:z`, 'copied:/tmp', 'empty:/bin:nocopy'];
    const { name } = await running('words', { image: images.app, volumes });
    const found = (await bench.look(name)) as Dockerode.ContainerInspectInfo;
    const modes = found.Mounts.map(({ Destination, Mode }) => `${Destination} ${Mode}`).toSorted();
    expect(modes).toEqual(['/bin rw,nocopy', '/labelled rw,z', '/tmp rw']);
    // The image has its check there, and would have been copied.
    const listed = await bench.docker.getContainer(name).getArchive({ path: '/bin' });
    expect((await buffer(listed)).includes('bin/ok')).toBe(false);
  });

  it('a nameless volume of a container that an earlier version made is taken over', async () => {
    const { bare, provider, name } = await running('legacy', { image: images.db });
    const made = await bench.look(name);
    await bench.engine.removeContainer(name, anyConsent, signal);
    const body = { Image: images.db, Labels: made?.Config.Labels ?? {}, HostConfig: { Init: true } };
    await bench.engine.createContainer(name, body, signal);
    await bench.engine.startContainer(name, signal);
    await bench.run(name, 'write', '/tmp/rows', 'precious');
    const changed = bench.spec('legacy', { image: images.db, env: { LEVEL: 'debug' } });
    await settled(() => provider.update(changed, signal));
    expect(await bench.run(name, 'read', '/tmp/rows')).toBe('precious');
    // It bears no mark: only what has it can tell of it.
    const held = (await bench.look(name))?.Mounts.map(({ Name }) => Name) ?? [];
    await settled(() => bare.destroy(bare.desired(changed), anyPermit, signal));
    expect(await Promise.all(held.map((volume) => bench.engine.inspectVolume(volume ?? '', signal)))).toEqual(
      [undefined],
    );
  });

  it("a person's container from an image that was committed of a tenant's is untouched, and the commit is seen by nobody", async () => {
    const { bare, provider, spec, name } = await running('copied', { image: images.app });
    const stop = new AbortController();
    const watching = bare.watch(() => undefined, stop.signal);
    const look = () => provider.getStatus(spec, { fresh: false, signal });
    await statusWhere(look, isReady);
    const image = `${bench.prefix}-backup:1`;
    await bench.docker.getContainer(name).pause();
    const committed = bench.docker.getContainer(name).commit({ repo: `${bench.prefix}-backup`, tag: '1' });
    expect(await look()).toMatchObject({ changes: [] });
    await committed;
    await bench.docker.getContainer(name).unpause();
    const theirs = await bench.createForeign(`${bench.prefix}-mine`, image);
    const before = await bench.look(theirs);
    expect(before?.Config.Labels[`${bench.prefix}.tenant_id`]).toBe('copied');
    const sweep = await statusWhere(look, isReady);
    expect(sweep.compute.containers).toHaveLength(1);
    const changed = bench.spec('copied', { image: images.app, env: { LEVEL: 'debug' } });
    await settled(() => provider.update(changed, signal));
    await settled(() => bare.destroy(bare.desired(spec), anyPermit, signal));
    const after = await bench.look(theirs);
    expect(after).toMatchObject({ Name: before?.Name, State: { Running: true } });
    expect(after?.State.StartedAt).toBe(before?.State.StartedAt);
    stop.abort();
    await watching;
    await bench.engine.removeContainer(theirs, anyConsent, signal);
    await bench.docker.getImage(image).remove({ force: true });
  });
});
