import { onAbort } from '../../../../../async/on-abort.ts';
import type { RateLimit } from './rate-limits.ts';

/** A halved rate climbs back to the whole within a minute: slower than any throttle is looked into, faster than a shift. */
const recoveryMs = 60_000;
/** Never slower than this part of the rate: some call must find out that the throttling has ended. */
const slowestShare = 1 / 16;
/** Calls that were under way together are throttled together: that is one reason to slow down, not several. */
const slowDownOnceInMs = 1_000;
/** Additions of fractions may fall short of a whole token by this much. */
const rounding = 1e-9;

/** Who goes first when tokens are short. */
export type Priority = 'user' | 'sweep';

/**
 * Where calls wait for their tokens. More than the bucket of src/async, which says yes or no at a fixed rate: here
 * callers stand in line, users before sweeps, and the rate itself falls with each throttle and recovers.
 */
export interface TokenQueue {
  /**
   * Resolves once a token is there and taken; those who ask for a user go before sweeps, each kind in its order.
   * Rejects with TokenQueueOverrun at once where the wait would be too long, and with the signal's reason when it aborts.
   */
  take(priority: Priority, signal: AbortSignal): Promise<void>;
  /** Returns a token that was taken and not used. */
  giveBack(): void;
  /** The engine throttles: takes all tokens away and halves the rate, which recovers by itself. True where that is news. */
  slowDown(): boolean;
}

export interface TokenQueueOptions {
  /** Monotonic clock in milliseconds. */
  readonly now: () => number;
  /** Longest wait to be accepted, in milliseconds. */
  readonly maxWaitMs: number;
}

/** So many wait already that another one would wait longer than is sensible. */
export class TokenQueueOverrun extends Error {
  override readonly name = 'TokenQueueOverrun';
  readonly waitMs: number;

  constructor(waitMs: number) {
    super('too many calls wait already');
    this.waitMs = waitMs;
  }
}

interface Waiter {
  grant(): void;
}

/** Not above `limit.burst` calls at once nor `limit.perSecond` in the long run, whoever takes. */
export function createTokenQueue(limit: RateLimit, { now, maxWaitMs }: TokenQueueOptions): TokenQueue {
  const level = createLevel(limit, now);
  const waiting: Readonly<Record<Priority, Set<Waiter>>> = { user: new Set(), sweep: new Set() };
  let timer: NodeJS.Timeout | undefined;

  const serve = (): void => {
    clearTimeout(timer);
    timer = undefined;
    for (const queue of [waiting.user, waiting.sweep]) {
      for (const waiter of queue) {
        if (!level.takeOne()) return wakeLater();
        queue.delete(waiter);
        waiter.grant();
      }
    }
  };
  const wakeLater = (): void => {
    timer = setTimeout(serve, Math.max(1, Math.ceil(level.msUntil(1))));
  };
  const drop = (queue: Set<Waiter>, waiter: Waiter): void => {
    queue.delete(waiter);
    if (waiting.user.size + waiting.sweep.size > 0) return;
    clearTimeout(timer);
    timer = undefined;
  };

  return {
    take: async (priority, signal) => {
      signal.throwIfAborted();
      const ahead = waiting.user.size + (priority === 'sweep' ? waiting.sweep.size : 0);
      const waitMs = level.msUntil(ahead + 1);
      if (waitMs > maxWaitMs) throw new TokenQueueOverrun(waitMs);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const waiter = { grant: resolve };
      waiting[priority].add(waiter);
      const stopListening = onAbort(signal, () => {
        drop(waiting[priority], waiter);
        reject(signal.reason as Error);
      });
      serve();
      try {
        await promise;
      } finally {
        stopListening();
      }
    },
    giveBack: () => {
      level.giveBack();
      serve();
    },
    slowDown: () => level.slowDown(),
  };
}

interface Level {
  takeOne(): boolean;
  giveBack(): void;
  /** Milliseconds until that many tokens are there, at the rate of now. */
  msUntil(tokens: number): number;
  slowDown(): boolean;
}

/** How many tokens there are, and how fast they come. */
function createLevel({ burst, perSecond }: RateLimit, now: () => number): Level {
  const fullRate = perSecond / 1000;
  let rate = fullRate;
  let tokens = burst;
  let filledAt = now();
  let slowedAt = Number.NEGATIVE_INFINITY;

  const fill = (): void => {
    const elapsedMs = Math.max(0, now() - filledAt);
    filledAt += elapsedMs;
    // At the rate of the beginning: a recovering rate gives a little less than it might, never more.
    tokens = Math.min(burst, tokens + elapsedMs * rate);
    rate = Math.min(fullRate, rate + (fullRate * elapsedMs) / recoveryMs);
  };
  return {
    takeOne: () => {
      fill();
      if (tokens < 1 - rounding) return false;
      tokens -= 1;
      return true;
    },
    giveBack: () => {
      fill();
      tokens = Math.min(burst, tokens + 1);
    },
    msUntil: (wanted) => {
      fill();
      return Math.max(0, (wanted - tokens) / rate);
    },
    slowDown: () => {
      fill();
      if (now() - slowedAt < slowDownOnceInMs) return false;
      slowedAt = now();
      tokens = Math.min(tokens, 0);
      const before = rate;
      rate = Math.max(rate / 2, fullRate * slowestShare);
      return rate < before;
    },
  };
}
