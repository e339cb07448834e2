import type { IncomingMessage } from 'node:http';
import { addAbortSignal } from 'node:stream';
import type { Logger } from 'pino';
import { ComputeError } from '../../../errors.ts';
import { abortable } from '../../../../async/abortable.ts';
import { atMost } from '../../../../async/at-most.ts';
import { withDeadline } from '../../../../async/deadline.ts';
import type { DeadlineOptions } from '../../../../async/deadline.ts';
import { readAnswer } from './answers/answer.ts';
import type { Answer, ReadAnswer } from './answers/answer.ts';
import type { EngineAddress } from './engine-address.ts';
import { abortedCall, connectionFailure, failedRead, foreignAnswer, silentEngine } from './engine-errors.ts';
import { engineTimeKeeper } from './engine-time.ts';
import type { EngineTime, EngineTimeKeeper } from './engine-time.ts';
import { EngineRefusal } from './engine.ts';
import { engineTransports } from './engine-transport.ts';
import type { EngineRequest, EngineTls, EngineTransport, EngineTransports } from './engine-transport.ts';

/**
 * The API that this provider was written to: the oldest that has all that a Tenant may ask for (26.0). Older engines get
 * their own newest version, later ones that no longer know it their own oldest.
 */
const preferredApi = '1.45';

/** Requests to one engine, each with a deadline. Rejects with ComputeError alone; HTTP statuses are values. */
export interface EngineConnection {
  /** The engine's address, for messages. */
  readonly host: string;
  /** Milliseconds that an answer may take. */
  readonly deadlineMs: number;
  /** By the dates of its answers. */
  readonly time: EngineTime;
  /**
   * The answer, up to a cap, over which this call fails alone. A GET is asked again, once, where its connection broke;
   * anything else never.
   */
  ask(request: EngineRequest, signal: AbortSignal, options?: AskOptions): Promise<Answer>;
  /**
   * The answer as a stream, on a connection of its own, once its headers are there. It has no deadline but `signal`:
   * abort it to let go of the connection. Its errors are unmapped: see `connectionFailure`.
   */
  open(request: EngineRequest, signal: AbortSignal): Promise<IncomingMessage>;
  close(): void;
}

export interface AskOptions {
  /** Milliseconds that the answer may take. Default: the connection's. */
  readonly deadlineMs?: number;
  /** It comes once something has ended. Where sockets are few it waits for its turn, for which the deadline does not count. */
  readonly awaitsEnd?: boolean;
  /** How it is read. Default: to its end, up to the cap of one thing. */
  readonly read?: ReadAnswer;
}

export interface ConnectionOptions {
  readonly address: EngineAddress;
  readonly tls: EngineTls | undefined;
  readonly logger: Logger;
  readonly deadlineMs: number;
}

export function connectEngine({ address, tls, logger, deadlineMs }: ConnectionOptions): EngineConnection {
  const host = address.display;
  const transports = engineTransports(address, tls);
  const time = engineTimeKeeper();
  const api = negotiation({ host, transports, time }, deadlineMs, logger);
  const inTurn = atMost(() => transports.endsAtOnce());
  let closed = false;

  const exchange = async (
    request: EngineRequest,
    signal: AbortSignal,
    { awaitsEnd = false, read }: AskOptions,
  ): Promise<Answer> => {
    assertServed(request, await abortable(api.negotiated(), signal));
    const way = { host, calls: awaitsEnd ? transports.ends : transports.calls, time, read };
    try {
      return await exchangeOnce(way, request, signal);
    } catch (error) {
      if (request.method !== 'GET' || closed || signal.aborted || !isBrokenConnection(error)) throw error;
      // Mostly a pooled socket whose engine was restarted in between.
      logger.debug({ engine: host, path: request.path }, 'connection broke: asking again');
      return exchangeOnce(way, request, signal);
    }
  };

  return {
    host,
    deadlineMs,
    time,
    ask: async (request, signal, options = {}) => {
      if (closed) throw abortedCall(host, undefined);
      const { deadlineMs: ms = deadlineMs, awaitsEnd = false } = options;
      const send = (): Promise<Answer> =>
        within({ host, deadlineMs: ms, signal }, (inner) => exchange(request, inner, options));
      try {
        return await (awaitsEnd ? inTurn(send, { signal }) : send());
      } catch (error) {
        if (error instanceof ComputeError || error instanceof EngineRefusal) throw error;
        if (signal.aborted) throw abortedCall(host, signal.reason);
        api.forget();
        throw connectionFailure(host, error);
      }
    },
    open: async (request, signal) => {
      if (closed) throw abortedCall(host, undefined);
      await abortable(api.negotiated(), signal);
      const response = await abortable(transports.streams.send(request, signal), signal);
      return addAbortSignal(signal, response);
    },
    close: () => {
      closed = true;
      transports.close();
    },
  };
}

/** Once per connection, and again after a failure: it may be another engine that answers then. */
function negotiation(
  { host, transports, time }: Negotiated,
  deadlineMs: number,
  logger: Logger,
): { negotiated(): Promise<string>; forget(): void } {
  let current: Promise<string> | undefined;
  const negotiate = async (): Promise<string> => {
    const { calls } = transports;
    calls.setVersion(undefined);
    const answer = await within({ host, deadlineMs }, (signal) =>
      exchangeOnce({ host, calls, time }, { method: 'GET', path: '/version' }, signal),
    );
    if (answer.status !== 200) throw failedRead(host, answer);
    const version = chooseApi(answer.body);
    if (version === undefined) throw foreignAnswer(host);
    transports.setVersion(version);
    logger.debug({ engine: host, apiVersion: version }, 'Docker Engine answers');
    return version;
  };
  const forget = (): void => {
    current = undefined;
  };
  const negotiated = async (): Promise<string> => {
    current ??= negotiate().catch((error: unknown) => {
      forget();
      throw error;
    });
    return current;
  };
  return { negotiated, forget };
}

/** Throws EngineRefusal. `version`: `v1.41`. */
function assertServed({ needs }: EngineRequest, version: string): void {
  if (needs === undefined || minor(version) >= minor(needs.api)) return;
  const message = `${needs.what}: API ${needs.api}, and this one has ${version.replace('v', '')}`;
  throw new EngineRefusal('invalid', 400, message);
}

interface Negotiated {
  readonly host: string;
  readonly transports: EngineTransports;
  readonly time: EngineTimeKeeper;
}

interface Way {
  readonly host: string;
  readonly calls: EngineTransport;
  readonly time: EngineTimeKeeper;
  readonly read?: ReadAnswer | undefined;
}

async function exchangeOnce(
  { host, calls, time, read = readAnswer }: Way,
  request: EngineRequest,
  signal: AbortSignal,
): Promise<Answer> {
  const askedMs = Date.now();
  const response = await abortable(calls.send(request, signal), signal);
  time.take({ date: response.headers.date, askedMs, answeredMs: Date.now() });
  return read(addAbortSignal(signal, response), { host, ...request });
}

/** `v1.45`, or the nearest that the engine takes. Undefined where the answer is not a Docker Engine's. */
function chooseApi(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { ApiVersion: newest, MinAPIVersion: oldest = '1.0' } = body as Record<string, string | undefined>;
  if (newest === undefined) return undefined;
  if (minor(newest) < minor(preferredApi)) return `v${newest}`;
  return minor(oldest) > minor(preferredApi) ? `v${oldest}` : `v${preferredApi}`;
}

/** Docker's API has been 1.x for all of its life. */
function minor(version: string): number {
  return Number(version.split('.')[1]);
}

interface Limits {
  readonly host: string;
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
}

/** A deadline that says of which engine it is. */
function within<T>(
  { host, deadlineMs, signal }: Limits,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline: DeadlineOptions = {
    timeoutMs: deadlineMs,
    caller: signal,
    late: () => silentEngine(host),
    abandoned: (reason) => abortedCall(host, reason),
  };
  return withDeadline(deadline, work);
}

function isBrokenConnection(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}
