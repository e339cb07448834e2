import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { canInstall } from './debian-packages.ts';
import { pingSocket, pingTimeoutMs } from './docker-ping.ts';
import { startPrivateDockerEngine } from './private-docker-engine.ts';
import type { PrivateDockerEngine } from './private-docker-engine.ts';

export { startPrivateDockerEngine };
export type { PrivateDockerEngine };

const defaultSocket = '/var/run/docker.sock';

/** A Docker Engine that was running before and goes on after. */
export interface SharedDockerEngine {
  /** Usable as DOCKER_HOST. */
  readonly host: string;
  /** The path of its socket; undefined when it is reached over TCP. */
  readonly socketPath: string | undefined;
  readonly private: false;
  /** What a program may take subnets from; undefined: nothing is known to be free. */
  readonly networkPool: undefined;
  /** Where its published ports answer from this machine. */
  readonly publishAddress: string;
  /** Leaves it as it is. */
  stop(): Promise<void>;
}

export type DockerEngine = SharedDockerEngine | PrivateDockerEngine;

/** `compute.docker` of an operator whose tenants live on this engine and are reached from this machine. */
export function dockerBlockFor(engine: DockerEngine): Readonly<Record<string, string>> {
  return {
    host: engine.host,
    port_bind_address: engine.publishAddress,
    ...(engine.networkPool === undefined ? {} : { network_pool: engine.networkPool }),
  };
}

/**
 * The Docker Engine that answers: the one of DOCKER_HOST where that is set, else the one at the default socket, else
 * a private one that is started here, docker.io being installed by apt where it is missing. Rejects with what to do
 * where DOCKER_HOST doesn't answer, or where none answers and this isn't root on Debian.
 */
export async function obtainDockerEngine(): Promise<DockerEngine> {
  const configured = process.env['DOCKER_HOST'];
  if (configured) {
    const failure = await ping(configured);
    if (failure === undefined) return shared(configured);
    throw new Error(
      `the Docker Engine at DOCKER_HOST=${configured} doesn't answer (${failure}): start it, or unset DOCKER_HOST`,
    );
  }
  const standard = `unix://${defaultSocket}`;
  if (existsSync(defaultSocket) && (await ping(standard)) === undefined) return shared(standard);
  if (canInstall()) return startPrivateDockerEngine();
  throw new Error(
    `no Docker Engine answers at ${defaultSocket}: start Docker (or set DOCKER_HOST to an engine that runs), ` +
      'or run this as root on Debian, where an engine of its own is installed and started',
  );
}

function shared(host: string): SharedDockerEngine {
  return {
    host,
    socketPath: host.startsWith('unix://') ? host.slice('unix://'.length) : undefined,
    private: false,
    networkPool: undefined,
    publishAddress: '127.0.0.1',
    stop: async () => undefined,
  };
}

/** Undefined when the engine answers, else why not. ssh:// can't be asked without ssh and is taken at its word. */
async function ping(host: string): Promise<string | undefined> {
  const url = new URL(host);
  if (url.protocol === 'ssh:') return undefined;
  if (url.protocol === 'unix:') return pingSocket(url.pathname);
  if (url.protocol === 'tcp:') return connectTo(url.hostname, Number(url.port || '2375'));
  return `unknown scheme ${url.protocol}`;
}

/** Whether it speaks TLS is for its client to find out. */
async function connectTo(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: pingTimeoutMs });
    const finish = (failure: string | undefined): void => {
      socket.destroy();
      resolve(failure);
    };
    socket.once('connect', () => finish(undefined));
    socket.once('timeout', () => finish(`no connection within ${pingTimeoutMs / 1000} s`));
    socket.once('error', (error) => finish(error.message));
  });
}
