import { DeleteMessageBatchCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Message } from '@aws-sdk/client-sqs';
import type { Logger } from 'pino';
import type { ServiceHint } from './ecs-api.ts';
import { troubleError } from './ecs-errors.ts';
import { faultOf } from './ecs-fault.ts';
import { serviceHint } from './service-hint.ts';
import { cutFailure } from './told-texts.ts';
import { abortable } from '../../../../async/abortable.ts';
import { backoffMs } from '../../../../async/backoff.ts';
import { withDeadline } from '../../../../async/deadline.ts';
import { sleep } from '../../../../async/sleep.ts';

/** The longest and the most that SQS offers: the fewest calls. */
const longPollSeconds = 20;
const maxMessages = 10;
/** A queue that can't be read costs no more than a look now and then: sweeps find everything without it. */
const backoff = { baseMs: 1_000, capMs: 60_000, jitter: 'full' } as const;

export interface EventsQueueOptions {
  readonly queueUrl: string;
  /** Where the queue is, unless its URL says so. */
  readonly region: string;
  readonly logger: Logger;
  readonly connectMs: number;
  /** Milliseconds that an answer may take beyond the long poll. */
  readonly deadlineMs: number;
  /** Seconds that a poll waits for messages. Default: 20. */
  readonly pollSeconds?: number | undefined;
}

/** Hints from the queue until `signal` aborts; never throws. Messages are deleted, those that say nothing, too. */
export async function* queueHints(
  options: EventsQueueOptions,
  signal: AbortSignal,
): AsyncIterable<ServiceHint> {
  const { logger, queueUrl } = options;
  const client = sqsClient(options);
  let failures = 0;
  try {
    while (!signal.aborted) {
      try {
        const messages = await receive(client, options, signal);
        failures = 0;
        yield* distinctHints(messages);
      } catch (error) {
        if (signal.aborted) return;
        const trouble = troubleError(faultOf(error), siteOf(options), cutFailure(error)) ?? (error as Error);
        if (failures === 0)
          logger.warn({ queue: queueUrl, problem: trouble.message }, 'no ECS events for now');
        failures += 1;
        await sleep(backoffMs(failures, backoff), signal);
      }
    }
  } finally {
    client.destroy();
  }
}

function sqsClient({ queueUrl, region, connectMs, deadlineMs, pollSeconds }: EventsQueueOptions): SQSClient {
  return new SQSClient({
    region: queueRegion(queueUrl) ?? region,
    // Said twice, or the SDK warns on the console of a queue that is not AWS' own.
    endpoint: new URL(queueUrl).origin,
    useQueueUrlAsEndpoint: false,
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: connectMs,
      requestTimeout: (pollSeconds ?? longPollSeconds) * 1000 + deadlineMs,
      throwOnRequestTimeout: true,
    },
  });
}

/** https://sqs.us-west-2.amazonaws.com/123456789012/NAME */
function queueRegion(queueUrl: string): string | undefined {
  return /^https?:\/\/sqs\.([a-z0-9-]+)\.amazonaws\./.exec(queueUrl)?.[1];
}

function siteOf({ queueUrl, region }: EventsQueueOptions) {
  return { action: 'sqs:ReceiveMessage', region: queueRegion(queueUrl) ?? region };
}

async function receive(
  client: SQSClient,
  { queueUrl, pollSeconds = longPollSeconds, deadlineMs }: EventsQueueOptions,
  signal: AbortSignal,
): Promise<readonly Message[]> {
  const ask = new ReceiveMessageCommand({
    QueueUrl: queueUrl,
    WaitTimeSeconds: pollSeconds,
    MaxNumberOfMessages: maxMessages,
  });
  return withDeadline({ timeoutMs: pollSeconds * 1000 + deadlineMs, caller: signal }, async (within) => {
    const { Messages: messages = [] } = await client.send(ask, { abortSignal: within });
    if (messages.length > 0) await forget(client, { queueUrl, messages }, within);
    return messages;
  });
}

/** One that stays comes again, which costs another look and no more. */
async function forget(
  client: SQSClient,
  { queueUrl, messages }: { readonly queueUrl: string; readonly messages: readonly Message[] },
  signal: AbortSignal,
): Promise<void> {
  const entries = messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
  const ask = new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries });
  await abortable(client.send(ask, { abortSignal: signal }), signal).catch(() => undefined);
}

function distinctHints(messages: readonly Message[]): Iterable<ServiceHint> {
  const hints = new Map<string, ServiceHint>();
  for (const { Body } of messages) {
    const hint = serviceHint(Body ?? '');
    if (hint !== undefined) hints.set(`${hint.cluster} ${hint.service}`, hint);
  }
  return hints.values();
}
