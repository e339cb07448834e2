import { createSecureServer } from 'node:http2';
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { createServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createQuietStreams } from '../../../src/kube/client/quiet/quiet-streams.ts';
import { tlsPair } from '../../compute/providers/docker/engine/tls-pair.ts';
import { until } from '../../until.ts';
import { startTcpProxy } from '../tcp-proxy.ts';

const never = new AbortController().signal;

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** An apiserver whose watches begin, and tell what a test has them tell. */
async function http2Server() {
  const sessions = new Set<ServerHttp2Session>();
  const streams: ServerHttp2Stream[] = [];
  const server = createSecureServer(tlsPair);
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, headers) => {
    streams.push(stream);
    stream.on('error', () => undefined);
    stream.respond({ ':status': headers[':path'] === '/refused' ? 403 : 200 });
  });
  return { port: await portOf(server), sessions, streams };
}

/** Asks every 50 ms whether the server is there. */
function quietTo(port: number) {
  const quiet = createQuietStreams({
    origin: `https://127.0.0.1:${port}`,
    tls: { ca: Buffer.from(tlsPair.cert) },
    connectTimeoutMs: 5_000,
    pingMs: 50,
  });
  onTestFinished(() => quiet.destroy());
  return async (path = '/watch', signal = never) =>
    quiet.open({ method: 'GET', path, headers: { accept: 'application/json' }, signal });
}

async function openThroughProxy() {
  const { port } = await http2Server();
  const proxy = await startTcpProxy(port);
  onTestFinished(async () => proxy.close());
  const open = quietTo(proxy.port);
  const answer = await open();
  answer?.body.on('error', () => undefined);
  return { proxy, open, answer };
}

test('all of them share one connection, each with its own answer', async () => {
  const { port, sessions, streams } = await http2Server();
  const open = quietTo(port);
  const [one, two] = await Promise.all([open(), open('/refused')]);
  expect([one?.statusCode, two?.statusCode, sessions.size]).toEqual([200, 403, 1]);
  streams[0]?.end('{"a":1}\n');
  expect(Buffer.concat((await one?.body.toArray()) ?? []).toString()).toBe('{"a":1}\n');
});

test('a connection that is answered tells that it lives, without a byte of a stream; one that is stalled does not', async () => {
  const { proxy, open, answer } = await openThroughProxy();
  const openedAtMs = performance.now();
  await until('a sign of life', () => (answer?.lifeAtMs?.() ?? 0) > openedAtMs);
  proxy.stallOpenConnections();
  await until('another connection', async () => {
    const another = await open().catch(() => undefined);
    return another !== undefined && another.lifeAtMs !== answer?.lifeAtMs;
  });
  const stalledAtMs = answer?.lifeAtMs?.();
  await until('the end of the stalled one', () => answer?.body.destroyed === true);
  expect(answer?.lifeAtMs?.()).toBe(stalledAtMs);
});

test('a process that was held up keeps a connection whose other end has not been silent', async () => {
  const { port, sessions } = await http2Server();
  const answer = await quietTo(port)();
  const heldUntilMs = performance.now() + 500;
  while (performance.now() < heldUntilMs);
  await until('a sign of life', () => (answer?.lifeAtMs?.() ?? 0) > heldUntilMs);
  expect([answer?.body.destroyed, sessions.size]).toEqual([false, 1]);
});

test('what one connection does not take goes over another one, also where all begin at once', async () => {
  const { port, sessions } = await http2Server();
  const open = quietTo(port);
  const answers = await Promise.all(Array.from({ length: 120 }, async () => open()));
  expect([answers.filter((answer) => answer?.statusCode === 200).length, sessions.size]).toEqual([120, 3]);
});

test('what its caller gives up ends alone, with the reason', async () => {
  const { port, sessions, streams } = await http2Server();
  const open = quietTo(port);
  const caller = new AbortController();
  const [kept, given] = await Promise.all([open(), open('/watch', caller.signal)]);
  const read = given?.body.toArray();
  caller.abort(new Error('the watch was silent'));
  await expect(read).rejects.toThrow('the watch was silent');
  await until('the end of one', () => streams.filter(({ destroyed }) => destroyed).length === 1);
  expect([kept?.body.destroyed, sessions.size]).toEqual([false, 1]);
});

test('a connection without a stream is ended', async () => {
  const { port, sessions, streams } = await http2Server();
  const answer = await quietTo(port)();
  expect(sessions.size).toBe(1);
  streams[0]?.end();
  await answer?.body.toArray();
  await until('its end', () => sessions.size === 0);
});

test('with the connection all that is open ends, and the next one is over another', async () => {
  const { proxy, open, answer } = await openThroughProxy();
  proxy.cut();
  proxy.restore();
  await until('its end', () => answer?.body.destroyed === true);
  expect((await open())?.statusCode).toBe(200);
});

test('a server without HTTP/2 is asked once', async () => {
  let connections = 0;
  const server = createServer(tlsPair).on('connection', () => (connections += 1));
  const open = quietTo(await portOf(server));
  expect([await open(), await open(), connections]).toEqual([undefined, undefined, 1]);
});

test('a server that is not there is a failure each time', async () => {
  const open = quietTo(1);
  for (let time = 0; time < 2; time += 1) await expect(open()).rejects.toThrow('ECONNREFUSED');
});
