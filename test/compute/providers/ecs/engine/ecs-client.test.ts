import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { EcsApi } from '../../../../../src/compute/providers/ecs/engine/ecs-api.ts';
import type { EcsClientOptions } from '../../../../../src/compute/providers/ecs/engine/ecs-client.ts';
import { refuse, reply, startStandIn } from '../aws-stand-in.ts';
import type { StandIn, StandInCall } from '../aws-stand-in.ts';
import { exampleBlock, never, testClient } from '../client-fixture.ts';
import { anyConsent } from '../../../permits.ts';

const scope = { region: 'us-west-2' };
const cluster = exampleBlock.cluster_arn;
const target = { scope, cluster, service: 'a' };
const createInput = { cluster, serviceName: 'a', taskDefinition: 'app:1' };
const updateInput = { cluster, service: 'a' };

beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
});
afterEach(() => {
  vi.unstubAllEnvs();
});

async function clientOf(
  answer: (call: StandInCall, response: ServerResponse) => void,
  options: Partial<Omit<EcsClientOptions, 'block'>> = {},
): Promise<{ ecs: EcsApi; standIn: StandIn }> {
  const standIn = await startStandIn(answer);
  onTestFinished(() => standIn.stop());
  const ecs = testClient({ endpoint: standIn.url }, options);
  onTestFinished(() => ecs.close());
  return { ecs, standIn };
}

const create = (ecs: EcsApi) => ecs.createService(scope, createInput, never);
const update = (ecs: EcsApi) => ecs.updateService(scope, updateInput, anyConsent, never);
const remove = (ecs: EcsApi) => ecs.deleteService(target, anyConsent, never);
const read = (ecs: EcsApi) => ecs.describeService(target, 'user', never);

describe('what ECS refuses', () => {
  test.each([
    [create, 'InvalidParameterException', 'Creation of service was not idempotent.', 'exists'],
    [create, 'InvalidParameterException', 'Unable to Start a service that is still Draining.', 'draining'],
    [create, 'ClusterNotFoundException', 'Cluster not found.', 'cluster-gone'],
    [create, 'ClientException', 'The referenced cluster was inactive.', 'cluster-gone'],
    [update, 'ServiceNotActiveException', 'Service was not ACTIVE.', 'inactive'],
    [update, 'ServiceNotFoundException', 'Service not found.', 'missing'],
    [update, 'ClusterNotFoundException', 'Cluster not found.', 'cluster-gone'],
    [remove, 'ServiceNotFoundException', 'Service not found.', 'missing'],
    [remove, 'ServiceNotActiveException', 'Service was not ACTIVE.', 'missing'],
    [remove, 'ClusterNotFoundException', 'Cluster not found.', 'cluster-gone'],
    [read, 'ClusterNotFoundException', 'Cluster not found.', 'cluster-gone'],
  ])('is a value where callers decide on it: %o %s %s', async (call, name, message, value) => {
    const { ecs, standIn } = await clientOf((_call, response) => refuse(response, name, message));
    await expect(call(ecs)).resolves.toBe(value);
    expect(standIn.calls).toHaveLength(1);
  });

  test.each([
    [create, 'InvalidParameterException', 'No Fargate configuration exists for given values.', 'InvalidSpec'],
    [create, 'ClientException', 'TaskDefinition not found.', 'InvalidSpec'],
    [create, 'PlatformUnknownException', 'The platform version is unknown.', 'InvalidSpec'],
    [create, 'InvalidParameterException', 'Unable to assume the service linked role.', 'AccessDenied'],
    [create, 'LimitExceededException', 'Too many.', 'ProvisionFailed'],
    [create, 'InvalidParameterException', 'The maximum number of services was exceeded.', 'ProvisionFailed'],
    [update, 'SomethingNewException', 'What?', 'UpdateFailed'],
    [remove, 'UpdateInProgressException', 'Busy.', 'DestroyFailed'],
    [
      create,
      'AccessDeniedException',
      'not authorized to perform: iam:PassRole on resource: x',
      'AccessDenied',
    ],
    [
      create,
      'ExpiredTokenException',
      'The security token included in the request is expired',
      'AccessDenied',
    ],
  ])(
    'is otherwise a ComputeError with a message that says what: %o %s %s',
    async (call, name, message, code) => {
      const { ecs, standIn } = await clientOf((_call, response) => refuse(response, name, message));
      const first = await call(ecs).catch((error: unknown) => error);
      expect(first).toMatchObject({
        code,
        message: expect.stringContaining(`ECS in us-west-2 at ${standIn.url}`),
      });
    },
  );

  test('is named by the action that was refused, not by the call that needed it', async () => {
    const text =
      'User: arn:aws:sts::1:assumed-role/x/y is not authorized to perform: iam:PassRole on resource: z';
    const { ecs } = await clientOf((_call, response) => refuse(response, 'AccessDeniedException', text));
    await expect(create(ecs)).rejects.toThrow(/denies iam:PassRole to the operator's own credentials/);
  });

  test('gives a message without what differs from one try to the next', async () => {
    const { ecs } = await clientOf((_call, response) =>
      refuse(
        response,
        'InvalidParameterException',
        `Bad subnet for arn:aws:sts::1:assumed-role/x/s-${Math.random()} (Request ID: ${crypto.randomUUID()}) ${crypto.randomUUID()}`,
      ),
    );
    const messages = new Set<string>();
    for (let time = 0; time < 3; time += 1) {
      messages.add(await create(ecs).then(String, (error: Error) => error.message));
    }
    expect(messages.size).toBe(1);
    expect([...messages][0]).toMatch(/Bad subnet for arn:aws:sts::1:assumed-role\/x …$/);
  });
});

describe('an answer that is none', () => {
  const half = (response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1', 'content-length': 500 });
    response.write('{"services":[');
  };
  test.each<[string, (response: ServerResponse) => void, RegExp]>([
    ['a 503 that is no JSON', reply503, /answered ecs:DescribeServices with 503$/],
    ['a page of a proxy', (response) => response.end('<html>'), /is no AWS API: is the endpoint right/],
  ])('%s ends as ProviderUnavailable after three tries', async (_what, answer, message) => {
    const { ecs, standIn } = await clientOf((_call, response) => answer(response));
    await expect(read(ecs)).rejects.toMatchObject({
      code: 'ProviderUnavailable',
      message: expect.stringMatching(message),
    });
    expect(standIn.calls).toHaveLength(3);
  });

  test.each<[string, (response: ServerResponse) => void]>([
    ['half of one and then silence', half],
    ['silence', () => undefined],
  ])('%s ends as ProviderUnavailable with the deadline', async (_what, answer) => {
    const { ecs } = await clientOf((_call, response) => answer(response), { deadlineMs: 300 });
    await expect(read(ecs)).rejects.toMatchObject({
      code: 'ProviderUnavailable',
      message: expect.stringMatching(/does not answer ecs:DescribeServices in time/),
    });
  });

  test('that leaves a name out is no proof that the service is missing', async () => {
    const { ecs } = await clientOf((_call, response) => reply(response, { services: [], failures: [] }));
    await expect(read(ecs)).rejects.toMatchObject({ code: 'ProviderUnavailable' });
  });
});

function reply503(response: ServerResponse): void {
  response.writeHead(503, { 'content-type': 'text/html' });
  response.end('<html>Service Unavailable</html>');
}

describe('the calls of the ECS client', () => {
  const taskDefinition = 'arn:aws:ecs:us-west-2:1:task-definition/app:7';

  test('when told how long to wait, it waits as long in the caller and not in the call', async () => {
    const { ecs, standIn } = await clientOf((_call, response) =>
      refuse(response, 'ThrottlingException', 'Rate exceeded', { 'retry-after': '40' }),
    );
    const error = await create(ecs).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'Throttled' });
    expect((error as { retryAfterMs: number }).retryAfterMs).toBeGreaterThanOrEqual(40_000);
    expect(standIn.calls).toHaveLength(1);
  });

  test('a revision is described once for all who ask, what is not there each time, a family’s latest too', async () => {
    const { ecs, standIn } = await clientOf(({ input }, response) => {
      if (input['taskDefinition'] === 'none:1') {
        refuse(response, 'ClientException', 'Unable to describe task definition.');
      } else reply(response, { taskDefinition: { family: 'app' }, tags: [] });
    });
    const describeOne = (name: string) => ecs.describeTaskDefinition(scope, name, never);
    await Promise.all(Array.from({ length: 20 }, () => describeOne(taskDefinition)));
    await expect(describeOne(taskDefinition)).resolves.toMatchObject({ taskDefinition: { family: 'app' } });
    expect(standIn.calls).toHaveLength(1);
    await expect(describeOne('none:1')).resolves.toBeUndefined();
    await describeOne('none:1');
    await describeOne('app');
    await describeOne('app');
    expect(standIn.calls).toHaveLength(5);
    await ecs.deregisterTaskDefinition(scope, taskDefinition, anyConsent, never);
    await describeOne(taskDefinition);
    expect(standIn.calls).toHaveLength(7);
  });

  test('a revision that a service was refused with is described afresh', async () => {
    const { ecs, standIn } = await clientOf(({ operation }, response) => {
      if (operation === 'UpdateService') refuse(response, 'ClientException', 'TaskDefinition is inactive');
      else reply(response, { taskDefinition: { family: 'app' } });
    });
    await ecs.describeTaskDefinition(scope, taskDefinition, never);
    await expect(
      ecs.updateService(scope, { ...updateInput, taskDefinition }, anyConsent, never),
    ).rejects.toMatchObject({
      code: 'InvalidSpec',
    });
    await ecs.describeTaskDefinition(scope, taskDefinition, never);
    expect(standIn.calls).toHaveLength(3);
  });

  test('one who gives up waiting for a shared description spoils it for nobody', async () => {
    const gate = Promise.withResolvers<void>();
    const { ecs, standIn } = await clientOf((_call, response) => {
      void gate.promise.then(() => reply(response, { taskDefinition: { family: 'app' } }));
    });
    const controller = new AbortController();
    const first = ecs.describeTaskDefinition(scope, taskDefinition, controller.signal);
    const second = ecs.describeTaskDefinition(scope, taskDefinition, never);
    controller.abort();
    await expect(first).rejects.toMatchObject({ code: 'ProviderUnavailable' });
    gate.resolve();
    await expect(second).resolves.toMatchObject({ taskDefinition: { family: 'app' } });
    expect(standIn.calls).toHaveLength(1);
  });

  test('all pages of services are read, by names of old and new ARNs', async () => {
    const { ecs } = await clientOf(({ input }, response) => {
      const first = { serviceArns: ['arn:aws:ecs:r:1:service/landlord/a'], nextToken: 'more' };
      reply(response, input['nextToken'] === 'more' ? { serviceArns: ['arn:aws:ecs:r:1:service/b'] } : first);
    });
    await expect(Array.fromAsync(ecs.listServices(target, never))).resolves.toEqual([['a'], ['b']]);
  });

  test('tasks that stopped and tasks that run share the room there is, and neither is left out', async () => {
    const { ecs, standIn } = await clientOf(({ operation, input }, response) => {
      const status = String(input['desiredStatus']).toLowerCase();
      const taskArns = Array.from({ length: 10 }, (_, index) => `${status}-${index}`);
      reply(response, operation === 'ListTasks' ? { taskArns } : { tasks: [] });
    });
    await ecs.describeTasks(target, { limit: 10, priority: 'user' }, never);
    const asked = standIn.calls.at(-1)?.input['tasks'] as string[];
    expect(asked).toHaveLength(10);
    expect(asked.filter((arn) => arn.startsWith('stopped'))).toHaveLength(5);
  });

  test('tokens are taken for retries, too: a storm of failures stays below the limits and keeps its cause', async () => {
    const { ecs, standIn } = await clientOf((_call, response) => reply503(response), {
      now: () => 0,
      limits: { taskDefinitionReads: { burst: 4, perSecond: 0.001 } },
    });
    const asks = Array.from({ length: 3 }, () => ecs.listTaskDefinitions(scope, 'app', never));
    const codes = (await Promise.allSettled(asks)).map((ask) =>
      ask.status === 'rejected' ? ask.reason.code : '',
    );
    expect(standIn.calls).toHaveLength(4);
    expect(codes).toEqual(Array.from({ length: 3 }, () => 'ProviderUnavailable'));
  });

  test('closing ends what is under way', async () => {
    const { ecs, standIn } = await clientOf(() => undefined);
    const ends = [read(ecs), create(ecs), ecs.describeTaskDefinition(scope, taskDefinition, never)];
    const settled = Promise.allSettled(ends);
    await vi.waitFor(() => expect(standIn.calls).toHaveLength(3), 30_000);
    ecs.close();
    const givenUp = { code: 'ProviderUnavailable', message: expect.stringMatching(/ was given up$/) };
    expect(await settled).toMatchObject(ends.map(() => ({ reason: givenUp })));
    expect(standIn.calls).toHaveLength(3);
  });

  test('a service that was refused for another reason is no reason to describe its revision afresh', async () => {
    const { ecs, standIn } = await clientOf(({ operation }, response) => {
      if (operation === 'CreateService') refuse(response, 'LimitExceededException', 'Too many.');
      else reply(response, { taskDefinition: { family: 'app' } });
    });
    await ecs.describeTaskDefinition(scope, taskDefinition, never);
    await expect(ecs.createService(scope, { ...createInput, taskDefinition }, never)).rejects.toMatchObject({
      code: 'ProvisionFailed',
    });
    await ecs.describeTaskDefinition(scope, taskDefinition, never);
    expect(standIn.calls).toHaveLength(2);
  });

  test('a description that nobody waits for any more is given up in our words', async () => {
    const { ecs } = await clientOf(() => undefined);
    await expect(
      ecs.describeTaskDefinition(scope, taskDefinition, AbortSignal.abort()),
    ).rejects.toMatchObject({
      code: 'ProviderUnavailable',
      message: expect.stringMatching(
        /^A call of ecs:DescribeTaskDefinition to ECS in us-west-2 at .* was given up$/,
      ),
    });
  });
});

describe('hints', () => {
  test('there are none where no queue is configured', async () => {
    const ecs = testClient({});
    onTestFinished(() => ecs.close());
    expect(await Array.fromAsync(ecs.serviceHints(never))).toEqual([]);
  });

  test('come from the configured queue, as long as it is told to poll, until the client closes', async () => {
    const standIn = await startStandIn(() => undefined);
    onTestFinished(() => standIn.stop());
    const ecs = testClient({ events_queue_url: `${standIn.url}/1/events` }, { pollSeconds: 7 });
    const hints = Array.fromAsync(ecs.serviceHints(never));
    await vi.waitFor(() => expect(standIn.calls).toHaveLength(1), 30_000);
    expect(standIn.calls[0]?.input['WaitTimeSeconds']).toBe(7);
    ecs.close();
    expect(await hints).toEqual([]);
  });
});

describe('a role', () => {
  const roleArn = 'arn:aws:iam::123456789012:role/tenants';
  const terms = { external_id: 'x-1', session_name: 'prod' };
  test.each<[what: string, role: object, ExternalId: string | undefined, RoleSessionName: string]>([
    ['is assumed on the terms of the policy', { role_arn: roleArn, ...terms }, 'x-1', 'prod'],
    ['without terms is assumed on our own', { role_arn: roleArn }, undefined, 'landlord'],
    ['is not assumed on the terms of another', { role_arn: `${roleArn}-2`, ...terms }, undefined, 'landlord'],
  ])('%s', async (_what, role, ExternalId, RoleSessionName) => {
    const { ecs, standIn } = await clientOf((_call, response) => refuse(response, 'AccessDenied', 'no'), {
      policy: { allowed_roles: [role as { role_arn: string }] },
    });
    vi.stubEnv('AWS_ENDPOINT_URL_STS', standIn.url);
    await expect(ecs.listTaskDefinitions({ ...scope, roleArn }, 'app', never)).rejects.toMatchObject({
      code: 'AccessDenied',
    });
    const [assume] = standIn.calls;
    expect(assume).toMatchObject({ operation: 'AssumeRole', input: { RoleArn: roleArn, RoleSessionName } });
    expect(assume?.input['ExternalId']).toBe(ExternalId);
  });
});

describe('the time of ECS', () => {
  const service = { services: [{ serviceName: 'a', status: 'ACTIVE' }] };
  test.each([-600_000, 600_000])('is told by the dates of its answers: %d ms ahead of ours', async (ms) => {
    const { ecs } = await clientOf((_call, response) =>
      reply(response, service, { headers: { date: new Date(Date.now() + ms).toUTCString() } }),
    );
    expect(Math.abs(ecs.now(scope) - Date.now())).toBeLessThan(1_000);
    await read(ecs);
    expect(Math.abs(ecs.now(scope) - Date.now() - ms)).toBeLessThan(60_000);
    expect(Math.abs(ecs.now({ region: 'eu-west-1' }) - Date.now())).toBeLessThan(60_000);
  });

  test('is ours where an answer bears no date that can be read', async () => {
    const { ecs } = await clientOf((_call, response) =>
      reply(response, service, { headers: { date: 'today' } }),
    );
    await read(ecs);
    expect(Math.abs(ecs.now(scope) - Date.now())).toBeLessThan(60_000);
  });
});
