import type { KubeConfig } from '@kubernetes/client-node';
import { abortable } from '../../async/abortable.ts';
import { createCredentialSource } from './credentials/credential-source.ts';
import type { CredentialOptions, Credentials } from './credentials/credential-source.ts';
import { apiError, resourceOf, toDispatch, unreachable } from './http-exchange.ts';
import type { Call, RequestOptions, UseResponse } from './http-exchange.ts';
import { KubeApiError, WriteFencedError } from './kube-api-error.ts';
import { createTransport } from './transport.ts';

export interface RequestInfo {
  readonly method: string;
  /** `deployments`, `deployments/status`; the path itself where it names no resource. */
  readonly resource: string;
  /** The HTTP status, or `unreachable` or `aborted`. */
  readonly code: string;
  readonly durationMs: number;
}

export interface AttemptOptions extends CredentialOptions {
  readonly kubeConfig: KubeConfig;
  readonly connections: number;
  readonly onRequest?: (info: RequestInfo) => void;
  readonly userAgent: string;
  /** Asked right before each write is sent. Default: always. */
  readonly mayWrite?: () => boolean;
}

/** Single requests to one server, without a second try. */
export interface RequestAttempts {
  /** Rejects unless the status is 2xx. `use` reads the body, before the signal of `call` aborts. */
  readonly attempt: <T>(request: RequestOptions, call: Call, use: UseResponse<T>) => Promise<T>;
  /** Breaks all connections. */
  close(): Promise<void>;
}

export function createRequestAttempts(options: AttemptOptions): RequestAttempts {
  const { kubeConfig, connections, onRequest, userAgent } = options;
  const credentialSource = createCredentialSource(options);
  const cluster = kubeConfig.getCurrentCluster();
  const server = new URL(cluster?.server ?? '');
  const transport = createTransport({ origin: server.origin, proxyUrl: cluster?.proxyUrl, connections });
  const base = { origin: server.origin, pathPrefix: server.pathname.replace(/\/$/, ''), userAgent };

  return {
    close: () => transport.close(),
    async attempt(request, call, use) {
      const startedAtMs = performance.now();
      let code = 'unreachable';
      let used: Credentials | undefined;
      try {
        used = await abortable(credentialSource.current(), call.signal);
        if (request.method !== 'GET' && options.mayWrite?.() === false)
          throw new WriteFencedError(
            `${request.method} ${request.path}: not sent, for this process may not write any more`,
          );
        const pool = call.streaming ? transport.streams(used) : transport.requests(used);
        const dispatch = toDispatch(request, { ...base, credentials: used, call });
        // undici looks at the signal only once it has a connection, and a frozen server's TLS handshake takes for ever.
        const response = await abortable(pool.request(dispatch), call.signal);
        code = String(response.statusCode);
        if (response.statusCode >= 200 && response.statusCode < 300) return await use(response);
        throw await apiError(request, response);
      } catch (error) {
        if (error instanceof WriteFencedError) throw error;
        if (error instanceof KubeApiError) {
          if (error.status === 401 && used) credentialSource.invalidate(used);
          throw error;
        }
        if (request.signal?.aborted) {
          code = 'aborted';
          throw request.signal.reason;
        }
        throw unreachable(request, call, error);
      } finally {
        onRequest?.({
          method: call.streaming ? 'WATCH' : request.method,
          resource: resourceOf(request.path),
          code,
          durationMs: performance.now() - startedAtMs,
        });
      }
    },
  };
}
