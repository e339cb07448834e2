import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Logger } from 'pino';
import type { Dispatcher } from 'undici';
import { sleep } from './backoff.ts';
import { createCredentialSource, type Credentials } from './credentials.ts';
import { KubeApiError, KubeUnreachableError, type KubeStatus } from './kube-api-error.ts';
import { parseLines, type ObjectStream } from './object-stream.ts';
import { retryDelayMs } from './request-retry.ts';
import { createTransport } from './transport.ts';

export { KubeApiError, KubeUnreachableError, isApiError, isConflict, isNotFound } from './kube-api-error.ts';
export { loadKubeConfig } from './load-kube-config.ts';

export type Query = Record<string, string | number | boolean | undefined>;

export interface RequestInfo {
  method: string;
  /** `tenants`, `tenants/status`; the path itself where it names no resource. */
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
  /** Requests at once; more wait their turn. Watches don't count. From 8 to 32 gains 0-15 %. */
  connections?: number;
  /** Called once for each attempt, and for each watch that was opened or refused. */
  onRequest?: (info: RequestInfo) => void;
  /** The environment of an exec plugin; required where the kubeconfig's user has one. */
  execEnv?: Record<string, string | undefined>;
  /** What comes before the slash is the field manager of all writes. */
  userAgent?: string;
}

export interface RequestOptions {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From the root of the API, for example `/api/v1/namespaces`. */
  path: string;
  query?: Query;
  /** Sent as JSON. */
  body?: unknown;
  contentType?: string;
  accept?: string;
  signal?: AbortSignal;
  timeoutMs?: number;
  /** Whether it may be sent again when nobody knows if it was carried out. Default: all but POST. */
  idempotent?: boolean;
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

const decompress = promisify(gunzip);

export function createKubeClient(options: KubeClientOptions): KubeClient {
  const { kubeConfig, requestTimeoutMs = 30_000, connections = 32, onRequest } = options;
  const credentialSource = createCredentialSource(options);
  const cluster = kubeConfig.getCurrentCluster();
  const server = new URL(cluster?.server ?? '');
  const transport = createTransport({ origin: server.origin, proxyUrl: cluster?.proxyUrl, connections });
  const base = { origin: server.origin, pathPrefix: server.pathname.replace(/\/$/, '') };
  const userAgent = options.userAgent ?? 'landlord';

  /** One attempt: rejects unless the status is 2xx. `use` reads the body within the deadline. */
  async function attempt<T>(request: RequestOptions, call: Call, use: UseResponse<T>): Promise<T> {
    const startedAtMs = performance.now();
    let code = 'unreachable';
    let used: Credentials | undefined;
    try {
      used = await unlessAborted(credentialSource.current(), call.signal);
      const pool = call.streaming ? transport.streams(used) : transport.requests(used);
      const response = await pool.request(
        toDispatch(request, { ...base, userAgent, credentials: used, call }),
      );
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

  return {
    async request<T>(request: RequestOptions): Promise<T> {
      const timeoutMs = request.timeoutMs ?? requestTimeoutMs;
      const deadline = startDeadline(timeoutMs, request.signal);
      const call = { signal: deadline.signal, streaming: false, timeoutMs };
      const endsAtMs = performance.now() + timeoutMs;
      try {
        for (let attempts = 1; ; attempts += 1) {
          try {
            return await attempt(request, call, readJson<T>);
          } catch (error) {
            const delayMs = retryDelayMs(error, {
              attempts,
              idempotent: request.idempotent ?? request.method !== 'POST',
            });
            if (delayMs === undefined || performance.now() + delayMs >= endsAtMs) throw error;
            await sleep(delayMs, request.signal);
            request.signal?.throwIfAborted();
          }
        }
      } finally {
        deadline.clear();
      }
    },

    async stream<T>(request: StreamOptions): Promise<ObjectStream<T>> {
      const timeoutMs = request.timeoutMs ?? requestTimeoutMs;
      const open = async (): Promise<ObjectStream<T>> => {
        const deadline = startDeadline(timeoutMs, request.signal);
        const call = { signal: deadline.signal, streaming: true, timeoutMs };
        try {
          const use = (response: Dispatcher.ResponseData) =>
            Promise.resolve(objectStream<T>(response, deadline));
          return await attempt({ ...request, method: 'GET' }, call, use);
        } catch (error) {
          deadline.clear();
          throw error;
        } finally {
          deadline.stopTimer();
        }
      };
      try {
        return await open();
      } catch (error) {
        if (error instanceof KubeApiError && error.status === 401) return await open();
        throw error;
      }
    },

    close: () => transport.close(),
  };
}

interface Call {
  signal: AbortSignal;
  streaming: boolean;
  timeoutMs: number;
}

type UseResponse<T> = (response: Dispatcher.ResponseData) => Promise<T>;

interface Deadline {
  signal: AbortSignal;
  abort(reason: Error): void;
  stopTimer(): void;
  /** Stops the timer and no longer follows the caller's signal. */
  clear(): void;
}

// By hand, for AbortSignal.any() with a timeout costs more than the rest of a small request's bookkeeping.
function startDeadline(timeoutMs: number, caller: AbortSignal | undefined): Deadline {
  const controller = new AbortController();
  const follow = (): void => controller.abort(caller?.reason);
  const timer = setTimeout(() => controller.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  if (caller?.aborted) follow();
  caller?.addEventListener('abort', follow, { once: true });
  const stopTimer = (): void => clearTimeout(timer);
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    stopTimer,
    clear() {
      stopTimer();
      caller?.removeEventListener('abort', follow);
    },
  };
}

interface DispatchParts {
  origin: string;
  pathPrefix: string;
  userAgent: string;
  credentials: Credentials;
  call: Call;
}

function toDispatch(request: RequestOptions, parts: DispatchParts): Dispatcher.RequestOptions {
  const headers: Record<string, string | string[]> = {
    ...parts.credentials.headers,
    accept: request.accept ?? 'application/json',
    'user-agent': parts.userAgent,
  };
  if (request.body !== undefined) headers['content-type'] = request.contentType ?? 'application/json';
  // The apiserver compresses answers over 128 KiB, lists that is: 47.6 MB become 1.7.
  else if (!parts.call.streaming) headers['accept-encoding'] = 'gzip';
  return {
    origin: parts.origin,
    path: parts.pathPrefix + request.path + queryString(request.query),
    method: request.method,
    headers,
    body: request.body === undefined ? null : JSON.stringify(request.body),
    signal: parts.call.signal,
    // Repeating is decided in one place, and that isn't the pool.
    idempotent: false,
  };
}

function queryString(query: Query | undefined): string {
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  if (pairs.length === 0) return '';
  return `?${new URLSearchParams(Object.fromEntries(pairs.map(([key, value]) => [key, String(value)]))).toString()}`;
}

async function readJson<T>(response: Dispatcher.ResponseData): Promise<T> {
  const text = await readText(response);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

async function readText({ headers, body }: Dispatcher.ResponseData): Promise<string> {
  if (headers['content-encoding'] !== 'gzip') return await body.text();
  return (await decompress(Buffer.from(await body.arrayBuffer()))).toString('utf8');
}

async function apiError(request: RequestOptions, response: Dispatcher.ResponseData): Promise<KubeApiError> {
  const text = await readText(response);
  let status: KubeStatus;
  try {
    status = JSON.parse(text) as KubeStatus;
  } catch {
    // A proxy or a server that is starting answers in plain text or HTML.
    status = { message: text.trim().slice(0, 300) };
  }
  const seconds = Number(response.headers['retry-after'] ?? Number.NaN);
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1000 : undefined;
  return new KubeApiError(`${request.method} ${request.path}`, response.statusCode, status, retryAfterMs);
}

function objectStream<T>(response: Dispatcher.ResponseData, deadline: Deadline): ObjectStream<T> {
  let lastByteAtMs = performance.now();
  const onBytes = (): void => {
    lastByteAtMs = performance.now();
  };
  async function* iterate(): AsyncGenerator<T> {
    try {
      yield* parseLines<T>(response.body as AsyncIterable<Buffer>, onBytes);
    } finally {
      deadline.clear();
    }
  }
  // Aborted before or between reads, the body has no reader to hear of it.
  response.body.on('error', () => {});
  return {
    get lastByteAtMs() {
      return lastByteAtMs;
    },
    abort: (reason) => deadline.abort(reason),
    [Symbol.asyncIterator]: iterate,
  };
}

/** Failures before the first byte of the request was sent: the server can't have carried anything out. */
const NOT_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

function unreachable(request: RequestOptions, call: Call, error: unknown): KubeUnreachableError {
  if (error instanceof KubeUnreachableError) return error;
  const code = (error as { code?: string }).code ?? '';
  const cause = call.signal.aborted ? call.signal.reason : error;
  const why = cause instanceof Error ? cause.message : String(cause);
  const outcomeUnknown = call.signal.aborted || !NOT_SENT.has(code);
  return new KubeUnreachableError(`${request.method} ${request.path}: ${why || code}`, {
    cause: error,
    outcomeUnknown,
  });
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (stop) signal.removeEventListener('abort', stop);
  }
}

/** `/apis/landlord.dev/v1/namespaces/a/tenants/b/status` is `tenants/status`. */
function resourceOf(path: string): string {
  const parts = path.split('/').filter(Boolean);
  const rest = parts[0] === 'api' ? parts.slice(2) : parts[0] === 'apis' ? parts.slice(3) : undefined;
  if (!rest?.length) return path;
  const inNamespace = rest[0] === 'namespaces' && rest.length > 2 ? rest.slice(2) : rest;
  const [plural, , subresource] = inNamespace;
  return subresource ? `${plural}/${subresource}` : `${plural}`;
}
