import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createEngineClient } from '../../../../src/compute/providers/docker/engine/engine-client.ts';
import type { EngineClientOptions } from '../../../../src/compute/providers/docker/engine/engine-client.ts';
import type { Engine } from '../../../../src/compute/providers/docker/engine/engine.ts';
import { silent } from './docker-fixture.ts';

/** A server at a socket that answers as a test wants it to, for what no real engine does on demand. */
export interface EngineStandIn {
  readonly socketPath: string;
  readonly host: string;
  /** `GET /v1.41/containers/json?…`, in order, without /version. */
  readonly requests: readonly string[];
  /** Bodies of the same. */
  readonly bodies: readonly string[];
  /** Connections open now. */
  readonly connections: ReadonlySet<Socket>;
}

/** Ended with the test. `/version` is answered with `version` under `versionStatus()`; the rest is for `handle`. */
export async function standInEngine(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
  version: unknown = { ApiVersion: '1.41', MinAPIVersion: '1.12' },
  versionStatus = () => 200,
): Promise<EngineStandIn> {
  const folder = await mkdtemp(join(tmpdir(), 'landlord-stand-in-'));
  const socketPath = join(folder, 'docker.sock');
  const requests: string[] = [];
  const bodies: string[] = [];
  const connections = new Set<Socket>();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.url === '/version') {
      response.writeHead(versionStatus()).end(JSON.stringify(version));
      return;
    }
    requests.push(`${request.method} ${request.url}`);
    bodies.push(await bodyOf(request));
    handle(request, response);
  };
  const server = createServer((request, response) => {
    // A client that gives up in the middle of its request is what some tests are about.
    answer(request, response).catch(() => response.destroy());
  });
  server.on('connection', (socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  onTestFinished(async () => {
    for (const socket of connections) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true, force: true });
  });
  return { socketPath, host: `unix://${socketPath}`, requests, bodies, connections };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}

/** Closed with the test. */
export function testClient(options: Partial<EngineClientOptions> & { readonly host: string }): Engine {
  const engine = createEngineClient({ logger: silent, ...options });
  onTestFinished(() => engine.close());
  return engine;
}

export const never = new AbortController().signal;

/** A bound that ends a hang; what is waited for takes some turns of the event loop, however slow the machine. */
const hungMs = 30_000;

/** Waits, whatever is done with the timers, until it is so. Sockets need turns of the event loop, not time. */
export async function until(isSo: () => boolean): Promise<void> {
  const begun = performance.now();
  while (!isSo()) {
    if (performance.now() - begun > hungMs) throw new Error(`waited in vain until ${isSo.toString()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** As many turns of the event loop as an answer over a socket takes, and some more: for what must not come. */
export async function turns(count = 50): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
