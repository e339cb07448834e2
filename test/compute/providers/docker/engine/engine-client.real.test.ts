import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { freePort } from '../../../../../dev/free-port.ts';
import { pushImage } from '../../../../../dev/images.ts';
import { startRegistry } from '../../../../../dev/registry.ts';
import type { Registry } from '../../../../../dev/registry.ts';
import { removeImagesOf } from '../../../../../dev/shared-engine-remains.ts';
import { createEngineClient } from '../../../../../src/compute/providers/docker/engine/engine-client.ts';
import { freeSubnet } from '../docker-bench.ts';
import type { PullStanding } from '../../../../../src/compute/providers/docker/engine/images/pull-progress.ts';
import { startPlainRegistry } from './plain-registry.ts';
import { never, testClient } from '../engine-stand-in.ts';
import { anyConsent } from '../../../permits.ts';

/** Own names, for the engine may be one that others use. */
const prefix = `landlord-test-${randomBytes(4).toString('hex')}`;
const label = `landlord.test=${prefix}`;
const publishAddress = inject('publishAddress');
const quiet = (): void => undefined;
const digestOfNothing = `sha256:${'0'.repeat(64)}`;

const registry = { address: inject('registryAddress'), auth: undefined };
const engine = createEngineClient({ host: inject('dockerHost'), logger: pino({ level: 'silent' }) });
let image: string;

/** Labelled, and removed after the test. */
async function create(name: string, body: Record<string, unknown> = {}): Promise<string> {
  const labels = { 'landlord.test': prefix };
  const created = await engine.createContainer(
    `${prefix}-${name}`,
    { Image: image, Labels: labels, ...body },
    never,
  );
  if (created === 'name-taken') throw new Error(`${name} is taken`);
  return created.id;
}

/** Goes after the test, with what was pulled from it. */
async function startOwnRegistry(options: Parameters<typeof startRegistry>[0] = {}): Promise<Registry> {
  const own = await startRegistry(options);
  onTestFinished(async () => {
    await own.stop();
    await removeImagesOf(inject('dockerHost'), own.address);
  });
  return own;
}

beforeAll(async () => {
  image = await pushImage(registry, { repository: prefix, tag: '1' });
  await engine.pullImage(image, undefined, quiet, never);
});

afterEach(async () => {
  for (const { Id } of await engine.listContainers([label], never))
    await engine.removeContainer(Id, anyConsent, never);
});

afterAll(() => {
  engine.close();
});

describe('images', () => {
  test('what was pulled is found by tag, by digest and by both', async () => {
    const found = await engine.inspectImage(image, never);
    const digest = found?.RepoDigests?.[0]?.split('@')[1] ?? 'none';
    for (const reference of [`${registry.address}/${prefix}@${digest}`, `${image}@${digest}`]) {
      await engine.pullImage(reference, undefined, quiet, never);
      expect((await engine.inspectImage(reference, never))?.Id).toBe(found?.Id);
    }
    expect(await engine.inspectImage(`${registry.address}/${prefix}:2`, never)).toBeUndefined();
  });

  test.each([
    ['tag', () => `${registry.address}/${prefix}:missing`, /manifest unknown\): is the tag right\?/],
    ['repository', () => `${registry.address}/${prefix}/missing:1`, /manifest unknown/],
    ['digest', () => `${registry.address}/${prefix}@${digestOfNothing}`, /is the digest right\?/],
    ['registry', () => '127.0.0.1:1/app:1', /registry 127\.0\.0\.1:1 is down/],
  ])('a missing %s is ImageUnavailable, in the same words at each try', async (_what, reference, message) => {
    const tries = [1, 2].map(async () =>
      engine.pullImage(reference(), undefined, quiet, never).catch((error: unknown) => error),
    );
    const [first, second] = await Promise.all(tries);
    expect(first).toMatchObject({ code: 'ImageUnavailable', message: expect.stringMatching(message) });
    expect(second).toMatchObject({ message: (first as Error).message });
  });

  test('a registry that falls silent is given up, and named', async () => {
    const own = await startOwnRegistry();
    const reference = await pushImage(own, { repository: 'app', tag: '1' });
    own.pause();
    const hasty = testClient({ host: inject('dockerHost'), pullSilenceMs: 500 });
    await expect(hasty.pullImage(reference, undefined, quiet, never)).rejects.toMatchObject({
      code: 'ImageUnavailable',
      message: expect.stringContaining(`registry ${own.address} took the connection and sends nothing`),
    });
    own.resume();
    await engine.pullImage(reference, undefined, quiet, never);
  });

  test('a registry that drips is given up at the deadline, and what it held up in the engine is known to wait', async () => {
    const [dripping, other] = await Promise.all([
      startPlainRegistry(4, 'drips'),
      startPlainRegistry(1, 'sends'),
    ]);
    onTestFinished(async () => {
      for (const own of [dripping, other]) {
        own.close();
        await removeImagesOf(inject('dockerHost'), own.image.split('/')[0] ?? '');
      }
    });
    const client = testClient({ host: inject('dockerHost'), pullDeadlineMs: 3_000 });
    const seen: string[] = [];
    const { promise: began, resolve } = Promise.withResolvers<void>();
    const dripped = client.pullImage(dripping.image, undefined, () => resolve(), never);
    const end = dripped.catch((error: unknown) => void seen.push(String(error)));
    await began;
    const note = (_line: string, { isHeldUp }: PullStanding) => void (isHeldUp && seen.push('held up'));
    await client.pullImage(other.image, undefined, note, never);
    seen.push('pulled');
    await end;
    expect(seen).toEqual(['held up', expect.stringContaining('did not send all of it within 3 s'), 'pulled']);
  });

  test('a registry with a password wants the right one, and gets it', async () => {
    const own = await startOwnRegistry({ auth: { user: 'bob', password: 's3cret' } });
    const reference = await pushImage(own, { repository: 'app', tag: '1' });
    const auth = { username: 'bob', password: 's3cret', serveraddress: own.address };
    await expect(engine.pullImage(reference, undefined, quiet, never)).rejects.toMatchObject({
      code: 'ImageUnavailable',
      message: expect.stringMatching(
        /wants credentials.*spec\.imagePullSecrets.*compute\.docker\.registries/,
      ),
    });
    const wrong = engine.pullImage(reference, { auth: { ...auth, password: 'wr0ng' } }, quiet, never);
    await expect(wrong).rejects.toMatchObject({
      code: 'ImageUnavailable',
      message: expect.stringMatching(/refuses the credentials/),
    });
    await expect(wrong).rejects.not.toThrow(/wr0ng/);
    await engine.pullImage(reference, { auth }, quiet, never);
    expect(await engine.inspectImage(reference, never)).toBeDefined();
    // Who has it by now is no reason to give it to another one.
    await engine.askRegistry(reference, auth, never);
    for (const other of [undefined, { ...auth, password: 'wr0ng' }]) {
      await expect(engine.askRegistry(reference, other, never)).rejects.toMatchObject({
        code: 'ImageUnavailable',
        message: expect.stringMatching(/ can't be used by this tenant: registry .* credentials/),
      });
    }
  });
});

describe('containers', () => {
  test('each step of a life can be made twice', async () => {
    const id = await create('life', { Env: ['A=b'] });
    const name = `${prefix}-life`;
    expect(await engine.createContainer(name, { Image: image }, never)).toBe('name-taken');
    for (let time = 0; time < 2; time += 1) await engine.startContainer(id, never);
    await engine.unpauseContainer(id, never);
    expect(await engine.inspectContainer(name, never)).toMatchObject({ Id: id, State: { Running: true } });
    expect(await engine.listContainers([label], never)).toHaveLength(1);
    for (let time = 0; time < 2; time += 1) await engine.renameContainer(id, `${name}-2`, never);
    await engine.updateContainer(id, { CpuShares: 512 }, never);
    expect(await engine.inspectContainer(id, never)).toMatchObject({ HostConfig: { CpuShares: 512 } });
    for (let time = 0; time < 2; time += 1) await engine.stopContainer(id, 1, anyConsent, never);
    await Promise.all([1, 2, 3].map(async () => engine.removeContainer(id, anyConsent, never)));
    await engine.removeContainer(id, anyConsent, never);
    await engine.stopContainer(id, 1, anyConsent, never);
    expect(await engine.inspectContainer(id, never)).toBeUndefined();
  });

  test('a name that is taken refuses a rename', async () => {
    const [id] = [await create('one'), await create('two')];
    expect(await engine.renameContainer(id, `${prefix}-two`, never)).toBe('name-taken');
  });

  test('anonymous volumes go with their container', async () => {
    const id = await create('volume', { Volumes: { '/tmp': {} } });
    const [mount] = (await engine.inspectContainer(id, never))?.Mounts ?? [];
    expect(await engine.inspectVolume(mount?.Name ?? '', never)).toBeDefined();
    await engine.removeContainer(id, anyConsent, never);
    expect(await engine.inspectVolume(mount?.Name ?? '', never)).toBeUndefined();
  });

  test('a busy host port is told at the start, in the same words at each try', async () => {
    const port = await freePort();
    // Where the engine lives, and unknown to it.
    const blocker = await create('blocker', { Env: [`PORT=${port}`], HostConfig: { NetworkMode: 'host' } });
    await engine.startContainer(blocker, never);
    await expect
      .poll(
        () =>
          fetch(`http://${publishAddress}:${port}/`).then(
            ({ ok }) => ok,
            () => false,
          ),
        { timeout: 30_000 },
      )
      .toBe(true);
    const id = await create('port', {
      ExposedPorts: { '80/tcp': {} },
      HostConfig: { PortBindings: { '80/tcp': [{ HostIp: publishAddress, HostPort: String(port) }] } },
    });
    const first: unknown = await engine.startContainer(id, never).catch((error: unknown) => error);
    expect(first).toMatchObject({
      kind: 'port-busy',
      message: expect.stringContaining(`${publishAddress}:${port}`),
    });
    await expect(engine.startContainer(id, never)).rejects.toThrow((first as Error).message);
    expect(await engine.inspectContainer(id, never)).toMatchObject({ State: { Status: 'created' } });
  });

  test.each([
    ['bad-command', { Entrypoint: ['/nowhere'] }],
    ['missing-network', { HostConfig: { NetworkMode: `${prefix}-nowhere` } }],
    ['missing-network', { HostConfig: { NetworkMode: `container:${prefix}-nowhere` } }],
  ])('a container that can not start is refused as %s: %j', async (kind, body) => {
    const id = await create('refused', body);
    await expect(engine.startContainer(id, never)).rejects.toMatchObject({ name: 'EngineRefusal', kind });
  });

  test('what can not be created is refused by kind', async () => {
    await expect(create('image', { Image: `${prefix}-missing:1` })).rejects.toMatchObject({
      kind: 'missing-image',
    });
    await expect(create('type', { Image: 1 })).rejects.toMatchObject({ kind: 'invalid' });
    await expect(create('memory', { HostConfig: { Memory: 1 } })).rejects.toMatchObject({
      kind: 'invalid',
    });
  });

  test('changes to a container that is gone say so', async () => {
    const gone = `${prefix}-gone`;
    await expect(engine.startContainer(gone, never)).rejects.toMatchObject({ kind: 'gone' });
    await expect(engine.unpauseContainer(gone, never)).rejects.toMatchObject({ kind: 'gone' });
    await expect(engine.updateContainer(gone, { CpuShares: 2 }, never)).rejects.toMatchObject({
      kind: 'gone',
    });
    await expect(engine.renameContainer(gone, `${gone}-2`, never)).rejects.toMatchObject({ kind: 'gone' });
  });
});

describe('networks and volumes', () => {
  test('a network is found by label and name, refuses its subnet to others, and is removed twice', async () => {
    const name = `${prefix}-net`;
    const subnet = freeSubnet();
    const body = { Name: name, Labels: { 'landlord.test': prefix }, IPAM: { Config: [{ Subnet: subnet }] } };
    const { id } = await engine.createNetwork(body, never);
    onTestFinished(async () => engine.removeNetwork(id, anyConsent, never));
    expect(await engine.listNetworks({ label: [label] }, never)).toHaveLength(1);
    expect(await engine.inspectNetwork(name, never)).toMatchObject({ Id: id });
    await expect(engine.createNetwork({ ...body, Name: `${name}-2` }, never)).rejects.toMatchObject({
      kind: 'overlap',
    });
    const again = { Name: name, CheckDuplicate: true, IPAM: { Config: [{ Subnet: freeSubnet() }] } };
    await expect(engine.createNetwork(again, never)).rejects.toMatchObject({ kind: 'name-taken' });
    const container = await create('attached', { HostConfig: { NetworkMode: name } });
    await engine.startContainer(container, never);
    await expect(engine.removeNetwork(id, anyConsent, never)).rejects.toMatchObject({ kind: 'in-use' });
    await engine.removeContainer(container, anyConsent, never);
    for (let time = 0; time < 2; time += 1) await engine.removeNetwork(id, anyConsent, never);
    expect(await engine.inspectNetwork(name, never)).toBeUndefined();
  });

  test('a volume is made twice as one, is refused while in use, and is removed twice', async () => {
    const body = { Name: `${prefix}-data`, Labels: { 'landlord.test': prefix } };
    onTestFinished(async () => engine.removeVolume(body.Name, anyConsent, never));
    for (let time = 0; time < 2; time += 1)
      expect(await engine.createVolume(body, never)).toMatchObject({ Name: body.Name });
    expect(await engine.listVolumes([label], never)).toHaveLength(1);
    const container = await create('mounted', { HostConfig: { Binds: [`${body.Name}:/tmp`] } });
    await expect(engine.removeVolume(body.Name, anyConsent, never)).rejects.toMatchObject({ kind: 'in-use' });
    await engine.removeContainer(container, anyConsent, never);
    for (let time = 0; time < 2; time += 1) await engine.removeVolume(body.Name, anyConsent, never);
    expect(await engine.inspectVolume(body.Name, never)).toBeUndefined();
    expect(await engine.listVolumes([label], never)).toEqual([]);
  });
});

test('events tell a life, and nothing of others or of health probes', async () => {
  const controller = new AbortController();
  const { promise: opened, resolve } = Promise.withResolvers<void>();
  const seen: string[] = [];
  const reading = (async () => {
    for await (const event of engine.events([label], resolve, controller.signal)) {
      seen.push(event.action);
      if (event.action === 'destroy') controller.abort();
    }
  })();
  await opened;
  const healthCheck = { Test: ['CMD', '/bin/ok'], Interval: 100_000_000, Timeout: 1e9, Retries: 1 };
  const id = await create('told', { Healthcheck: healthCheck });
  await create('other', { Labels: {} }).then(async (other) =>
    engine.removeContainer(other, anyConsent, never),
  );
  await engine.startContainer(id, never);
  await expect
    .poll(async () => (await engine.inspectContainer(id, never))?.State.Health?.Status)
    .toBe('healthy');
  await engine.stopContainer(id, 1, anyConsent, never);
  await engine.removeContainer(id, anyConsent, never);
  await reading;
  const life = ['create', 'start', 'health_status: healthy', 'kill', 'die', 'stop', 'destroy'];
  expect(seen.filter((action) => life.includes(action))).toEqual(life);
  expect(seen.filter((action) => action.startsWith('exec'))).toEqual([]);
});
