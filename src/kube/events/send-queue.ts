import type { Logger } from 'pino';
import { backoffMs } from '../../async/backoff.ts';
import { doneWithin } from '../../async/done-within.ts';
import { sleep } from '../../async/sleep.ts';
import { KubeUnreachableError, messageOf } from '../client/kube-api-error.ts';

/** What is to be sent and may be lost: one after the other, again where nobody answers, and dropped where too many wait. */
export interface SendQueue {
  /** Returns at once. `send` begins off the caller's stack. */
  add(send: () => Promise<unknown>): void;
  /** Waits until all are sent, for `timeoutMs` at most. True where they are. */
  flush(timeoutMs: number): Promise<boolean>;
}

/** What waits beyond this is dropped: 1 MB or so of events. */
const maxWaiting = 1_000;
const maxAttempts = 5;
const backoff = { baseMs: 500, capMs: 10_000 };

/** `queue`: too many wait. `refused`: the apiserver takes it from nobody, or has given no answer for long. */
export type SendLoss = 'queue' | 'refused';

export interface SendQueueOptions {
  readonly logger: Logger;
  readonly onLost?: ((loss: SendLoss) => void) | undefined;
}

export function createSendQueue(options: SendQueueOptions): SendQueue {
  const { logger, onLost } = options;
  const waiting: (() => Promise<unknown>)[] = [];
  let sending: Promise<void> | undefined;

  async function sendAll(): Promise<void> {
    // After the caller's burst, so that repeats in it need one update.
    await Promise.resolve();
    // One after the other: a series is only updated after it was created.
    for (let send = waiting.shift(); send; send = waiting.shift()) await attempt(send, options);
  }

  return {
    add(send) {
      if (waiting.length >= maxWaiting) {
        logger.debug('too many events are waiting, one is dropped');
        onLost?.('queue');
        return;
      }
      waiting.push(send);
      sending ??= sendAll().finally(() => (sending = undefined));
    },
    flush: (timeoutMs) => doneWithin(sending ?? Promise.resolve(), timeoutMs),
  };
}

/** Never rejects. */
async function attempt(send: () => Promise<unknown>, { logger, onLost }: SendQueueOptions): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await send();
      return;
    } catch (error) {
      if (!(error instanceof KubeUnreachableError) || tries >= maxAttempts) {
        // The namespace is going, the rights are missing: nobody is helped by more than a line.
        logger.debug({ error: messageOf(error) }, 'event not recorded');
        onLost?.('refused');
        return;
      }
      await sleep(backoffMs(tries, backoff));
    }
  }
}
