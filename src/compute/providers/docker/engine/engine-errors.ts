import type Dockerode from 'dockerode';
import { ComputeError } from '../../../errors.ts';
import { cutText, saysInOrder } from '../../../observation/engine-text.ts';
import { stableText } from '../../../observation/stable-text.ts';
import type { TextRule } from '../../../observation/stable-text.ts';
import { EngineRefusal } from './engine.ts';
import type { RefusalKind } from './engine.ts';

/**
 * What the engine's failures mean. Pure; each message stays the same as long as the trouble does, because it stands in
 * the Tenant's status: no ids, durations or ephemeral ports.
 */

/** An answer of the engine that is no success. */
export interface EngineAnswer {
  readonly status: number;
  /** What the engine says, as it is. */
  readonly text: string;
  /** Of its header Retry-After. */
  readonly retryAfterMs?: number | undefined;
}

/** Why there is no answer of the engine at `host`: its socket, the name resolution, TLS. */
export function connectionFailure(host: string, error: unknown): ComputeError {
  const code = errorCode(error);
  const engine = `Docker Engine at ${host}`;
  if (code === 'EACCES' || code === 'EPERM') {
    const mend = "let the operator's user be in the group that owns the socket (mostly: docker)";
    return new ComputeError('AccessDenied', `${engine} refuses access (${code}): ${mend}`, { cause: error });
  }
  if (error instanceof SyntaxError) return foreignAnswer(host);
  const message = connectionMessage(engine, code ?? '', error);
  return new ComputeError('ProviderUnavailable', message, { cause: error });
}

function connectionMessage(engine: string, code: string, error: unknown): string {
  switch (code) {
    case 'ECONNREFUSED':
      return `${engine} does not answer (ECONNREFUSED): is dockerd running?`;
    case 'ENOENT':
      return `${engine} does not answer (ENOENT): no such socket; is dockerd running, and its host in compute.docker right?`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${engine}: the host name can't be resolved; is its host in compute.docker right?`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return `${engine} can't be reached: is the host up, and the way to it open?`;
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ECONNABORTED':
    case 'ERR_STREAM_PREMATURE_CLOSE':
      return `${engine} broke the connection before its answer was complete: did dockerd die or restart?`;
    default:
      return otherConnectionMessage(engine, code, error);
  }
}

function otherConnectionMessage(engine: string, code: string, error: unknown): string {
  if (/CERT|SSL|TLS|SIGNATURE|^EPROTO$/.test(code)) {
    return `${engine}: TLS failed (${code}); are the files of its tls in compute.docker the right ones?`;
  }
  if (code.startsWith('HPE_')) {
    return `${engine}: what listens there does not speak plain HTTP; does it want TLS (tls in compute.docker)?`;
  }
  return `${engine} can't be reached: ${stableEngineText(error instanceof Error ? error.message : String(error))}`;
}

/** Something answers, in another language. */
export function foreignAnswer(host: string): ComputeError {
  const message = `What answers at ${host} is no Docker Engine: is its host in compute.docker right?`;
  return new ComputeError('ProviderUnavailable', message);
}

/** The engine took the request and never came to an end with it. */
export function silentEngine(host: string): ComputeError {
  const message = `Docker Engine at ${host} does not answer in time: is dockerd overloaded or frozen?`;
  return new ComputeError('ProviderUnavailable', message, { cause: silence });
}

const silence = new Error('no answer in time');

export function isSilence({ cause }: ComputeError): boolean {
  return cause === silence;
}

/** The engine answers, and yet not about the one thing that it was asked about. */
export function silentAboutOne(host: string): ComputeError {
  const message = `Docker Engine at ${host} answers, but not about this: is what keeps it frozen (its shim, its disk)?`;
  return new ComputeError('ProviderUnavailable', message);
}

/** A call that was given up by the operator itself. */
export function abortedCall(host: string, cause: unknown): ComputeError {
  return new ComputeError('ProviderUnavailable', `A call to Docker Engine at ${host} was given up`, {
    cause,
  });
}

/** Answers that say nothing about the request: no right to ask, or no state to answer in. Else undefined. */
export function engineTrouble(host: string, answer: EngineAnswer): ComputeError | undefined {
  const { status, text, retryAfterMs } = answer;
  const options = retryAfterMs === undefined ? {} : { retryAfterMs };
  const says = `Docker Engine at ${host} answered ${status}: ${stableEngineText(text)}`;
  // Not each 403: the engine says so of overlapping subnets and of networks in use, too.
  if (status === 401 || (status === 403 && /authoriz|permission|denied/i.test(text))) {
    return new ComputeError('AccessDenied', says);
  }
  if (status === 429) return new ComputeError('Throttled', says, options);
  if (status >= 502 && status <= 504) return new ComputeError('ProviderUnavailable', says, options);
  if (status === 500 && /containerd\.sock|daemon is shutting down|transport is closing/i.test(text)) {
    return new ComputeError('ProviderUnavailable', says);
  }
  return undefined;
}

/** An answer to a question that has no refusals: only the engine's own trouble can be the reason. */
export function failedRead(host: string, answer: EngineAnswer): ComputeError {
  const says = `Docker Engine at ${host} answered ${answer.status}: ${stableEngineText(answer.text)}`;
  return engineTrouble(host, answer) ?? new ComputeError('ProviderUnavailable', says);
}

/** What a refused change is about. `target`: the id or name that the request was for. */
export function refusal(answer: EngineAnswer, target: string): EngineRefusal {
  return new EngineRefusal(refusalKind(answer, target), answer.status, stableEngineText(answer.text));
}

function refusalKind({ status, text }: EngineAnswer, target: string): RefusalKind {
  if (/port is already allocated|address already in use/i.test(text)) return 'port-busy';
  if (saysInOrder(text, /network with name/i, /already exists/i)) return 'name-taken';
  if (saysInOrder(text, /(task|shim)\b/i, /already exists/i)) return 'broken';
  if (/failed to update store|RWLayer/i.test(text)) return 'broken';
  if (/unable to find (user|group)/i.test(text)) return 'bad-command';
  if (/OCI runtime|executable file not found|exec format error/i.test(text)) {
    // The runtime also fails for reasons that no other command mends.
    return /exec: |executable file not found|exec format error/i.test(text) ? 'bad-command' : 'other';
  }
  if (/pool overlaps|networks have overlapping|conflicts with network/i.test(text)) return 'overlap';
  if (/has active endpoints|is in use/i.test(text)) return 'in-use';
  if (status === 404) return missing(text, target);
  if (status === 400 || /cannot unmarshal|invalid/i.test(text)) return 'invalid';
  return 'other';
}

function missing(text: string, target: string): RefusalKind {
  if (/no such image/i.test(text)) return 'missing-image';
  const container = /no such container: (\S+)/i.exec(text)?.[1];
  // `container:NAME` as network: the container that is missing is not the one to be started.
  if (container !== undefined) return container === target ? 'gone' : 'missing-network';
  if (text.includes(`network ${target} not found`)) return 'gone';
  if (/network \S+ not found/i.test(text)) return 'missing-network';
  return /no such (volume|network)/i.test(text) ? 'gone' : 'other';
}

/** Without what differs between two tries of the same thing, and without what a URL may carry along. */
export function stableEngineText(text: string): string {
  return stableText(text, changingParts);
}

/** The container with what the engine and its own health probes wrote about it, made fit to be looked at. */
export function withStableWords(found: Dockerode.ContainerInspectInfo): Dockerode.ContainerInspectInfo {
  // Whatever its type says: an answer may lack it.
  const state = found.State as Dockerode.ContainerInspectInfo['State'] | undefined;
  if (state === undefined) return found;
  const { Error: error, Health: health } = state;
  return {
    ...found,
    State: {
      ...state,
      ...(error === undefined ? {} : { Error: stableEngineText(error) }),
      ...(Array.isArray(health?.Log) ? { Health: { ...health, Log: health.Log.map(cutOutput) } } : {}),
    },
  };
}

function cutOutput<T extends { readonly Output: string }>(probe: T): T {
  return { ...probe, Output: cutText(probe.Output) };
}

const changingParts: readonly TextRule[] = [
  // The local end of a connection: `read tcp 10.0.0.1:41234->10.0.0.2:5000`.
  [/(^| )(?:\[[0-9a-fA-F:]+\]|[\d.]+):\d+->/g, '$1'],
  // What something needed at that moment: `current usage: 63488000, peak usage: 63492096`, `pid 4711`, `/proc/4711/ns`.
  [/\b((?:current|peak) usage:?|pid:?|process) \d+/gi, '$1 …'],
  [/\/proc\/\d+/g, '/proc/…'],
  // The host's end of a container's connection to its network, another one with each start.
  [/\bveth[0-9a-f]+\b/g, 'veth…'],
  // Names of those that use it, who may be anybody's: `has active endpoints (name:"web" id:"3f2a…")`.
  [/\(name:"[^"]*" id:"[^"]*"\),?/g, ''],
  // Ids of containers and endpoints, with what stands around them; but not digests.
  [/(sha256:[0-9a-f]{64})| ?(?:- )?(?:\(id : |[("[])?\b[0-9a-f]{64}\b[)"\]]?/g, '$1'],
];

function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return error.code;
}
