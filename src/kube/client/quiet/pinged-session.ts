import { connect, constants } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2';
import type { Readable } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { withDeadline } from '../../../async/deadline.ts';
import { onAbort } from '../../../async/on-abort.ts';

/** A connection of HTTP/2 whose other end is asked now and then whether it is there. */
export interface PingedSession {
  /** False once it is full or closing, or has not answered lately: nothing new is begun over it then. */
  isUsable(): boolean;
  isOver(): boolean;
  open(request: QuietRequest): Promise<QuietAnswer>;
  /** What runs over it ends in peace. */
  retire(): void;
  destroy(): void;
}

/** Once its headers are there. */
export interface QuietAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readable;
  /** `performance.now()` of the last sign of life of its connection. */
  readonly lifeAtMs: () => number;
}

export interface QuietRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly signal: AbortSignal;
}

export interface SessionOptions {
  readonly origin: string;
  readonly pingMs: number;
  readonly connectTimeoutMs: number;
}

/** Streams beyond what the server takes would wait for others to end, which they don't. */
const streamsAtMost = 50;

/** Questions without an answer, after which nobody is there. */
const unansweredAtMost = 4;

/** Once the server has said what it takes. */
export async function pingedSession(
  socket: TLSSocket,
  { origin, pingMs, connectTimeoutMs }: SessionOptions,
): Promise<PingedSession> {
  const session = connect(origin, { createConnection: () => socket });
  // Each of its streams tells.
  session.on('error', () => undefined);
  await settingsOf(session, connectTimeoutMs);
  const streams = new Set<ClientHttp2Stream>();
  const pulse = pulseOf(session, { pingMs, isIdle: () => streams.size === 0 });
  const isFull = (): boolean =>
    streams.size >= Math.min(streamsAtMost, session.remoteSettings.maxConcurrentStreams ?? streamsAtMost);
  const isOver = (): boolean => session.closed || session.destroyed;
  return {
    isOver,
    isUsable: () => !isOver() && !isFull() && pulse.unanswered() < 2,
    open(request) {
      const stream = session.request(headersOf(request));
      streams.add(stream);
      stream.on('close', () => streams.delete(stream));
      return answerOf(stream, request.signal, pulse.lifeAtMs);
    },
    retire: () => session.close(),
    destroy: () => session.destroy(),
  };
}

async function settingsOf(session: ClientHttp2Session, timeoutMs: number): Promise<void> {
  const late = (): Error => new Error(`no settings within ${timeoutMs} ms`);
  const settled = new Promise<void>((resolve, reject) => {
    session.once('remoteSettings', () => resolve());
    session.once('close', () => reject(new Error('the connection ended before it was used')));
  });
  try {
    await withDeadline({ timeoutMs, late }, async () => settled);
  } catch (error) {
    session.destroy();
    throw error;
  }
}

interface Pulse {
  /** `performance.now()` of the last sign of life. */
  readonly lifeAtMs: () => number;
  /** Questions since then. */
  readonly unanswered: () => number;
}

/**
 * Without a stream it ends, and where several questions have no answer. They are counted, and no time is taken: of a process that
 * was held up the answers are there, and unread.
 */
function pulseOf(
  session: ClientHttp2Session,
  { pingMs, isIdle }: { readonly pingMs: number; readonly isIdle: () => boolean },
): Pulse {
  let lifeAtMs = performance.now();
  let unanswered = 0;
  const beat = (): void => {
    if (isIdle() || unanswered >= unansweredAtMost) {
      session.destroy();
      return;
    }
    unanswered += 1;
    session.ping((error) => {
      if (error !== null) return;
      lifeAtMs = performance.now();
      unanswered = 0;
    });
  };
  const timer = setInterval(beat, pingMs).unref();
  session.on('close', () => clearInterval(timer));
  return { lifeAtMs: () => lifeAtMs, unanswered: () => unanswered };
}

function headersOf({ method, path, headers }: QuietRequest): OutgoingHttpHeaders {
  return { ...headers, ':method': method, ':path': path };
}

function answerOf(
  body: ClientHttp2Stream,
  signal: AbortSignal,
  lifeAtMs: () => number,
): Promise<QuietAnswer> {
  const stopListening = onAbort(signal, () => {
    body.close(constants.NGHTTP2_CANCEL);
    body.destroy(signal.reason as Error);
  });
  return new Promise((resolve, reject) => {
    body.on('response', ({ ':status': statusCode = 0, ...headers }) =>
      resolve({ statusCode, headers, body, lifeAtMs }),
    );
    body.on('error', reject);
    body.on('close', () => {
      stopListening();
      reject(new Error('the connection ended before an answer'));
    });
  });
}
