import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { never, standInEngine, testClient, until } from '../../engine-stand-in.ts';

const quiet = (): void => undefined;
const line = (value: unknown): string => `${JSON.stringify(value)}\r\n`;
const silenceMs = 60_000;
const deadlineMs = 1_800_000;
/** Progress is told of at most this often. */
const progressMs = 2_000;
const auth = { username: 'bob', password: 's3cret', serveraddress: 'registry.example' };

// The sockets are real; only the clock is moved.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }));
afterEach(() => void vi.useRealTimers());
const later = async (ms: number): Promise<void> => void (await vi.advanceTimersByTimeAsync(ms));

/** A pull whose answer the test writes. `say` ends once the line was taken in, at least 2 s after the one before. */
async function pulling(signal = never) {
  const { promise: opened, resolve } = Promise.withResolvers<ServerResponse>();
  const engine = await standInEngine((request, response) => {
    if (request.url?.endsWith('/_ping') === true) response.end('OK');
    else resolve(response);
  });
  const seen: string[] = [];
  const client = testClient({ host: engine.host, pullSilenceMs: silenceMs });
  const onProgress = (text: string): void => void seen.push(text);
  const pull = client.pullImage('registry.example/app:1', undefined, onProgress, signal);
  const result = pull.then(
    () => 'pulled',
    (error: unknown) => error,
  );
  const response = await opened;
  const say = async (value: unknown): Promise<void> => {
    const before = seen.length;
    response.write(line(value));
    await until(() => seen.length > before);
  };
  return { engine, response, say, result, seen };
}

test('a failure that stands in the last line only, under status 200, is a failure', async () => {
  const engine = await standInEngine((_request, response) => {
    response.write(line({ status: 'Pulling from team/app', id: '1' }));
    response.end(line({ errorDetail: { message: 'toomanyrequests: slow' }, error: 'toomanyrequests: slow' }));
  });
  await expect(
    testClient({ host: engine.host }).pullImage('app:1', undefined, quiet, never),
  ).rejects.toMatchObject({
    code: 'ImageUnavailable',
    message: expect.stringContaining('limits the rate'),
  });
});

test.each([
  [undefined, /wants credentials/],
  [{ auth }, /refuses the credentials/],
])(
  'a failure that stands in the status is one, too, and missing credentials are told from bad ones',
  async (given, message) => {
    const engine = await standInEngine((_request, response) => {
      response.writeHead(500).end(JSON.stringify({ message: 'Get "https://r/": unauthorized: no' }));
    });
    const pull = testClient({ host: engine.host }).pullImage('registry.example/app:1', given, quiet, never);
    await expect(pull).rejects.toMatchObject({
      code: 'ImageUnavailable',
      message: expect.stringMatching(message) as string,
    });
  },
);

test.each([
  ['app', 'fromImage=app&tag=latest'],
  ['registry.example/app:2', 'fromImage=registry.example%2Fapp&tag=2'],
  [`app@sha256:${'a'.repeat(64)}`, `fromImage=app&tag=sha256%3A${'a'.repeat(64)}`],
  [`app:2@sha256:${'a'.repeat(64)}`, `fromImage=app&tag=sha256%3A${'a'.repeat(64)}`],
])('%s is asked for alone, never with all its tags', async (reference, query) => {
  const engine = await standInEngine((_request, response) => response.end(line({ status: 'done' })));
  await testClient({ host: engine.host }).pullImage(reference, undefined, quiet, never);
  expect(engine.requests).toEqual([`POST /v1.41/images/create?${query}`]);
});

test('the one for a platform is asked for as such', async () => {
  const engine = await standInEngine((_request, response) => response.end(line({ status: 'done' })));
  await testClient({ host: engine.host }).pullImage('app', { platform: 'linux/arm64' }, quiet, never);
  expect(engine.requests).toEqual([
    'POST /v1.41/images/create?fromImage=app&tag=latest&platform=linux%2Farm64',
  ]);
});

test('a bad reference is refused without asking the engine', async () => {
  const engine = await standInEngine((_request, response) => response.end());
  const pull = testClient({ host: engine.host }).pullImage('App', undefined, quiet, never);
  await expect(pull).rejects.toMatchObject({ code: 'InvalidSpec' });
  expect(engine.requests).toEqual([]);
});

test('silence is blamed on the registry while the engine answers', async () => {
  const { engine, say, result } = await pulling();
  await later(progressMs);
  await say({ status: 'Pulling fs layer', id: 'a' });
  await later(silenceMs - 1);
  expect(engine.requests).toHaveLength(1);
  await later(1);
  expect(await result).toMatchObject({
    code: 'ImageUnavailable',
    message: expect.stringMatching(
      /registry registry\.example took the connection and sends nothing/,
    ) as string,
  });
  expect(engine.requests[1]).toBe('GET /v1.41/_ping');
});

test('silence is blamed on the engine where that is silent, too, and on nobody who gives up meanwhile', async () => {
  for (const isAborted of [false, true]) {
    const controller = new AbortController();
    const engine = await standInEngine(() => undefined);
    const client = testClient({ host: engine.host, pullSilenceMs: silenceMs, deadlineMs: 30_000 });
    const result = client
      .pullImage('app:1', undefined, quiet, controller.signal)
      .catch((error: unknown) => error);
    await until(() => engine.requests.length === 1);
    await later(silenceMs);
    await until(() => engine.requests.length === 2);
    if (isAborted) controller.abort();
    else await later(30_000);
    expect(await result).toMatchObject({
      code: 'ProviderUnavailable',
      message: expect.stringContaining(isAborted ? 'was given up' : 'does not answer in time') as string,
    });
  }
});

test("a pull that waits for a turn in the engine's queue is not given up, until it is its turn", async () => {
  const { response, say, result } = await pulling();
  await later(progressMs);
  await say({ status: 'Waiting', id: 'a' });
  await later(5 * silenceMs);
  await say({ status: 'Downloading', id: 'a' });
  await later(silenceMs - 1);
  response.end(line({ status: 'Pull complete', id: 'a' }));
  expect(await result).toBe('pulled');
});

test.each(['Download complete', 'Extracting'])(
  'a pull that is silent while a layer is unpacked (%s) is not given up',
  async (status) => {
    const { response, say, result } = await pulling();
    await later(progressMs);
    await say({ status, id: 'a' });
    await later(5 * silenceMs);
    response.end(line({ status: 'Pull complete', id: 'a' }));
    expect(await result).toBe('pulled');
  },
);

test.each([
  ['seconds', () => '120'],
  ['a date', () => new Date(Date.now() + 120_000).toUTCString()],
])('a pull that is limited says when to come again, as the answer does: %s', async (_how, header) => {
  vi.setSystemTime(Math.ceil(Date.now() / 1000) * 1000);
  const engine = await standInEngine((_request, response) => {
    const body = JSON.stringify({ message: 'toomanyrequests: slow' });
    response.writeHead(429, { 'Retry-After': header() }).end(body);
  });
  const pull = testClient({ host: engine.host }).pullImage('app:1', undefined, quiet, never);
  await expect(pull).rejects.toMatchObject({ code: 'ImageUnavailable', retryAfterMs: 120_000 });
});

test.each([
  [429, 'Throttled'],
  [503, 'ProviderUnavailable'],
])('an engine that answers %i with Retry-After is left alone for that time', async (status, code) => {
  const engine = await standInEngine((_request, response) => {
    response.writeHead(status, { 'Retry-After': '7' }).end('{"message":"busy"}');
  });
  const look = testClient({ host: engine.host }).listContainers([], never);
  await expect(look).rejects.toMatchObject({ code, retryAfterMs: 7_000 });
});

test('a pull that moves may take many times the silence', async () => {
  const { response, say, result, seen } = await pulling();
  for (let current = 1; current <= 5; current += 1) {
    await later(silenceMs - 1);
    await say({ status: 'Downloading', id: 'a', progressDetail: { current: current * 1e6, total: 5e6 } });
  }
  response.end();
  expect(await result).toBe('pulled');
  expect(seen.at(-1)).toBe('0 of 1 layers, downloading 5.0 of 5.0 MB');
});

test('a registry that drips is given up at the deadline, and not before', async () => {
  const { response, say, result, engine } = await pulling();
  for (let at = 0; at < deadlineMs; at += 10_000) {
    if (at > 0) await say({ status: 'Downloading', id: 'a', progressDetail: { current: at, total: 1e9 } });
    await later(at + 10_000 < deadlineMs ? 10_000 : 9_999);
  }
  expect(response.destroyed).toBe(false);
  await later(1);
  expect(await result).toMatchObject({
    code: 'ImageUnavailable',
    message:
      "Image registry.example/app:1 can't be pulled: registry registry.example did not send all of it within 1800 s " +
      '(compute.docker.pull_deadline): is it overloaded, or the image very large?',
  });
  expect(engine.requests).toHaveLength(1);
  expect(vi.getTimerCount()).toBe(0);
});

test("the deadline counts the waiting in the engine's queue, too", async () => {
  const { say, result } = await pulling();
  await later(progressMs);
  await say({ status: 'Waiting', id: 'a' });
  await later(deadlineMs);
  expect(await result).toMatchObject({ code: 'ImageUnavailable' });
});

test('an engine that dies in the middle of a pull did not pull', async () => {
  const { engine, response, say, result } = await pulling();
  await later(progressMs);
  await say({ status: 'Downloading', id: 'a' });
  response.destroy();
  expect(await result).toMatchObject({
    code: 'ProviderUnavailable',
    message: expect.stringContaining('broke the connection') as string,
  });
  expect(engine.requests).toHaveLength(1);
});

test('an aborted pull ends at once, and none begins', async () => {
  const controller = new AbortController();
  const { engine, result } = await pulling(controller.signal);
  controller.abort();
  expect(await result).toMatchObject({
    code: 'ProviderUnavailable',
    message: expect.stringContaining('given up') as string,
  });
  await until(() => engine.connections.size <= 1);
  const asked = engine.requests.length;
  await expect(
    testClient({ host: engine.host }).pullImage('app:1', undefined, quiet, controller.signal),
  ).rejects.toMatchObject({ code: 'ProviderUnavailable' });
  expect(engine.requests).toHaveLength(asked);
});

test('a pull that has ended leaves no timer behind', async () => {
  const { response, result } = await pulling();
  response.end();
  expect(await result).toBe('pulled');
  expect(vi.getTimerCount()).toBe(0);
});
