import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Credentials } from '../../../src/kube/client/credentials/credential-source.ts';
import { createTransport } from '../../../src/kube/client/transport.ts';
import type { Transport, TransportOptions } from '../../../src/kube/client/transport.ts';
import { answer, scriptedServer } from '../scripted-server.ts';

const credentials = (tlsFingerprint: string): Credentials => ({ headers: {}, tls: {}, tlsFingerprint });
const get = { method: 'GET', path: '/' } as const;

function transportTo(origin: string, options: Partial<TransportOptions> = {}): Transport {
  const transport = createTransport({
    origin,
    proxyUrl: undefined,
    connections: 2,
    pingMs: 5_000,
    ...options,
  });
  onTestFinished(() => transport.close());
  return transport;
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('connections', () => {
  test('are kept while CA and certificate stay, whatever the token', () => {
    const transport = transportTo('https://127.0.0.1:1');
    const requests = transport.requests(credentials('one'));
    const streams = transport.streams(credentials('one'));
    expect(transport.requests({ ...credentials('one'), headers: { authorization: 'new' } })).toBe(requests);
    expect(transport.streams(credentials('one'))).toBe(streams);
    expect(streams).not.toBe(requests);
  });

  test('are made anew when those change; what runs on the old ones ends in peace', async () => {
    const arrived = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const { url } = await scriptedServer((_request, response, count) => {
      arrived.resolve();
      if (count > 1) return answer(response, 200, { made: 'anew' });
      void release.promise.then(() => answer(response, 200, { made: 'before' }));
    });
    const transport = transportTo(url);
    const old = transport.requests(credentials('one'));
    const running = old.request({ origin: url, ...get });
    await arrived.promise;
    const anew = transport.requests(credentials('two'));
    expect(anew).not.toBe(old);
    expect(await (await anew.request({ origin: url, ...get })).body.json()).toEqual({ made: 'anew' });
    release.resolve();
    expect(await (await running).body.json()).toEqual({ made: 'before' });
    await expect(old.request({ origin: url, ...get })).rejects.toThrow('closed');
  });

  test('are broken when the transport is closed, and there are no new ones', async () => {
    const arrived = Promise.withResolvers<void>();
    const { url } = await scriptedServer(() => arrived.resolve());
    const transport = transportTo(url);
    const running = transport.streams(credentials('one')).request({ origin: url, ...get });
    await arrived.promise;
    await Promise.all([expect(running).rejects.toThrow('destroyed'), transport.close()]);
    expect(() => transport.requests(credentials('one'))).toThrow('the client is closed');
    expect(() => transport.streams(credentials('two'))).toThrow('the client is closed');
  });

  test('of one that was never used close too', async () => {
    await expect(transportTo('https://127.0.0.1:1').close()).resolves.toBeUndefined();
  });
});

describe('through a proxy', () => {
  test('of HTTP, the server is asked for by CONNECT', async () => {
    const asked = Promise.withResolvers<string | undefined>();
    const server = createServer().on('connect', (request, socket) => {
      asked.resolve(request.url);
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    const proxy = await listening(server);
    const transport = transportTo('https://api.test:6443', { proxyUrl: `http://${proxy}` });
    const request = transport.requests(credentials('')).request({ origin: 'https://api.test:6443', ...get });
    await expect(request).rejects.toThrow('403');
    expect(await asked.promise).toBe('api.test:6443');
  });

  test('of SOCKS5, the server is asked for by its handshake', async () => {
    const received: Buffer[] = [];
    // No authentication is needed; connected; and the server behind it answers.
    const answers = [
      '\x05\x00',
      '\x05\x00\x00\x01\0\0\0\0\0\0',
      'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
    ];
    const proxy = await listening(
      createTcpServer((socket) => {
        socket.on('data', (bytes) => {
          socket.write(Buffer.from(answers[received.length] ?? '', 'latin1'));
          received.push(bytes);
        });
      }),
    );
    const transport = transportTo('http://api.test', { proxyUrl: `socks5://${proxy}` });
    const { body } = await transport.requests(credentials('')).request({ origin: 'http://api.test', ...get });
    expect(await body.text()).toBe('ok');
    expect(received[1]?.toString('latin1')).toContain('api.test');
  });
});
