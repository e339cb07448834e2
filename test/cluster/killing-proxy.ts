import { createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage, RequestOptions, ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Transform } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** Where a proxy listens: a path of a socket, or a port of 127.0.0.1 (0: any). */
export type ListenOn = { readonly path: string } | { readonly port: number };

export interface KillingProxy {
  /** The port, where it listens on one. */
  readonly port: number;
  /**
   * From now on, the first request that `matches` calls `kill`: before it is forwarded, or after the upstream has
   * carried it out and before its answer is passed on. Resolves with that request once it has happened.
   */
  arm(plan: KillPlan): Promise<ProxiedRequest>;
  /** `METHOD URL` of every request so far. */
  readonly requests: readonly string[];
  /** Forgets the plan. */
  disarm(): void;
  close(): Promise<void>;
}

export interface ProxiedRequest {
  readonly method: string;
  readonly url: string;
  readonly body: string;
  /** The header x-amz-target, or ''. */
  readonly amzTarget: string;
}

export interface KillPlan {
  readonly matches: (request: ProxiedRequest) => boolean;
  readonly when: 'before' | 'after';
  readonly kill: () => void;
}

export interface Upstream {
  readonly secure: boolean;
  readonly options: RequestOptions & { readonly ca?: string };
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds by which each part of the answer to this URL comes late. Default: 0. */
  readonly delayMs?: (url: string) => number;
}

interface Armed extends KillPlan {
  readonly done: (struck: ProxiedRequest) => void;
}

/** An HTTP proxy that can kill its client's process at a chosen request. */
export async function startKillingProxy(listenOn: ListenOn, upstream: Upstream): Promise<KillingProxy> {
  let armed: Armed | undefined;
  const requests: string[] = [];
  const server = createServer((incoming, answer) => {
    const { method = '', url = '' } = incoming;
    const chunks: Buffer[] = [];
    requests.push(`${method} ${url}`);
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('error', () => undefined);
    answer.on('error', () => undefined);
    incoming.on('end', () => {
      const body = Buffer.concat(chunks);
      const amzTarget = String(incoming.headers['x-amz-target'] ?? '');
      const request = { method, url, body: body.toString(), amzTarget };
      const plan = armed?.matches(request) === true ? armed : undefined;
      const strike = (): void => {
        plan?.kill();
        plan?.done(request);
        answer.destroy();
      };
      if (plan !== undefined) armed = undefined;
      if (plan?.when === 'before') strike();
      else forward(upstream, incoming, body, { answer, onAnswered: plan === undefined ? undefined : strike });
    });
  });
  server.on('clientError', () => undefined);
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', ...listenOn }, resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    arm: (plan) => new Promise((done) => (armed = { ...plan, done })),
    requests,
    disarm: () => (armed = undefined),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Reply {
  readonly answer: ServerResponse;
  readonly onAnswered: (() => void) | undefined;
}

function forward(
  upstream: Upstream,
  incoming: IncomingMessage,
  body: Buffer,
  { answer, onAnswered }: Reply,
): void {
  const send = upstream.secure ? httpsRequest : httpRequest;
  const { method, url = '', headers } = incoming;
  const outgoing = send(
    { ...upstream.options, method, path: url, headers: { ...headers, ...upstream.headers } },
    (response) => {
      response.on('error', () => answer.destroy());
      if (onAnswered !== undefined) {
        response.resume();
        response.on('end', onAnswered);
        return;
      }
      answer.writeHead(response.statusCode ?? 502, response.headers);
      // Streams (watches, events) must not wait for their first body byte.
      answer.flushHeaders();
      const delayMs = upstream.delayMs?.(url) ?? 0;
      if (delayMs === 0) response.pipe(answer);
      else response.pipe(late(delayMs)).pipe(answer);
    },
  );
  outgoing.on('error', () => answer.destroy());
  answer.on('close', () => outgoing.destroy());
  outgoing.end(body);
}

/** Passes on each chunk so much later, in their order, without holding one up for another. */
function late(delayMs: number): Transform {
  const waiting: Promise<void>[] = [];
  const allPassed = async (done: () => void): Promise<void> => {
    await Promise.all(waiting);
    done();
  };
  return new Transform({
    transform(chunk, _encoding, done) {
      waiting.push(sleep(delayMs).then(() => void this.push(chunk)));
      done();
    },
    flush: (done) => void allPassed(done),
  });
}
