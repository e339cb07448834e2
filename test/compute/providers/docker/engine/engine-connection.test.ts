import { symlink } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { ComputeError } from '../../../../../src/compute/errors.ts';
import { never, standInEngine, testClient, turns, until } from '../engine-stand-in.ts';
import { anyConsent } from '../../../permits.ts';

// The sockets are real; only the clock is moved.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());
const later = async (ms: number): Promise<void> => void (await vi.advanceTimersByTimeAsync(ms));
const deadlineMs = 30_000;

/** Rejections and errors that nobody handled would end the operator's process. */
function unhandled(): unknown[] {
  const seen: unknown[] = [];
  const note = (error: unknown): void => void seen.push(error);
  process.on('unhandledRejection', note);
  process.on('uncaughtException', note);
  onTestFinished(() => {
    process.off('unhandledRejection', note);
    process.off('uncaughtException', note);
  });
  return seen;
}

/** Two turns of the event loop, in which whatever is unhandled is reported. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

test('a connection that dies within the body ends the call, where dockerode would wait for ever', async () => {
  const leaks = unhandled();
  const engine = await standInEngine((_request, response) => {
    response.writeHead(201, { 'content-length': '1000' });
    response.write('{"Id":"half');
    setImmediate(() => response.destroy());
  });
  const client = testClient({ host: engine.host });
  await expect(client.createContainer('web', {}, never)).rejects.toMatchObject({
    code: 'ProviderUnavailable',
    message: expect.stringContaining('broke the connection before its answer was complete'),
  });
  // Asked once: whether the container was made is for the provider to look up.
  expect(engine.requests).toHaveLength(1);
  await settle();
  expect(leaks).toEqual([]);
});

test('a body that stops half-way is given up at the deadline, and its connection let go', async () => {
  const leaks = unhandled();
  const engine = await standInEngine((_request, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('[');
  });
  const client = testClient({ host: engine.host, deadlineMs });
  const failure = client.listContainers([], never).catch((error: unknown) => error);
  await until(() => engine.requests.length === 1);
  await later(deadlineMs);
  expect(await failure).toMatchObject({
    code: 'ProviderUnavailable',
    message: `Docker Engine at ${engine.host} does not answer in time: is dockerd overloaded or frozen?`,
  });
  await until(() => engine.connections.size === 0);
  await settle();
  expect(leaks).toEqual([]);
});

describe('an engine that takes the connection and says nothing is given up at the deadline, and not before', () => {
  test.each([
    ['the one that the client was given', { deadlineMs: 7_000 }, 7_000],
    ['half a minute by default', {}, 30_000],
  ])('%s', async (_what, options, ms) => {
    const engine = await standInEngine(() => undefined);
    const client = testClient({ host: engine.host, ...options });
    const ended = vi.fn<(error: unknown) => void>();
    const call = client.startContainer('web', never).catch(ended);
    await until(() => engine.requests.length === 1);
    await later(ms - 1);
    await turns();
    expect(ended).not.toHaveBeenCalled();
    await later(1);
    await call;
    expect(ended).toHaveBeenCalledWith(expect.objectContaining({ code: 'ProviderUnavailable' }));
    expect(vi.getTimerCount()).toBe(0);
  });
});

test('stopping may take its grace on top of the deadline', async () => {
  const { promise: asked, resolve } = Promise.withResolvers<ServerResponse>();
  const engine = await standInEngine((_request, response) => resolve(response));
  const stop = testClient({ host: engine.host, deadlineMs }).stopContainer('web', 10, anyConsent, never);
  const response = await asked;
  await later(deadlineMs + 9_999);
  response.writeHead(204).end();
  await stop;
  expect(engine.requests).toEqual(['POST /v1.41/containers/web/stop?t=10']);
});

test('an aborted call ends at once and lets go of its connection', async () => {
  const leaks = unhandled();
  const controller = new AbortController();
  const engine = await standInEngine(() => controller.abort(new Error('shutting down')));
  const client = testClient({ host: engine.host });
  await expect(client.startContainer('web', controller.signal)).rejects.toBeInstanceOf(ComputeError);
  await until(() => engine.connections.size === 0);
  await expect(client.startContainer('web', controller.signal)).rejects.toBeInstanceOf(ComputeError);
  expect(engine.requests).toHaveLength(1);
  await settle();
  expect(leaks).toEqual([]);
});

test('a read over a stale pooled socket is asked again, once', async () => {
  const answered = new Set<Socket>();
  const engine = await standInEngine((request, response) => {
    // The second request on a connection finds it dead, as after a restart of the engine.
    if (answered.has(request.socket)) {
      request.socket.destroy();
      return;
    }
    answered.add(request.socket);
    response.end('[]');
  });
  const client = testClient({ host: engine.host });
  await client.listContainers([], never);
  expect(await client.listContainers([], never)).toEqual([]);
  expect(engine.requests).toHaveLength(3);
});

test('a read that breaks each time is not asked for ever', async () => {
  const engine = await standInEngine((request) => request.socket.destroy());
  const client = testClient({ host: engine.host });
  await expect(client.listContainers([], never)).rejects.toMatchObject({ code: 'ProviderUnavailable' });
  expect(engine.requests).toHaveLength(2);
});

test('a read that fails for another reason is not asked again', async () => {
  const engine = await standInEngine((request) => request.socket.end('no HTTP at all\r\n\r\n'));
  await expect(testClient({ host: engine.host }).listContainers([], never)).rejects.toMatchObject({
    code: 'ProviderUnavailable',
    message: expect.stringContaining('does not speak plain HTTP') as string,
  });
  expect(engine.requests).toHaveLength(1);
});

test.each([
  ['createContainer', 'POST'],
  ['removeContainer', 'DELETE'],
] as const)('a change whose outcome is unknown is not repeated: %s', async (call, method) => {
  const engine = await standInEngine((request, response) => {
    if (request.method === 'GET') response.end('[]');
    else request.socket.destroy();
  });
  const client = testClient({ host: engine.host });
  await client.listContainers([], never);
  const change =
    call === 'createContainer'
      ? client.createContainer('web', {}, never)
      : client.removeContainer('web', anyConsent, never);
  await expect(change).rejects.toMatchObject({ code: 'ProviderUnavailable' });
  expect(engine.requests.filter((request) => request.startsWith(method))).toHaveLength(1);
});

test('calls share their connections', async () => {
  const engine = await standInEngine((_request, response) => response.end('[]'));
  const client = testClient({ host: engine.host });
  for (let call = 0; call < 5; call += 1) await client.listContainers([], never);
  expect(engine.connections.size).toBe(1);
});

test.each([
  [{ ApiVersion: '1.41', MinAPIVersion: '1.12' }, 'v1.41'],
  [{ ApiVersion: '1.44' }, 'v1.44'],
  [{ ApiVersion: '1.52', MinAPIVersion: '1.44' }, 'v1.45'],
  [{ ApiVersion: '1.70', MinAPIVersion: '1.60' }, 'v1.60'],
])('an engine of %j is spoken to in %s, asked for once', async (version, expected) => {
  const engine = await standInEngine((_request, response) => response.end('[]'), version);
  const client = testClient({ host: engine.host });
  await Promise.all([client.listNetworks({}, never), client.listNetworks({}, never)]);
  expect(engine.requests).toEqual(
    Array.from({ length: 2 }, () => `GET /${expected}/networks?filters=%7B%7D`),
  );
});

test('an engine gets a part of a volume to mount only if its API knows of such', async () => {
  const Mounts = [{ Type: 'volume', Source: 'v', Target: '/v', VolumeOptions: { Subpath: 'a' } }];
  const make = async (ApiVersion: string) => {
    const engine = await standInEngine((_request, response) => response.writeHead(201).end('{"Id":"1"}'), {
      ApiVersion,
    });
    const body = { Image: 'app', HostConfig: { Mounts: Mounts as never } };
    const made = await testClient({ host: engine.host })
      .createContainer('app', body, never)
      .catch((error: unknown) => error);
    return { made, requests: engine.requests };
  };
  expect(await make('1.44')).toMatchObject({
    made: {
      kind: 'invalid',
      message: 'subPath of a volume needs Docker Engine 26 or newer: API 1.45, and this one has 1.44',
    },
    requests: [],
  });
  expect(await make('1.45')).toEqual({
    made: { id: '1' },
    requests: ['POST /v1.45/containers/create?name=app'],
  });
});

test('after an outage the engine is asked for its version anew: it may have been upgraded', async () => {
  const version = { ApiVersion: '1.41' };
  const engine = await standInEngine((request, response) => {
    if (request.method === 'POST') request.socket.destroy();
    else response.end('[]');
  }, version);
  const client = testClient({ host: engine.host });
  await client.listNetworks({}, never);
  version.ApiVersion = '1.43';
  await expect(client.startContainer('web', never)).rejects.toMatchObject({ code: 'ProviderUnavailable' });
  await client.listNetworks({}, never);
  expect(engine.requests.at(-1)).toMatch(/^GET \/v1\.43\/networks/);
});

test.each(['<html>', { message: 'page' }, null])(
  'what is no Docker Engine is told so: %j',
  async (version) => {
    const engine = await standInEngine((_request, response) => response.end('[]'), version);
    await expect(testClient({ host: engine.host }).listContainers([], never)).rejects.toMatchObject({
      code: 'ProviderUnavailable',
      message: expect.stringContaining('is no Docker Engine'),
    });
  },
);

test('an engine that comes up later answers the next call', async () => {
  const engine = await standInEngine((_request, response) => response.end('[]'));
  const late = `${engine.socketPath}.late`;
  const client = testClient({ host: `unix://${late}` });
  await expect(client.listContainers([], never)).rejects.toMatchObject({
    code: 'ProviderUnavailable',
    message: expect.stringContaining(`Docker Engine at unix://${late} does not answer (ENOENT)`),
  });
  await symlink(engine.socketPath, late);
  expect(await client.listContainers([], never)).toEqual([]);
});

describe('what an engine says', () => {
  const failure = async (answer: string): Promise<string> => {
    const engine = await standInEngine((_request, response) => response.writeHead(500).end(answer));
    const error: unknown = await testClient({ host: engine.host })
      .listContainers([], never)
      .catch((reason: unknown) => reason);
    return error instanceof ComputeError ? error.message.replace(engine.host, 'HOST') : 'no failure';
  };

  test.each([
    ['{"message":"boom"}', 'boom'],
    ['{"message":7}', '{"message":7}'],
    ['{"error":"boom"}', '{"error":"boom"}'],
    ['"boom"', '"boom"'],
    ['null', 'null'],
    ['boom', 'boom'],
    ['', ''],
  ])('is its message, or the answer as it is: %s', async (answer, message) => {
    expect(await failure(answer)).toBe(`Docker Engine at HOST answered 500: ${message}`);
  });
});

test('an engine that will not tell its version is told with what it says, and asked again', async () => {
  let isStarting = true;
  const engine = await standInEngine(
    (_request, response) => response.end('[]'),
    { ApiVersion: '1.44' },
    () => (isStarting ? 503 : 200),
  );
  const client = testClient({ host: engine.host });
  await expect(client.listContainers([], never)).rejects.toMatchObject({
    code: 'ProviderUnavailable',
    message: expect.stringContaining('answered 503') as string,
  });
  isStarting = false;
  expect(await client.listContainers([], never)).toEqual([]);
});

test('a call that was given up before it began is not made', async () => {
  const engine = await standInEngine((_request, response) => response.end('[]'));
  const client = testClient({ host: engine.host });
  await expect(client.listContainers([], AbortSignal.abort())).rejects.toMatchObject({
    code: 'ProviderUnavailable',
    message: `A call to Docker Engine at ${engine.host} was given up`,
  });
  await turns();
  expect(engine.requests).toEqual([]);
});

test('after close, streams do not begin either', async () => {
  const engine = await standInEngine((_request, response) => response.end('[]'));
  const client = testClient({ host: engine.host });
  await client.listContainers([], never);
  client.close();
  await expect(client.pullImage('app:1', undefined, () => undefined, never)).rejects.toMatchObject({
    code: 'ProviderUnavailable',
  });
  expect(engine.requests).toHaveLength(1);
});

test('after close, calls end instead of opening connections anew', async () => {
  const engine = await standInEngine(() => client.close());
  const client = testClient({ host: engine.host });
  await expect(client.listContainers([], never)).rejects.toMatchObject({ code: 'ProviderUnavailable' });
  await expect(client.listContainers([], never)).rejects.toMatchObject({ code: 'ProviderUnavailable' });
  expect(engine.requests).toHaveLength(1);
});
