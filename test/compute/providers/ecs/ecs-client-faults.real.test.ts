import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { rootCredentials, startMicroburst, startMinistack } from '../../../../dev/ecs-endpoint.ts';
import type { EcsEndpoint, FaultRule, Microburst } from '../../../../dev/ecs-endpoint.ts';
import { createEcsFixture } from '../../../../dev/ecs-endpoint-fixture.ts';
import type { EcsFixture } from '../../../../dev/ecs-endpoint-fixture.ts';
import type { EcsApi } from '../../../../src/compute/providers/ecs/engine/ecs-api.ts';
import { never, testClient } from './client-fixture.ts';

describe('the ECS client, when ECS fails', () => {
  let ministack: EcsEndpoint;
  let proxy: Microburst;
  let fixture: EcsFixture;
  let ecs: EcsApi;
  const clientWith = (deadlineMs?: number): EcsApi =>
    testClient(
      { cluster_arn: fixture.clusterArn, endpoint: proxy.url },
      deadlineMs === undefined ? {} : { deadlineMs },
    );
  const read = (service: string) =>
    ecs.describeService(
      { scope: { region: fixture.region }, cluster: fixture.clusterArn, service },
      'user',
      never,
    );
  const create = (serviceName: string) =>
    ecs.createService(
      { region: fixture.region },
      {
        cluster: fixture.clusterArn,
        serviceName,
        taskDefinition: fixture.taskDefinitionArn,
        desiredCount: 1,
      },
      never,
    );
  const fail = (operation: string, how: FaultRule): Promise<void> =>
    proxy.setRules([{ service: 'ecs', operation, ...how }]);
  const firedCount = async (): Promise<number> => (await proxy.fired()).length;

  beforeAll(async () => {
    ministack = await startMinistack({ mode: 'metadata' });
    proxy = await startMicroburst({ upstream: ministack.url });
    // Through the proxy, which takes seconds over its first request.
    fixture = await createEcsFixture(proxy.url);
  });
  let firedBefore = 0;
  beforeEach(async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', rootCredentials.accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', rootCredentials.secretAccessKey);
    firedBefore = await firedCount();
    ecs = clientWith();
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    ecs.close();
  });
  afterAll(async () => {
    fixture?.close();
    await proxy?.stop();
    await ministack?.stop();
  });

  test.each([
    ['throttled', { error: { code: 'ThrottlingException', status: 400 } }],
    ['answered with 500', { error: { code: 'ServerException', status: 500 } }],
    ['reset', { reset: true }],
    ['cut off in its answer', { response: { abort_frac: 0.3 } }],
  ])('a read that is %s twice is answered all the same', async (_what, how) => {
    await fail('DescribeServices', { ...how, times: 2 });
    await expect(read('none')).resolves.toBeUndefined();
    expect((await firedCount()) - firedBefore).toBe(2);
  });

  test('a change that was throttled was not made, so it is made again', async () => {
    await fail('CreateService', { error: { code: 'ThrottlingException', status: 400 }, times: 2 });
    await expect(create('throttled')).resolves.toMatchObject({ serviceName: 'throttled' });
  });

  test('what stays throttled is put off for some seconds, by a message that stays the same', async () => {
    await fail('CreateService', {
      error: { code: 'ThrottlingException', status: 400, message: 'Rate exceeded' },
    });
    await expect(create('never')).rejects.toMatchObject({
      code: 'Throttled',
      retryAfterMs: expect.toSatisfy((ms: number) => ms >= 5_000 && ms <= 15_000),
      message: expect.stringMatching(
        /^ECS in us-west-2 at http:\S+ throttles ecs:CreateService: Landlord calls/,
      ),
    });
    expect((await firedCount()) - firedBefore).toBe(3);
  });

  test.each([
    ['cut off', { response: { abort_frac: 0.3 } }, true],
    ['a 500', { error: { code: 'ServerException', status: 500 } }, false],
    ['a reset', { reset: true }, false],
  ])('a create whose answer is %s is not made again: the caller looks first', async (what, how, wasMade) => {
    await fail('CreateService', how);
    const serviceName = `lost-${what.replaceAll(' ', '-')}`;
    await expect(create(serviceName)).rejects.toMatchObject({ code: 'ProviderUnavailable' });
    expect((await firedCount()) - firedBefore).toBe(1);
    await proxy.setRules([]);
    expect((await read(serviceName)) !== undefined).toBe(wasMade);
    expect((await create(serviceName)) === 'exists').toBe(wasMade);
  });

  test('values that the endpoint refuses are InvalidSpec, in its own words', async () => {
    const scope = { region: fixture.region };
    const register = ecs.registerTaskDefinition(scope, { family: 'bad', containerDefinitions: [] }, never);
    await expect(register).rejects.toMatchObject({
      code: 'InvalidSpec',
      message: expect.stringContaining(
        'refuses ecs:RegisterTaskDefinition: TaskDefinition must contain at least',
      ),
    });
  });

  test('a call that takes longer than its deadline ends as unavailable, and names what and where', async () => {
    ecs.close();
    ecs = clientWith(300);
    await fail('DescribeServices', { latency: 2_000 });
    await expect(read('slow')).rejects.toMatchObject({
      code: 'ProviderUnavailable',
      message: `ECS in us-west-2 at ${proxy.url} does not answer ecs:DescribeServices in time: is it overloaded, or a firewall in between?`,
    });
    expect((await firedCount()) - firedBefore).toBe(1);
  });

  test('a caller that gives up ends at once', async () => {
    await fail('DescribeServices', { latency: 5_000 });
    const controller = new AbortController();
    const target = { scope: { region: fixture.region }, cluster: fixture.clusterArn, service: 'a' };
    const answer = ecs.describeService(target, 'user', controller.signal);
    answer.catch(() => undefined);
    await vi.waitFor(async () => expect(await firedCount()).toBe(firedBefore + 1), { timeout: 30_000 });
    controller.abort();
    await expect(answer).rejects.toMatchObject({ code: 'ProviderUnavailable', message: /given up/ });
  });

  test('one service that may not be read, and one name that is refused, spoil no other answer of their batch', async () => {
    await create('good');
    const arn = `arn:aws:ecs:us-west-2:000000000000:service/landlord/foreign`;
    const message = `User: arn:aws:sts::000000000000:assumed-role/landlord/1700000000000 is not authorized to perform: ecs:DescribeServices on resource: ${arn} because no identity-based policy allows the ecs:DescribeServices action`;
    const rule = { service: 'ecs', operation: 'DescribeServices' };
    await proxy.setRules([
      {
        ...rule,
        body: "contains(services, 'foreign')",
        error: { code: 'AccessDeniedException', status: 400, message },
      },
      {
        ...rule,
        body: "contains(services, 'bad')",
        error: { code: 'InvalidParameterException', status: 400, message: 'Invalid identifier: bad' },
      },
    ]);
    const names = ['none-1', 'foreign', 'none-2', 'good', 'bad', 'none-3'];
    const answers = await Promise.allSettled(names.map(read));
    expect(answers.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(answers[1]).toMatchObject({
      reason: {
        code: 'AccessDenied',
        message: `ECS in us-west-2 at ${proxy.url} denies ecs:DescribeServices on ${arn} to the operator's own credentials (no identity-based policy allows): allow ecs:DescribeServices in its IAM policy`,
      },
    });
    expect(answers[3]).toMatchObject({ value: { serviceName: 'good' } });
    expect(answers[4]).toMatchObject({ reason: { message: /Invalid identifier: bad$/ } });
  });

  test('an endpoint that nobody listens at is unavailable, and is named', async () => {
    ecs.close();
    ecs = testClient({ cluster_arn: fixture.clusterArn, endpoint: 'http://127.0.0.1:1' });
    await expect(create('nowhere')).rejects.toMatchObject({
      code: 'ProviderUnavailable',
      message:
        'ECS in us-west-2 at http://127.0.0.1:1 does not answer (ECONNREFUSED): is the endpoint right, and up?',
    });
  });
});
