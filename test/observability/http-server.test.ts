import { afterEach, describe, expect, test } from 'vitest';
import { startHealthServer } from '../../src/observability/http-server.ts';
import type { HealthServer, HealthServerOptions } from '../../src/observability/http-server.ts';

const servers: HealthServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(options: Partial<HealthServerOptions> = {}): Promise<HealthServer> {
  const server = await startHealthServer({
    address: '127.0.0.1:0',
    notReady: () => undefined,
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', body: 'landlord_leader 1\n' }),
    ...options,
  });
  servers.push(server);
  return server;
}

async function get(
  { port }: HealthServer,
  path: string,
): Promise<{ status: number; body: string; type: string | null }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return { status: response.status, body: await response.text(), type: response.headers.get('content-type') };
}

describe('the health server', () => {
  test('is alive as soon as it answers', async () => {
    expect(await get(await start({ notReady: () => 'not yet' }), '/healthz')).toMatchObject({
      status: 200,
      body: 'ok\n',
    });
  });

  test('is ready only while nothing stands against it, and says what does', async () => {
    let reason: string | undefined = 'Tenants are not known yet';
    const server = await start({ notReady: () => reason });
    expect(await get(server, '/readyz')).toMatchObject({ status: 503, body: 'Tenants are not known yet\n' });
    reason = undefined;
    expect(await get(server, '/readyz?verbose')).toMatchObject({ status: 200, body: 'ok\n' });
  });

  test('names what is amiss only where it is asked for, and is ready all the same', async () => {
    const server = await start({ degraded: () => ['Tenants in namespace gone can not be followed', 'more'] });
    expect(await get(server, '/readyz')).toMatchObject({ status: 200, body: 'ok\n' });
    expect(await get(server, '/readyz?verbose')).toMatchObject({
      status: 200,
      body: 'Tenants in namespace gone can not be followed\nmore\nok\n',
    });
  });

  test('serves the metrics with their content type', async () => {
    expect(await get(await start(), '/metrics')).toEqual({
      status: 200,
      body: 'landlord_leader 1\n',
      type: 'text/plain; version=0.0.4',
    });
  });

  test('answers 500 where the metrics fail, without what failed', async () => {
    const server = await start({ metrics: () => Promise.reject(new Error('hunter2')) });
    const { status, body } = await get(server, '/metrics');
    expect({ status, leaks: body.includes('hunter2') }).toEqual({ status: 500, leaks: false });
  });

  test('says what there is where a path is not', async () => {
    const { status, body } = await get(await start(), '/');
    expect({ status, body }).toEqual({
      status: 404,
      body: 'there is nothing but /healthz, /readyz, /metrics\n',
    });
  });

  test('serves the metrics at an address of their own alone, where there is one', async () => {
    const server = await start({ metricsAddress: '127.0.0.1:0' });
    const apart = { ...server, port: server.metricsPort };
    const seen = await Promise.all([
      get(server, '/healthz'),
      get(server, '/metrics'),
      get(apart, '/metrics'),
      get(apart, '/healthz'),
      get(apart, '/readyz'),
    ]);
    expect(seen.map(({ status }) => status)).toEqual([200, 404, 200, 404, 404]);
  });

  test('closes both, and the first where the second has no address', async () => {
    const server = await start({ metricsAddress: '127.0.0.1:0' });
    await server.close();
    await expect(get({ ...server, port: server.metricsPort }, '/metrics')).rejects.toThrow('fetch failed');
    await expect(get(server, '/healthz')).rejects.toThrow('fetch failed');
    const { port } = await start();
    const taken = `127.0.0.1:${port}`;
    await expect(start({ address: '127.0.0.1:0', metricsAddress: taken })).rejects.toThrow(
      `server.metrics_address ${taken}: listen EADDRINUSE`,
    );
  });

  test('rejects with one line that names the key where the address is in use', async () => {
    const { port } = await start();
    const address = `127.0.0.1:${port}`;
    const error = await start({ address }).catch((reason: unknown) => reason);
    expect(String(error)).toMatch(/^Error: server\.address 127\.0\.0\.1:\d+: listen EADDRINUSE[^\n]*$/);
  });

  test('rejects where the address is none of this machine', async () => {
    await expect(start({ address: '192.0.2.1:0' })).rejects.toThrow(
      /^server\.address 192\.0\.2\.1:0: listen E/,
    );
  });

  test('listens on all addresses where no host is named', async () => {
    expect(await get(await start({ address: ':0' }), '/healthz')).toMatchObject({ status: 200 });
  });

  test('closes at once though a client holds its connection open', async () => {
    const server = await start();
    await get(server, '/healthz');
    await server.close();
    await expect(get(server, '/healthz')).rejects.toThrow('fetch failed');
  });
});
