import { Agent } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import { inspect } from 'node:util';
import Dockerode from 'dockerode';
import type { EngineAddress } from './engine-address.ts';
import type { EngineTraffic } from './engine-traffic.ts';
import { sshAgent } from './ssh/ssh-agent.ts';
import type { SshLogins } from './ssh/ssh-logins.ts';
import { sshLoginsAt } from './ssh/ssh-sockets.ts';

/** As PEM. Its presence alone turns TLS on. */
export interface EngineTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface EngineRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** Without API version and query. */
  readonly path: string;
  /** Objects become JSON. Stands in the URL: nothing secret. */
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  /** Instead of a body: a tar. */
  readonly archive?: Buffer;
  /** What in it only engines know of this version or a newer one: others would leave it out without a word. */
  readonly needs?: { readonly what: string; readonly api: string } | undefined;
  /** For X-Registry-Auth. */
  readonly registryAuth?: unknown;
}

/** dockerode's way to the engine, one request at a time, with its traps disarmed. */
export interface EngineTransport {
  /** The response once its headers are there, of whatever status; its later errors are no unhandled ones. */
  send(request: EngineRequest, signal: AbortSignal): Promise<IncomingMessage>;
  /** What stands before each path: `v1.45`. */
  setVersion(version: string | undefined): void;
  close(): void;
}

/** The part of docker-modem that is used; its types know only `any`. */
interface Modem {
  version: string | undefined;
  dial(
    options: Readonly<Record<string, unknown>>,
    callback: (error: Error | null, response: IncomingMessage) => void,
  ): void;
}

/** All statuses are answers here; docker-modem would make an error without its body of some. */
const everyStatus = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [index + 100, true]));

/** Idle sockets are dropped after this time, before firewalls between here and a remote engine forget them. */
const idleSocketMs = 60_000;

export interface EngineTransports extends Readonly<Record<EngineTraffic, EngineTransport>> {
  /** How many of `ends` go at once. */
  endsAtOnce(): number;
  setVersion(version: string | undefined): void;
  close(): void;
}

export function engineTransports(address: EngineAddress, tls: EngineTls | undefined): EngineTransports {
  const logins = address.kind === 'ssh' ? sshLoginsAt(address.destination) : undefined;
  const transport = (traffic: EngineTraffic): EngineTransport =>
    engineTransport(address, tls, engineAgent({ address, tls, logins }, traffic));
  const calls = transport('calls');
  const streams = transport('streams');
  const ends = logins === undefined ? calls : transport('ends');
  const all = new Set([calls, streams, ends]);
  return {
    calls,
    streams,
    ends,
    endsAtOnce: () => logins?.shares().ends ?? Infinity,
    setVersion: (version) => all.forEach((one) => one.setVersion(version)),
    close() {
      for (const one of all) one.close();
      logins?.close();
    },
  };
}

function engineTransport(address: EngineAddress, tls: EngineTls | undefined, agent: Agent): EngineTransport {
  // docker-modem inspects its options, agent and all, before each request: 23 ms of CPU, against 0.14 ms like this.
  Object.defineProperty(agent, inspect.custom, { value: () => '[Agent]' });
  const modem = engineModem(address, tls, agent);
  return {
    send: async (request, signal) => dial(modem, request, signal),
    setVersion: (version) => {
      modem.version = version;
    },
    close: () => agent.destroy(),
  };
}

async function dial(modem: Modem, request: EngineRequest, signal: AbortSignal): Promise<IncomingMessage> {
  const { method, path, query = {}, body, archive, registryAuth } = request;
  const options = {
    method,
    path: Object.keys(query).length === 0 ? path : `${path}?`,
    // Without this split, docker-modem writes the body, secrets and all, into the URL, too.
    options: { _query: query, _body: body ?? {} },
    headers: unseenHeaders(),
    ...(archive && { file: archive }),
    authconfig: registryAuth,
    abortSignal: signal,
    isStream: true,
    statusCodes: everyStatus,
  };
  return new Promise((resolve, reject) => {
    modem.dial(options, (error, response) => {
      if (error !== null) {
        reject(error);
        return;
      }
      // A connection that dies while nobody reads must not end the process.
      response.on('error', () => undefined);
      if (signal.aborted) response.destroy();
      resolve(response);
    });
  });
}

/** docker-modem writes its options to stderr where DEBUG=modem is set: not the registry's password, though. */
function unseenHeaders(): Record<string, string> {
  return Object.defineProperty({}, inspect.custom, { value: () => '[Headers]' });
}

interface EngineWay {
  readonly address: EngineAddress;
  readonly tls: EngineTls | undefined;
  /** For ssh://. */
  readonly logins: SshLogins | undefined;
}

function engineAgent({ address, tls, logins }: EngineWay, traffic: EngineTraffic): Agent {
  const keepAlive = traffic !== 'streams';
  if (logins !== undefined) return sshAgent(logins, traffic, keepAlive);
  const options = { keepAlive, ...(keepAlive && { timeout: idleSocketMs }) };
  return address.kind === 'tcp' && tls !== undefined
    ? new TlsAgent({ ...options, ...tls })
    : new Agent(options);
}

/**
 * Names every option that docker-modem would take from DOCKER_HOST, DOCKER_CERT_PATH and their like otherwise: with
 * an address in the environment it would talk to that engine in spite of an explicit socket.
 */
function engineModem(address: EngineAddress, tls: EngineTls | undefined, agent: Agent): Modem {
  const options = {
    socketPath: address.kind === 'unix' ? address.socketPath : undefined,
    // Over ssh, the agent knows the way; the name only fills the Host header.
    host: address.kind === 'unix' ? undefined : address.kind === 'tcp' ? address.hostname : 'docker',
    port: address.kind === 'tcp' ? address.port : undefined,
    protocol: address.kind === 'tcp' && tls !== undefined ? 'https' : 'http',
    // Those of the agent count.
    ca: undefined,
    cert: undefined,
    key: undefined,
    pathPrefix: undefined,
    username: undefined,
    password: undefined,
    timeout: undefined,
    agent,
  };
  try {
    return new Dockerode(options as unknown as Dockerode.DockerOptions).modem as unknown as Modem;
  } catch (error) {
    // It reads the environment in any case, and gives up on what it can't read there.
    const what = error instanceof Error ? error.message : String(error);
    throw new Error(`DOCKER_HOST or DOCKER_CERT_PATH is broken (${what}): correct or unset it`, {
      cause: error,
    });
  }
}
