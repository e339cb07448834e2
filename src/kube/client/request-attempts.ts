import type { KubeConfig } from '@kubernetes/client-node';
import { abortable } from '../../async/abortable.ts';
import { createCredentialSource } from './credentials/credential-source.ts';
import type { CredentialOptions, Credentials } from './credentials/credential-source.ts';
import type { Answer, Exchange } from './exchange.ts';
import { apiError, resourceOf, toDispatch, unreachable } from './http-exchange.ts';
import type { RequestOptions } from './http-exchange.ts';
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
  readonly pingMs: number;
  readonly onRequest?: (info: RequestInfo) => void;
  readonly userAgent: string;
  /** Asked right before each write is sent. Default: always. */
  readonly mayWrite?: () => boolean;
}

/** Single requests to one server, without a second try. */
export interface RequestAttempts {
  /** Rejects unless the status is 2xx. `use` reads the body, before the signal of `how` aborts. */
  readonly attempt: <Body, T>(request: RequestOptions, how: Attempt<Body, T>) => Promise<T>;
  /** Breaks all connections. */
  close(): Promise<void>;
}

export interface Attempt<Body, T> {
  readonly exchange: Exchange<Body>;
  readonly use: (answer: Answer<Body>) => T | Promise<T>;
  readonly signal: AbortSignal;
}

export function createRequestAttempts(options: AttemptOptions): RequestAttempts {
  const { kubeConfig, connections, pingMs, onRequest, userAgent } = options;
  const credentialSource = createCredentialSource(options);
  const cluster = kubeConfig.getCurrentCluster();
  const server = new URL(cluster?.server ?? '');
  const transport = createTransport({
    origin: server.origin,
    proxyUrl: cluster?.proxyUrl,
    connections,
    pingMs,
  });
  const base = { origin: server.origin, pathPrefix: server.pathname.replace(/\/$/, ''), userAgent };

  return {
    close: () => transport.close(),
    async attempt(request, { exchange, use, signal }) {
      const startedAtMs = performance.now();
      let code = 'unreachable';
      let used: Credentials | undefined;
      try {
        used = credentialSource.known() ?? (await abortable(credentialSource.current(), signal));
        if (request.method !== 'GET' && options.mayWrite?.() === false)
          throw new WriteFencedError(
            `${request.method} ${request.path}: not sent, for this process may not write any more`,
          );
        signal.throwIfAborted();
        const { isStream } = exchange;
        const dispatcher = isStream ? transport.streams(used) : transport.requests(used);
        const dispatch = toDispatch(request, { ...base, credentials: used, isStream });
        const onStatus = (status: number): void => void (code = String(status));
        const quiet = request.quiet === true ? transport.quiet(used) : undefined;
        const answer = await exchange.send(dispatcher, dispatch, { signal, onStatus, quiet });
        if (answer.statusCode >= 200 && answer.statusCode < 300) return await use(answer);
        throw await apiError(request, await exchange.whole(answer));
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
        throw unreachable(request, signal, error);
      } finally {
        onRequest?.({
          method: exchange.isStream ? 'WATCH' : request.method,
          resource: resourceOf(request.path),
          code,
          durationMs: performance.now() - startedAtMs,
        });
      }
    },
  };
}
