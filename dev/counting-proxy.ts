import { createServer, request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A call of an AWS JSON protocol, as it came by. */
export interface CountedCall {
  /** `CreateService`; for the query protocol (STS) its `Action`. */
  readonly operation: string;
  /** DescribeServices: the names asked for. Else the one service that is named, or none. */
  readonly names: readonly string[];
  /** When it came, in milliseconds since the epoch. */
  readonly at: number;
  /** Whose it is: the access key of its signature. */
  readonly accessKeyId: string;
  /** The region of its signature. */
  readonly region: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** HTTP status of the answer that was passed on; absent: none (yet). */
  status?: number;
}

export type ProxyFault =
  /** Answered by the proxy: nothing reaches the endpoint. */
  | { readonly kind: 'refuse'; readonly status: number; readonly code: string; readonly message?: string }
  /** Carried out by the endpoint, then delayed. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** The connection breaks before the endpoint has heard of it. */
  | { readonly kind: 'reset' }
  /** The endpoint carries it out, and the connection breaks before the answer. */
  | { readonly kind: 'lose' }
  /** Neither forwarded nor answered. */
  | { readonly kind: 'hang' }
  /** Answered with this text, which is no JSON. */
  | { readonly kind: 'garble'; readonly status: number; readonly text: string };

export interface CountingProxy {
  /** http://127.0.0.1:PORT */
  readonly url: string;
  /** All so far, those of a retry included; `splice(0)` forgets them. */
  readonly calls: CountedCall[];
  /** Asked at each call, until the next `setFault`. */
  setFault(fault: ((call: CountedCall) => ProxyFault | undefined) | undefined): void;
  stop(): Promise<void>;
}

/** An HTTP proxy in front of an endpoint that writes down what is asked, and fails as it is told. */
export async function startCountingProxy(upstream: string): Promise<CountingProxy> {
  const calls: CountedCall[] = [];
  let faultOf: ((call: CountedCall) => ProxyFault | undefined) | undefined;
  const server = createServer((incoming, answer) => {
    const at = Date.now();
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('error', () => undefined);
    answer.on('error', () => undefined);
    incoming.on('end', () => {
      const body = Buffer.concat(chunks);
      const call = countedCall(incoming, body.toString(), at);
      calls.push(call);
      void serve({ upstream, incoming, body, answer, call }, faultOf?.(call));
    });
  });
  server.on('clientError', () => undefined);
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    setFault: (fault) => {
      faultOf = fault;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function countedCall(incoming: IncomingMessage, body: string, at: number): CountedCall {
  const target = incoming.headers['x-amz-target'];
  const credential = /Credential=([^/]+)\/\d+\/([^/]+)\//.exec(incoming.headers.authorization ?? '');
  const input =
    typeof target === 'string' ? parsed(body) : Object.fromEntries(new URLSearchParams(body).entries());
  const operation = typeof target === 'string' ? target.replace(/^.*\./, '') : input['Action'];
  return {
    operation: typeof operation === 'string' ? operation : `${incoming.method} ${incoming.url}`,
    names: namesIn(input),
    at,
    accessKeyId: credential?.[1] ?? '',
    region: credential?.[2] ?? '',
    input,
  };
}

function parsed(body: string): Record<string, unknown> {
  try {
    return JSON.parse(body) as Record<string, unknown>;
  } catch {
    return {};
  }
}

function namesIn(input: Readonly<Record<string, unknown>>): readonly string[] {
  const { services, service, serviceName } = input;
  if (Array.isArray(services)) return services.map(String);
  return [service, serviceName].filter((name) => typeof name === 'string').slice(0, 1);
}

interface Exchange {
  readonly upstream: string;
  readonly incoming: IncomingMessage;
  readonly body: Buffer;
  readonly answer: ServerResponse;
  readonly call: CountedCall;
}

async function serve(exchange: Exchange, fault: ProxyFault | undefined): Promise<void> {
  const { answer, call } = exchange;
  switch (fault?.kind) {
    case 'hang':
      return;
    case 'reset':
      answer.destroy();
      return;
    case 'refuse': {
      const { status, code, message = `injected ${code}` } = fault;
      reply(exchange, status, JSON.stringify({ __type: code, message }));
      return;
    }
    case 'garble':
      reply(exchange, fault.status, fault.text);
      return;
    case 'delay':
      await forward(exchange, () => sleep(fault.ms));
      return;
    case 'lose':
      await forward(exchange, () => void answer.destroy());
      return;
    case undefined:
      await forward(exchange);
      return;
    default:
      throw new Error(`no such fault for ${call.operation}: ${JSON.stringify(fault satisfies never)}`);
  }
}

function reply({ answer, call }: Exchange, status: number, text: string): void {
  call.status = status;
  answer.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
  answer.end(text);
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** `beforeAnswer` runs once the endpoint has answered; where it breaks the connection the answer goes nowhere. */
async function forward(exchange: Exchange, beforeAnswer?: () => Promise<unknown> | void): Promise<void> {
  const { answer, call } = exchange;
  const response = await askEndpoint(exchange).catch(() => undefined);
  await beforeAnswer?.();
  if (response === undefined || answer.destroyed) {
    answer.destroy();
    return;
  }
  call.status = response.status;
  answer.writeHead(response.status, response.headers);
  answer.end(response.body);
}

async function askEndpoint({ upstream, incoming, body }: Exchange): Promise<Answer> {
  const { hostname, port } = new URL(upstream);
  const { method, url, headers } = incoming;
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ hostname, port, method, path: url, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode = 502, headers: answered } = response;
        resolve({ status: statusCode, headers: answered, body: Buffer.concat(chunks) });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
