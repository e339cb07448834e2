import type { KubeConfig } from '@kubernetes/client-node';
import type { Logger } from 'pino';
import { startDeadline } from '../../async/deadline.ts';
import { sleep } from '../../async/sleep.ts';
import { streamedExchange, wholeExchange } from './exchange.ts';
import { objectStream, readJson } from './http-exchange.ts';
import type { RequestOptions } from './http-exchange.ts';
import { isApiError } from './kube-api-error.ts';
import type { ObjectStream } from './object-stream.ts';
import { createRequestAttempts } from './request-attempts.ts';
import type { RequestAttempts, RequestInfo } from './request-attempts.ts';
import { retryDelayMs } from './retry-delay.ts';

export interface KubeClientOptions {
  readonly kubeConfig: KubeConfig;
  readonly logger: Logger;
  /** Deadline of a request with all its retries. */
  readonly requestTimeoutMs?: number;
  /**
   * Requests at once; more wait their turn. Watches do not count. More bring an apiserver on two cores nothing, and
   * make it end watches that lag behind (docs/performance.md).
   */
  readonly connections?: number;
  /** So often the server is asked whether it is there, beside watches that are quiet. Default: 5 s. */
  readonly pingMs?: number;
  /** Called once for each attempt, and for each watch that was opened or refused. */
  readonly onRequest?: (info: RequestInfo) => void;
  /** The environment of an exec plugin; required where the kubeconfig's user has one. */
  readonly execEnv?: Record<string, string | undefined>;
  /** What comes before the slash is the field manager of all writes. */
  readonly userAgent: string;
  /** Asked right before each write is sent; what may not be is rejected with WriteFencedError. Default: always. */
  readonly mayWrite?: () => boolean;
}

export type StreamOptions = Pick<
  RequestOptions,
  'path' | 'query' | 'accept' | 'signal' | 'timeoutMs' | 'quiet'
>;

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
  const { requestTimeoutMs = 30_000, connections = 16, pingMs = 5_000 } = options;
  const attempts = createRequestAttempts({ ...options, connections, pingMs });

  async function openStream<T>(request: StreamOptions): Promise<ObjectStream<T>> {
    const { timeoutMs = requestTimeoutMs, signal: caller } = request;
    const deadline = startDeadline({ timeoutMs, caller });
    try {
      const stream = await attempts.attempt(
        { ...request, method: 'GET' },
        {
          exchange: streamedExchange,
          use: (answer) => objectStream<T>(answer, deadline),
          signal: deadline.signal,
        },
      );
      deadline.stopTimer();
      return stream;
    } catch (error) {
      deadline.clear();
      throw error;
    }
  }

  return {
    request: <T>(request: RequestOptions) => requestWithRetries<T>(attempts, request, requestTimeoutMs),
    async stream<T>(request: StreamOptions) {
      try {
        return await openStream<T>(request);
      } catch (error) {
        // Once more with the credentials that the 401 made us fetch.
        if (isApiError(error, 401)) return openStream<T>(request);
        throw error;
      }
    },
    close: () => attempts.close(),
  };
}

async function requestWithRetries<T>(
  { attempt }: RequestAttempts,
  request: RequestOptions,
  defaultTimeoutMs: number,
): Promise<T> {
  const { timeoutMs = defaultTimeoutMs, idempotent = request.method !== 'POST' } = request;
  const deadline = startDeadline({ timeoutMs, caller: request.signal });
  const how = { exchange: wholeExchange, use: readJson<T>, signal: deadline.signal };
  const endsAtMs = performance.now() + timeoutMs;
  try {
    for (let attempts = 1; ; attempts += 1) {
      try {
        return await attempt(request, how);
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
