import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { KubeApiError, KubeUnreachableError, type RequestInfo } from '../../src/kube/kube-client.ts';
import { answer, clientFor, scriptedServer } from './scripted-server.ts';

const GET = { method: 'GET', path: '/api/v1/namespaces' } as const;

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('it should have failed'),
    (error: unknown) => error,
  );
}

describe('retries', () => {
  test('a 429 waits as long as Retry-After says, for a POST too', async () => {
    const times: number[] = [];
    const { url } = await scriptedServer((_request, response, count) => {
      times.push(performance.now());
      if (count === 1) answer(response, 429, { message: 'slow down' }, { 'retry-after': '1' });
      else answer(response, 201, { ok: true });
    });
    const client = clientFor(url);
    expect(await client.request({ method: 'POST', path: '/api/v1/x', body: {} })).toEqual({ ok: true });
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(990);
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

  test('a connection lost in mid-request is tried again for a GET, never for a POST', async () => {
    const { url, requests } = await scriptedServer((request, response, count) => {
      if (request.method === 'GET' && count > 1) answer(response, 200, { ok: true });
      else request.socket.destroy();
    });
    const client = clientFor(url);
    expect(await client.request(GET)).toEqual({ ok: true });
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
    const error = await failure(clientFor(url).request(GET));
    expect(error).toBeInstanceOf(KubeApiError);
    expect(error).toMatchObject({ status: 409, reason: 'Conflict', details: { name: 'a' } });
    expect((error as Error).message).toContain('GET /api/v1/namespaces: 409 the object has been modified');
    expect(requests).toHaveLength(1);
  });
});

describe('deadlines', () => {
  test('a silent server is given up on, with all its retries', async () => {
    const { url, requests } = await scriptedServer(() => {});
    const error = await failure(clientFor(url, { requestTimeoutMs: 150 }).request(GET));
    expect(error).toBeInstanceOf(KubeUnreachableError);
    expect((error as Error).message).toContain('no answer within 150 ms');
    expect(requests).toHaveLength(1);
  });

  test('a server that takes connections but no TLS handshake is given up on as fast', async () => {
    const frozen = createServer();
    await new Promise<void>((resolve) => frozen.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void frozen.close());
    const { port } = frozen.address() as AddressInfo;
    const client = clientFor(`https://127.0.0.1:${port}`, { requestTimeoutMs: 150 });
    const error = await failure(client.request(GET));
    expect(error).toBeInstanceOf(KubeUnreachableError);
    // By the request's deadline: the connection itself has 5 s.
    expect((error as Error).message).toContain('no answer within 150 ms');
  });

  test('a body that stops in the middle is given up on', async () => {
    const { url } = await scriptedServer((_request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{');
    });
    expect(await failure(clientFor(url, { requestTimeoutMs: 150 }).request(GET))).toBeInstanceOf(
      KubeUnreachableError,
    );
  });

  test("the caller's own abort rejects with its reason, and ends a wait for the next try", async () => {
    const { url } = await scriptedServer((_request, response) => {
      answer(response, 429, {}, { 'retry-after': '20' });
    });
    const controller = new AbortController();
    const reason = new Error('shutting down');
    const request = failure(clientFor(url).request({ ...GET, signal: controller.signal }));
    setTimeout(() => controller.abort(reason), 50);
    expect(await request).toBe(reason);
  });
});

test('connections are reused, and there are never more than allowed', async () => {
  const sockets = new Set<unknown>();
  const { url } = await scriptedServer((request, response) => {
    sockets.add(request.socket);
    setTimeout(() => answer(response, 200, {}), 5);
  });
  const client = clientFor(url, { connections: 4 });
  for (let round = 0; round < 3; round += 1) {
    await Promise.all(Array.from({ length: 20 }, () => client.request(GET)));
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
  expect(await client.request(GET)).toEqual({ ok: true });
});

test('a closed client sends nothing more', async () => {
  const { url, requests } = await scriptedServer((_request, response) => answer(response, 200, {}));
  const client = clientFor(url);
  await client.request(GET);
  await client.close();
  expect(await failure(client.request(GET))).toMatchObject({ message: expect.stringContaining('closed') });
  expect(requests).toHaveLength(1);
});

test('compressed answers are read', async () => {
  const { url, requests } = await scriptedServer((_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' });
    response.end(gzipSync(JSON.stringify({ items: ['ä'] })));
  });
  expect(await clientFor(url).request(GET)).toEqual({ items: ['ä'] });
  expect(requests[0]?.headers['accept-encoding']).toBe('gzip');
});

test('an answer that is no JSON keeps its text in the error', async () => {
  const { url } = await scriptedServer((_request, response) => {
    response.writeHead(403);
    response.end('blocked by the proxy');
  });
  expect(await failure(clientFor(url).request(GET))).toMatchObject({
    status: 403,
    message: expect.stringContaining('blocked by the proxy'),
  });
});

test('a path in the server address, the query and the user agent reach the server', async () => {
  const { url, requests } = await scriptedServer((_request, response) => answer(response, 200, {}));
  const client = clientFor(`${url}/k8s/clusters/c1`, { userAgent: 'landlord/1.2' });
  await client.request({ ...GET, query: { limit: 5, labelSelector: 'a in (b,c)', continue: undefined } });
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
  test('gives the objects, the time of the last byte, and the reason it was aborted with', async () => {
    const { url } = await scriptedServer((_request, response) => {
      response.write('{"n":1}\n{"n":2}\n');
    });
    const stream = await clientFor(url).stream<{ n: number }>({ path: '/watch' });
    const reason = new Error('silent');
    const seen: number[] = [];
    const error = await failure(
      (async () => {
        for await (const { n } of stream) {
          seen.push(n);
          if (n === 2) setTimeout(() => stream.abort(reason), 10);
        }
      })(),
    );
    expect(seen).toEqual([1, 2]);
    expect(error).toBe(reason);
    expect(performance.now() - stream.lastByteAtMs).toBeGreaterThan(5);
  });

  test('is not ended by the deadline of its opening', async () => {
    const { url } = await scriptedServer((_request, response) => {
      response.writeHead(200).flushHeaders();
      setTimeout(() => response.end('{"n":1}\n'), 300);
    });
    const seen: unknown[] = [];
    for await (const object of await clientFor(url).stream({ path: '/watch', timeoutMs: 100 }))
      seen.push(object);
    expect(seen).toEqual([{ n: 1 }]);
  });

  test('whose server does not begin to answer is given up on', async () => {
    const { url } = await scriptedServer(() => {});
    expect(await failure(clientFor(url).stream({ path: '/watch', timeoutMs: 100 }))).toBeInstanceOf(
      KubeUnreachableError,
    );
  });

  test('that is refused rejects with the error of the server', async () => {
    const { url } = await scriptedServer((_request, response) =>
      answer(response, 410, { reason: 'Expired' }),
    );
    expect(await failure(clientFor(url).stream({ path: '/watch' }))).toMatchObject({
      status: 410,
      reason: 'Expired',
    });
  });
});
