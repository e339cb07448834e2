import http from 'node:http';
import util from 'node:util';
import { afterEach, expect, test, vi } from 'vitest';
import { never, standInEngine, testClient } from '../engine-stand-in.ts';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

test('what is in a body, secrets in env above all, never stands in a URL', async () => {
  const engine = await standInEngine((_request, response) => {
    response.writeHead(201).end('{"Id":"c1","Name":"data"}');
  });
  const client = testClient({ host: engine.host });
  await client.createContainer('web', { Image: 'app:1', Env: ['PASSWORD=s3cret'] }, never);
  await client.createContainer('arm', { Image: 'app:1', platform: 'linux/arm64' }, never);
  await client.updateContainer('web', { Memory: 42 }, never);
  await client.createNetwork({ Name: 'net', Labels: { s3cret: 's3cret' } }, never);
  await client.createVolume({ Name: 'data', Labels: { s3cret: 's3cret' } }, never);
  expect(engine.requests).toEqual([
    'POST /v1.41/containers/create?name=web',
    'POST /v1.41/containers/create?name=arm&platform=linux%2Farm64',
    'POST /v1.41/containers/web/update',
    'POST /v1.41/networks/create',
    'POST /v1.41/volumes/create',
  ]);
  expect(JSON.parse(engine.bodies[0] ?? '')).toEqual({ Image: 'app:1', Env: ['PASSWORD=s3cret'] });
  expect(JSON.parse(engine.bodies[1] ?? '')).toEqual({ Image: 'app:1' });
});

test('files go to their path as they are, and stand in no URL', async () => {
  const engine = await standInEngine((_request, response) => response.writeHead(200).end());
  await testClient({ host: engine.host }).putFiles('web', '/etc/a b', Buffer.from('s3cret'), never);
  expect(engine.requests).toEqual(['PUT /v1.41/containers/web/archive?path=%2Fetc%2Fa%20b']);
  expect(engine.bodies).toEqual(['s3cret']);
});

test('a body of 2 MB goes through', async () => {
  const engine = await standInEngine((_request, response) => response.writeHead(201).end('{"Id":"c1"}'));
  await testClient({ host: engine.host }).createContainer('web', { Env: [`BIG=${'x'.repeat(2e6)}`] }, never);
  expect(engine.bodies[0]?.length).toBeGreaterThan(2e6);
});

test.each(['tcp://127.0.0.1:1', 'ssh://nobody@127.0.0.1:1', 'unix:///nowhere.sock', 'tcp://127.0.0.1:2376'])(
  'DOCKER_HOST=%s does not override the engine that was chosen',
  async (value) => {
    vi.stubEnv('DOCKER_HOST', value);
    vi.stubEnv('DOCKER_TLS_VERIFY', '1');
    const engine = await standInEngine((_request, response) => response.end('[]'));
    expect(await testClient({ host: engine.host }).listContainers([], never)).toEqual([]);
    expect(engine.requests).toHaveLength(1);
  },
);

test('DOCKER_HOST counts where it is handed in, not by itself', async () => {
  vi.stubEnv('DOCKER_HOST', 'tcp://127.0.0.1:1');
  const engine = await standInEngine((_request, response) => response.end('[]'));
  const client = testClient({ host: '', dockerHostEnv: engine.host });
  expect(await client.listContainers([], never)).toEqual([]);
});

test('an environment that dockerode can not read is named', () => {
  vi.stubEnv('DOCKER_HOST', 'tcp://127.0.0.1:2376');
  vi.stubEnv('DOCKER_CERT_PATH', '/nowhere');
  expect(() => testClient({ host: 'unix:///a.sock' })).toThrow(/DOCKER_CERT_PATH.*correct or unset it/);
});

test('a request is not paid for with a deep look into the agent, and passwords are not looked at', async () => {
  const engine = await standInEngine((_request, response) => response.end('{"status":"done"}\n'));
  const client = testClient({ host: engine.host });
  await client.inspectContainer('web', never);
  const inspect = vi.spyOn(util, 'inspect');
  await client.inspectContainer('web', never);
  const auth = { username: 'bob', password: 's3cret', serveraddress: 'registry.example' };
  await client.pullImage('registry.example/app:1', { auth }, () => undefined, never);
  const seen = inspect.mock.results.map(({ value }) => String(value));
  expect(seen.length).toBeGreaterThanOrEqual(2);
  for (const text of seen) {
    expect(text).toContain('[Agent]');
    expect(text).not.toContain(Buffer.from('s3cret').toString('base64').slice(0, 6));
    // Without care, this is 100 times as long.
    expect(text.length).toBeLessThan(20_000);
  }
});

test("the registry's credentials go as X-Registry-Auth, and nowhere else", async () => {
  let header: unknown;
  const engine = await standInEngine((request, response) => {
    header = request.headers['x-registry-auth'];
    response.end('{"status":"done"}\n');
  });
  const auth = { username: 'bob', password: 's?cr>t', serveraddress: 'registry.example' };
  await testClient({ host: engine.host }).pullImage(
    'registry.example/app:1',
    { auth },
    () => undefined,
    never,
  );
  expect(JSON.parse(Buffer.from(String(header), 'base64url').toString())).toEqual(auth);
  expect(engine.requests).toEqual(['POST /v1.41/images/create?fromImage=registry.example%2Fapp&tag=1']);
  expect(engine.bodies).toEqual(['']);
});

test('TLS is for tcp:// alone: certificates that lie about make no difference to a socket', async () => {
  const engine = await standInEngine((_request, response) => response.end('[]'));
  expect(await testClient({ host: engine.host, tls: {} }).listContainers([], never)).toEqual([]);
});

test('TLS is spoken to an engine with certificates, and a plain one is told', async () => {
  const server = http.createServer((_request, response) => response.end('{}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const client = testClient({ host: `tcp://127.0.0.1:${port}`, tls: {} });
  const refused = client.listContainers([], never);
  await expect(refused).rejects.toMatchObject({
    code: 'ProviderUnavailable',
    message: expect.stringContaining('TLS'),
  });
  await new Promise((resolve) => server.close(resolve));
});
