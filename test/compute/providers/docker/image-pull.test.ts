import { expect, test } from 'vitest';
import { never, standInEngine, testClient } from './engine-stand-in.ts';

const quiet = (): void => undefined;
const line = (value: unknown): string => `${JSON.stringify(value)}\r\n`;

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
  ['app', 'fromImage=app&tag=latest'],
  ['registry.example/app:2', 'fromImage=registry.example%2Fapp&tag=2'],
  [`app@sha256:${'a'.repeat(64)}`, `fromImage=app&tag=sha256%3A${'a'.repeat(64)}`],
  [`app:2@sha256:${'a'.repeat(64)}`, `fromImage=app&tag=sha256%3A${'a'.repeat(64)}`],
])('%s is asked for alone, never with all its tags', async (reference, query) => {
  const engine = await standInEngine((_request, response) => response.end(line({ status: 'done' })));
  await testClient({ host: engine.host }).pullImage(reference, undefined, quiet, never);
  expect(engine.requests).toEqual([`POST /v1.41/images/create?${query}`]);
});

test('a bad reference is refused without asking the engine', async () => {
  const engine = await standInEngine((_request, response) => response.end());
  const pull = testClient({ host: engine.host }).pullImage('App', undefined, quiet, never);
  await expect(pull).rejects.toMatchObject({ code: 'InvalidSpec' });
  expect(engine.requests).toEqual([]);
});

test('silence is blamed on the registry while the engine answers', async () => {
  const engine = await standInEngine((request, response) => {
    if (request.url?.endsWith('/_ping') === true) response.end('OK');
    else response.write(line({ status: 'Pulling fs layer', id: 'a' }));
  });
  const client = testClient({ host: engine.host, pullSilenceMs: 60 });
  await expect(client.pullImage('registry.example/app:1', undefined, quiet, never)).rejects.toMatchObject({
    code: 'ImageUnavailable',
    message: expect.stringMatching(/registry registry\.example took the connection and sends nothing/),
  });
});

test('silence is blamed on the engine where that is silent, too', async () => {
  const engine = await standInEngine(() => undefined);
  const client = testClient({ host: engine.host, pullSilenceMs: 60, deadlineMs: 60 });
  await expect(client.pullImage('app:1', undefined, quiet, never)).rejects.toMatchObject({
    code: 'ProviderUnavailable',
  });
});

test("a pull that waits for a turn in the engine's queue is not given up", async () => {
  const engine = await standInEngine((_request, response) => {
    response.write(line({ status: 'Pulling fs layer', id: 'a' }) + line({ status: 'Waiting', id: 'a' }));
    setTimeout(() => response.end(line({ status: 'Pull complete', id: 'a' })), 2_500);
  });
  await testClient({ host: engine.host, pullSilenceMs: 1_000 }).pullImage('app:1', undefined, quiet, never);
  expect(engine.requests).toHaveLength(1);
});

test('a pull that moves may take many times the silence', async () => {
  const engine = await standInEngine((_request, response) => {
    let lines = 0;
    const timer = setInterval(() => {
      lines += 1;
      response.write(line({ status: 'Downloading', id: 'a', progressDetail: { current: lines, total: 9 } }));
      if (lines < 9) return;
      clearInterval(timer);
      response.end();
    }, 160);
  });
  const client = testClient({ host: engine.host, pullSilenceMs: 1_000 });
  await expect(client.pullImage('app:1', undefined, quiet, never)).resolves.toBeUndefined();
});

test('an engine that dies in the middle of a pull did not pull', async () => {
  const engine = await standInEngine((_request, response) => {
    response.write(line({ status: 'Downloading', id: 'a' }));
    setTimeout(() => response.destroy(), 20);
  });
  const pull = testClient({ host: engine.host }).pullImage('app:1', undefined, quiet, never);
  await expect(pull).rejects.toMatchObject({ code: 'ProviderUnavailable' });
  expect(engine.requests).toHaveLength(1);
});

test('an aborted pull ends at once', async () => {
  const controller = new AbortController();
  const engine = await standInEngine((_request, response) => {
    response.write(line({ status: 'Downloading', id: 'a' }));
    setTimeout(() => controller.abort(), 20);
  });
  const pull = testClient({ host: engine.host }).pullImage('app:1', undefined, quiet, controller.signal);
  await expect(pull).rejects.toMatchObject({ code: 'ProviderUnavailable' });
});
