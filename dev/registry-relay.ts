import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Server, Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { insideNamespace } from './engine-namespace.ts';
import { registryPort } from './registry-address.ts';

/** Makes the registries of this machine's loopback answer inside a network namespace. */
export interface RegistryRelay {
  close(): void;
}

/**
 * Every registry has a loopback address of its own and the same port, so one listener inside takes the connections to
 * all of them, those that start later included, and joins each to the same address out here. The listening socket is
 * made by a process inside, which hands it over and ends: nothing but this program holds it, and no firewall is asked.
 */
export async function startRegistryRelay(namespaceFile: string): Promise<RegistryRelay> {
  const server = await listenInside(namespaceFile);
  server.unref();
  const sockets = new Set<Socket>();
  server.on('connection', (inner) => {
    const address = inner.localAddress ?? '';
    if (!address.startsWith('127.')) {
      inner.destroy();
      return;
    }
    join(inner, connect({ host: address, port: registryPort }), sockets);
  });
  return {
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function listenInside(namespaceFile: string): Promise<Server> {
  const script = fileURLToPath(new URL('registry-relay-listener.ts', import.meta.url));
  const [command, args] = insideNamespace(namespaceFile, process.execPath, [script, `${registryPort}`]);
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const listening = once(child, 'message') as Promise<[message: unknown, handle: Server]>;
  const closed = once(child, 'close').then(([code]) => {
    throw new Error(`the listener for the registries ended (exit code ${code}):\n${errors}`);
  });
  closed.catch(() => undefined);
  const [, server] = await Promise.race([listening, closed]);
  return server;
}

function join(inner: Socket, outer: Socket, sockets: Set<Socket>): void {
  forward(inner, outer, sockets);
  forward(outer, inner, sockets);
}

/** An end of `from` ends `to` once all has been passed on; a failure of `from` ends it at once. */
function forward(from: Socket, to: Socket, sockets: Set<Socket>): void {
  sockets.add(from);
  from.unref();
  from.once('error', () => to.destroy());
  from.once('close', () => sockets.delete(from));
  from.pipe(to);
}
