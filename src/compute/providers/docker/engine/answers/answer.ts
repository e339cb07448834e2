import type { IncomingMessage } from 'node:http';
import { ComputeError } from '../../../../errors.ts';
import { cutText } from '../../../../observation/engine-text.ts';

/** What an engine answers to one call, read to its end or up to a cap. */

export interface Answer {
  readonly status: number;
  /** Parsed JSON; the text where it is none; undefined where it is empty. */
  readonly body: unknown;
  /** What the engine says: of a failure, cut. */
  readonly text: string;
  /** How long it wants to be left alone, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
}

/** Which call it is the answer to, for the words of a failure. */
export interface AskedCall {
  /** The engine's address. */
  readonly host: string;
  readonly method: string;
  readonly path: string;
}

export type ReadAnswer = (response: IncomingMessage, call: AskedCall) => Promise<Answer>;

const mebibyte = 1_048_576;

/**
 * 8 MiB: what is told of one thing has some kilobytes, and up to some hundred where an image has many labels, which
 * whoever makes the image chooses.
 */
const maxAnswerBytes = 8 * mebibyte;

/**
 * Rejects where the connection dies within the body, which docker-modem's own reading never notices; and with a
 * ComputeError, which lets the connection go, once there is too much.
 */
export const readAnswer: ReadAnswer = async (response, call) => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop ends the connection.
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) throw tooLarge(call);
    chunks.push(chunk);
  }
  return answerOf(response, Buffer.concat(chunks).toString('utf8'));
};

function answerOf(response: IncomingMessage, raw: string): Answer {
  const body = parseBody(raw);
  const retryAfterMs = retryAfter(response.headers['retry-after']);
  const { statusCode: status = 0 } = response;
  const said = messageOf(body) ?? raw;
  return { status, body, text: status < 300 ? said : cutText(said), retryAfterMs };
}

/** Without a cause: the engine has taken the call, and may serve all others. */
export class TooLargeAnswer extends ComputeError {
  constructor(message: string) {
    super('ProviderUnavailable', message);
  }
}

function tooLarge({ host, method, path }: AskedCall): TooLargeAnswer {
  const call = `${method} ${path.replaceAll(/[0-9a-f]{64}/g, '…')}`;
  const hint = /^\/(containers|images)\//.test(path)
    ? ': has its image very many labels, volumes or ports?'
    : '';
  const says = `Docker Engine at ${host} answers ${call} with more than ${maxAnswerBytes / mebibyte} MiB`;
  return new TooLargeAnswer(`${says}, which is not read${hint}`);
}

/** Seconds, or the date until when. Undefined where it is neither. */
function retryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

function parseBody(raw: string): unknown {
  if (raw === '') return undefined;
  try {
    return JSON.parse(raw) as unknown;
  } catch {
    return raw;
  }
}

function messageOf(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('message' in body)) return undefined;
  return typeof body.message === 'string' ? body.message : undefined;
}
