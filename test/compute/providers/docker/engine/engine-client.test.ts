import { rm } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { Engine } from '../../../../../src/compute/providers/docker/engine/engine.ts';
import { never, standInEngine, testClient } from '../engine-stand-in.ts';
import { anyConsent } from '../../../permits.ts';

type Call = (engine: Engine) => Promise<unknown>;

/** What a call sends to an engine that answers `status` with `body`, and what it makes of the answer. */
async function exchange(call: Call, status: number, body: unknown) {
  const engine = await standInEngine((_request, response) => {
    response.writeHead(status).end(status === 204 || status === 304 ? undefined : JSON.stringify(body));
  });
  const result = await call(testClient({ host: engine.host })).then(
    (value) => ({ value }),
    (error: { name: string; kind?: string; code?: string }) => ({ refused: error.kind ?? error.code }),
  );
  return {
    requests: engine.requests,
    bodies: engine.bodies.map((sent) => JSON.parse(sent || 'null') as unknown),
    result,
  };
}

const filters = (value: unknown): string => encodeURIComponent(JSON.stringify(value));
const calls = {
  list: (engine) => engine.listContainers(['landlord.owner=default'], never),
  inspect: (engine) => engine.inspectContainer('a/b', never),
  create: (engine) => engine.createContainer('web', { Image: 'app:1' }, never),
  start: (engine) => engine.startContainer('web', never),
  unpause: (engine) => engine.unpauseContainer('web', never),
  stop: (engine) => engine.stopContainer('web', 7, anyConsent, never),
  remove: (engine) => engine.removeContainer('web', anyConsent, never),
  rename: (engine) => engine.renameContainer('web', 'db', never),
  update: (engine) => engine.updateContainer('web', { Memory: 42 }, never),
  image: (engine) => engine.inspectImage('registry.example:5000/team/app:1', never),
  images: (engine) => engine.listImages(never),
  removeImage: (engine) => engine.removeImage('registry.example/app:1', anyConsent, never),
  networks: (engine) => engine.listNetworks({ name: ['net'] }, never),
  network: (engine) => engine.inspectNetwork('net', never),
  createNetwork: (engine) => engine.createNetwork({ Name: 'net', Driver: 'bridge' }, never),
  removeNetwork: (engine) => engine.removeNetwork('net', anyConsent, never),
  connect: (engine) => engine.connectContainer('web', 'net', { Aliases: ['app'] }, never),
  disconnect: (engine) => engine.disconnectContainer('web', 'net', anyConsent, never),
  volumes: (engine) => engine.listVolumes(['landlord.owner=default'], never),
  volume: (engine) => engine.inspectVolume('data', never),
  createVolume: (engine) => engine.createVolume({ Name: 'data' }, never),
  removeVolume: (engine) => engine.removeVolume('data', anyConsent, never),
  startedMs: (engine) => engine.startedMs(never),
  ping: (engine) => engine.ping(never),
  output: (engine) => engine.lastOutput('a/b', never),
} satisfies Record<string, Call>;
type Name = keyof typeof calls;

const outputPath = 'GET /containers/a%2Fb/logs?stdout=true&stderr=true&tail=10';
const labels = filters({ label: ['landlord.owner=default'] });

describe('each call is one request, and what the engine answers is its result', () => {
  it.each<[Name, string, unknown, number, unknown, unknown]>([
    [
      'startedMs',
      'GET /networks/bridge',
      null,
      200,
      { Created: '2026-01-01T00:00:00.5Z' },
      Date.parse('2026-01-01T00:00:00.5Z'),
    ],
    ['startedMs', 'GET /networks/bridge', null, 200, {}, 0],
    ['startedMs', 'GET /networks/bridge', null, 404, { message: 'network bridge not found' }, 0],
    ['ping', 'GET /_ping', null, 200, 'OK', undefined],
    // With the quote that ends it as JSON.
    ['output', outputPath, null, 200, 'x'.repeat(5000), `${'x'.repeat(4095)}"`],
    ['output', outputPath, null, 501, { message: 'configured logging driver does not support reading' }, ''],
    ['list', `GET /containers/json?all=true&filters=${labels}`, null, 200, [{ Id: 'c1' }], [{ Id: 'c1' }]],
    ['inspect', 'GET /containers/a%2Fb/json', null, 200, { Id: 'c1' }, { Id: 'c1' }],
    [
      'inspect',
      'GET /containers/a%2Fb/json',
      null,
      200,
      {
        State: {
          Status: 'created',
          Error: `driver failed on endpoint web (${'0a'.repeat(32)}): port is taken`,
        },
      },
      { State: { Status: 'created', Error: 'driver failed on endpoint web: port is taken' } },
    ],
    ['create', 'POST /containers/create?name=web', { Image: 'app:1' }, 201, { Id: 'c1' }, { id: 'c1' }],
    ['start', 'POST /containers/web/start', null, 204, null, undefined],
    ['unpause', 'POST /containers/web/unpause', null, 204, null, undefined],
    ['stop', 'POST /containers/web/stop?t=7', null, 204, null, undefined],
    ['remove', 'DELETE /containers/web?force=true&v=true', null, 204, null, undefined],
    ['rename', 'POST /containers/web/rename?name=db', null, 204, null, undefined],
    ['update', 'POST /containers/web/update', { Memory: 42 }, 200, {}, undefined],
    ['image', 'GET /images/registry.example%3A5000/team/app%3A1/json', null, 200, { Id: 'i' }, { Id: 'i' }],
    [
      'images',
      'GET /images/json?all=true',
      null,
      200,
      [{ Id: 'i', ParentId: '', RepoTags: ['app:1'], RepoDigests: null, Size: 7, Labels: { a: 'b' } }],
      [{ Id: 'i', ParentId: '', RepoTags: ['app:1'], RepoDigests: null, Size: 7 }],
    ],
    [
      'removeImage',
      'DELETE /images/registry.example/app%3A1?force=false&noprune=true',
      null,
      200,
      [{ Untagged: 'registry.example/app:1' }, { Deleted: 'i' }],
      'removed',
    ],
    ['networks', `GET /networks?filters=${filters({ name: ['net'] })}`, null, 200, [], []],
    ['network', 'GET /networks/net', null, 200, { Id: 'n' }, { Id: 'n' }],
    [
      'createNetwork',
      'POST /networks/create',
      { Name: 'net', Driver: 'bridge' },
      201,
      { Id: 'n' },
      { id: 'n' },
    ],
    ['removeNetwork', 'DELETE /networks/net', null, 204, null, undefined],
    [
      'connect',
      'POST /networks/net/connect',
      { Container: 'web', EndpointConfig: { Aliases: ['app'] } },
      200,
      null,
      undefined,
    ],
    ['disconnect', 'POST /networks/net/disconnect', { Container: 'web' }, 200, null, undefined],
    [
      'volumes',
      `GET /volumes?filters=${labels}`,
      null,
      200,
      { Volumes: [{ Name: 'data' }] },
      [{ Name: 'data' }],
    ],
    ['volumes', `GET /volumes?filters=${labels}`, null, 200, { Volumes: null }, []],
    ['volume', 'GET /volumes/data', null, 200, { Name: 'data' }, { Name: 'data' }],
    ['createVolume', 'POST /volumes/create', { Name: 'data' }, 201, { Name: 'data' }, { Name: 'data' }],
    ['removeVolume', 'DELETE /volumes/data', null, 204, null, undefined],
  ])('%s: %s', async (name, request, body, status, answer, value) => {
    const seen = await exchange(calls[name], status, answer);
    expect(seen.requests).toEqual([request.replace(' ', ' /v1.41')]);
    expect(seen.bodies).toEqual([body]);
    expect(seen.result).toEqual({ value });
  });
});

describe('what is as it should be already, or is not there, is a value', () => {
  const taken = 'Conflict. The container name "/web" is already in use by container "c2".';
  it.each<[Name, number, string, unknown]>([
    ['inspect', 404, 'No such container: a/b', undefined],
    ['create', 409, taken, 'name-taken'],
    ['start', 304, '', undefined],
    ['unpause', 500, 'Container web is not paused', undefined],
    ['stop', 304, '', undefined],
    ['stop', 404, 'No such container: web', undefined],
    ['remove', 404, 'No such container: web', undefined],
    ['remove', 409, 'removal of container web is already in progress', 'removing'],
    ['rename', 409, taken, 'name-taken'],
    ['rename', 400, 'Renaming a container with the same name as its current name', undefined],
    ['image', 404, 'No such image: app:1', undefined],
    ['network', 404, 'network net not found', undefined],
    ['removeNetwork', 404, 'network net not found', undefined],
    ['connect', 403, 'endpoint with name web already exists in network net', undefined],
    ['disconnect', 500, 'container web is not connected to network net', undefined],
    ['disconnect', 404, 'No such container: web', undefined],
    ['volume', 404, 'get data: no such volume', undefined],
    ['removeVolume', 404, 'get data: no such volume', undefined],
    ['removeImage', 404, 'No such image: app:1', 'removed'],
    ['removeImage', 409, 'conflict: unable to delete app:1 (must be forced) - image is being used', 'in-use'],
  ])('%s: %i %s', async (name, status, message, value) => {
    expect((await exchange(calls[name], status, { message })).result).toEqual({ value });
  });
});

describe('what the engine will not do is a refusal of its kind', () => {
  it.each<[Name, number, string, string]>([
    ['inspect', 400, 'invalid name', 'invalid'],
    ['create', 404, 'No such image: app:1', 'missing-image'],
    ['create', 409, 'something else is in the way', 'other'],
    ['create', 500, 'the name "/web" is already in use', 'other'],
    ['create', 300, 'multiple choices', 'other'],
    ['start', 404, 'No such container: web', 'gone'],
    ['start', 500, 'Bind for 0.0.0.0:80 failed: port is already allocated', 'port-busy'],
    ['unpause', 404, 'No such container: web', 'gone'],
    ['stop', 500, 'cannot stop container', 'other'],
    ['remove', 409, 'container is in a state that forbids it', 'other'],
    ['remove', 500, 'removal of container web is already in progress', 'other'],
    ['rename', 404, 'No such container: web', 'gone'],
    ['update', 404, 'No such container: web', 'gone'],
    ['network', 400, 'network net is ambiguous (2 matches found based on name)', 'invalid'],
    ['createNetwork', 403, 'Pool overlaps with other one on this address space', 'overlap'],
    ['removeNetwork', 403, 'network net has active endpoints', 'in-use'],
    ['connect', 404, 'No such container: web', 'gone'],
    ['connect', 404, 'network net not found', 'missing-network'],
    ['connect', 403, "no available IPv4 addresses on this network's address pools: net", 'other'],
    ['disconnect', 500, 'error while removing the endpoint', 'other'],
    ['createVolume', 400, 'invalid name', 'invalid'],
    ['removeVolume', 409, 'remove data: volume is in use', 'in-use'],
  ])('%s: %i %s', async (name, status, message, refused) => {
    expect((await exchange(calls[name], status, { message })).result).toEqual({ refused });
  });

  it('a name that is no image at all is the spec to be corrected', async () => {
    expect((await exchange(calls.image, 400, { message: 'invalid reference format' })).result).toEqual({
      refused: 'InvalidSpec',
    });
  });
});

it('an engine over TLS is looked for at the port for TLS', async () => {
  const gaveUp = async (options: { readonly tls?: object }): Promise<unknown> =>
    testClient({ host: 'tcp://engine.example', ...options })
      .listContainers([], AbortSignal.abort())
      .catch((error: unknown) => error);
  expect(await gaveUp({})).toMatchObject({
    message: expect.stringContaining('tcp://engine.example:2375') as string,
  });
  expect(await gaveUp({ tls: {} })).toMatchObject({
    message: expect.stringContaining('tcp://engine.example:2376') as string,
  });
});

describe("the engine's own trouble is no refusal", () => {
  it.each<[number, string]>([
    [401, 'AccessDenied'],
    [429, 'Throttled'],
    [503, 'ProviderUnavailable'],
  ])('%i', async (status, code) => {
    for (const call of [calls.list, calls.image, calls.create, calls.removeVolume]) {
      expect((await exchange(call, status, { message: 'no' })).result).toEqual({ refused: code });
    }
  });

  it.each<Name>(['list', 'inspect', 'image', 'networks', 'network', 'volumes', 'volume'])(
    'a failed read makes the engine unavailable: %s',
    async (name) => {
      expect((await exchange(calls[name], 500, { message: 'boom' })).result).toEqual({
        refused: 'ProviderUnavailable',
      });
    },
  );
});

it('is asked by a connection of its own whether it stays, for one that goes down serves those of before', async () => {
  const engine = await standInEngine((_request, response) => void response.writeHead(200).end('[]'));
  const client = testClient({ host: engine.host });
  await client.listContainers([], never);
  await client.ping(never);
  await rm(engine.socketPath);
  expect(await client.listContainers([], never)).toEqual([]);
  await expect(client.ping(never)).rejects.toMatchObject({ code: 'ProviderUnavailable' });
});

it('is refused by name where something else answers the question whether it stays', async () => {
  const engine = await standInEngine((_request, response) => void response.writeHead(502).end());
  await expect(testClient({ host: engine.host }).ping(never)).rejects.toMatchObject({
    code: 'ProviderUnavailable',
  });
});

it('tells its time by the dates of its answers', async () => {
  const engine = await standInEngine((_request, response) => {
    response.writeHead(200, { Date: new Date(Date.now() + 600_000).toUTCString() }).end('[]');
  });
  const client = testClient({ host: engine.host });
  await client.listContainers([], never);
  const aheadMs = client.time.nowMs() - Date.now();
  expect(aheadMs).toBeGreaterThan(590_000);
  expect(aheadMs).toBeLessThanOrEqual(600_000);
});
