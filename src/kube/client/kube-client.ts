import type { KubeConfig } from '@kubernetes/client-node';
import type { Logger } from 'pino';
import { abortable } from '../../async/abortable.ts';
import { createCredentialSource, type Credentials } from './credential-source.ts';
import { startDeadline } from '../../async/deadline.ts';
import { sleep } from '../../async/sleep.ts';
import {
  apiError,
  objectStream,
  readJson,
  resourceOf,
  toDispatch,
  unreachable,
  type Call,
  type RequestOptions,
  type UseResponse,
} from './http-exchange.ts';
import { KubeApiError, isApiError } from './kube-api-error.ts';
import type { ObjectStream } from './object-stream.ts';
import { retryDelayMs } from './retry-delay.ts';
import { createTransport } from './transport.ts';

export interface RequestInfo {
  method: string;
  /** `deployments`, `deployments/status`; the path itself where it names no resource. */
  resource: string;
  /** The HTTP status, or `unreachable` or `aborted`. */
  code: string;
  durationMs: number;
}

export interface KubeClientOptions {
  kubeConfig: KubeConfig;
  logger: Logger;
  /** Deadline of a request with all its retries. */
  requestTimeoutMs?: number;
  /**
   * Requests at once; more wait their turn. Watches do not count. More bring an apiserver on two cores nothing, and
   * make it end watches that lag behind (docs/performance.md).
   */
  connections?: number;
  /** Called once for each attempt, and for each watch that was opened or refused. */
  onRequest?: (info: RequestInfo) => void;
  /** The environment of an exec plugin; required where the kubeconfig's user has one. */
  execEnv?: Record<string, string | undefined>;
  /** What comes before the slash is the field manager of all writes. */
  userAgent: string;
}

export type StreamOptions = Pick<RequestOptions, 'path' | 'query' | 'accept' | 'signal' | 'timeoutMs'>;

/**
 * Requests reject with KubeApiError (the server said no), KubeUnreachableError (no answer), or with the reason of
 * the caller's own signal.
 */
export interface KubeClient {
  /** 429, 5xx and lost connections are retried until the deadline; resolves with the parsed body. */
  request<T>(options: RequestOptions): Promise<T>;
  /** Resolves when the headers are there, within `timeoutMs`; isn't retried, except for one 401. */
  stream<T>(options: StreamOptions): Promise<ObjectStream<T>>;
  /** Breaks all connections; what is under way rejects. */
  close(): Promise<void>;
}

export function createKubeClient(options: KubeClientOptions): KubeClient {
  const { kubeConfig, requestTimeoutMs = 30_000, connections = 16, onRequest } = options;
  const credentialSource = createCredentialSource(options);
  const cluster = kubeConfig.getCurrentCluster();
  const server = new URL(cluster?.server ?? '');
  const transport = createTransport({ origin: server.origin, proxyUrl: cluster?.proxyUrl, connections });
  const base = { origin: server.origin, pathPrefix: server.pathname.replace(/\/$/, '') };
  const { userAgent } = options;

  /** One attempt: rejects unless the status is 2xx. `use` reads the body within the deadline. */
  async function attempt<T>(request: RequestOptions, call: Call, use: UseResponse<T>): Promise<T> {
    const startedAtMs = performance.now();
    let code = 'unreachable';
    let used: Credentials | undefined;
    try {
      used = await abortable(credentialSource.current(), call.signal);
      const pool = call.streaming ? transport.streams(used) : transport.requests(used);
      const dispatch = toDispatch(request, { ...base, userAgent, credentials: used, call });
      // undici looks at the signal only once it has a connection, and a frozen server's TLS handshake takes for ever.
      const response = await abortable(pool.request(dispatch), call.signal);
      code = String(response.statusCode);
      if (response.statusCode >= 200 && response.statusCode < 300) return await use(response);
      throw await apiError(request, response);
    } catch (error) {
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
      const durationMs = performance.now() - startedAtMs;
      onRequest?.({
        method: call.streaming ? 'WATCH' : request.method,
        resource: resourceOf(request.path),
        code,
        durationMs,
      });
    }
  }

  async function requestWithRetries<T>(request: RequestOptions): Promise<T> {
    const { timeoutMs = requestTimeoutMs, idempotent = request.method !== 'POST' } = request;
    const deadline = startDeadline({ timeoutMs, caller: request.signal });
    const call = { signal: deadline.signal, streaming: false };
    const endsAtMs = performance.now() + timeoutMs;
    try {
      for (let attempts = 1; ; attempts += 1) {
        try {
          return await attempt(request, call, readJson<T>);
        } catch (error) {
          const delayMs = retryDelayMs(error, { attempts, idempotent });
          if (delayMs === undefined || performance.now() + delayMs >= endsAtMs) throw error;
          await sleep(delayMs, request.signal);
          request.signal?.throwIfAborted();
        }
      }
    } finally {
      deadline.clear();
    }
  }

  async function openStream<T>(request: StreamOptions): Promise<ObjectStream<T>> {
    const { timeoutMs = requestTimeoutMs, signal: caller } = request;
    const deadline = startDeadline({ timeoutMs, caller });
    const call = { signal: deadline.signal, streaming: true };
    try {
      const stream = await attempt({ ...request, method: 'GET' }, call, (response) =>
        Promise.resolve(objectStream<T>(response, deadline)),
      );
      deadline.stopTimer();
      return stream;
    } catch (error) {
      deadline.clear();
      throw error;
    }
  }

  return {
    request: requestWithRetries,
    async stream<T>(request: StreamOptions) {
      try {
        return await openStream<T>(request);
      } catch (error) {
        // Once more with the credentials that the 401 made us fetch.
        if (isApiError(error, 401)) return openStream<T>(request);
        throw error;
      }
    },
    close: () => transport.close(),
  };
}
