import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { TestContext } from 'vitest';
import { freePort } from '../../../../dev/free-port.ts';
import { imageArchitecture } from '../../../../dev/image-program.ts';
import { pushImage } from '../../../../dev/images.ts';
import { createBody } from '../../../../src/compute/providers/docker/converge/create-body.ts';
import { SecretValue } from '../../../../src/compute/spec/secret-value.ts';
import type { VolumeSpec } from '../../../../src/compute/spec/tenant-compute-spec.ts';
import { until } from '../../../until.ts';
import { driven } from '../../driven-provider.ts';
import { containerProcess, processVolumes } from '../../container-process.ts';
import { containerSpec } from './docker-fixture.ts';
import { dockerTestBench, freeSubnet, isReady, settled, statusWhere } from './docker-bench.ts';
import type { DockerTestBench } from './docker-bench.ts';
import { anyConsent } from '../../permits.ts';

const signal = new AbortController().signal;
const publishAddress = inject('publishAddress');
const images = { one: '', two: '', deaf: '', crash: '', unhealthy: '', illChecked: '' };
let bench: DockerTestBench;

beforeAll(async () => {
  const registry = { address: inject('registryAddress') };
  images.one = await pushImage(registry, { repository: 'app', tag: '1' });
  images.two = await pushImage(registry, { repository: 'app', tag: '2' });
  images.deaf = await pushImage(registry, { repository: 'app', tag: 'deaf', command: ['ignore-term'] });
  images.crash = await pushImage(registry, { repository: 'app', tag: 'crash', command: ['crash', '3'] });
  images.illChecked = await pushImage(registry, {
    repository: 'app',
    tag: 'ill-checked',
    healthCheck: { Test: ['CMD', '/nope'], Interval: 1e9, Retries: 1 },
  });
  images.unhealthy = await pushImage(registry, {
    repository: 'app',
    tag: 'unhealthy',
    command: ['unhealthy-after', '0s'],
  });
  bench = dockerTestBench();
  for (const image of Object.values(images)) await bench.pull(image);
});
afterAll(() => bench.close());

/** On a busy machine a process may take a while until it has crashed, and would pass for one that runs. */
const patient = { settleMs: 5_000 };

async function version(port: number): Promise<string> {
  const response = await fetch(`http://${publishAddress}:${port}/`, { signal: AbortSignal.timeout(2_000) });
  return (await response.text()).trim();
}

/** A tenant that is up, and the ways to look at it. */
async function running(tenantId: string, config: Record<string, unknown> = {}, over = {}, settling = {}) {
  const bare = bench.provider(settling);
  const provider = driven(bare);
  const spec = bench.spec(tenantId, { image: images.one, ...config }, over);
  await settled(() => provider.provision(spec, signal));
  const look = (wanted = spec) => provider.getStatus(wanted, { fresh: true, signal });
  await statusWhere(look, isReady);
  return { bare, provider, spec, look, name: `${bench.prefix}-tenant-${tenantId}` };
}

/** While the engine runs a container anew, nobody but the watch knows how it ended: here it sees that. */
async function runningWatched(tenantId: string, { onTestFinished }: TestContext) {
  const tenant = await running(tenantId, {}, {}, patient);
  const { bare, provider, spec } = tenant;
  const stop = new AbortController();
  const watching = bare.watch(() => undefined, stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await watching;
  });
  await until('the watch answers in the place of the engine', async () => {
    const asked = bench.calls.length;
    await provider.getStatus(spec, { fresh: false, signal });
    return bench.calls.length === asked;
  });
  return tenant;
}

const portOf = (config: { host_port?: number } = {}) => ({
  ports: [{ container_port: 8080, protocol: 'TCP', ...config }],
});

describe.concurrent('a tenant on a Docker Engine', () => {
  it('with one container is reached at the endpoint that its status names', async () => {
    const { look } = await running('one', portOf());
    const { compute } = await look();
    expect(compute).toMatchObject({ running: 1, desired: 1 });
    expect(compute.endpoints).toMatchObject([{ name: 'app-8080', type: 'tcp', address: publishAddress }]);
    expect(await version(compute.endpoints?.[0]?.port ?? 0)).toBe('version 1');
  });

  it('with several containers has a network of its own, on which they find each other by name', async () => {
    const healthCheck = (command: string[]) => ({
      command,
      intervalSeconds: 1,
      timeoutSeconds: 1,
      retries: 5,
      startPeriodSeconds: 5,
    });
    const { provider, spec, look } = await running(
      'several',
      {},
      {
        containers: [
          containerSpec('web', {
            image: images.one,
            healthCheck: healthCheck(['/app', 'get', 'http://db:8080/']),
          }),
          containerSpec('db', { image: images.two, healthCheck: healthCheck(['/bin/ok']) }),
        ],
      },
    );
    expect((await look()).compute).toMatchObject({ running: 2, health: 'healthy' });
    const name = `${bench.prefix}-several`;
    expect((await bench.engine.inspectNetwork(name, signal))?.Labels?.[`${bench.prefix}.tenant_id`]).toBe(
      'several',
    );
    expect((await settled(() => provider.destroy(spec, signal))).outcome).toBe('gone');
    expect(await bench.engine.inspectNetwork(name, signal)).toBeUndefined();
  });

  it('gets and changes limits and restart policy without a restart', async () => {
    const { provider, look, name } = await running('limits');
    const before = await bench.look(name);
    const wanted = bench.spec('limits', {
      image: images.one,
      resources: { cpu: '500m', memory: '64Mi' },
      restart_policy: 'always',
    });
    expect((await look(wanted)).changes.map(({ path, cause }) => `${path} ${cause}`)).toEqual([
      'containers.app.resources.cpu spec',
      'containers.app.resources.memory spec',
      'containers.app.restartPolicy spec',
    ]);
    await settled(() => provider.update(wanted, signal));
    const after = await bench.look(name);
    expect(after?.State.StartedAt).toBe(before?.State.StartedAt);
    expect(after?.HostConfig).toMatchObject({
      NanoCpus: 5e8,
      Memory: 2 ** 26,
      RestartPolicy: { Name: 'always' },
    });
    expect((await look(wanted)).changes).toEqual([]);
  });

  it('has its process as its spec says, by the word of the engine', async () => {
    const fitting = { shmSize: '96Mi', platform: `linux/${imageArchitecture()}` };
    const container = containerSpec('app', { image: images.one, ...containerProcess, ...fitting });
    const { look, spec, name } = await running(
      'process',
      {},
      { containers: [container], volumes: processVolumes },
    );
    const made = await bench.docker.getContainer(name).inspect();
    expect(made.Config).toMatchObject({
      WorkingDir: '/srv',
      User: '1000:1000',
      StopSignal: 'SIGINT',
      StopTimeout: 60,
      Hostname: 'web',
      Tty: true,
      OpenStdin: true,
    });
    expect(made.HostConfig).toMatchObject({
      Init: true,
      ReadonlyRootfs: true,
      ShmSize: 96 * 2 ** 20,
      Ulimits: [{ Name: 'nofile', Soft: 1024, Hard: 2048 }],
      ExtraHosts: ['db:10.0.0.1'],
      Dns: ['10.0.0.2'],
      CapDrop: ['ALL'],
      CapAdd: ['NET_BIND_SERVICE'],
      Sysctls: { 'net.core.somaxconn': '1024' },
    });
    expect((await look(spec)).changes).toEqual([]);
  });

  it('starts what waits for others after them, has its migration run for each image, and keeps what ran where that fails', async () => {
    const healthCheck = { command: ['/bin/ok'], intervalSeconds: 1, retries: 9, startPeriodSeconds: 5 };
    const of = (image: string, from = 'db') => [
      containerSpec('web', { image, dependsOn: [{ container: 'migrate', condition: 'Completed' }] }),
      containerSpec('migrate', {
        image,
        command: ['/app', 'get', `http://${from}:8080/`],
        restartPolicy: 'Never',
        dependsOn: [{ container: 'db', condition: 'Healthy' }],
      }),
      containerSpec('db', { image: images.one, command: ['/app', 'serve', '1s'], healthCheck }),
    ];
    const { provider, look, name } = await running('ordered', {}, { containers: of(images.one) });
    const made = async (one: string) => {
      const { Id, State, Image } = (await bench.docker.getContainer(`${name}.${one}`).inspect()) ?? {};
      return { Id, Image, startedMs: Date.parse(State.StartedAt), endedMs: Date.parse(State.FinishedAt) };
    };
    const [web, migrate, db] = [await made('web'), await made('migrate'), await made('db')];
    // It is run once, and the database answers a while after its start.
    expect(migrate.startedMs).toBeGreaterThan(db.startedMs);
    expect(web.startedMs).toBeGreaterThanOrEqual(migrate.endedMs);
    expect((await look()).compute).toMatchObject({ running: 2, desired: 2 });

    const wanted = bench.spec('ordered', { image: images.one }, { containers: of(images.two) });
    await settled(() => provider.update(wanted, signal));
    await statusWhere(() => look(wanted), isReady);
    const again = await made('migrate');
    expect(again.Image).not.toBe(migrate.Image);
    expect((await made('web')).startedMs).toBeGreaterThanOrEqual(again.endedMs);
    expect((await made('db')).Id).toBe(db.Id);

    const broken = bench.spec('ordered', { image: images.one }, { containers: of(images.one, 'nobody') });
    expect(await settled(() => provider.update(broken, signal))).toMatchObject({
      outcome: 'rolled_back',
      message: expect.stringMatching(/^The new container migrate exited with code 1: .*nobody/) as string,
    });
    expect((await made('migrate')).Id).toBe(again.Id);
    expect((await look(wanted)).changes).toEqual([]);
  });

  it('has files that it can not write to, whatever else it can, and other ones once they change', async () => {
    const volumes = (text: string): readonly VolumeSpec[] => [
      {
        name: 'tls',
        kind: 'files',
        from: 'Secret tls',
        files: [{ path: 'sub/key', mode: 0o440, content: new SecretValue(btoa(text)) }],
      },
      { name: 'data', kind: 'persistent' },
      { name: 'memory', kind: 'tmpfs', size: '1Mi' },
    ];
    const container = containerSpec('app', {
      image: images.one,
      readOnlyRootFilesystem: true,
      volumeMounts: [
        { name: 'tls', mountPath: '/etc/tls' },
        { name: 'data', mountPath: '/data' },
        { name: 'memory', mountPath: '/memory' },
      ],
    });
    const asking = (text: string) => ({ containers: [container], volumes: volumes(text) });
    const { provider, look, name } = await running('files', {}, asking('hunter2'));
    const write = async (path: string) =>
      /read-only file system/.test(await bench.run(name, 'write', path, 'x')) ? 'refused' : 'written';
    expect(await bench.run(name, 'read', '/etc/tls/sub/key')).toBe('hunter2');
    const paths = ['/etc/tls/sub/key', '/etc/tls/more', '/more', '/data/row', '/memory/row'];
    expect(await Promise.all(paths.map(write))).toEqual([
      'refused',
      'refused',
      'refused',
      'written',
      'written',
    ]);
    const { headers } = (await bench.docker
      .getContainer(name)
      .infoArchive({ path: '/etc/tls/sub/key' })) as unknown as IncomingMessage;
    const stat = JSON.parse(atob(String(headers['x-docker-container-path-stat']))) as { mode: number };
    expect(stat.mode.toString(8)).toBe('440');
    await bench.docker.getContainer(name).restart({ t: 0 });
    expect(await bench.run(name, 'read', '/etc/tls/sub/key')).toBe('hunter2');

    const changed = bench.spec('files', { image: images.one }, asking('hunter3'));
    expect((await look(changed)).changes).toMatchObject([{ path: 'containers.app.spec', cause: 'spec' }]);
    await settled(() => provider.update(changed, signal));
    expect(await bench.run(name, 'read', '/etc/tls/sub/key')).toBe('hunter3');
    expect(await bench.run(name, 'read', '/data/row')).toBe('x');
    const kept = async () =>
      (await bench.engine.listVolumes([`${bench.prefix}.tenant_id=files`], signal)).map(({ Name }) => Name);
    expect(await kept()).toHaveLength(2);
    expect((await settled(() => provider.destroy(changed, signal))).outcome).toBe('gone');
    expect(await kept()).toEqual([]);
  });

  it('gets a part of a volume to mount by an engine that knows of such, and is told by one that does not', async () => {
    const volumeMounts = [
      { name: 'data', mountPath: '/rows', subPath: 'db/rows' },
      { name: 'files', mountPath: '/etc/app.conf', subPath: 'app.conf' },
    ];
    const content = btoa('level=debug');
    const volumes: readonly VolumeSpec[] = [
      { name: 'data', kind: 'persistent' },
      {
        name: 'files',
        kind: 'files',
        from: 'ConfigMap app',
        files: [{ path: 'app.conf', mode: 0o444, content }],
      },
    ];
    const user = '1000:1000';
    const containers = [containerSpec('app', { image: images.one, user, volumeMounts })];
    const spec = bench.spec('part', {}, { containers, volumes });
    const provider = driven(bench.provider());
    const { ApiVersion } = (await bench.docker.version()) as { readonly ApiVersion: string };
    const name = `${bench.prefix}-tenant-part`;
    const said = await settled(() => provider.provision(spec, signal)).catch((error: unknown) => error);
    const mounted = async () => ({
      file: await bench.run(name, 'read', '/etc/app.conf'),
      written: await bench.run(name, 'write', '/rows/1', 'x'),
      readAgain: await bench
        .look(name)
        .then((found) => bench.docker.getContainer(found?.Id ?? '').remove({ force: true }))
        .then(() => settled(() => provider.update(spec, signal)))
        .then(() => bench.run(name, 'read', '/rows/1')),
      data: (await provider.getStatus(spec, { fresh: true, signal })).data,
    });
    const why = `subPath of a volume needs Docker Engine 26 or newer: API 1.45, and this one has ${ApiVersion}`;
    const refusal = { message: expect.stringContaining(why) as string };
    const isKnown = Number(ApiVersion.split('.')[1]) >= 45;
    expect(isKnown ? await mounted() : said).toMatchObject(
      isKnown
        ? { file: 'level=debug', written: '', readAgain: 'x', data: [`volume ${bench.prefix}-part_data`] }
        : refusal,
    );
    expect(await bench.names('part')).toEqual(isKnown ? [`${name} running`] : []);
  });

  it('gets no image of another platform than it asks for', async () => {
    const container = containerSpec('app', { image: images.one, platform: 'linux/s390x' });
    const spec = bench.spec('platform', {}, { containers: [container] });
    const provider = driven(bench.provider());
    const provisioned = settled(() => provider.provision(spec, signal));
    await expect(provisioned).rejects.toMatchObject({
      code: 'ImageUnavailable',
      message: expect.stringContaining('linux/s390x') as string,
    });
  });

  it('loses a limit by a replacement, since the engine can do it in no other way', async () => {
    const { provider, look, name } = await running('unlimited', { resources: { memory: '64Mi' } });
    const before = await bench.look(name);
    const wanted = bench.spec('unlimited', { image: images.one });
    expect((await look(wanted)).changes).toMatchObject([{ path: 'containers.app.resources.memory' }]);
    await settled(() => provider.update(wanted, signal));
    const after = await bench.look(name);
    expect(after?.Id).not.toBe(before?.Id);
    expect(after?.HostConfig.Memory).toBe(0);
    expect((await look(wanted)).changes).toEqual([]);
  });

  it('is replaced without a gap: the old one serves until the new one is proven', async () => {
    const { look, name } = await running('gapless', portOf());
    // Long enough for several looks meanwhile, however slow the engine is.
    const provider = driven(bench.provider({ settleMs: 5_000 }));
    const port = (await look()).compute.endpoints?.[0]?.port ?? 0;
    const wanted = bench.spec('gapless', { image: images.two, ...portOf() });
    const seen: string[] = [];
    await settled(
      () => provider.update(wanted, signal),
      async ({ message }) => {
        // A busy registry may take a while to say that the image is ours; and once the old one ends, the new one serves.
        if (!/^(Asking|Stopping)/.test(message)) seen.push(`${await version(port)}: ${message}`);
      },
    );
    expect(new Set(seen)).toEqual(new Set(['version 1: Waiting until the new app is known to run well']));
    const { compute } = await statusWhere(() => look(wanted), isReady);
    expect(await version(compute.endpoints?.[0]?.port ?? 0)).toBe('version 2');
    expect(await bench.names('gapless')).toEqual([`${name} running`]);
  });

  it('with a fixed host port hands it to its successor', async () => {
    const fixed = portOf({ host_port: await freePort() });
    const { provider, look } = await running('fixed', fixed);
    const wanted = bench.spec('fixed', { image: images.two, ...fixed });
    await settled(() => provider.update(wanted, signal));
    await statusWhere(() => look(wanted), isReady);
    expect(await version(fixed.ports[0]?.host_port ?? 0)).toBe('version 2');
  });

  it('with a fixed host port, whose old container does not heed its signal, is told of that, and handed over at the kill', async () => {
    const fixed = portOf({ host_port: await freePort() });
    const { provider, look, name } = await running('deaf', { image: images.deaf, ...fixed });
    const wanted = bench.spec('deaf', { image: images.two, ...fixed });
    const said: string[] = [];
    await settled(
      () => provider.update(wanted, signal),
      ({ message }) => void said.push(message),
    );
    expect(said).toContain(`Stopping container ${name}`);
    await statusWhere(() => look(wanted), isReady);
    expect(await version(fixed.ports[0]?.host_port ?? 0)).toBe('version 2');
    expect(await bench.names('deaf')).toEqual([`${name} running`]);
  });

  it('that crashes in a new version is rolled back to the old one, and the message says how', async (context) => {
    const { provider, look } = await runningWatched('crashing', context);
    const result = await settled(() =>
      provider.update(bench.spec('crashing', { image: images.crash }), signal),
    );
    expect(result).toMatchObject({ outcome: 'rolled_back', reason: 'RolledBack' });
    // On a busy machine the engine has started it again by the time of the look.
    expect(result.message).toMatch(/new container app exited (with code 3|each time)/);
    expect(await statusWhere(look, isReady)).toBeDefined();
  });

  it('with a fixed host port gets its old container back when the new one fails', async () => {
    const fixed = portOf({ host_port: await freePort() });
    const { provider, look, name } = await running('back', fixed, {}, patient);
    const before = await bench.look(name);
    const wanted = bench.spec('back', { image: images.crash, ...fixed });
    expect(await settled(() => provider.update(wanted, signal))).toMatchObject({ outcome: 'rolled_back' });
    expect((await statusWhere(look, isReady)).compute.running).toBe(1);
    expect((await bench.look(name))?.Id).toBe(before?.Id);
    expect(await version(fixed.ports[0]?.host_port ?? 0)).toBe('version 1');
    expect(await bench.names('back')).toEqual([`${name} running`]);
  });

  it('that becomes unhealthy or has no such command in a new version is rolled back', async (context) => {
    const { provider, look } = await runningWatched('sick', context);
    const healthCheck = {
      command: ['/bin/ok'],
      intervalSeconds: 1,
      timeoutSeconds: 1,
      retries: 1,
      startPeriodSeconds: 0,
    };
    const sick = bench.spec(
      'sick',
      {},
      { containers: [containerSpec('app', { image: images.unhealthy, healthCheck })] },
    );
    expect(await settled(() => provider.update(sick, signal))).toMatchObject({
      outcome: 'rolled_back',
      message: expect.stringContaining('fails its health check') as string,
    });
    const wrong = bench.spec(
      'sick',
      {},
      { containers: [containerSpec('app', { image: images.one, command: ['/nope'] })] },
    );
    expect(await settled(() => provider.update(wrong, signal))).toMatchObject({
      outcome: 'rolled_back',
      message: expect.stringMatching(
        /^The new container app could not be started: .*exec: "\/nope".*no such file/,
      ) as string,
    });
    await statusWhere(look, isReady);
  });

  it('is asked over HTTP and TCP from inside, whatever its image has, its user is and its filesystem allows', async () => {
    const confined = { image: images.one, user: '1000:1000', readOnlyRootFilesystem: true };
    // No more than a busy machine takes for a moment.
    const every = { intervalSeconds: 0.5, timeoutSeconds: 20, retries: 1 };
    const containers = [
      containerSpec('http', { ...confined, healthCheck: { httpGet: { port: 8080, path: '/' }, ...every } }),
      containerSpec('tcp', { ...confined, healthCheck: { tcpSocket: { port: 8080 }, ...every } }),
    ];
    const { provider, look } = await running('probed', {}, { containers });
    expect((await look()).compute).toMatchObject({ health: 'healthy' });
    const asked = async (path: string) => {
      const { State } = await bench.docker.getContainer(`${bench.prefix}-tenant-probed.${path}`).inspect();
      return State.Health?.Log?.map(({ Output }) => Output.trim()).at(-1);
    };
    expect(await Promise.all(['http', 'tcp'].map(asked))).toEqual([
      'HTTP/1.1 200 OK',
      'a connection is taken',
    ]);

    const wrong = containers.map((container) => ({
      ...container,
      healthCheck:
        container.name === 'http'
          ? { httpGet: { port: 8080, path: '/nope' }, ...every }
          : container.healthCheck,
    }));
    expect(
      await settled(() => provider.update(bench.spec('probed', {}, { containers: wrong }), signal)),
    ).toMatchObject({
      outcome: 'rolled_back',
      message: expect.stringMatching(/http.*HTTP\/1\.1 404 Not Found/) as string,
    });
    await statusWhere(look, isReady);
  });

  it('is Ready with an image whose own check fails, where its spec switches that off', async () => {
    const unchecked = containerSpec('app', { image: images.illChecked, healthCheck: { disable: true } });
    const { look, name } = await running('unchecked', {}, { containers: [unchecked] });
    const { Config, State } = await bench.docker.getContainer(name).inspect();
    expect([Config.Healthcheck?.Test, State.Health]).toEqual([['NONE'], undefined]);
    expect((await look()).compute).toMatchObject({ state: 'running', health: 'healthy' });
  });

  it('is restarted where it fails its health check and its spec asks for that, and says so where it fails again', async () => {
    const healthCheck = { command: ['/bin/ok'], intervalSeconds: 0.5, timeoutSeconds: 20, retries: 1 };
    const containers = [containerSpec('app', { image: images.one, healthCheck })];
    const policy = { unhealthyPolicy: 'Restart' } as const;
    const { provider, look, spec, name } = await running('ill', {}, { containers, ...policy });
    const before = await bench.docker.getContainer(name).inspect();
    await bench.run(name, 'unhealthy');
    const { changes } = await statusWhere(look, ({ compute }) => compute.health === 'unhealthy');
    expect(changes).toEqual([
      { path: 'containers.app', desired: 'started', actual: 'unhealthy', cause: 'drift', effect: 'gap' },
    ]);
    await settled(() => provider.update(spec, signal));
    const after = await bench.docker.getContainer(name).inspect();
    expect([after.Id, after.State.Running]).toEqual([before.Id, true]);
    expect(Date.parse(after.State.StartedAt)).toBeGreaterThan(Date.parse(before.State.StartedAt));
    const again = await statusWhere(look, ({ compute }) => compute.health === 'unhealthy');
    expect(again.message).toBe('container app fails its health check, also after a restart');
    await bench.run(name, 'healthy');
    await statusWhere(look, isReady);
  });

  it('runs the content that a tag means by the word of the registry, and the next once that is asked again', async () => {
    const registry = { address: inject('registryAddress') };
    const push = async (command: string[]) =>
      pushImage(registry, { repository: 'moving', tag: '1', command });
    const image = await push(['serve']);
    const provider = bench.provider();
    const one = driven(provider);
    const spec = bench.spec('moving', { image });
    const resolved = async () => {
      const digests = await provider.resolveImages?.(spec, signal);
      if (digests === undefined || digests === 'asking') throw new Error('no digest in time');
      return { ...spec, digests };
    };
    const madeOf = async () => (await bench.look(`${bench.prefix}-tenant-moving`))?.Image;
    const first = await resolved();
    await settled(() => one.provision(first, signal));
    const before = await madeOf();
    await push(['ignore-term']);
    const second = await resolved();
    expect(second.digests).not.toEqual(first.digests);
    expect(await settled(() => one.update(first, signal))).toMatchObject({ outcome: 'done' });
    expect(await madeOf()).toBe(before);
    await settled(() => one.update(second, signal));
    expect(await madeOf()).not.toBe(before);
    expect((await one.getStatus(second, { fresh: true, signal })).changes).toEqual([]);
  });

  it('has the most and the least figures of a check that a spec may name, by the word of the engine', async () => {
    const checks = [
      { intervalSeconds: 0.1, timeoutSeconds: 0.001, startIntervalSeconds: 0.1, startPeriodSeconds: 0.001 },
      {
        intervalSeconds: 86_400,
        timeoutSeconds: 86_400,
        startIntervalSeconds: 86_400,
        startPeriodSeconds: 86_400,
        retries: 2_147_483_647,
      },
    ];
    const made = checks.map(async (figures, index) => {
      const healthCheck = { shell: 'true', ...figures };
      const container = containerSpec('app', { image: images.one, healthCheck });
      const spec = bench.spec(`figures-${index}`, { restart_policy: 'no' }, { containers: [container] });
      const [desired] = bench.provider().desired(spec).containers;
      const body = createBody(desired as NonNullable<typeof desired>);
      const name = `${bench.prefix}-figures-${index}`;
      await bench.engine.createContainer(name, body, signal);
      const taken = (await bench.docker.getContainer(name).inspect()).Config.Healthcheck;
      // Before 25.0, the engine does not know it.
      const { StartInterval: _start, ...sent } = body.Healthcheck as Record<string, unknown>;
      return [taken, sent];
    });
    for (const [taken, sent] of await Promise.all(made)) expect(taken).toMatchObject(sent as object);
  });

  it('whose host port is taken says which, and comes up once it is free', async () => {
    const port = await freePort();
    const holder = await bench.createForeign(`${bench.prefix}-holder`, images.one, {
      PortBindings: { '8080/tcp': [{ HostIp: publishAddress, HostPort: `${port}` }] },
    });
    const provider = driven(bench.provider());
    const spec = bench.spec('busy', { image: images.one, ...portOf({ host_port: port }) });
    const message = expect.stringMatching(new RegExp(`container app .*${port}/tcp`)) as string;
    const failure = { code: 'ProvisionFailed', message };
    await expect(settled(() => provider.provision(spec, signal))).rejects.toMatchObject(failure);
    await expect(settled(() => provider.provision(spec, signal))).rejects.toMatchObject(failure);
    await bench.engine.removeContainer(holder, anyConsent, signal);
    expect(await settled(() => provider.provision(spec, signal))).toMatchObject({ outcome: 'done' });
  });

  it('has its secrets in its environment and in nothing that can be listed or asked for', async () => {
    const secret = new SecretValue('hunter2-hunter2');
    const env = [{ name: 'PASSWORD', secretKeyRef: { name: 'db', key: 'password' }, secret }];
    const { bare, look, spec, name } = await running(
      'secret',
      {},
      { containers: [containerSpec('app', { image: images.one, env })] },
    );
    const inspected = await bench.look(name);
    expect(inspected?.Config.Env).toContain('PASSWORD=hunter2-hunter2');
    const { placement } = bare.desired(spec);
    const seen = [await look(), placement, inspected?.Config.Labels, await bare.list(signal)];
    expect(JSON.stringify(seen)).not.toContain('hunter2');
  });

  it('keeps its volume over a replacement and loses it with its deletion', async () => {
    const volumes = ['data:/tmp'];
    const { provider, spec, name } = await running('volume', { volumes });
    const volume = `${bench.prefix}-volume_data`;
    const execution = await bench.docker
      .getContainer(name)
      .exec({ Cmd: ['/app', 'write', '/tmp/kept', 'hello'] });
    await execution.start({ Detach: true });
    await delay(200);
    const wanted = bench.spec('volume', { image: images.two, volumes });
    await settled(() => provider.update(wanted, signal));
    const archive = await bench.docker.getContainer(name).getArchive({ path: '/tmp/kept' });
    expect(archive).toBeDefined();
    expect((await settled(() => provider.destroy(spec, signal))).outcome).toBe('gone');
    expect(await bench.engine.inspectVolume(volume, signal)).toBeUndefined();
  });

  it('says that its image is being pulled, and what is wrong when that fails', async () => {
    const registry = { address: inject('registryAddress') };
    const fresh = await pushImage(registry, { repository: 'app', tag: `fresh-${bench.prefix}` });
    const provider = driven(bench.provider());
    const told: string[] = [];
    const spec = bench.spec('pulled', { image: fresh });
    await settled(
      () => provider.provision(spec, signal),
      ({ message }) => void told.push(message),
    );
    expect(told[0]).toBe(`Pulling ${fresh}`);
    const missing = bench.spec('pulled', { image: `${registry.address}/app:missing` });
    const unavailable = {
      code: 'ImageUnavailable',
      message: expect.stringContaining('app:missing') as string,
    };
    await expect(settled(() => provider.update(missing, signal))).rejects.toMatchObject(unavailable);
    await expect(provider.update(missing, signal)).rejects.toMatchObject(unavailable);
    expect(await bench.names('pulled')).toEqual([`${bench.prefix}-tenant-pulled running`]);
  });
});

describe.concurrent('a container', () => {
  const harm = {
    killed: (name: string) => bench.docker.getContainer(name).kill(),
    stopped: (name: string) => bench.docker.getContainer(name).stop({ t: 0 }),
    paused: (name: string) => bench.docker.getContainer(name).pause(),
    removed: (name: string) => bench.docker.getContainer(name).remove({ force: true }),
    limited: (name: string) => bench.docker.getContainer(name).update({ NanoCpus: 3e8 }),
  };

  it.each(Object.keys(harm) as (keyof typeof harm)[])(
    'that was %s by hand is reported by its event, shown as drift and repaired',
    async (what) => {
      const limits = { resources: { cpu: '500m' } };
      const { bare, provider, spec, name } = await running(what, limits);
      const stop = new AbortController();
      const hints: (string | undefined)[] = [];
      const watching = bare.watch((tenantId) => hints.push(tenantId), stop.signal);
      // Told by the watch from here on, not by asking.
      const look = () => provider.getStatus(spec, { fresh: false, signal });
      await statusWhere(look, isReady);
      hints.length = 0;
      await harm[what](name);
      const drifted = await statusWhere(look, ({ changes, exists }) => changes.length > 0 || !exists);
      expect(hints).toContain(what);
      for (const { cause } of drifted.changes) expect(cause).toBe('drift');
      await settled(() => provider.update(spec, signal));
      expect(await statusWhere(look, isReady)).toMatchObject({ compute: { running: 1 } });
      expect((await bench.look(name))?.HostConfig.NanoCpus).toBe(5e8);
      stop.abort();
      await watching;
    },
  );

  it('that exits by itself under restart_policy no stays as it is, and the status says with which code', async () => {
    const provider = driven(bench.provider());
    const spec = bench.spec('job', { image: images.crash, restart_policy: 'no' });
    await settled(() => provider.provision(spec, signal));
    const look = () => provider.getStatus(spec, { fresh: false, signal });
    const seen = await statusWhere(look, ({ compute }) => compute.state === 'failed');
    expect(seen).toMatchObject({
      changes: [],
      // Whether it comes to say that it listens is its own affair.
      message: expect.stringMatching(/^container app exited with code 3: .*crashing, as told/) as string,
    });
    expect(await settled(() => provider.update(spec, signal))).toMatchObject({ outcome: 'done' });
    expect((await look()).compute.state).toBe('failed');
  });
});

describe('networks', () => {
  it('a pool without a free subnet is named in the refusal', async () => {
    const pool = freeSubnet();
    const full = dockerTestBench({ network_pool: pool });
    try {
      const containers = ['a', 'b'].map((name) => containerSpec(name, { image: images.one }));
      const bare = full.provider();
      const provider = driven(bare);
      await bare.list(signal);
      expect(bare.capacity?.()).toMatchObject([{ of: 'networks', free: 1, total: 1 }, { of: 'addresses' }]);
      await settled(() => provider.provision(full.spec('first', {}, { containers }), signal));
      await expect(
        settled(() => provider.provision(full.spec('second', {}, { containers }), signal)),
      ).rejects.toMatchObject({
        code: 'ProvisionFailed',
        message: expect.stringContaining(`network_pool ${pool} has no free /28`) as string,
      });
      expect(bare.capacity?.()[0]).toMatchObject({
        free: 0,
        warning: expect.stringContaining(`network_pool ${pool} has 0 of 1 networks (/28) left`) as string,
      });
    } finally {
      await full.close();
    }
  });

  it('the shared network is made once, however many tenants need it at once', async () => {
    const name = `${bench.prefix}-shared`;
    const shared = dockerTestBench({ network_name: name });
    try {
      const provider = driven(shared.provider());
      const specs = ['a', 'b', 'c', 'd'].map((id) => shared.spec(id, { image: images.one }));
      await Promise.all(specs.map((spec) => settled(() => provider.provision(spec, signal))));
      expect(await shared.engine.listNetworks({ name: [name] }, signal)).toHaveLength(1);
      const bare = shared.provider();
      await bare.list(signal);
      const { free = 0, total = 0 } = bare.capacity?.().find(({ of }) => of === 'shared_network_ports') ?? {};
      // Of a subnet of the engine's own choice.
      expect(total - free).toBe(4);
      expect(total).toBeLessThanOrEqual(1_023);
    } finally {
      await shared.close();
    }
  });
});
