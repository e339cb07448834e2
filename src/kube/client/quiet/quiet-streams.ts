import { isIP } from 'node:net';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { withDeadline } from '../../../async/deadline.ts';
import { onAbort } from '../../../async/on-abort.ts';
import type { TlsOptions } from '../credentials/credential-source.ts';
import { pingedSession } from './pinged-session.ts';
import type { PingedSession, QuietAnswer, QuietRequest } from './pinged-session.ts';

/**
 * For streams that mostly have nothing to tell. They share a connection, of HTTP/2, for that can be asked whether its
 * other end is there, which costs no request. Who has much to tell is better off on its own: HTTP/1.1 takes less CPU.
 */
export interface QuietStreams {
  /** Undefined where the server does not speak HTTP/2. */
  open(request: QuietRequest): Promise<QuietAnswer | undefined>;
  /** Takes nothing new; what runs ends in peace. */
  retire(): void;
  destroy(): void;
}

export interface QuietOptions {
  readonly origin: string;
  readonly tls: TlsOptions;
  readonly connectTimeoutMs: number;
  readonly pingMs: number;
}

export function createQuietStreams(options: QuietOptions): QuietStreams {
  const sessions = new Set<PingedSession>();
  let connecting: Promise<void> | undefined;
  let over = false;
  let hasHttp2 = true;

  async function begin(): Promise<void> {
    try {
      const socket = await connectTls(options);
      hasHttp2 = socket.alpnProtocol === 'h2';
      if (!hasHttp2 || over) {
        socket.destroy();
        return;
      }
      const session = await pingedSession(socket, options);
      for (const known of sessions) if (known.isOver()) sessions.delete(known);
      sessions.add(session);
      if (over) session.destroy();
    } finally {
      connecting = undefined;
    }
  }

  return {
    async open(request) {
      for (;;) {
        if (!hasHttp2 || over) return undefined;
        request.signal.throwIfAborted();
        const usable = [...sessions].find((session) => session.isUsable());
        if (usable !== undefined) return usable.open(request);
        await (connecting ??= begin());
      }
    },
    retire() {
      over = true;
      for (const session of sessions) session.retire();
    },
    destroy() {
      over = true;
      for (const session of sessions) session.destroy();
    },
  };
}

function connectTls({ origin, tls, connectTimeoutMs }: QuietOptions): Promise<TLSSocket> {
  const { hostname, port } = new URL(origin);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const late = (): Error => new Error(`no connection within ${connectTimeoutMs} ms`);
  return withDeadline({ timeoutMs: connectTimeoutMs, late }, (signal) => {
    const servername = isIP(host) === 0 ? { servername: host } : {};
    const socket = connect({
      host,
      port: port === '' ? 443 : Number(port),
      ALPNProtocols: ['h2', 'http/1.1'],
      ...servername,
      ...tls,
    });
    return new Promise((resolve, reject) => {
      const stopListening = onAbort(signal, () => socket.destroy());
      socket.once('secureConnect', () => {
        stopListening();
        resolve(socket);
      });
      socket.on('error', reject);
    });
  });
}
