import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Credentials } from './credentials/credential-source.ts';
import type { Answer } from './exchange.ts';
import { KubeApiError, KubeUnreachableError, messageOf } from './kube-api-error.ts';
import type { KubeStatus } from './kube-api-error.ts';
import type { Deadline } from '../../async/deadline.ts';
import { parseLines } from './object-stream.ts';
import type { ObjectStream } from './object-stream.ts';

const decompress = promisify(gunzip);

export type Query = Record<string, string | number | boolean | undefined>;

export interface RequestOptions {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From the root of the API, for example `/api/v1/namespaces`. */
  readonly path: string;
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  /** Whether it may be sent again when nobody knows if it was carried out. Default: all but POST. */
  readonly idempotent?: boolean;
  /** Of a stream: it has had nothing to tell lately. */
  readonly quiet?: boolean;
}

interface DispatchParts {
  readonly origin: string;
  readonly pathPrefix: string;
  readonly userAgent: string;
  readonly credentials: Credentials;
  readonly isStream: boolean;
}

export function toDispatch(request: RequestOptions, parts: DispatchParts): Dispatcher.DispatchOptions {
  const headers: Record<string, string | string[]> = {
    ...parts.credentials.headers,
    accept: request.accept ?? 'application/json',
    'user-agent': parts.userAgent,
  };
  if (request.body !== undefined) headers['content-type'] = request.contentType ?? 'application/json';
  // The apiserver compresses answers over 128 KiB, lists that is: 47.6 MB become 1.7.
  else if (!parts.isStream) headers['accept-encoding'] = 'gzip';
  return {
    origin: parts.origin,
    path: parts.pathPrefix + request.path + queryString(request.query),
    method: request.method,
    headers,
    body: request.body === undefined ? null : JSON.stringify(request.body),
    // Repeating is decided in one place, and that isn't the pool.
    idempotent: false,
  };
}

function queryString(query: Query | undefined): string {
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  if (pairs.length === 0) return '';
  return `?${new URLSearchParams(Object.fromEntries(pairs.map(([key, value]) => [key, String(value)]))).toString()}`;
}

export async function readJson<T>(answer: Answer): Promise<T> {
  const text = await readText(answer);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

async function readText({ headers, body }: Answer): Promise<string> {
  const plain = headers['content-encoding'] === 'gzip' ? await decompress(body) : body;
  return plain.toString('utf8');
}

export async function apiError(request: RequestOptions, answer: Answer): Promise<KubeApiError> {
  const text = await readText(answer);
  let status: KubeStatus;
  try {
    status = JSON.parse(text) as KubeStatus;
  } catch {
    // A proxy or a server that is starting answers in plain text or HTML.
    status = { message: text.trim().slice(0, 300) };
  }
  const seconds = Number(answer.headers['retry-after'] ?? Number.NaN);
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1000 : undefined;
  return new KubeApiError(`${request.method} ${request.path}`, answer.statusCode, status, retryAfterMs);
}

/** Bookmarks come about once a minute: without one, a connection that lives has a stream that is dead. */
const lifeCountsMs = 90_000;

export function objectStream<T>({ body, lifeAtMs }: Answer<Readable>, deadline: Deadline): ObjectStream<T> {
  let lastByteAtMs = performance.now();
  const onBytes = (): void => {
    lastByteAtMs = performance.now();
  };
  async function* iterate(): AsyncGenerator<T> {
    try {
      yield* parseLines<T>(body as AsyncIterable<Buffer>, onBytes);
    } finally {
      deadline.clear();
    }
  }
  // Aborted before or between reads, the body has no reader to hear of it.
  body.on('error', () => {});
  return {
    get lastByteAtMs() {
      return Math.max(lastByteAtMs, Math.min(lifeAtMs?.() ?? 0, lastByteAtMs + lifeCountsMs));
    },
    provesLife: lifeAtMs !== undefined,
    abort: (reason) => deadline.abort(reason),
    [Symbol.asyncIterator]: iterate,
  };
}

/** Failures before the first byte of the request was sent: the server can't have carried anything out. */
const notSent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

export function unreachable(
  request: RequestOptions,
  signal: AbortSignal,
  error: unknown,
): KubeUnreachableError {
  if (error instanceof KubeUnreachableError) return error;
  const code = (error as { code?: string }).code ?? '';
  const cause = signal.aborted ? signal.reason : error;
  const outcomeUnknown = !notSent.has(code);
  return new KubeUnreachableError(`${request.method} ${request.path}: ${messageOf(cause) || code}`, {
    cause: error,
    outcomeUnknown,
  });
}

/** `/apis/apps/v1/namespaces/a/deployments/b/status` is `deployments/status`. */
export function resourceOf(path: string): string {
  const parts = path.split('/').filter(Boolean);
  const rest = parts[0] === 'api' ? parts.slice(2) : parts[0] === 'apis' ? parts.slice(3) : undefined;
  if (!rest?.length) return path;
  const inNamespace = rest[0] === 'namespaces' && rest.length > 2 ? rest.slice(2) : rest;
  const [plural, , subresource] = inNamespace;
  return subresource ? `${plural}/${subresource}` : `${plural}`;
}
