import { createServer } from 'node:net';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  KubeApiError,
  KubeUnreachableError,
  WriteFencedError,
} from '../../../src/kube/client/kube-api-error.ts';
import type { RequestInfo } from '../../../src/kube/client/request-attempts.ts';
import { answer, clientFor, scriptedServer } from '../scripted-server.ts';

const get = { method: 'GET', path: '/api/v1/namespaces' } as const;

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('it should have failed'),
    (error: unknown) => error,
  );
}

/** A clock that the test moves; sockets go on as ever. */
function fakeClock(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
}

/** Turns of the event loop, in which whatever lies in a socket is read. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('retries', () => {
  test('a 429 waits as long as Retry-After says, for a POST too', async () => {
    fakeClock();
    const { url, requests } = await scriptedServer((_request, response, count) => {
      if (count === 1) answer(response, 429, { message: 'slow down' }, { 'retry-after': '1' });
      else answer(response, 201, { ok: true });
    });
    const refused = Promise.withResolvers<void>();
    const client = clientFor(url, { onRequest: () => refused.resolve() });
    const request = client.request({ method: 'POST', path: '/api/v1/x', body: {} });
    await refused.promise;
    await vi.advanceTimersByTimeAsync(999);
    await turns();
    expect(requests).toHaveLength(1);
    // And up to 100 ms more, so that those who were sent away do not return together.
    await vi.advanceTimersByTimeAsync(101);
    expect(await request).toEqual({ ok: true });
  });

  test('a 500 is tried again for a PATCH, never for a POST', async () => {
    const { url, requests } = await scriptedServer((_request, response, count) => {
      if (count === 2) answer(response, 200, { ok: true });
      else answer(response, 500, { message: 'etcd is busy', reason: 'InternalError' });
    });
    const client = clientFor(url);
    expect(await client.request({ method: 'PATCH', path: '/api/v1/x', body: {} })).toEqual({ ok: true });
    const error = await failure(client.request({ method: 'POST', path: '/api/v1/x', body: {} }));
    expect(error).toMatchObject({ status: 500, reason: 'InternalError' });
    expect(requests).toHaveLength(3);
  });

  test('a POST that its caller calls idempotent is tried again, a GET that is none is not', async () => {
    const { url, requests } = await scriptedServer((request, response, count) => {
      if (request.method === 'POST' && count > 1) answer(response, 200, { ok: true });
      else answer(response, 500, {});
    });
    const client = clientFor(url);
    const post = { method: 'POST', path: '/api/v1/x', body: {}, idempotent: true } as const;
    expect(await client.request(post)).toEqual({ ok: true });
    expect(await failure(client.request({ ...get, idempotent: false }))).toMatchObject({ status: 500 });
    expect(requests.map(({ method }) => method)).toEqual(['POST', 'POST', 'GET']);
  });

  test('a connection lost in mid-request is tried again for a GET, never for a POST', async () => {
    const { url, requests } = await scriptedServer((request, response, count) => {
      if (request.method === 'GET' && count > 1) answer(response, 200, { ok: true });
      else request.socket.destroy();
    });
    const client = clientFor(url);
    expect(await client.request(get)).toEqual({ ok: true });
    const error = await failure(client.request({ method: 'POST', path: '/api/v1/x', body: {} }));
    expect(error).toBeInstanceOf(KubeUnreachableError);
    expect(error).toMatchObject({ outcomeUnknown: true });
    expect(requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  test('a refused connection is tried again for a POST too, and nothing can have happened', async () => {
    const unused = createServer();
    await new Promise<void>((resolve) => unused.listen(0, '127.0.0.1', resolve));
    const { port } = unused.address() as AddressInfo;
    await new Promise((resolve) => unused.close(resolve));
    const seen: RequestInfo[] = [];
    const client = clientFor(`http://127.0.0.1:${port}`, { onRequest: (info) => seen.push(info) });
    const error = await failure(client.request({ method: 'POST', path: '/api/v1/namespaces', body: {} }));
    expect(error).toBeInstanceOf(KubeUnreachableError);
    expect(error).toMatchObject({ outcomeUnknown: false });
    expect(seen.length).toBeGreaterThan(1);
    expect(seen[0]).toMatchObject({ method: 'POST', resource: 'namespaces', code: 'unreachable' });
  });

  test('a 409 or a 404 is an answer, not a reason to try again', async () => {
    const { url, requests } = await scriptedServer((_request, response) => {
      answer(response, 409, {
        message: 'the object has been modified',
        reason: 'Conflict',
        details: { name: 'a' },
      });
    });
    const error = await failure(clientFor(url).request(get));
    expect(error).toBeInstanceOf(KubeApiError);
    expect(error).toMatchObject({ status: 409, reason: 'Conflict', details: { name: 'a' } });
    expect((error as Error).message).toContain('GET /api/v1/namespaces: 409 the object has been modified');
    expect(requests).toHaveLength(1);
  });
});

describe('a client that may not write any more', () => {
  test('sends no write, and reads all the same', async () => {
    let fenced = false;
    const { url, requests } = await scriptedServer((_request, response) =>
      answer(response, 200, { ok: true }),
    );
    const client = clientFor(url, { mayWrite: () => !fenced });
    await client.request({ method: 'PATCH', path: '/api/v1/x', body: {} });
    fenced = true;
    for (const method of ['PATCH', 'PUT', 'POST', 'DELETE'] as const) {
      const refused = await failure(client.request({ method, path: '/api/v1/x', body: {} }));
      expect(refused).toBeInstanceOf(WriteFencedError);
    }
    expect(await client.request(get)).toEqual({ ok: true });
    expect(requests).toHaveLength(2);
  });

  test('does not send again what it might when it began', async () => {
    let fenced = false;
    const { url, requests } = await scriptedServer((_request, response) => {
      fenced = true;
      answer(response, 500, {});
    });
    const client = clientFor(url, { mayWrite: () => !fenced });
    const refused = await failure(client.request({ method: 'PATCH', path: '/api/v1/x', body: {} }));
    expect(refused).toBeInstanceOf(WriteFencedError);
    expect(requests).toHaveLength(1);
  });
});

describe('deadlines', () => {
  test('a silent server is given up on after 30 s, with all its retries', async () => {
    fakeClock();
    const arrived = Promise.withResolvers<void>();
    const { url, requests } = await scriptedServer(() => arrived.resolve());
    let over = false;
    const error = failure(clientFor(url).request(get)).finally(() => (over = true));
    await arrived.promise;
    await vi.advanceTimersByTimeAsync(29_999);
    await turns();
    expect(over).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await error).toBeInstanceOf(KubeUnreachableError);
    expect(((await error) as Error).message).toContain('no answer within 30000 ms');
    expect(requests).toHaveLength(1);
  });

  test('a server that takes connections but no TLS handshake is given up on as fast', async () => {
    fakeClock();
    const arrived = Promise.withResolvers<void>();
    const frozen = createServer(() => arrived.resolve());
    await new Promise<void>((resolve) => frozen.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void frozen.close());
    const { port } = frozen.address() as AddressInfo;
    const client = clientFor(`https://127.0.0.1:${port}`, { requestTimeoutMs: 2_000 });
    const error = failure(client.request(get));
    await arrived.promise;
    // The connection itself has 5 s.
    await vi.advanceTimersByTimeAsync(2_000);
    expect(((await error) as Error).message).toContain('no answer within 2000 ms');
  });

  test('a body that stops in the middle is given up on', async () => {
    fakeClock();
    const begun = Promise.withResolvers<void>();
    const { url } = await scriptedServer((_request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{', () => begun.resolve());
    });
    const codes: string[] = [];
    const error = failure(clientFor(url, { onRequest: ({ code }) => codes.push(code) }).request(get));
    await begun.promise;
    await turns();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await error).toBeInstanceOf(KubeUnreachableError);
    // The answer had begun.
    expect(codes).toEqual(['200']);
  });

  test('a request may have less time than the others', async () => {
    fakeClock();
    const arrived = Promise.withResolvers<void>();
    const { url } = await scriptedServer(() => arrived.resolve());
    const error = failure(clientFor(url).request({ ...get, timeoutMs: 70 }));
    await arrived.promise;
    await vi.advanceTimersByTimeAsync(70);
    expect(((await error) as Error).message).toContain('no answer within 70 ms');
  });

  test('what the server asks for beyond the deadline is not waited for', async () => {
    const { url, requests } = await scriptedServer((_request, response) => {
      answer(response, 429, { message: 'slow down' }, { 'retry-after': '31' });
    });
    expect(await failure(clientFor(url).request(get))).toMatchObject({ status: 429 });
    expect(requests).toHaveLength(1);
  });

  test("the caller's own abort rejects with its reason, and ends a wait for the next try", async () => {
    const { url, requests } = await scriptedServer((_request, response) => {
      answer(response, 429, {}, { 'retry-after': '20' });
    });
    const controller = new AbortController();
    const reason = new Error('shutting down');
    const refused = Promise.withResolvers<void>();
    const client = clientFor(url, { onRequest: () => refused.resolve() });
    const request = failure(client.request({ ...get, signal: controller.signal }));
    await refused.promise;
    await turns();
    controller.abort(reason);
    expect(await request).toBe(reason);
    expect(requests).toHaveLength(1);
  });

  test("the caller's abort in mid-request rejects with its reason, and is counted as such", async () => {
    const arrived = Promise.withResolvers<void>();
    const { url } = await scriptedServer(() => arrived.resolve());
    const controller = new AbortController();
    const seen: RequestInfo[] = [];
    const client = clientFor(url, { onRequest: (info) => seen.push(info) });
    const request = failure(client.request({ ...get, signal: controller.signal }));
    await arrived.promise;
    const reason = new Error('shutting down');
    controller.abort(reason);
    expect(await request).toBe(reason);
    expect(seen.map(({ code }) => code)).toEqual(['aborted']);
    expect(await failure(client.request({ ...get, signal: controller.signal }))).toBe(reason);
  });
});

test('a request that its caller gives up while it waits for a connection is never sent', async () => {
  const arrived = Promise.withResolvers<ServerResponse>();
  const { url, requests } = await scriptedServer((request, response) => {
    if (request.url === '/first') arrived.resolve(response);
    else answer(response, 200, {});
  });
  const client = clientFor(url, { connections: 1 });
  const first = client.request({ method: 'GET', path: '/first' });
  const busy = await arrived.promise;
  const controller = new AbortController();
  const reason = new Error('shutting down');
  const given = failure(client.request({ method: 'DELETE', path: '/given-up', signal: controller.signal }));
  const last = client.request({ method: 'GET', path: '/last' });
  await turns();
  controller.abort(reason);
  expect(await given).toBe(reason);
  answer(busy, 200, {});
  await Promise.all([first, last]);
  expect(requests.map(({ url: path }) => path)).toEqual(['/first', '/last']);
});

test('connections are reused, and there are never more than allowed', async () => {
  const sockets = new Set<unknown>();
  let held: ServerResponse[] = [];
  // Answers when as many are under way as there may be: with fewer it would wait for ever.
  const { url } = await scriptedServer((request, response) => {
    sockets.add(request.socket);
    held.push(response);
    if (held.length < 4) return;
    for (const waiting of held) answer(waiting, 200, {});
    held = [];
  });
  const client = clientFor(url, { connections: 4 });
  for (let round = 0; round < 3; round += 1) {
    await Promise.all(Array.from({ length: 20 }, () => client.request(get)));
  }
  expect(sockets.size).toBe(4);
});

test('open watches do not take the connections of requests', async () => {
  const { url } = await scriptedServer((request, response) => {
    if (request.url?.includes('watch')) response.writeHead(200).flushHeaders();
    else answer(response, 200, { ok: true });
  });
  const client = clientFor(url, { connections: 1 });
  for (let index = 0; index < 3; index += 1) await client.stream({ path: '/watch' });
  expect(await client.request(get)).toEqual({ ok: true });
});

test('a closed client sends nothing more', async () => {
  const { url, requests } = await scriptedServer((_request, response) => answer(response, 200, {}));
  const client = clientFor(url);
  await client.request(get);
  await client.close();
  expect(await failure(client.request(get))).toMatchObject({ message: expect.stringContaining('closed') });
  expect(requests).toHaveLength(1);
});

test('closing a client breaks what is under way', async () => {
  const arrived = Promise.withResolvers<void>();
  const { url } = await scriptedServer(() => arrived.resolve());
  const client = clientFor(url);
  const request = failure(client.request({ method: 'POST', path: '/api/v1/x', body: {} }));
  await arrived.promise;
  await client.close();
  expect(await request).toBeInstanceOf(KubeUnreachableError);
});

test('compressed answers are read', async () => {
  const { url, requests } = await scriptedServer((_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' });
    response.end(gzipSync(JSON.stringify({ items: ['ä'] })));
  });
  expect(await clientFor(url).request(get)).toEqual({ items: ['ä'] });
  expect(requests[0]?.headers['accept-encoding']).toBe('gzip');
});

test('an answer that is no JSON keeps its text in the error', async () => {
  const { url } = await scriptedServer((_request, response) => {
    response.writeHead(403);
    response.end('blocked by the proxy');
  });
  expect(await failure(clientFor(url).request(get))).toMatchObject({
    status: 403,
    message: expect.stringContaining('blocked by the proxy'),
  });
});

test('a path in the server address, the query and the user agent reach the server', async () => {
  const { url, requests } = await scriptedServer((_request, response) => answer(response, 200, {}));
  const client = clientFor(`${url}/k8s/clusters/c1`, { userAgent: 'landlord/1.2' });
  await client.request({ ...get, query: { limit: 5, labelSelector: 'a in (b,c)', continue: undefined } });
  expect(requests[0]?.url).toBe('/k8s/clusters/c1/api/v1/namespaces?limit=5&labelSelector=a+in+%28b%2Cc%29');
  expect(requests[0]?.headers['user-agent']).toBe('landlord/1.2');
});

test('each attempt is counted with its resource and code', async () => {
  const { url } = await scriptedServer((_request, response, count) =>
    answer(response, count === 1 ? 503 : 200, {}),
  );
  const seen: RequestInfo[] = [];
  const client = clientFor(url, { onRequest: (info) => seen.push(info) });
  await client.request({
    method: 'PATCH',
    path: '/apis/landlord.dev/v1alpha1/namespaces/a/tenants/b/status',
    body: {},
  });
  expect(seen.map(({ method, resource, code }) => `${method} ${resource} ${code}`)).toEqual([
    'PATCH tenants/status 503',
    'PATCH tenants/status 200',
  ]);
});

describe('a stream', () => {
  test('gives the objects as they come, and the time of the last byte', async () => {
    const more = Promise.withResolvers<void>();
    const { url } = await scriptedServer((_request, response) => {
      response.write('{"n":1}\n');
      void more.promise.then(() => response.write('{"n":2}\n'));
    });
    const startedAtMs = performance.now();
    const stream = await clientFor(url).stream<{ n: number }>({ path: '/watch' });
    const seen: number[] = [];
    let firstAtMs = Number.POSITIVE_INFINITY;
    for await (const { n } of stream) {
      seen.push(n);
      if (n === 2) break;
      expect(stream.lastByteAtMs).toBeGreaterThan(startedAtMs);
      firstAtMs = performance.now();
      more.resolve();
    }
    expect(seen).toEqual([1, 2]);
    expect(stream.lastByteAtMs).toBeGreaterThanOrEqual(firstAtMs);
  });

  test('that is aborted rejects with the reason', async () => {
    const { url } = await scriptedServer((_request, response) => {
      response.write('{"n":1}\n');
    });
    const stream = await clientFor(url).stream({ path: '/watch' });
    const reason = new Error('silent');
    const error = failure(
      (async () => {
        for await (const object of stream) {
          expect(object).toEqual({ n: 1 });
          // When the next one is waited for.
          setImmediate(() => stream.abort(reason));
        }
      })(),
    );
    expect(await error).toBe(reason);
  });

  test('is not ended by the deadline of its opening', async () => {
    fakeClock();
    const release = Promise.withResolvers<void>();
    const { url } = await scriptedServer((_request, response) => {
      response.writeHead(200).flushHeaders();
      void release.promise.then(() => response.end('{"n":1}\n'));
    });
    const stream = await clientFor(url).stream({ path: '/watch', timeoutMs: 100 });
    await vi.advanceTimersByTimeAsync(600_000);
    await turns();
    release.resolve();
    const seen: unknown[] = [];
    for await (const object of stream) seen.push(object);
    expect(seen).toEqual([{ n: 1 }]);
  });

  test('ends with the reason of its caller, long after it was opened', async () => {
    const { url } = await scriptedServer((_request, response) => {
      response.writeHead(200).flushHeaders();
    });
    const controller = new AbortController();
    const stream = await clientFor(url).stream({ path: '/watch', signal: controller.signal });
    const reason = new Error('shutting down');
    const error = failure(
      (async () => {
        for await (const object of stream) expect.fail(String(object));
      })(),
    );
    controller.abort(reason);
    expect(await error).toBe(reason);
  });

  test.each([
    [70, 70],
    [undefined, 30_000],
  ])(
    'with a limit of %j ms, whose server does not begin to answer, is given up on',
    async (timeoutMs, limitMs) => {
      fakeClock();
      const arrived = Promise.withResolvers<void>();
      const { url } = await scriptedServer(() => arrived.resolve());
      const error = failure(
        clientFor(url).stream({ path: '/watch', ...(timeoutMs !== undefined && { timeoutMs }) }),
      );
      await arrived.promise;
      await vi.advanceTimersByTimeAsync(limitMs);
      expect(await error).toBeInstanceOf(KubeUnreachableError);
      expect(((await error) as Error).message).toContain(`no answer within ${limitMs} ms`);
    },
  );

  test('that is refused rejects with the error of the server, and is not opened again', async () => {
    const { url, requests } = await scriptedServer((_request, response) =>
      answer(response, 410, { reason: 'Expired' }),
    );
    const seen: RequestInfo[] = [];
    const client = clientFor(url, { onRequest: (info) => seen.push(info) });
    expect(await failure(client.stream({ path: '/api/v1/pods' }))).toMatchObject({
      status: 410,
      reason: 'Expired',
    });
    expect(requests.map(({ method }) => method)).toEqual(['GET']);
    expect(seen.map(({ method, resource, code }) => `${method} ${resource} ${code}`)).toEqual([
      'WATCH pods 410',
    ]);
  });

  test('that is refused with a 401 is opened once more, with fresh credentials', async () => {
    const { url, requests } = await scriptedServer((_request, response, count) => {
      if (count === 2) response.end('{"n":1}\n');
      else answer(response, 401, {});
    });
    const client = clientFor(url);
    const seen: unknown[] = [];
    for await (const object of await client.stream({ path: '/watch' })) seen.push(object);
    expect(seen).toEqual([{ n: 1 }]);
    expect(requests).toHaveLength(2);
    expect(await failure(client.stream({ path: '/watch' }))).toMatchObject({ status: 401 });
    expect(requests).toHaveLength(4);
  });
});
