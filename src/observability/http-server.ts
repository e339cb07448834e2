import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface HealthServerOptions {
  /** HOST:PORT or :PORT; port 0 picks a free one. */
  readonly address: string;
  /** Where /metrics is served, and there alone. Empty: at `address`. */
  readonly metricsAddress?: string;
  /** Undefined while ready, else why not. */
  readonly notReady: () => string | undefined;
  /** What is amiss all the same, a line each, for `/readyz?verbose`. */
  readonly degraded?: () => readonly string[];
  readonly metrics: () => Promise<{ readonly contentType: string; readonly body: string }>;
}

export interface HealthServer {
  /** The port that is listened on. */
  readonly port: number;
  /** That of /metrics. */
  readonly metricsPort: number;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly contentType?: string;
}

/** Answers by path. */
type Routes = Readonly<Record<string, (query: URLSearchParams) => Answer | Promise<Answer>>>;

/**
 * Serves /healthz, /readyz and /metrics. Rejects with a one-line Error where an address is taken or no address. Whoever
 * reaches it can ask, and no more: it takes no body, and holds few connections, none of them for long.
 */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const { address, metricsAddress = '' } = options;
  const health = healthRoutes(options);
  const metrics = metricsRoutes(options);
  if (metricsAddress === '') {
    const only = await listen({ ...health, ...metrics }, 'server.address', address);
    return { ...only, metricsPort: only.port };
  }
  const first = await listen(health, 'server.address', address);
  try {
    const second = await listen(metrics, 'server.metrics_address', metricsAddress);
    return {
      port: first.port,
      metricsPort: second.port,
      close: async () => void (await Promise.all([first.close(), second.close()])),
    };
  } catch (error) {
    await first.close();
    throw error;
  }
}

function healthRoutes({ notReady, degraded = () => [] }: HealthServerOptions): Routes {
  return {
    '/healthz': () => ({ status: 200, body: 'ok\n' }),
    '/readyz': (query) => {
      const reason = notReady();
      const details = query.has('verbose') ? degraded().map((line) => `${line}\n`) : [];
      return { status: reason === undefined ? 200 : 503, body: `${details.join('')}${reason ?? 'ok'}\n` };
    },
  };
}

function metricsRoutes({ metrics }: HealthServerOptions): Routes {
  return {
    '/metrics': () =>
      metrics().then(
        (answer) => ({ status: 200, ...answer }),
        () => ({ status: 500, body: 'metrics are not available\n' }),
      ),
  };
}

/** A probe or a scrape is a few hundred bytes, at once. */
const limits = {
  maxHeaderSize: 8 * 1024,
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
};

/** Whoever does not read the answer is let go, too. */
const idleMs = 30_000;

/** Kubelet and Prometheus hold one each. */
const maxConnections = 64;

interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

async function listen(routes: Routes, key: string, address: string): Promise<Listener> {
  const server = createServer(limits, (request, response) => void respond(routes, request, response));
  server.setTimeout(idleMs);
  server.on('connection', evictOldest());
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(new Error(`${key} ${address}: ${error.message}`)));
    server.listen({ port: Number(address.slice(colon + 1)), ...(host === '' ? {} : { host }) }, resolve);
  });
  return { port: (server.address() as AddressInfo).port, close: () => close(server) };
}

/** Who comes last is let in and who has been there for longest goes: held connections keep no probe of the kubelet out. */
function evictOldest(): (socket: Socket) => void {
  const sockets = new Set<Socket>();
  return (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    const [oldest] = sockets;
    if (sockets.size > maxConnections) oldest?.destroy();
  };
}

async function respond(routes: Routes, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { status, body, contentType = 'text/plain; charset=utf-8' } = await answerTo(routes, request);
  const headers = { 'content-type': contentType, ...(isBare(request) ? {} : { connection: 'close' }) };
  response.writeHead(status, headers).end(body);
}

function answerTo(routes: Routes, request: IncomingMessage): Answer | Promise<Answer> {
  if (!isBare(request)) return { status: 405, body: 'only GET and HEAD, without a body\n' };
  const [path = '', query = ''] = request.url?.split('?') ?? [];
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
  return (
    route?.(new URLSearchParams(query)) ?? {
      status: 404,
      body: `there is nothing but ${Object.keys(routes).join(', ')}\n`,
    }
  );
}

function isBare({ method, headers }: IncomingMessage): boolean {
  const hasBody = headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
  return (method === 'GET' || method === 'HEAD') && !hasBody;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
