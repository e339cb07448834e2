import { ComputeError } from '../../../../errors.ts';
import { saysInOrder } from '../../../../observation/engine-text.ts';
import { engineTrouble, stableEngineText } from '../engine-errors.ts';
import type { EngineAnswer } from '../engine-errors.ts';
import type { ImageReference } from '../../../../spec/image-reference.ts';

/** Registries count their limits by the minute or the hour; sooner tries only use them up. */
const registryLimitRetryMs = 60_000;

/** What was to be pulled, and from which engine: for the messages. */
export interface PullSubject {
  readonly reference: string;
  readonly parsed: ImageReference;
  readonly host: string;
  readonly hasCredentials: boolean;
  /** What can't be done with it. Default: pulled. */
  readonly aim?: string;
}

/**
 * Why a pull failed, in words that name what would mend it. `answer.status` is the engine's own; the words of the
 * registry tell more, so they decide.
 */
export function pullFailure(subject: PullSubject, answer: EngineAnswer): ComputeError {
  const { text } = answer;
  const known = pullCauses.find(({ pattern }) => pattern.test(text));
  if (known !== undefined) {
    const message = `${cant(subject)}: ${known.explain(subject, text)}`;
    const retryAfterMs = answer.retryAfterMs ?? known.retryAfterMs;
    return new ComputeError('ImageUnavailable', message, retryAfterMs === undefined ? {} : { retryAfterMs });
  }
  if (/invalid reference format|invalid tag format/.test(text)) {
    return new ComputeError('InvalidSpec', `Image ${subject.reference} is not a valid image reference`);
  }
  const trouble = engineTrouble(subject.host, answer);
  if (trouble !== undefined) return trouble;
  return new ComputeError('ImageUnavailable', `${cant(subject)}: ${stableEngineText(text)}`);
}

function cant({ reference, aim = 'pulled' }: PullSubject): string {
  return `Image ${reference} can't be ${aim}`;
}

/** The engine answers while the registry does not. */
export function silentRegistry(subject: PullSubject): ComputeError {
  const message =
    `${cant(subject)}: registry ${subject.parsed.registry} took the connection and ` +
    'sends nothing; is it overloaded or frozen?';
  return new ComputeError('ImageUnavailable', message);
}

/** What the engine reports repeats what the registry says. */
export function endlessReport(subject: PullSubject): ComputeError {
  const message = `${cant(subject)}: what is told of it has a line of more than 1 MiB: does registry ${subject.parsed.registry} answer as one?`;
  return new ComputeError('ImageUnavailable', message);
}

/** It sends, and does not come to an end. */
export function slowRegistry(subject: PullSubject, deadlineMs: number): ComputeError {
  const message =
    `Image ${subject.reference} can't be pulled: registry ${subject.parsed.registry} did not send all of it within ` +
    `${Math.round(deadlineMs / 1000)} s (compute.docker.pull_deadline): is it overloaded, or the image very large?`;
  return new ComputeError('ImageUnavailable', message);
}

interface PullCause {
  readonly pattern: Pick<RegExp, 'test'>;
  readonly explain: (subject: PullSubject, text: string) => string;
  /** Where nobody names a time. */
  readonly retryAfterMs?: number;
}

/** The first that matches holds. Each pattern has a blank in it, so that no image's name can match. */
const pullCauses: readonly PullCause[] = [
  {
    pattern: /toomanyrequests: |too many requests|HTTP status: 429/i,
    explain: ({ parsed }) => `registry ${parsed.registry} limits the rate of pulls (429 toomanyrequests)`,
    retryAfterMs: registryLimitRetryMs,
  },
  { pattern: /no matching manifest/i, explain: () => "it is not made for this engine's platform" },
  {
    pattern: /manifest unknown/i,
    explain: ({ parsed }) =>
      `registry ${parsed.registry} has no such image (manifest unknown): ${rightPart(parsed)}`,
  },
  {
    pattern: /name unknown/i,
    explain: ({ parsed }) =>
      `registry ${parsed.registry} has no repository ${parsed.repository} (name unknown): is the name right?`,
  },
  {
    pattern:
      /no basic auth credentials|unauthorized: |authentication required|incorrect username|denied: |access denied/i,
    explain: explainDenial,
  },
  {
    pattern: /connection refused/i,
    explain: ({ parsed }) => `registry ${parsed.registry} is down (connection refused)`,
  },
  {
    pattern: /no such host|server misbehaving|temporary failure in name resolution/i,
    explain: ({ parsed }) => `there is no registry ${parsed.registry} (no such host): is the name right?`,
  },
  {
    pattern: { test: (text) => saysInOrder(text, /unexpected (HTTP )?status/i, /\b5\d\d\b/) },
    explain: ({ parsed }, text) =>
      `registry ${parsed.registry} is in trouble (HTTP ${/: (5\d\d)\b/.exec(text)?.[1] ?? '5xx'})`,
  },
  {
    pattern: /i\/o timeout|timeout exceeded|deadline exceeded|TLS handshake timeout/i,
    explain: ({ parsed }) => `registry ${parsed.registry} does not answer in time`,
  },
  {
    pattern: /connection reset|unexpected EOF|: EOF|no route to host|network is unreachable|broken pipe/i,
    explain: ({ parsed }) => `the connection from the engine to registry ${parsed.registry} breaks`,
  },
  {
    pattern: /x509: |tls: |server gave HTTP response to HTTPS client/i,
    explain: ({ parsed }) =>
      `the engine does not trust the TLS of registry ${parsed.registry}: give it the CA, or list it in insecure-registries`,
  },
  { pattern: /no space left on device/i, explain: () => "the engine's disk is full" },
];

function explainDenial({ parsed, hasCredentials }: PullSubject): string {
  const where = "the tenant's spec.imagePullSecrets, or the operator's compute.docker.registries";
  return hasCredentials
    ? `registry ${parsed.registry} refuses the credentials (unauthorized): correct those in ${where}`
    : `registry ${parsed.registry} wants credentials, and there are none for it: name them in ${where}`;
}

function rightPart(parsed: ImageReference): string {
  return parsed.digest === undefined ? 'is the tag right?' : 'is the digest right?';
}
