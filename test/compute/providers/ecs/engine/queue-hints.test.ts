import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { ServiceHint } from '../../../../../src/compute/providers/ecs/engine/ecs-api.ts';
import { queueHints } from '../../../../../src/compute/providers/ecs/engine/queue-hints.ts';
import { refuse, reply, startStandIn } from '../aws-stand-in.ts';
import type { StandInCall } from '../aws-stand-in.ts';
import { clusterArn } from '../memory-ecs.ts';

beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  // A pause after a failure takes no time.
  vi.spyOn(Math, 'random').mockReturnValue(0);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const eventOf = (service: string) =>
  JSON.stringify({ source: 'aws.ecs', detail: { clusterArn, group: `service:${service}` } });
const messagesOf = (...bodies: (string | undefined)[]) => ({
  Messages: bodies.map((Body, index) => ({
    Body,
    // The SDK believes none without it.
    MD5OfBody: createHash('md5')
      .update(Body ?? '')
      .digest('hex'),
    ReceiptHandle: `receipt-${index}`,
  })),
});
type Answer = (call: StandInCall, response: ServerResponse) => void;

/** Follows a queue whose polls are answered by `polls` in turn, and then not at all. */
async function follow(polls: readonly Answer[], onDelete: Answer = (_call, response) => reply(response, {})) {
  const left = [...polls];
  const standIn = await startStandIn((call, response) => {
    if (call.operation === 'DeleteMessageBatch') return onDelete(call, response);
    const answer = left.shift();
    if (answer !== undefined) answer(call, response);
  });
  onTestFinished(() => standIn.stop());
  const problems: unknown[] = [];
  const options = {
    queueUrl: `${standIn.url}/123456789012/events`,
    region: 'us-west-2',
    logger: pino({ level: 'warn' }, { write: (line) => void problems.push(JSON.parse(line)) }),
    connectMs: 30_000,
    deadlineMs: 60_000,
  };
  const stop = new AbortController();
  const hints: ServiceHint[] = [];
  const done = (async () => {
    for await (const hint of queueHints(options, stop.signal)) hints.push(hint);
  })();
  /** Resolves with the calls so far once they are as many: each waits for what came before it. */
  const calls = async (count: number): Promise<readonly StandInCall[]> =>
    vi.waitFor(() => {
      expect(standIn.calls.length).toBeGreaterThanOrEqual(count);
      return standIn.calls;
    }, 30_000);
  const end = async (): Promise<void> => {
    stop.abort();
    await done;
  };
  onTestFinished(end);
  return { calls, end, hints, problems, options };
}

const queued =
  (...bodies: (string | undefined)[]): Answer =>
  (_call, response) =>
    reply(response, messagesOf(...bodies));

describe('the queue of ECS events', () => {
  test('is polled as long and for as many as SQS allows; what was read is deleted, and asked for again', async () => {
    const { calls, hints, options } = await follow([
      queued(eventOf('a'), 'no event', undefined, eventOf('b'), eventOf('a')),
    ]);
    const [poll, deletion, next] = await calls(3);
    expect(poll).toMatchObject({
      operation: 'ReceiveMessage',
      input: { QueueUrl: options.queueUrl, WaitTimeSeconds: 20, MaxNumberOfMessages: 10 },
    });
    expect(deletion).toMatchObject({
      operation: 'DeleteMessageBatch',
      input: {
        QueueUrl: options.queueUrl,
        Entries: [0, 1, 2, 3, 4].map((index) => ({ Id: `${index}`, ReceiptHandle: `receipt-${index}` })),
      },
    });
    expect(next?.operation).toBe('ReceiveMessage');
    expect(hints).toEqual([
      { cluster: clusterArn, service: 'a' },
      { cluster: clusterArn, service: 'b' },
    ]);
  });

  test('that is empty has nothing deleted', async () => {
    const { calls } = await follow([queued(), (_call, response) => reply(response, {})]);
    expect((await calls(3)).map(({ operation }) => operation)).toEqual(
      Array.from({ length: 3 }, () => 'ReceiveMessage'),
    );
  });

  test('tells its hints though nothing can be deleted', async () => {
    const { calls, hints, problems } = await follow([queued(eventOf('a'))], (_call, response) =>
      refuse(response, 'AccessDeniedException', 'no'),
    );
    await calls(3);
    expect(hints).toHaveLength(1);
    expect(problems).toEqual([]);
  });

  test('that can’t be read is tried on, which is told once until it can be', async () => {
    const fail: Answer = (_call, response) => refuse(response, 'AccessDeniedException', 'no');
    const { calls, hints, problems, options } = await follow([fail, fail, queued(eventOf('a')), fail]);
    await calls(6);
    expect(hints).toHaveLength(1);
    expect(problems).toHaveLength(2);
    expect(problems[0]).toMatchObject({
      queue: options.queueUrl,
      problem:
        "SQS in us-west-2 denies sqs:ReceiveMessage to the operator's own credentials: allow sqs:ReceiveMessage in its IAM policy",
    });
  });

  test('whose answer is refused is told by its own words', async () => {
    const { calls, problems } = await follow([
      (_call, response) => refuse(response, 'QueueDoesNotExist', 'no such queue'),
    ]);
    await calls(2);
    expect(problems).toMatchObject([{ problem: 'no such queue' }]);
  });

  test('is left at once when it is told to, in the middle of a poll or a pause', async () => {
    const polling = await follow([]);
    await polling.calls(1);
    await polling.end();
    expect(polling.problems).toEqual([]);
    vi.mocked(Math.random).mockReturnValue(1);
    const pausing = await follow([(_call, response) => refuse(response, 'AccessDeniedException', 'no')]);
    await vi.waitFor(() => expect(pausing.problems).toHaveLength(1), 30_000);
    await pausing.end();
    expect(await pausing.calls(1)).toHaveLength(1);
  });

  test('is not asked at all after that', async () => {
    const hints = queueHints(
      {
        queueUrl: 'http://127.0.0.1:1/q',
        region: 'us-west-2',
        logger: pino({ level: 'silent' }),
        connectMs: 1,
        deadlineMs: 1,
      },
      AbortSignal.abort(),
    );
    expect(await Array.fromAsync(hints)).toEqual([]);
  });
});
