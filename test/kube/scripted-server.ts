import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import type { User } from '@kubernetes/client-node';
import { onTestFinished } from 'vitest';
import { createKubeClient } from '../../src/kube/client/kube-client.ts';
import type { KubeClient, KubeClientOptions } from '../../src/kube/client/kube-client.ts';
import { recordingLogger } from './recording-logger.ts';

export type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

/** A bare HTTP server for faults of the protocol, which no real apiserver can be brought to show on demand. */
export async function scriptedServer(
  handler: Handler,
): Promise<{ url: string; requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    handler(request, response, requests.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

export function kubeConfigFor(server: string, user: Partial<User> = {}): KubeConfig {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromClusterAndUser(
    { name: 'test', server, skipTLSVerify: false },
    { name: 'test', ...user },
  );
  return kubeConfig;
}

/** A client that is closed when the test ends. */
export function clientFor(
  server: string,
  options: Partial<KubeClientOptions> & { user?: Partial<User> } = {},
): KubeClient {
  const { user, ...rest } = options;
  const client = createKubeClient({
    userAgent: 'test',
    kubeConfig: kubeConfigFor(server, user),
    logger: recordingLogger().logger,
    ...rest,
  });
  onTestFinished(() => client.close());
  return client;
}

export function answer(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}
