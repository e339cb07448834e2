import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { abortable } from '../../async/abortable.ts';
import { onAbort } from '../../async/on-abort.ts';
import type { QuietStreams } from './quiet/quiet-streams.ts';

export interface Answer<Body = Buffer> {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Body;
  /** `performance.now()` of the last sign of life of its connection, where that is asked now and then. */
  readonly lifeAtMs?: () => number;
}

/** How far an answer is waited for. */
export interface Exchange<Body> {
  readonly isStream: boolean;
  /** Rejects with the signal's reason when that aborts. */
  send(dispatcher: Dispatcher, request: Dispatcher.DispatchOptions, call: Call): Promise<Answer<Body>>;
  /** All of an answer. */
  whole(answer: Answer<Body>): Promise<Answer>;
}

export interface Call {
  readonly signal: AbortSignal;
  /** An answer has begun. */
  readonly onStatus: (statusCode: number) => void;
  /** Another way, where the server goes it. */
  readonly quiet?: QuietStreams | undefined;
}

/** Until all of it is there. */
export const wholeExchange: Exchange<Buffer> = {
  isStream: false,
  send: (dispatcher, request, call) =>
    new Promise((resolve, reject) => {
      // undici's own request() makes a stream and an async resource of each answer: half the CPU of a small request.
      dispatcher.dispatch(request, gathering(call, { resolve, reject }));
    }),
  whole: (answer) => Promise.resolve(answer),
};

/** Until the headers are there; the body streams on until the signal aborts. */
export const streamedExchange: Exchange<Readable> = {
  isStream: true,
  async send(dispatcher, request, { signal, onStatus, quiet }) {
    const { method, path, headers } = request;
    const quietly = quiet?.open({ method, path, headers: headers as Record<string, string>, signal });
    const answer =
      (await abortable(Promise.resolve(quietly), signal)) ??
      // undici looks at the signal only once it has a connection, and a frozen server's TLS handshake takes for ever.
      (await abortable(dispatcher.request({ ...request, signal }), signal));
    onStatus(answer.statusCode);
    return answer;
  },
  async whole({ body, ...head }) {
    return { ...head, body: Buffer.concat((await body.toArray()) as Buffer[]) };
  },
};

interface Settle {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (reason: unknown) => void;
}

/** Takes in one answer, and breaks it off when the signal aborts; what is not sent by then is not sent any more. */
function gathering({ signal, onStatus }: Call, { resolve, reject }: Settle): Dispatcher.DispatchHandler {
  let sending: Dispatcher.DispatchController | undefined;
  let head: { readonly statusCode: number; readonly headers: IncomingHttpHeaders } | undefined;
  const chunks: Buffer[] = [];
  const stopListening = onAbort(signal, () => {
    reject(signal.reason);
    sending?.abort(signal.reason as Error);
  });
  return {
    onRequestStart(controller) {
      if (signal.aborted) controller.abort(signal.reason as Error);
      sending = controller;
    },
    onResponseStart(_controller, statusCode, headers) {
      head = { statusCode, headers };
      onStatus(statusCode);
    },
    onResponseData: (_controller, chunk) => void chunks.push(chunk),
    onResponseEnd() {
      stopListening();
      const [first] = chunks;
      const body = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks);
      if (head === undefined) reject(new Error('an answer without a status'));
      else resolve({ ...head, body });
    },
    onResponseError(_controller, error) {
      stopListening();
      reject(error);
    },
  };
}
