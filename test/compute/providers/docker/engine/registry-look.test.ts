import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { never, standInEngine, testClient, until } from '../engine-stand-in.ts';

// The sockets are real; only the clock is moved.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }));
afterEach(() => void vi.useRealTimers());

const digest = `sha256:${'a'.repeat(64)}`;
const auth = { username: 'bob', password: 's3cret', serveraddress: 'registry.example' };

test.each([
  ['app', 'docker.io/library/app%3Alatest'],
  ['registry.example:5000/team/app:2', 'registry.example%3A5000/team/app%3A2'],
  [`registry.example/app:2@${digest}`, `registry.example/app%40${encodeURIComponent(digest)}`],
])('%s is asked for by its whole name, with the credentials in a header', async (reference, path) => {
  const headers: unknown[] = [];
  const engine = await standInEngine((request, response) => {
    headers.push(request.headers['x-registry-auth']);
    response.end('{}');
  });
  await testClient({ host: engine.host }).askRegistry(reference, auth, never);
  await testClient({ host: engine.host }).askRegistry(reference, undefined, never);
  const request = `GET /v1.41/distribution/${path}/json`;
  expect(engine.requests).toEqual([request, request]);
  expect(JSON.parse(Buffer.from(String(headers[0]), 'base64').toString())).toEqual(auth);
  expect(headers[1]).toBeUndefined();
});

test.each([
  [401, 'unauthorized: authentication required', undefined, /wants credentials, and there are none for it/],
  [403, 'denied: access forbidden', auth, /refuses the credentials/],
  [404, 'manifest unknown', auth, /has no such image/],
  [500, 'dial tcp: connection refused', auth, /is down/],
])('a registry that says %d %s is the reason why it can not be used', async (status, message, given, why) => {
  const engine = await standInEngine((_request, response) => {
    response.writeHead(status).end(JSON.stringify({ message }));
  });
  const asked = testClient({ host: engine.host }).askRegistry('registry.example/app:1', given, never);
  await expect(asked).rejects.toMatchObject({
    code: 'ImageUnavailable',
    message: expect.stringMatching(
      /^Image registry\.example\/app:1 can't be used by this tenant: /,
    ) as string,
  });
  await expect(asked).rejects.toThrow(why);
});

test('a registry that is silent says nothing of the engine', async () => {
  const engine = await standInEngine(() => undefined);
  const client = testClient({ host: engine.host, deadlineMs: 30_000 });
  const result = client.askRegistry('registry.example/app:1', auth, never).catch((error: unknown) => error);
  await until(() => engine.requests.length === 1);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(await result).toMatchObject({
    code: 'ImageUnavailable',
    message: expect.stringContaining('took the connection and sends nothing') as string,
  });
});
