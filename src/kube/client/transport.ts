import { Pool, ProxyAgent, Socks5ProxyAgent } from 'undici';
import type { Dispatcher } from 'undici';
import type { Credentials, TlsOptions } from './credentials/credential-source.ts';
import { createQuietStreams } from './quiet/quiet-streams.ts';
import type { QuietStreams } from './quiet/quiet-streams.ts';

export interface Transport {
  /** Short exchanges: a bounded pool of keep-alive connections. */
  requests(credentials: Credentials): Dispatcher;
  /** Watches, each of which holds a connection for minutes, so that they can't starve the requests. */
  streams(credentials: Credentials): Dispatcher;
  /** Watches that have had nothing to tell lately. Undefined: there is no way for them but that of the others. */
  quiet(credentials: Credentials): QuietStreams | undefined;
  /** Breaks all connections. */
  close(): Promise<void>;
}

export interface TransportOptions {
  readonly origin: string;
  readonly proxyUrl: string | undefined;
  readonly connections: number;
  /** So often the server is asked whether it is there, beside what is quiet. */
  readonly pingMs: number;
}

interface Pools {
  readonly tlsFingerprint: string;
  readonly requests: Dispatcher;
  readonly streams: Dispatcher;
  readonly quiet: QuietStreams | undefined;
}

/** A frozen apiserver's kernel still accepts connections; only the TLS handshake shows that nobody is there. */
const connectTimeoutMs = 5_000;
/** Under the 60 s after which cloud load balancers drop idle connections, and the apiserver's own 90 s. */
const idleConnectionMs = 30_000;

/** Keeps the connections. A changed CA or client certificate makes new ones; what runs on the old ones ends in peace. */
export function createTransport(options: TransportOptions): Transport {
  let pools: Pools | undefined;
  let closed = false;

  function poolsFor(credentials: Credentials): Pools {
    if (closed) throw new Error('the client is closed');
    if (pools?.tlsFingerprint === credentials.tlsFingerprint) return pools;
    if (pools) retire(pools);
    const { tls, tlsFingerprint } = credentials;
    pools = {
      tlsFingerprint,
      requests: dispatcher(options, tls, options.connections),
      streams: dispatcher(options, tls, null),
      quiet: quietStreams(options, tls),
    };
    return pools;
  }

  return {
    requests: (credentials) => poolsFor(credentials).requests,
    streams: (credentials) => poolsFor(credentials).streams,
    quiet: (credentials) => poolsFor(credentials).quiet,
    async close() {
      closed = true;
      pools?.quiet?.destroy();
      await Promise.all([pools?.requests.destroy(), pools?.streams.destroy()]);
      pools = undefined;
    },
  };
}

/** Behind a proxy it is not known what is asked: the proxy, or the server. */
function quietStreams(
  { origin, proxyUrl, pingMs }: TransportOptions,
  tls: TlsOptions,
): QuietStreams | undefined {
  const isPossible = origin.startsWith('https:') && !proxyUrl;
  return isPossible ? createQuietStreams({ origin, tls, connectTimeoutMs, pingMs }) : undefined;
}

function retire({ requests, streams, quiet }: Pools): void {
  quiet?.retire();
  // close() waits for what is under way and only rejects where the pool was closed before.
  requests.close().catch(() => {});
  streams.close().catch(() => {});
}

function dispatcher(options: TransportOptions, tls: TlsOptions, connections: number | null): Dispatcher {
  const connect = { ...tls, timeout: connectTimeoutMs, keepAlive: true, keepAliveInitialDelay: 30_000 };
  const shared = {
    connections,
    // One request at a time on each connection: HTTP/2 was measured and brings nothing here.
    allowH2: false,
    keepAliveTimeout: idleConnectionMs,
    // Deadlines are ours, by signal.
    headersTimeout: 0,
    bodyTimeout: 0,
  };
  const { origin, proxyUrl } = options;
  if (!proxyUrl) return new Pool(origin, { ...shared, connect });
  if (proxyUrl.startsWith('socks')) return new Socks5ProxyAgent(proxyUrl, { ...shared, requestTls: connect });
  return new ProxyAgent({ ...shared, uri: proxyUrl, requestTls: connect });
}
