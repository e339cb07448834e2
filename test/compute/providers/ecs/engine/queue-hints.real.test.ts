import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { startCountingProxy } from '../../../../../dev/counting-proxy.ts';
import type { CountingProxy } from '../../../../../dev/counting-proxy.ts';
import { rootCredentials, startMinistack } from '../../../../../dev/ecs-endpoint.ts';
import type { EcsEndpoint } from '../../../../../dev/ecs-endpoint.ts';
import type { ServiceHint } from '../../../../../src/compute/providers/ecs/engine/ecs-api.ts';
import { exampleBlock, never, testClient } from '../client-fixture.ts';

const cluster = exampleBlock.cluster_arn;
const taskEvent = (service: string) => ({
  source: 'aws.ecs',
  'detail-type': 'ECS Task State Change',
  resources: [`${cluster.replace(':cluster/', ':task/')}/0123`],
  detail: { clusterArn: cluster, group: `service:${service}`, lastStatus: 'STOPPED' },
});

describe('the queue of ECS events', () => {
  let ministack: EcsEndpoint;
  let sqs: SQSClient;
  /** The client's calls pass here; the tests' own don't. */
  let proxy: CountingProxy;
  let queueUrl: string;

  beforeAll(async () => {
    ministack = await startMinistack({ mode: 'metadata' });
    proxy = await startCountingProxy(ministack.url);
    const region = 'us-west-2';
    sqs = new SQSClient({ endpoint: ministack.url, region, credentials: rootCredentials });
    const created = await sqs.send(new CreateQueueCommand({ QueueName: 'ecs-events' }));
    queueUrl = `${proxy.url}${new URL(created.QueueUrl ?? '').pathname}`;
  });
  beforeEach(() => {
    proxy.calls.splice(0);
    vi.stubEnv('AWS_ACCESS_KEY_ID', rootCredentials.accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', rootCredentials.secretAccessKey);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });
  afterAll(async () => {
    sqs?.destroy();
    await proxy?.stop();
    await ministack?.stop();
  });
  const polls = () => proxy.calls.filter(({ operation }) => operation === 'ReceiveMessage');
  const send = (body: unknown) =>
    sqs.send(
      new SendMessageCommand({
        QueueUrl: queueUrl,
        MessageBody: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    );

  test('tells which services changed, drops what it does not understand, and leaves no message behind', async () => {
    await send('{"not": "an event"');
    await send({ source: 'aws.s3', detail: {} });
    await send(taskEvent('t-acme'));
    const ecs = testClient({ events_queue_url: queueUrl }, { pollSeconds: 1 });
    const controller = new AbortController();
    const hints: ServiceHint[] = [];
    for await (const hint of ecs.serviceHints(controller.signal)) {
      hints.push(hint);
      if (hint.service === 't-acme') await send(taskEvent('t-last'));
      else controller.abort();
    }
    ecs.close();
    expect(hints).toEqual([
      { cluster, service: 't-acme' },
      { cluster, service: 't-last' },
    ]);
    // One that was received and not deleted is hidden for a while, and then comes again.
    const left = new GetQueueAttributesCommand({
      QueueUrl: queueUrl,
      AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
    });
    expect((await sqs.send(left)).Attributes).toEqual({
      ApproximateNumberOfMessages: '0',
      ApproximateNumberOfMessagesNotVisible: '0',
    });
  });

  test('gets over a queue that can’t be read, and goes on when it is back', async () => {
    const missing = `${queueUrl}-later`;
    const ecs = testClient({ events_queue_url: missing }, { pollSeconds: 1 });
    const next = ecs.serviceHints(never)[Symbol.asyncIterator]().next();
    await vi.waitFor(() => expect(polls()[0]?.status).toBe(400), { timeout: 30_000 });
    await sqs.send(new CreateQueueCommand({ QueueName: 'ecs-events-later' }));
    await sqs.send(
      new SendMessageCommand({ QueueUrl: missing, MessageBody: JSON.stringify(taskEvent('t-later')) }),
    );
    await expect(next).resolves.toMatchObject({ value: { service: 't-later' } });
    ecs.close();
  });

  test('ends at once where no queue is configured, and once it is given up', async () => {
    const without = testClient({});
    await expect(Array.fromAsync(without.serviceHints(never))).resolves.toEqual([]);
    const ecs = testClient({ events_queue_url: queueUrl });
    const end = Array.fromAsync(ecs.serviceHints(never));
    await vi.waitFor(() => expect(polls()).toHaveLength(1), { timeout: 30_000 });
    ecs.close();
    await expect(end).resolves.toEqual([]);
    // It did not wait for the answer, for which the queue takes 20 s.
    expect(polls().map(({ status }) => status)).toEqual([undefined]);
  });
});
