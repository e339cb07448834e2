import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HealthServerOptions {
  /** HOST:PORT or :PORT; port 0 picks a free one. */
  readonly address: string;
  /** Undefined while ready, else why not. */
  readonly notReady: () => string | undefined;
  readonly metrics: () => Promise<{ readonly contentType: string; readonly body: string }>;
}

export interface HealthServer {
  /** The port that is listened on. */
  readonly port: number;
  close(): Promise<void>;
}

/** Serves /healthz, /readyz and /metrics. Rejects with a one-line Error where the address is taken or no address. */
export async function startHealthServer({
  address,
  notReady,
  metrics,
}: HealthServerOptions): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const answer = (status: number, body: string, contentType = 'text/plain; charset=utf-8'): void => {
      response.writeHead(status, { 'content-type': contentType }).end(body);
    };
    const path = request.url?.split('?')[0];
    if (path === '/healthz') answer(200, 'ok\n');
    else if (path === '/readyz') {
      const reason = notReady();
      answer(reason === undefined ? 200 : 503, `${reason ?? 'ok'}\n`);
    } else if (path === '/metrics') {
      metrics().then(
        ({ contentType, body }) => answer(200, body, contentType),
        () => answer(500, 'metrics are not available\n'),
      );
    } else answer(404, 'there are /healthz, /readyz and /metrics\n');
  });
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(new Error(`server.address ${address}: ${error.message}`)));
    server.listen({ port: Number(address.slice(colon + 1)), ...(host === '' ? {} : { host }) }, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
