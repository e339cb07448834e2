import type { ECSClient } from '@aws-sdk/client-ecs';
import type { Logger } from 'pino';
import { ComputeError } from '../../../errors.ts';
import type { EcsScope } from '../address/service-target.ts';
import { AnswerOverCap } from './answer-cap.ts';
import {
  abortedCall,
  assumeRoleError,
  CredentialsTrouble,
  largeAnswer,
  putOffError,
  silentAws,
  troubleError,
} from './ecs-errors.ts';
import type { CallSite } from './ecs-errors.ts';
import { faultOf } from './ecs-fault.ts';
import type { EcsFault } from './ecs-fault.ts';
import { EcsRefusal } from './ecs-refusal.ts';
import type { EcsSession, EcsSessions } from './ecs-sessions.ts';
import type { OperationFamily } from './limits/rate-limits.ts';
import { abortable } from '../../../../async/abortable.ts';
import { backoffMs } from '../../../../async/backoff.ts';
import { withDeadline } from '../../../../async/deadline.ts';
import { sleep } from '../../../../async/sleep.ts';
import { cutFailure, cutToldTexts } from './told-texts.ts';
import { TokenQueueOverrun } from './limits/token-queue.ts';
import type { Priority, TokenQueue } from './limits/token-queue.ts';

/** As many as the SDK makes by default: two throttles or broken connections in a row are got over. */
const maxTries = 3;
/** The first retry comes within these, the second within twice as many, and so on: "full jitter". */
const firstRetryMs = { throttled: 1_000, unavailable: 200 };
/** Credentials that were just renewed and are refused again are not renewed again for a while. */
const renewOnceInMs = 30_000;

export interface EcsCall<T> {
  readonly scope: EcsScope;
  /** `CreateService` */
  readonly action: string;
  readonly family: OperationFamily;
  /** Default: user. */
  readonly priority?: Priority;
  /** Whether it may be made again where its answer was lost: reads, and changes that are the same when made twice. */
  readonly isRepeatable: boolean;
  /** Its token was taken before, by `pay`. */
  readonly isPaid?: boolean;
  /** The session's own client, or another one that it has. */
  readonly send: (
    client: ECSClient,
    options: { readonly abortSignal: AbortSignal },
    session: Pick<EcsSession, 'scaling' | 'other'>,
  ) => Promise<T>;
}

export interface EcsConnection {
  /** The answer, or what ECS refuses. Rejects with ComputeError for everything else. */
  ask<T>(call: EcsCall<T>, signal: AbortSignal): Promise<T | EcsRefusal>;
  /** Takes a token ahead of a call. Rejects with ComputeError. */
  pay(call: Pick<EcsCall<unknown>, 'scope' | 'action' | 'family' | 'priority'>): Promise<void>;
  refund(scope: EcsScope, family: OperationFamily): void;
  /** Where the scope's calls go, for messages. */
  site(scope: EcsScope, action: string): CallSite;
  close(): void;
}

export interface ConnectionOptions {
  readonly sessions: EcsSessions;
  readonly tokensOf: (scope: EcsScope, family: OperationFamily) => TokenQueue;
  readonly logger: Logger;
  readonly now: () => number;
  /** Milliseconds that one try may take, credentials included. No retry begins after as many. */
  readonly deadlineMs: number;
}

/** Every call to ECS goes through here: its token, its deadline, its retries, and what its failure means. */
export function connectEcs(options: ConnectionOptions): EcsConnection {
  const { sessions, tokensOf, now } = options;
  const closing = new AbortController();
  const line: Line = { ...options, closing: closing.signal, renewal: createRenewal(now) };
  return {
    ask: (call, signal) => ask(line, call, signal),
    pay: async ({ scope, action, family, priority = 'user' }) =>
      takeToken(tokensOf(scope, family), {
        priority,
        site: sessions.site(scope, action),
        signal: closing.signal,
      }),
    refund: (scope, family) => tokensOf(scope, family).giveBack(),
    site: (scope, action) => sessions.site(scope, action),
    close: () => {
      closing.abort(new Error('Landlord is stopping'));
      sessions.close();
    },
  };
}

/** What the calls of a connection have in common. */
interface Line extends ConnectionOptions {
  readonly closing: AbortSignal;
  readonly renewal: Renewal;
}

async function ask<T>(line: Line, call: EcsCall<T>, signal: AbortSignal): Promise<T | EcsRefusal> {
  const { sessions, tokensOf, logger, now, deadlineMs } = line;
  const { scope, action, family, priority = 'user' } = call;
  const site = sessions.site(scope, action);
  const tokens = tokensOf(scope, family);
  const stop = AbortSignal.any([signal, line.closing]);
  const told = { action: site.action, region: scope.region };
  let firstTryAt: number | undefined;
  let lastError: ComputeError | undefined;
  for (let tries = 1; ; tries += 1) {
    if (tries > 1 || call.isPaid !== true) {
      await takeToken(tokens, { priority, site, signal: stop, orElse: lastError });
    }
    const session = sessions.of(scope);
    const triedAt = now();
    firstTryAt ??= triedAt;
    const outcome = await attempt(call, session, { site, stop, deadlineMs });
    if (!(outcome instanceof Failure)) return outcome;
    const { fault } = outcome;
    if (fault.kind === 'throttled' && outcome.isOfEcs && tokens.slowDown()) {
      logger.warn(told, 'ECS throttles: calling more slowly');
    }
    const leftMs = firstTryAt + deadlineMs - now();
    const waitMs = retryDelayMs(outcome, call.isRepeatable, tries);
    const isWorthIt = tries < maxTries && waitMs !== undefined && waitMs < leftMs;
    if (!isWorthIt) throw outcome.error;
    lastError = outcome.error;
    if (fault.kind === 'credentials' && !(await line.renewal(session, triedAt, stop))) throw outcome.error;
    logger.debug({ ...told, fault: fault.kind }, 'trying again');
    await pause(waitMs, stop, site);
  }
}

/** One try that came to nothing. */
class Failure {
  readonly fault: EcsFault;
  /** What it comes to where no other try follows. */
  readonly error: ComputeError;
  /** Of the call itself, not of the way to its credentials. */
  readonly isOfEcs: boolean;

  constructor(fault: EcsFault, error: ComputeError, isOfEcs: boolean) {
    this.fault = fault;
    this.error = error;
    this.isOfEcs = isOfEcs;
  }
}

async function attempt<T>(
  call: EcsCall<T>,
  session: EcsSession,
  {
    site,
    stop,
    deadlineMs,
  }: { readonly site: CallSite; readonly stop: AbortSignal; readonly deadlineMs: number },
): Promise<T | EcsRefusal | Failure> {
  const deadline = { timeoutMs: deadlineMs, caller: stop, late: () => silentAws(site) };
  try {
    // The SDK heeds neither its timeout nor the signal while it reads a body or looks for credentials.
    const answer = await withDeadline(deadline, (signal) =>
      call.send(session.client, { abortSignal: signal }, session),
    );
    return cutToldTexts(answer, call.family);
  } catch (error) {
    if (stop.aborted) throw abortedCall(site, stop.reason);
    return failure(cutFailure(error), site);
  }
}

function failure(error: unknown, site: CallSite): EcsRefusal | Failure {
  // The deadline's.
  if (error instanceof ComputeError) return new Failure({ kind: 'unavailable', isLost: true }, error, true);
  if (error instanceof AnswerOverCap) return new Failure({ kind: 'refused' }, largeAnswer(site, error), true);
  if (error instanceof CredentialsTrouble) {
    const { kind } = faultOf(error.cause);
    // Not carried out in any case: the call itself was never made.
    const fault: EcsFault = kind === 'unavailable' ? { kind, isLost: false } : { kind: 'denied' };
    return new Failure(fault, assumeRoleError(site.region, error), false);
  }
  const fault = faultOf(error);
  const trouble = troubleError(fault, site, error);
  return trouble === undefined ? new EcsRefusal(error, site) : new Failure(fault, trouble, true);
}

/** Undefined where another try is of no use, or might do a thing twice. */
function retryDelayMs({ fault }: Failure, isRepeatable: boolean, tries: number): number | undefined {
  const delayMs = (baseMs: number): number =>
    backoffMs(tries - 1, { baseMs, capMs: Infinity, jitter: 'full' });
  switch (fault.kind) {
    case 'throttled':
      return Math.max(fault.retryAfterMs ?? 0, delayMs(firstRetryMs.throttled));
    case 'credentials':
      return tries === 1 ? 0 : undefined;
    case 'unavailable':
      return fault.isLost && !isRepeatable ? undefined : delayMs(firstRetryMs.unavailable);
    case 'denied':
    case 'refused':
      break;
  }
  return undefined;
}

interface TokenTaker {
  readonly priority: Priority;
  readonly site: CallSite;
  readonly signal: AbortSignal;
  /** Why there was a try before, which tells more than that there are too many calls for another one. */
  readonly orElse?: ComputeError | undefined;
}

async function takeToken(tokens: TokenQueue, taker: TokenTaker): Promise<void> {
  const { priority, site, signal, orElse } = taker;
  try {
    await tokens.take(priority, signal);
  } catch (error) {
    if (!(error instanceof TokenQueueOverrun)) throw abortedCall(site, error);
    throw orElse ?? putOffError(site, error.waitMs);
  }
}

/** True once a session's credentials are newer than the try that failed with them. */
type Renewal = (session: EcsSession, triedAt: number, signal: AbortSignal) => Promise<boolean>;

function createRenewal(now: () => number): Renewal {
  const last = new WeakMap<EcsSession, { readonly at: number; readonly done: Promise<boolean> }>();
  const begin = async (session: EcsSession): Promise<boolean> => {
    try {
      await session.renew();
      return true;
    } catch {
      return false;
    }
  };
  return async (session, triedAt, signal) => {
    const before = last.get(session);
    if (before !== undefined && before.at >= triedAt) return abortable(before.done, signal);
    if (before !== undefined && now() - before.at < renewOnceInMs) return false;
    const done = begin(session);
    last.set(session, { at: now(), done });
    return abortable(done, signal);
  };
}

async function pause(ms: number, signal: AbortSignal, site: CallSite): Promise<void> {
  if (!(await sleep(ms, signal))) throw abortedCall(site, signal.reason);
}
