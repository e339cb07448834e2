import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startHealthServer } from '../../src/observability/http-server.ts';

/** Whoever reaches the pod's network reaches the operator's HTTP server. */
async function startServer(): Promise<number> {
  const server = await startHealthServer({
    address: '127.0.0.1:0',
    notReady: () => undefined,
    metrics: async () => ({ contentType: 'text/plain', body: 'landlord_leader 1\n' }),
  });
  onTestFinished(() => server.close());
  return server.port;
}

async function hold(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** What a client gets that waits for the end of the answer; `closes`: whether the server ends the connection. */
async function answer(
  port: number,
  options: { readonly method?: string; readonly path?: string; readonly headers?: Record<string, string> },
  body = '',
): Promise<{ readonly status: number | undefined; readonly closes: boolean }> {
  const asked = request({ host: '127.0.0.1', port, path: '/healthz', ...options });
  asked.end(body);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  response.resume();
  return { status: response.statusCode, closes: response.headers.connection === 'close' };
}

describe('the health server', () => {
  test('holds few of the connections that say nothing, and keeps no probe out for them', async () => {
    const port = await startServer();
    const sockets: Socket[] = [];
    for (let one = 0; one < 100; one += 1) sockets.push(await hold(port));
    expect(await answer(port, {})).toMatchObject({ status: 200 });
    const gone = sockets.filter(
      ({ closed, readableEnded, destroyed }) => closed || readableEnded || destroyed,
    );
    // The probe's own took the place of one more.
    expect(gone).toEqual(sockets.slice(0, gone.length));
    expect(sockets.length - gone.length).toBeLessThan(64);
  });

  test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'])('does nothing on %s', async (method) => {
    expect(await answer(await startServer(), { method })).toEqual({ status: 405, closes: true });
  });

  test.each([
    ['named length', { 'content-length': '4' }],
    ['no length', { 'transfer-encoding': 'chunked' }],
  ])('takes no body of %s', async (_what, headers) => {
    const port = await startServer();
    expect(await answer(port, { method: 'GET', headers }, 'body')).toEqual({ status: 405, closes: true });
  });

  test('takes no head of more than 8 KiB', async () => {
    const headers = { 'x-long': 'x'.repeat(9_000) };
    expect(await answer(await startServer(), { headers })).toMatchObject({ status: 431 });
  });

  test.each(['/__proto__', '/constructor', '/toString', '//healthz', '/healthz/../metrics/x'])(
    'has nothing at %s',
    async (path) => {
      expect(await answer(await startServer(), { path })).toMatchObject({ status: 404 });
    },
  );
});
