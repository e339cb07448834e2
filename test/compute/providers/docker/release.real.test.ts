import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { pushImage } from '../../../../dev/images.ts';
import type { ReleaseSpec } from '../../../../src/api/container/release-fields.ts';
import { driven } from '../../driven-provider.ts';
import { dockerTestBench, isReady, settled, statusWhere } from './docker-bench.ts';
import type { DockerTestBench } from './docker-bench.ts';
import { containerSpec } from './docker-fixture.ts';

const signal = new AbortController().signal;
const images = { one: '', two: '' };
let bench: DockerTestBench;

beforeAll(async () => {
  const registry = { address: inject('registryAddress') };
  images.one = await pushImage(registry, { repository: 'release', tag: '1' });
  images.two = await pushImage(registry, { repository: 'release', tag: '2' });
  bench = dockerTestBench();
  for (const image of Object.values(images)) await bench.pull(image);
});
afterAll(() => bench.close());

/** The app asks its database, as a migration would: `from` is its name in the tenant's network. */
const release = (from = 'db', over: Partial<ReleaseSpec> = {}): ReleaseSpec => ({
  container: 'web',
  command: ['/app', 'get', `http://${from}:8080/`],
  ...over,
});

function tenant(tenantId: string) {
  const healthCheck = { command: ['/bin/ok'], intervalSeconds: 1, retries: 9, startPeriodSeconds: 5 };
  const volumes = [{ name: 'data', kind: 'persistent' }] as const;
  const spec = (image: string, asked = release(), over = {}) => {
    const containers = [
      containerSpec('web', {
        image,
        dependsOn: [{ container: 'db', condition: 'Healthy' }],
        volumeMounts: [{ name: 'data', mountPath: '/data' }],
      }),
      containerSpec('db', { image: images.one, command: ['/app', 'serve', '1s'], healthCheck }),
    ];
    return bench.spec(tenantId, { image }, { containers, volumes, release: asked, ...over });
  };
  const name = `${bench.prefix}-tenant-${tenantId}`;
  const made = async (one: string) => {
    const { Id, State, Image } = await bench.docker.getContainer(`${name}.${one}`).inspect();
    return { Id, Image, startedMs: Date.parse(State.StartedAt), endedMs: Date.parse(State.FinishedAt) };
  };
  const provider = driven(bench.provider());
  const look = (wanted: ReturnType<typeof spec>) => provider.getStatus(wanted, { fresh: true, signal });
  const serve = async (wanted: ReturnType<typeof spec>) => {
    await settled(() => provider.update(wanted, signal));
    await statusWhere(() => look(wanted), isReady);
  };
  return { name, provider, look, spec, made, serve };
}

describe.concurrent('a release on a Docker Engine', () => {
  it('that is good goes before the rollout, beside what serves, and is not run again', async () => {
    const { spec, made, serve, look } = tenant('good');
    await serve(spec(images.one));
    const [web, first, db] = [await made('web'), await made('web.release'), await made('db')];
    expect(first.startedMs).toBeGreaterThan(db.startedMs);
    expect(web.startedMs).toBeGreaterThanOrEqual(first.endedMs);
    expect((await look(spec(images.one))).compute).toMatchObject({ running: 2, desired: 2 });

    await serve(spec(images.two));
    const [newWeb, second] = [await made('web'), await made('web.release')];
    expect(second.Image).toBe(newWeb.Image);
    expect(second.Image).not.toBe(first.Image);
    expect(newWeb.startedMs).toBeGreaterThanOrEqual(second.endedMs);
    expect((await made('db')).Id).toBe(db.Id);
    // Another process knows by the engine alone that it was run.
    const other = driven(bench.provider());
    expect(await settled(() => other.update(spec(images.two), signal))).toMatchObject({ outcome: 'done' });
    expect((await made('web.release')).Id).toBe(second.Id);
  });

  it('that is bad keeps the old, and says why in its last lines', async () => {
    const { name, spec, made, serve, provider, look } = tenant('bad');
    await serve(spec(images.one));
    const web = await made('web');
    const broken = spec(images.two, release('nobody'));
    const result = await settled(() => provider.update(broken, signal));
    expect(result).toMatchObject({
      outcome: 'rolled_back',
      message: expect.stringMatching(/^The release command of web exited with code 1: .*nobody/) as string,
    });
    expect(await made('web')).toEqual(web);
    expect(await bench.names('bad')).toEqual([
      `${name}.db running`,
      `${name}.web running`,
      `${name}.web.release exited`,
      `${name}.web.release_next exited`,
    ]);
    const failed = await made('web.release_next');
    const other = driven(bench.provider());
    expect(await settled(() => other.update(broken, signal))).toEqual(result);
    expect((await made('web.release_next')).Id).toBe(failed.Id);
    expect((await look(spec(images.one))).compute).toMatchObject({ state: 'running', health: 'healthy' });
    await serve(spec(images.one));
    expect(await made('web')).toEqual(web);
    expect(await bench.names('bad')).toHaveLength(3);
  });

  it('that does not come to its end is ended, and has failed', async () => {
    const { spec, made, serve, provider } = tenant('long');
    await serve(spec(images.one));
    const web = await made('web');
    const endless = spec(images.two, release('db', { command: ['/app', 'serve', '0s'], timeoutSeconds: 1 }));
    expect(await settled(() => provider.update(endless, signal))).toMatchObject({
      outcome: 'rolled_back',
      message: expect.stringMatching(/^The release command of web did not end within 1 s/) as string,
    });
    expect(await made('web')).toEqual(web);
  });

  it('goes with its tenant while it runs', async () => {
    const { spec, provider } = tenant('gone');
    const endless = spec(images.one, release('db', { command: ['/app', 'serve', '0s'] }));
    let running: readonly string[] = [];
    for (let pass = 0; pass < 100 && !running.some((one) => one.endsWith('.release running')); pass += 1) {
      await provider.update(endless, signal);
      running = await bench.names('gone');
    }
    await settled(() => provider.destroy(endless, signal));
    expect(await bench.names('gone')).toEqual([]);
  });
});
