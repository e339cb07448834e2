import type { IncomingMessage, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import type { RequestOptions } from '../../src/kube/client/http-exchange.ts';
import { KubeApiError } from '../../src/kube/client/kube-api-error.ts';
import { answer, scriptedServer } from '../kube/scripted-server.ts';
import type { MemoryApiserver } from './memory-apiserver.ts';

/** The apiserver in memory, over HTTP until the test ends, for what makes its own client. Returns its URL. */
export async function serveApiserver(apiserver: MemoryApiserver): Promise<string> {
  const { url } = await scriptedServer((request, response) => {
    respond(apiserver, request, response).catch((error: unknown) => {
      const status = error instanceof KubeApiError ? error.status : 500;
      const reason = error instanceof KubeApiError ? error.reason : String(error);
      answer(response, status, { kind: 'Status', code: status, reason, message: reason });
    });
  });
  return url;
}

async function respond(
  apiserver: MemoryApiserver,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname: path, searchParams } = new URL(request.url ?? '/', 'http://apiserver');
  const query = Object.fromEntries(
    [...searchParams].map(([key, value]) => [key, value === 'true' ? true : value]),
  );
  const { accept = '', 'user-agent': user = '' } = request.headers;
  const client = apiserver.clientOf(user);
  if (query['watch'] !== true) {
    const method = request.method as RequestOptions['method'];
    const body = method === 'GET' ? undefined : await json(request);
    answer(response, 200, await client.request({ method, path, query, body, accept }));
    return;
  }
  const closed = new AbortController();
  response.once('close', () => closed.abort(new Error('the client is gone')));
  const events = await client.stream({ path, query, accept, signal: closed.signal });
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  try {
    for await (const event of events) response.write(`${JSON.stringify(event)}\n`);
  } catch {
    response.destroy();
  }
}
