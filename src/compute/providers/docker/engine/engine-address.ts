import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where a Docker Engine listens. `display` is for messages: the address without a password. */
export type EngineAddress =
  | { readonly kind: 'unix'; readonly socketPath: string; readonly display: string }
  | { readonly kind: 'tcp'; readonly hostname: string; readonly port: number; readonly display: string }
  | { readonly kind: 'ssh'; readonly destination: string; readonly display: string };

/** Ports registered for Docker's API: plain, and with TLS. */
const plainPort = 2375;
const tlsPort = 2376;

/**
 * The engine to talk to: `host` from the operator's config, else the value of DOCKER_HOST, else the default socket.
 * `path`: where `host` is from. Throws an Error that names where the address came from and which forms are understood.
 */
export function engineAddress(
  host: string,
  dockerHostEnv: string | undefined,
  tls: boolean,
  path = 'compute.docker.host',
): EngineAddress {
  if (host !== '') return parseAddress(host, path, tls);
  if (dockerHostEnv !== undefined && dockerHostEnv !== '') {
    return parseAddress(dockerHostEnv, 'DOCKER_HOST', tls);
  }
  return unixAddress(defaultSocket());
}

function parseAddress(text: string, origin: string, tls: boolean): EngineAddress {
  // The docker command takes HOST:PORT in DOCKER_HOST too.
  const full = text.includes('://') ? text : `tcp://${text}`;
  if (full.startsWith('unix://')) return unixAddress(full.slice('unix://'.length) || defaultSocket());
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (url !== undefined && url.hostname !== '') {
    if (url.protocol === 'tcp:' || url.protocol === 'http:' || url.protocol === 'https:') {
      return tcpAddress(url, tls || url.protocol === 'https:');
    }
    if (url.protocol === 'ssh:') return sshAddress(url, origin);
  }
  throw new Error(
    `${origin}: not the address of a Docker Engine: use unix:///PATH, tcp://HOST:PORT or ssh://HOST`,
  );
}

function unixAddress(socketPath: string): EngineAddress {
  return { kind: 'unix', socketPath, display: `unix://${socketPath}` };
}

function tcpAddress(url: URL, tls: boolean): EngineAddress {
  const port = url.port === '' ? (tls ? tlsPort : plainPort) : Number(url.port);
  // URL keeps the brackets of IPv6 addresses; sockets want them without.
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return { kind: 'tcp', hostname, port, display: `tcp://${url.hostname}:${port}` };
}

function sshAddress(url: URL, origin: string): EngineAddress {
  if (url.password !== '') {
    throw new Error(
      `${origin}: an ssh:// address can't hold a password: use keys, through ssh-agent or ~/.ssh/config`,
    );
  }
  // Without user and port, those of ~/.ssh/config hold.
  const destination = `ssh://${url.username === '' ? '' : `${url.username}@`}${url.host}`;
  return { kind: 'ssh', destination, display: destination };
}

function defaultSocket(): string {
  // Docker Desktop's own; on servers there is none.
  const ofUser = join(homedir(), '.docker', 'run', 'docker.sock');
  return existsSync(ofUser) ? ofUser : '/var/run/docker.sock';
}
