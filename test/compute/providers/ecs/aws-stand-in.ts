import { createServer } from 'node:http';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What it is asked. */
export interface StandInCall {
  /** `DescribeServices` */
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** Whose signature it bears. */
  readonly accessKeyId: string | undefined;
}

export interface StandIn {
  readonly url: string;
  readonly calls: readonly StandInCall[];
  stop(): Promise<void>;
}

/**
 * Speaks just enough of AWS' JSON protocols, and hears enough of its query protocol, over HTTP to answer as no real endpoint at hand can be made to:
 * garbled, half an answer, or in words that only ECS itself uses. `answer` writes the whole response.
 */
export async function startStandIn(
  answer: (call: StandInCall, response: ServerResponse) => void,
): Promise<StandIn> {
  const calls: StandInCall[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const call = callOf(request.headers, Buffer.concat(chunks).toString());
      calls.push(call);
      answer(call, response);
    });
  });
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function callOf(headers: IncomingHttpHeaders, body: string): StandInCall {
  const target = headers['x-amz-target'];
  const accessKeyId = /Credential=([^/]+)/.exec(headers.authorization ?? '')?.[1];
  if (target === undefined) {
    const { Action: operation = '', ...input } = Object.fromEntries(new URLSearchParams(body));
    return { operation, input, accessKeyId };
  }
  const input = JSON.parse(body) as Record<string, unknown>;
  return { operation: String(target).split('.').at(-1) ?? '', input, accessKeyId };
}

export function refuse(response: ServerResponse, name: string, message: string, headers = {}): void {
  reply(response, { __type: name, message }, { status: 400, headers });
}

export function reply(response: ServerResponse, body: unknown, { status = 200, headers = {} } = {}): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', ...headers });
  response.end(JSON.stringify(body));
}
